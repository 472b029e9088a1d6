package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
	"quiniela/internal/web"
)

const key = "the-operators-key-0123456789"

// desk is a site over a real ledger on a real disk.
type desk struct {
	t      *testing.T
	path   string // of the registry of operators
	people *operators.Guard
	ledger *ledger.Ledger
	site   *web.Site
	server *httptest.Server // the public one
	inner  *httptest.Server // the operator's socket
	admin  *httptest.Server // for monitoring
	doc    map[string]any
}

func open(t *testing.T) *desk {
	t.Helper()
	return openWith(t, "")
}

// openWith opens a site that serves the public log in a folder, or none where it is "".
func openWith(t *testing.T, public string) *desk {
	t.Helper()
	dir := t.TempDir()
	j, err := local.Open(filepath.Join(dir, "journal"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	figures := prometheus.NewRegistry()
	l, err := ledger.Open(context.Background(), j, ledger.Options{
		Dir: dir, Seed: &ledger.Seed{ID: "1", Agencies: 2, Rule: draw.FixedNumber(7574)}, Metrics: figures, Public: public != "",
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, operators.FileName)
	people := register(t, path, "ana", operators.Operator, key)
	site := web.New(web.Options{
		Ledger: l, Operators: people, Hosts: []string{"lottery.Example"}, Metrics: figures, Published: public,
		Names: func(n quiniela.Agency) string { return map[quiniela.Agency]string{1: "Rosario centro"}[n] },
		Backup: func(_ context.Context, dir string) (uint64, error) {
			end, err := j.Backup(dir)
			return end.Position, err
		},
	})
	d := &desk{t: t, path: path, people: people, ledger: l, site: site, server: httptest.NewServer(site.Public()), inner: httptest.NewServer(site.Trusted()), admin: httptest.NewServer(site.Admin())}
	t.Cleanup(func() {
		site.Close()
		d.server.Close()
		d.inner.Close()
		d.admin.Close()
		_ = l.Close()
		_ = j.Close()
	})
	return d
}

// register adds a person with a key to the registry at path, and returns its guard.
func register(t *testing.T, path, name string, role operators.Role, key string) *operators.Guard {
	t.Helper()
	err := operators.Change(path, func(r *operators.Registry) error { return r.AddWithKey(name, role, key, time.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	g, err := operators.NewGuard(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// bet stores a batch of bets of an agency on the numbers.
func (d *desk) bet(n uint64, agency quiniela.Agency, lines string) {
	d.t.Helper()
	s := &ledger.Submission{Draw: n, Agency: agency, Unattributed: agency == quiniela.Unattributed, Frame: []byte(lines)}
	if err := d.ledger.Submit(s); err != nil {
		d.t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil {
		d.t.Fatal(err)
	}
}

// drawn lets draw 1 be drawn, with one winner of agency 1.
func (d *desk) drawn() {
	d.t.Helper()
	d.bet(0, 1, "Ana,Paz,30904465,1990-01-01,7574\nEva,Sol,2,1990-01-01,12\n")
	for a := range quiniela.Agency(2) {
		if err := d.ledger.Finish(d.t.Context(), 0, a+1, 0, nil); err != nil {
			d.t.Fatal(err)
		}
	}
	<-d.ledger.Drawn(0)
}

// ask makes a request and returns the answer's status, header and body.
func (d *desk) ask(base, method, path, body string, header ...string) (int, http.Header, string) {
	d.t.Helper()
	r, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := client.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return w.StatusCode, w.Header, string(text)
}

func TestOnlyTheOperatorChangesDraws(t *testing.T) {
	t.Parallel()
	d := open(t)
	terms := `{"id":"night","agencies":1,"source":"notary"}`
	for path, body := range map[string]string{
		"/api/v1/draws": terms, "/api/v1/draws/1/close": "{}", "/api/v1/draws/1/number": `{"number":1}`, "/api/v1/backup": `{"dir":"/x"}`,
	} {
		for _, header := range [][]string{nil, {"Authorization", "Bearer "}, {"Cookie", "quiniela=x"}} {
			if status, h, text := d.ask(d.server.URL, "POST", path, body, header...); status != 401 || h.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s with %v: %d %s", path, header, status, text)
			}
		}
	}
	if status, _, text := d.ask(d.server.URL, "POST", "/api/v1/draws", terms, "Authorization", "Bearer "+key); status != 201 {
		t.Errorf("with the key: %d %s", status, text)
	}
	if status, _, text := d.ask(d.inner.URL, "POST", "/api/v1/draws/night/close", "{}"); status != 200 {
		t.Errorf("over the socket: %d %s", status, text)
	}
}

// While strangers try wrong keys without end, from the operator's own address, the right one is let in each time.
func TestTheRightKeyIsNeverRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	flood, over := context.WithCancel(t.Context())
	defer over()
	var strangers sync.WaitGroup
	var wrong atomic.Int64
	for range 40 {
		strangers.Go(func() {
			for flood.Err() == nil {
				status, _, _ := d.ask(d.server.URL, "GET", "/api/v1/draws", "", "Authorization", "Bearer wrong")
				if status != http.StatusUnauthorized {
					t.Errorf("a wrong key: %d", status)
				}
				wrong.Add(1)
			}
		})
	}
	for i := 0; i < 150 || wrong.Load() < 100; i++ {
		if status, _, text := d.ask(d.server.URL, "POST", "/api/v1/draws/none/close", "{}", "Authorization", "Bearer "+key); status != http.StatusNotFound {
			t.Fatalf("the right key, the %dth time: %d %s", i, status, text)
		}
		r, err := http.PostForm(d.server.URL+"/login", url.Values{"name": {"ana"}, "key": {key}})
		if err != nil || r.Body.Close() != nil || r.StatusCode != http.StatusOK || r.Request.URL.Path != "/" {
			t.Fatalf("the right key in the form, the %dth time: %v, %v", i, r, err)
		}
	}
	over()
	strangers.Wait()
}

func TestDocumentsAreForTheOperator(t *testing.T) {
	d := open(t)
	d.drawn()
	jar, _ := cookiejar.New(nil)
	browser := http.Client{Jar: jar}
	read := func(path string) string {
		t.Helper()
		r, err := browser.Get(d.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		text, _ := io.ReadAll(r.Body)
		return string(text)
	}
	pages := []string{"/", "/draws/1", "/api/v1/draws/1/winners/1", "/api/v1/draws/1/winners", "/api/v1/draws/1/numbers", "/api/v1/draws/1", "/api/v1/draws"}
	for _, path := range pages {
		if text := read(path); strings.Contains(text, "30904465") || strings.Contains(text, "Paz") {
			t.Errorf("%s shows a bettor to anybody:\n%s", path, text)
		}
	}
	if r, err := browser.PostForm(d.server.URL+"/login", url.Values{"name": {"ana"}, "key": {key}}); err != nil || r.StatusCode != 200 {
		t.Fatalf("log in: %v", err)
	}
	for _, path := range pages[:3] {
		if text := read(path); !strings.Contains(text, "30904465") {
			t.Errorf("%s does not show the operator the winner:\n%s", path, text)
		}
	}
	if _, err := browser.PostForm(d.server.URL+"/logout", nil); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(read("/"), "30904465") {
		t.Error("the page shows documents after the logout")
	}
}

// A bet that names no agency may win. The operator sees it with the others, and in the table of documents.
func TestABetWithoutAnAgencyIsAWinnerToo(t *testing.T) {
	d := open(t)
	d.bet(0, quiniela.Unattributed, "Leo,Gil,41000001,1990-01-01,7574\n")
	d.drawn()
	for path, want := range map[string]string{"/draws/1": "41000001", "/draws/1/documents.csv": "0,,41000001\n1,Rosario centro,30904465\n", "/api/v1/draws/1/winners/0": `["41000001"]`} {
		if status, _, text := d.ask(d.inner.URL, "GET", path, ""); status != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d, want %q\n%s", path, status, want, text)
		}
	}
}

func TestEveryPageIsGuarded(t *testing.T) {
	d := open(t)
	for _, path := range []string{"/", "/draws/1", "/draws/none", "/login", "/draws", "/open", "/trail", "/trail.csv", "/draws/1/act", "/draws/1/settlement", "/verify", "/verify?draw=1", "/api/v1/draws", "/api/v1/none", "/static/page.js", "/metrics", "/healthz"} {
		base := d.server.URL
		if path == "/metrics" || path == "/healthz" {
			base = d.admin.URL
		}
		_, h, text := d.ask(base, "GET", path, "")
		if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, h)
		}
		if strings.Contains(text, "style=") || strings.Contains(text, "<script>") || strings.Contains(text, "onclick") {
			t.Errorf("%s has something inline", path)
		}
		if status, _, _ := d.ask(base, "GET", path, "", "Host", "evil.example"); status != http.StatusMisdirectedRequest {
			t.Errorf("%s answers %d to another site's name", path, status)
		}
	}
	if status, _, _ := d.ask(d.server.URL, "GET", "/", "", "Host", "Lottery.Example:443"); status != 200 {
		t.Errorf("its own name: %d", status)
	}
	status, h, _ := d.ask(d.server.URL, "POST", "/logout", "", "Origin", "https://evil.example")
	if status != 403 || h.Get("Content-Security-Policy") == "" || h.Get("Content-Type") != "application/problem+json" {
		t.Errorf("another site's form: %d, %v, want a problem 403 that is guarded too", status, h)
	}
}

// What a page says depends on who asks and in which language, also where it says no.
func TestNoPageIsKept(t *testing.T) {
	d := open(t)
	for _, row := range []struct {
		method, path string
		status       int
	}{{"GET", "/", 200}, {"GET", "/draws/none", 404}, {"GET", "/login", 200}, {"POST", "/login", 401}} {
		status, h, _ := d.ask(d.server.URL, row.method, row.path, "")
		if status != row.status || h.Get("Cache-Control") != "no-store" || h.Get("Vary") != "Accept-Language, Cookie" {
			t.Errorf("%s %s: %d %v", row.method, row.path, status, h)
		}
	}
}

func TestTheBrowsersLanguage(t *testing.T) {
	d := open(t)
	for accept, want := range map[string]string{
		"": "es", "en": "en", "es-AR,en;q=0.5": "es", "en-GB,es;q=0.9": "en", "fr": "es", "fr,en;q=0.2,es;q=0.1": "en", "en;q=x": "es",
	} {
		if _, _, text := d.ask(d.server.URL, "GET", "/", "", "Accept-Language", accept); !strings.Contains(text, `<html lang="`+want+`">`) {
			t.Errorf("Accept-Language %q did not give %s", accept, want)
		}
	}
}

// failed is a ledger that has stopped itself; integration's disk tests have one that does so for real.
type failed struct{ *ledger.Ledger }

func (failed) Failed() <-chan struct{} { c := make(chan struct{}); close(c); return c }
func (failed) Err() error              { return errors.New("the disk is gone") }

func TestHealth(t *testing.T) {
	d := open(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ok\n"} {
		if status, _, text := d.ask(d.admin.URL, "GET", path, ""); status != 200 || text != want {
			t.Errorf("%s: %d %q", path, status, text)
		}
	}
	broken := httptest.NewServer(web.New(web.Options{Ledger: failed{d.ledger}}).Admin())
	defer broken.Close()
	if status, _, text := d.ask(broken.URL, "GET", "/readyz", ""); status != 503 || !strings.Contains(text, "the disk is gone") {
		t.Errorf("/readyz of a server that has failed: %d %q", status, text)
	}
	if status, _, _ := d.ask(d.admin.URL, "GET", "/debug/pprof/", ""); status != 404 {
		t.Errorf("profiles without being asked for: %d", status)
	}
	d.bet(0, 1, "Ana,Paz,1,1990-01-01,5\n")
	_, _, text := d.ask(d.admin.URL, "GET", "/metrics", "")
	for _, line := range []string{
		"quiniela_batches_total 1\n", "quiniela_bets_total 1\n", `quiniela_draws{state="open"} 1`, `quiniela_agencies_missing{draw="1"} 2`,
		"quiniela_failed 0\n", "quiniela_queue_bytes 0\n", "quiniela_commit_seconds_count", "quiniela_commit_requests_count", "quiniela_journal_bytes",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics has no line %q", line)
		}
	}
	d.site.Close() // it is going down
	if status, _, _ := d.ask(d.admin.URL, "GET", "/readyz", ""); status != 503 {
		t.Errorf("/readyz while going down: %d", status)
	}
}

func TestEventsSayWhatChanges(t *testing.T) {
	t.Parallel()
	d := open(t)
	anybody, err := http.Get(d.server.URL + "/api/v1/events?draw=1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = anybody.Body.Close() }()
	defer func() {
		var last string
		for lines := bufio.NewScanner(anybody.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				d.valid("Event", text)
				if last = text; strings.Contains(text, `"drawn"`) {
					return
				}
			}
		}
		t.Errorf("anybody's stream ended with %s", last)
	}()
	r, err := http.Get(d.inner.URL + "/api/v1/events?draw=1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	lines := bufio.NewScanner(r.Body)
	next := func() (e web.Event) {
		t.Helper()
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(text), &e); err != nil {
					t.Fatal(err)
				}
				d.valid("Event", text)
				return e
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return e
	}
	if e := next(); e.Draw.Bets != 0 || len(e.Agencies) != 2 || e.Draw.State != "open" {
		t.Fatalf("first: %+v", e)
	}
	d.drawn()
	for e := next(); e.Draw.State != "drawn"; e = next() {
		t.Logf("%+v", e)
	}
}

// A draw may have a million agencies: a page and an event show a few, and say where the others are.
func TestAgenciesComeInPages(t *testing.T) {
	d := open(t)
	if _, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "big", Agencies: 450, Rule: draw.FixedNumber(1)}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		query, first, last string
		links              []string
	}{
		{"", "1", "200", []string{"?from=201#agencias"}},
		{"?from=201&lang=en", "201", "400", []string{"?from=1&amp;lang=en#agencies", "?from=401&amp;lang=en#agencies"}},
		{"?from=401", "401", "450", []string{"?from=201#agencias"}},
		{"?from=451", "1", "200", []string{"?from=201#agencias"}},
		{"?from=0201", "201", "400", []string{"?from=1#agencias", "?from=401#agencias"}},
		{"?from=0xc9", "1", "200", []string{"?from=201#agencias"}},
		{"?from=-1", "1", "200", []string{"?from=201#agencias"}},
	} {
		_, _, text := d.ask(d.inner.URL, "GET", "/draws/big"+row.query, "")
		rows := regexp.MustCompile(`id="agency-(\d+)"`).FindAllStringSubmatch(text, -1)
		if len(rows) == 0 || rows[0][1] != row.first || rows[len(rows)-1][1] != row.last {
			t.Errorf("%q shows %d agencies, want %s to %s", row.query, len(rows), row.first, row.last)
		}
		if n := strings.Count(text, `#agencias"`) + strings.Count(text, `#agencies"`); n != len(row.links) {
			t.Errorf("%q has %d links to other agencies, want %d", row.query, n, len(row.links))
		}
		for _, link := range row.links {
			if !strings.Contains(text, `href="`+link+`"`) {
				t.Errorf("%q has no link %s", row.query, link)
			}
		}
	}
	for _, from := range []string{"x", "0x1f", "1_000", "%2B5"} {
		if status, _, _ := d.ask(d.server.URL, "GET", "/api/v1/events?draw=big&from="+from, ""); status != 422 {
			t.Errorf("events from agency %s: %d", from, status)
		}
	}
}

// counted counts how often a draw is read.
type counted struct {
	*ledger.Ledger
	reads atomic.Int64
}

func (c *counted) FindDraw(ctx context.Context, id string) (ledger.Draw, error) {
	c.reads.Add(1)
	return c.Ledger.FindDraw(ctx, id)
}

func TestOnlookersShareOneReading(t *testing.T) {
	t.Parallel()
	d := open(t)
	l := &counted{Ledger: d.ledger}
	site := web.New(web.Options{Ledger: l})
	s := httptest.NewServer(site.Trusted())
	defer s.Close()
	defer site.Close()
	const onlookers, seconds = 50, 3
	began := time.Now()
	for range onlookers {
		r, err := http.Get(s.URL + "/api/v1/events?draw=1&from=2")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		lines := bufio.NewReader(r.Body)
		if line, err := lines.ReadString('\n'); line != "event: draw\n" {
			t.Fatalf("%q, %v", line, err)
		}
		if line, _ := lines.ReadString('\n'); strings.Contains(line, `"agency":1,`) || !strings.Contains(line, `"agency":2,`) {
			t.Fatalf("from agency 2: %s", line)
		}
	}
	time.Sleep(seconds * time.Second)
	// A reading holds for nine tenths of a second. One more is made when a stream begins.
	if n, most := l.reads.Load()-onlookers, int64(time.Since(began)/(900*time.Millisecond))+1; n > most || n < 2 {
		t.Errorf("%d onlookers made %d readings, want 2 to %d", onlookers, n, most)
	}
}

// document is the API's own description.
func (d *desk) document() map[string]any {
	d.t.Helper()
	if d.doc == nil {
		_, _, text := d.ask(d.server.URL, "GET", "/api/v1/openapi.json", "")
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			d.t.Fatal(err)
		}
		d.doc = doc.(map[string]any)
	}
	return d.doc
}

// valid checks a text against one of the document's schemas.
func (d *desk) valid(schema, text string) {
	d.t.Helper()
	d.check("#/components/schemas/"+schema, text)
}

func (d *desk) check(pointer, text string) {
	d.t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", d.document()); err != nil {
		d.t.Fatal(err)
	}
	s, err := c.Compile("openapi.json" + pointer)
	if err != nil {
		d.t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		d.t.Fatalf("%s: %v in %q", pointer, err, text)
	}
	if err := s.Validate(v); err != nil {
		d.t.Errorf("%s: %v\n%s", pointer, err, text)
	}
}

func TestTheAPIIsAsItsDocumentSays(t *testing.T) {
	d := open(t)
	var documented []string
	for path, v := range d.document()["paths"].(map[string]any) {
		for method := range v.(map[string]any) {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	registered := d.site.Operations()
	slices.Sort(documented)
	slices.Sort(registered)
	if !slices.Equal(documented, registered) {
		t.Fatalf("documented %q\nregistered %q", documented, registered)
	}
	d.drawn()
	backup := filepath.Join(t.TempDir(), "copy")
	for _, row := range []struct {
		method, path, of, body string
		status                 int
	}{
		{"GET", "/api/v1/draws", "", "", 200},
		{"POST", "/api/v1/draws", "", `{"id":"night","agencies":3,"source":"notary","closes":"2099-01-01T00:00:00Z"}`, 201},
		{"POST", "/api/v1/draws", "", `{"id":"night","agencies":3,"source":"notary"}`, 404},
		{"POST", "/api/v1/draws", "", `{"id":"x","agencies":3,"source":"notary","more":1}`, 422},
		{"POST", "/api/v1/draws", "", `{"id":"x"} trailing`, 422},
		{"POST", "/api/v1/draws", "", ``, 422},
		{"GET", "/api/v1/draws/night", "/api/v1/draws/{id}", "", 200},
		{"GET", "/api/v1/draws/none", "/api/v1/draws/{id}", "", 404},
		{"GET", "/api/v1/draws/1/agencies", "/api/v1/draws/{id}/agencies", "", 200},
		{"GET", "/api/v1/draws/1/numbers", "/api/v1/draws/{id}/numbers", "", 200},
		{"GET", "/api/v1/draws/1/winners", "/api/v1/draws/{id}/winners", "", 200},
		{"GET", "/api/v1/draws/1/winners/1", "/api/v1/draws/{id}/winners/{agency}", "", 200},
		{"GET", "/api/v1/draws/1/winners/x", "/api/v1/draws/{id}/winners/{agency}", "", 422},
		{"GET", "/api/v1/draws/1/agencies?from=2&limit=1", "/api/v1/draws/{id}/agencies", "", 200},
		{"GET", "/api/v1/draws/1/agencies?limit=0", "/api/v1/draws/{id}/agencies", "", 422},
		{"GET", "/api/v1/draws?from=-1", "/api/v1/draws", "", 422},
		{"POST", "/api/v1/draws/night/number", "/api/v1/draws/{id}/number", `{"number":7}`, 422},
		{"POST", "/api/v1/draws/night/close", "/api/v1/draws/{id}/close", `{"note":"because"}`, 200},
		{"POST", "/api/v1/draws/night/close", "/api/v1/draws/{id}/close", `{}`, 409},
		{"POST", "/api/v1/draws/night/number", "/api/v1/draws/{id}/number", `{}`, 422},
		{"POST", "/api/v1/draws/night/number", "/api/v1/draws/{id}/number", `{"number":0042}`, 422},
		{"POST", "/api/v1/draws/night/number", "/api/v1/draws/{id}/number", `{"number":0x1f}`, 422},
		{"POST", "/api/v1/draws/night/number", "/api/v1/draws/{id}/number", `{"number":7}`, 200},
		{"POST", "/api/v1/draws/night/number", "/api/v1/draws/{id}/number", `{"number":8}`, 409},
		{"POST", "/api/v1/backup", "", `{"dir":"relative"}`, 422},
		{"POST", "/api/v1/backup", "", `{"dir":"` + backup + `"}`, 200},
		{"GET", "/api/v1/trail", "", "", 200},
		{"GET", "/api/v1/trail?limit=2&what=open", "/api/v1/trail", "", 200},
		{"GET", "/api/v1/trail?before=x", "/api/v1/trail", "", 422},
		{"POST", "/api/v1/find", "", `{"document":"30904465"}`, 200},
		{"POST", "/api/v1/find", "", `{"document":"30904465","draw":"1"}`, 200},
		{"POST", "/api/v1/find", "", `{"document":"30904465","draw":"none"}`, 404},
		{"POST", "/api/v1/find", "", `{"document":"30.904.465"}`, 422},
		{"POST", "/api/v1/find", "", `{"document":""}`, 422},
		{"GET", "/api/v1/openapi.json", "", "", 200},
	} {
		status, h, text := d.ask(d.inner.URL, row.method, row.path, row.body)
		if status != row.status {
			t.Errorf("%s %s %s: %d, want %d: %s", row.method, row.path, row.body, status, row.status, text)
			continue
		}
		if status >= 300 {
			d.valid("Problem", text)
			if h.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s: a problem as %s", row.method, row.path, h.Get("Content-Type"))
			}
			continue
		}
		path := row.path
		if row.of != "" {
			path = row.of
		}
		code := map[int]string{200: "200", 201: "201"}[status]
		escaped := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path)
		d.check("#/paths/"+escaped+"/"+strings.ToLower(row.method)+"/responses/"+code+"/content/application~1json/schema", text)
	}
	if _, err := os.Stat(backup); err != nil {
		t.Errorf("the backup: %v", err)
	}
	if status, _, text := d.ask(d.inner.URL, "DELETE", "/api/v1/draws", ""); status != 404 || !bytes.Contains([]byte(text), []byte("openapi.json")) {
		t.Errorf("DELETE: %d %s", status, text)
	}
}
