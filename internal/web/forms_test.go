package web_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
	"quiniela/internal/web"
)

// visitor is a browser of somebody who has logged in, in English.
type visitor struct {
	d      *desk
	client http.Client
}

// visit logs somebody in.
func (d *desk) visit(name, key string) visitor {
	d.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	v := visitor{d, http.Client{Jar: jar}}
	if status, path, text := v.post("/login", url.Values{"name": {name}, "key": {key}}); status != 200 || path != "/" {
		d.t.Fatalf("log in as %s: %d at %s\n%s", name, status, path, text)
	}
	return v
}

// do makes a request, follows where the answer leads, and returns the status, the path and the text of the last one.
func (v visitor) do(method, path, kind string, body io.Reader) (int, string, string) {
	v.d.t.Helper()
	r, err := http.NewRequest(method, v.d.server.URL+path, body)
	if err != nil {
		v.d.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept-Language", "en")
	w, err := v.client.Do(r)
	if err != nil {
		v.d.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		v.d.t.Fatal(err)
	}
	return w.StatusCode, w.Request.URL.Path, string(text)
}

func (v visitor) get(path string) (int, string) {
	v.d.t.Helper()
	status, _, text := v.do("GET", path, "", nil)
	return status, text
}

func (v visitor) post(path string, fields url.Values) (int, string, string) {
	v.d.t.Helper()
	return v.do("POST", path, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode()))
}

// enter sends the form for a number; extract is the file, "" is none.
func (v visitor) enter(draw string, extract string, fields ...string) (int, string, string) {
	v.d.t.Helper()
	return v.sendFile(draw, "en", "extract.pdf", extract, fields...)
}

// sendFile sends the form for a number with a file, in a language.
func (v visitor) sendFile(draw, lang, name, extract string, fields ...string) (int, string, string) {
	v.d.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		_ = form.WriteField(fields[i], fields[i+1])
	}
	file, _ := form.CreateFormFile("file", name)
	_, _ = io.WriteString(file, extract)
	_ = form.Close()
	return v.do("POST", "/draws/"+draw+"/number?lang="+lang, form.FormDataContentType(), &body)
}

// closed opens and closes a draw that waits for its number.
func (d *desk) closed(id string, two bool) {
	d.t.Helper()
	by := ledger.Actor{Name: "ana", Registered: true}
	if _, err := d.ledger.OpenDraw(d.t.Context(), by, ledger.Terms{ID: id, Agencies: 2, Rule: draw.Rule{Source: quiniela.SourceNotary}, Two: two}); err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.ledger.CloseDraw(d.t.Context(), by, id, "the time has come"); err != nil {
		d.t.Fatal(err)
	}
}

// Every page that acts or shows what is not for everybody, with every role. What a role may not do is not offered to it.
func TestEachRoleHasItsPages(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.drawn()
	d.evening(`{}`)
	d.paid()
	d.closed("night", false)
	d.register("nora", operators.Notary, notaryKey)
	d.register("vera", operators.Viewer, viewerKey)
	who := map[operators.Role]visitor{
		"": {d, http.Client{}}, operators.Viewer: d.visit("vera", viewerKey), operators.Notary: d.visit("nora", notaryKey), operators.Operator: d.visit("ana", key),
	}
	needs := map[string]operators.Role{
		"GET /": "", "GET /draws": "", "GET /draws/1": "",
		"GET /draws/nocturna/settlement": operators.Viewer, "GET /draws/nocturna/settlement/1": operators.Viewer, "GET /draws/nocturna/settlement.csv": operators.Viewer,
		"GET /draws/nocturna/prizes.csv": operators.Viewer,
		"GET /draws/1/act":               operators.Viewer, "GET /draws/1/winners.csv": operators.Viewer, "GET /trail": operators.Viewer, "GET /trail.csv": operators.Viewer, "GET /backups": operators.Viewer,
		"GET /draws/night/number": operators.Notary, "POST /draws/night/number": operators.Notary, "GET /draws/1/documents.csv": operators.Notary,
		"GET /open": operators.Operator, "POST /draws": operators.Operator, "GET /draws/1/close": operators.Operator, "POST /draws/1/close": operators.Operator,
	}
	for page, role := range needs {
		method, path, _ := strings.Cut(page, " ")
		for as, v := range who {
			status, _, text := v.do(method, path, "application/x-www-form-urlencoded", strings.NewReader(""))
			want := 200
			switch {
			case as.May(role) && method == "POST":
				want = 422 // the form is empty
			case as.May(role):
			case as == "":
				want = 401
			default:
				want = 403
			}
			if status != want {
				t.Errorf("%s as %q: %d, want %d\n%s", page, as, status, want, text)
			}
		}
	}
	for as, v := range who {
		_, text := v.get("/draws/night")
		offers := map[string]operators.Role{`href="/draws/night/number"`: operators.Notary, `href="/draws/night/act"`: operators.Viewer, `href="/open"`: operators.Operator, `href="/trail"`: operators.Viewer}
		for link, role := range offers {
			if strings.Contains(text, link) != as.May(role) {
				t.Errorf("as %q the page has %s: %v", as, link, !as.May(role))
			}
		}
	}
}

// What is wrong with a new draw is said beside its field, and what was typed is kept. Nothing is done.
func TestTheFormForANewDraw(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.visit("ana", key)
	later := time.Now().Add(48 * time.Hour).Format("2006-01-02T15:04")
	good := func(change ...string) url.Values {
		v := url.Values{"id": {"night"}, "again": {"night"}, "agencies": {"3"}, "closes": {later}, "source": {"notary"}, "number": {""}}
		for i := 0; i < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return v
	}
	for name, row := range map[string]struct {
		form        url.Values
		field, want string
	}{
		"a name with a space":          {good("id", "late night", "again", "late night"), "id", "no name of a draw"},
		"another name":                 {good("again", "nigth"), "again", "not the same name"},
		"a name that is taken":         {good("id", "1", "again", "1"), "id", "with this name already"},
		"no agencies":                  {good("agencies", "0"), "agencies", "from 1 to 1000000"},
		"agencies in hexadecimal":      {good("agencies", "0x10"), "agencies", "from 1 to 1000000"},
		"a time that has passed":       {good("closes", "2020-01-01T00:00"), "closes", "has passed"},
		"no time":                      {good("closes", "tomorrow"), "closes", "no date and time"},
		"a beacon without a time":      {good("source", "beacon", "closes", ""), "closes", "needs a closing time"},
		"a fixed number too short":     {good("source", "fixed", "number", "42"), "number", "all four digits"},
		"a fixed number of letters":    {good("source", "fixed", "number", "00x1"), "number", "all four digits"},
		"a source that does not exist": {good("source", "dice"), "source", "Choose where the number comes from"},
	} {
		status, path, text := ana.post("/draws", row.form)
		if status != 422 || path != "/draws" {
			t.Errorf("%s: %d at %s", name, status, path)
		}
		if row.field != "source" && !regexp.MustCompile(`(?s)id="`+row.field+`"[^>]*aria-describedby="`+row.field+`-wrong[^>]*aria-invalid.*id="`+row.field+`-wrong">[^<]*`+row.want).MatchString(text) ||
			!strings.Contains(text, row.want) {
			t.Errorf("%s: the field does not say %q\n%s", name, row.want, text)
		}
		for _, kept := range []string{"id", "again", "agencies", "closes", "number"} {
			if value := row.form.Get(kept); !strings.Contains(text, `name="`+kept+`" value="`+value+`"`) {
				t.Errorf("%s: %s is not kept", name, kept)
			}
		}
	}
	if _, last, err := d.ledger.DrawsFrom(t.Context(), 1, 10); last != 1 || err != nil {
		t.Fatalf("there are %d draws, %v", last, err)
	}
	// The server keeps no public log, so the ledger refuses a beacon, in its own words.
	if status, _, text := ana.post("/draws", good("source", "beacon")); status != 422 || !strings.Contains(text, `lang="en">the source beacon needs the public log`) {
		t.Errorf("a beacon without a public log: %d\n%s", status, text)
	}
	if status, path, text := ana.post("/draws", good()); status != 200 || path != "/draws/night" || !strings.Contains(text, strings.Replace(later, "T", " ", 1)+":00") {
		t.Errorf("opened: %d at %s\n%s", status, path, text)
	}
	if n, err := d.ledger.FindDraw(t.Context(), "night"); err != nil || n.Agencies != 3 || n.Two || n.Closes.Local().Format("2006-01-02T15:04") != later {
		t.Errorf("opened as %+v, %v", n, err)
	}
	if trail := d.trail(); !slices.Contains(trail, "ana open night") {
		t.Errorf("the trail: %q", trail)
	}
}

// With two people who may enter a number, the form asks for both unless somebody says otherwise.
func TestTheFormAsksForTwoPeople(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.visit("ana", key)
	if _, text := ana.get("/open"); strings.Contains(text, `name="two"`) {
		t.Error("one person alone is offered the rule of two")
	}
	d.register("nora", operators.Notary, notaryKey)
	if _, text := ana.get("/open"); !strings.Contains(text, `name="two" value="yes" checked`) {
		t.Error("two people are not asked for")
	}
	for id, two := range map[string]string{"both": "yes", "one": ""} {
		form := url.Values{"id": {id}, "again": {id}, "agencies": {"1"}, "source": {"notary"}}
		if two != "" {
			form.Set("two", two)
		}
		ana.post("/draws", form)
		if n, err := d.ledger.FindDraw(t.Context(), id); err != nil || n.Two != (two != "") {
			t.Errorf("%s: two people %v, %v", id, n.Two, err)
		}
	}
}

func TestTheFormThatClosesADraw(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.visit("ana", key)
	for name, row := range map[string]struct{ note, again, want string }{
		"no reason":      {"", "1", "Type the reason"},
		"another name":   {"because", "2", "not the same name"},
		"a long reason":  {strings.Repeat("x", 201), "1", "more than 200 characters"},
		"an odd reason":  {"one\x07two", "1", "cannot be printed"},
		"another's form": {"because", "", "not the same name"},
	} {
		if status, _, text := ana.post("/draws/1/close", url.Values{"note": {row.note}, "again": {row.again}}); status != 422 || !strings.Contains(text, row.want) {
			t.Errorf("%s: %d, want %q\n%s", name, status, row.want, text)
		}
	}
	if n, _ := d.ledger.FindDraw(t.Context(), "1"); n.Sealed {
		t.Fatal("it is closed")
	}
	form := url.Values{"note": {"agency <2> has no power"}, "again": {"1"}}
	status, path, text := ana.post("/draws/1/close", form)
	if status != 200 || path != "/draws/1" || !strings.Contains(text, "agency &lt;2&gt; has no power") || !strings.Contains(text, "Missing at the closing: 1 Rosario centro, 2.") {
		t.Errorf("closed: %d at %s\n%s", status, path, text)
	}
	if status, _, text := ana.post("/draws/1/close", form); status != 422 || !strings.Contains(text, "has been closed already") {
		t.Errorf("closed twice: %d\n%s", status, text)
	}
	if status, _, _ := ana.post("/draws/none/close", url.Values{"note": {"x"}, "again": {"none"}}); status != 404 {
		t.Errorf("no such draw: %d", status)
	}
}

// One person types the number twice. The extract's hash is kept where the form comes back.
func TestTheFormForANumber(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.visit("ana", key)
	if status, text := ana.get("/draws/1/number"); status != 200 || !strings.Contains(text, "does not wait for a number") || strings.Contains(text, `name="number"`) {
		t.Errorf("an open draw: %d\n%s", status, text)
	}
	d.closed("night", false)
	extract := strings.Repeat("the official extract ", 100_000) // more than a form may have without a file
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(extract)))
	for name, row := range map[string]struct{ number, again, want string }{
		"another number": {"7574", "7547", "not the same number"},
		"once":           {"7574", "", "not the same number"},
		"three digits":   {"757", "757", "all four digits"},
		"five digits":    {"07574", "07574", "all four digits"},
		"nothing":        {"", "", "all four digits"},
	} {
		status, _, text := ana.enter("night", extract, "number", row.number, "again", row.again)
		if status != 422 || !strings.Contains(text, row.want) || !strings.Contains(text, `name="extract" value="`+hash+`"`) || !strings.Contains(text, `name="number" value="`+row.number+`"`) {
			t.Errorf("%s: %d, want %q\n%s", name, status, row.want, text)
		}
	}
	if status, _, text := ana.enter("night", "", "extract", "zz", "number", "7574", "again", "7574"); status != 422 || !strings.Contains(text, "could not be read") {
		t.Errorf("a hash that is none: %d\n%s", status, text)
	}
	if status, path, text := ana.enter("night", "", "extract", hash, "number", "7574", "again", "7574"); status != 200 || path != "/draws/night" || !strings.Contains(text, "Entered by ana") {
		t.Errorf("entered: %d at %s\n%s", status, path, text)
	}
	if n, _ := d.ledger.FindDraw(t.Context(), "night"); n.Entered == nil || *n.Entered != 7574 || fmt.Sprintf("%x", n.Extract) != hash {
		t.Errorf("entered as %+v", n)
	}
	if status, _, text := ana.enter("night", "", "number", "1111", "again", "1111"); status != 422 || !strings.Contains(text, "has its number already") {
		t.Errorf("entered twice: %d\n%s", status, text)
	}
	d.closed("late", false)
	if status, _, text := ana.enter("late", strings.Repeat("x", 65<<20), "number", "7574", "again", "7574"); status != 422 || !strings.Contains(text, "more than 64 MB") {
		t.Errorf("a very large extract: %d\n%.400s", status, text)
	}
	<-d.ledger.Drawn(2)
	if _, text := ana.get("/draws/night/act"); !regexp.MustCompile(`(?s)7574.*`+hash+`.*opened a draw.*closed a draw.*entered a number.*Signatures`).MatchString(text) || strings.Contains(text, "not complete") {
		t.Errorf("the act:\n%s", text)
	}
	if _, text := ana.get("/draws/late/act"); !strings.Contains(text, "not complete") {
		t.Error("an act without a result does not say so")
	}
}

// The second of two people sees the first one's number on no page and in no file, not even after the two differ and begin again.
func TestNoPageShowsTheSecondPersonTheNumber(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.register("nora", operators.Notary, notaryKey)
	d.register("nico", operators.Notary, secondKey)
	nora, nico := d.visit("nora", notaryKey), d.visit("nico", secondKey)
	d.closed("night", true)
	if _, text := nora.get("/draws/night/number"); strings.Contains(text, `name="again"`) {
		t.Error("each of two people types it twice")
	}
	if status, path, text := nora.enter("night", "", "number", "8642"); status != 200 || path != "/draws/night" || !strings.Contains(text, "The first one was nora") || shows(text, "8642") {
		t.Fatalf("the first: %d at %s\n%s", status, path, text)
	}
	pages := []string{
		"/", "/draws", "/draws?state=waiting", "/draws/night", "/draws/night/number", "/draws/night/act", "/draws/night/winners.csv", "/draws/night/documents.csv",
		"/trail", "/trail?draw=night", "/trail.csv", "/backups", "/api/v1/draws/night",
	}
	for _, path := range pages {
		for name, v := range map[string]visitor{"nora": nora, "nico": nico, "a stranger": {d, http.Client{}}} {
			if _, text := v.get(path); shows(text, "8642") {
				t.Errorf("%s shows %s the number:\n%s", path, name, text)
			}
		}
	}
	if status, _, text := nico.enter("night", "", "number", "8643"); status != 422 || !strings.Contains(text, "so neither counts") || shows(text, "864[23]") {
		t.Errorf("they differ: %d\n%s", status, text)
	}
	nico.enter("night", "", "number", "8642")
	if status, _, text := nora.enter("night", "", "number", "8642"); status != 200 || !strings.Contains(text, "Entered by nico, nora") {
		t.Errorf("both have entered it: %d\n%s", status, text)
	}
	// Whoever has the data folder is nobody's second person.
	d.closed("late", true)
	status, _, text := d.ask(d.inner.URL, "POST", "/draws/late/number", "--x\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\n0001\r\n--x--\r\n", "Content-Type", "multipart/form-data; boundary=x", "Accept-Language", "en")
	if status != 422 || !strings.Contains(text, "two registered people") {
		t.Errorf("over the socket: %d\n%s", status, text)
	}
}

// No page of another site can send a form, and nobody is led to another site.
func TestFormsAreThisSitesOwn(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, path := range []string{"/draws", "/draws/1/close", "/draws/1/number", "/login"} {
		if status, _, _ := d.ask(d.server.URL, "POST", path, "", "Origin", "https://evil.example", "Authorization", "Bearer "+key); status != 403 {
			t.Errorf("%s from another site: %d", path, status)
		}
	}
	for next, want := range map[string]string{
		"/draws/1/act": "/draws/1/act", "/trail?draw=1": "/trail?draw=1", "": "/", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/", "evil": "/",
	} {
		form := url.Values{"name": {"ana"}, "key": {key}, "next": {next}}.Encode()
		status, h, _ := d.ask(d.server.URL, "POST", "/login", form, "Content-Type", "application/x-www-form-urlencoded")
		if status != 303 || h.Get("Location") != want {
			t.Errorf("next %q: %d to %q, want %q", next, status, h.Get("Location"), want)
		}
	}
	if status, _, text := d.ask(d.server.URL, "GET", "/trail?draw=1", ""); status != 401 || !strings.Contains(text, `name="next" value="/trail?draw=1"`) {
		t.Errorf("a stranger at the trail: %d\n%s", status, text)
	}
}

// A search finds a part of a name, in either case, and a state.
func TestDrawsAreFound(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.drawn()
	d.closed("2026-11-24-nocturna", false)
	if _, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "2026-11-25-Nocturna", Agencies: 1, Rule: draw.FixedNumber(1)}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]string{
		"": {"2026-11-25-Nocturna", "2026-11-24-nocturna", "1"}, "?q=NOCT": {"2026-11-25-Nocturna", "2026-11-24-nocturna"}, "?q=11-24": {"2026-11-24-nocturna"}, "?q=x": nil,
		"?state=drawn": {"1"}, "?state=open": {"2026-11-25-Nocturna"}, "?state=sealed": {"2026-11-24-nocturna"}, "?state=waiting&q=noct": {"2026-11-24-nocturna"}, "?state=odd&q=25": {"2026-11-25-Nocturna"},
	} {
		_, _, text := d.ask(d.server.URL, "GET", "/draws"+query, "")
		var found []string
		for _, m := range regexp.MustCompile(`id="in-list-([^"]+)"`).FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("%q: %s", query, diff)
		}
		if strings.Contains(text, `class="waits"`) {
			t.Error("strangers are told who waits for whom")
		}
	}
	if _, _, text := d.ask(d.inner.URL, "GET", "/", ""); !strings.Contains(text, `class="waits"`) || !strings.Contains(text, `>Ingresar el número</a>`) || strings.Index(text, `class="waits"`) > strings.Index(text, `<dl class="figures">`) {
		t.Error("the draw that waits for its number is not on top")
	}
}

// What a stranger has typed is no formula in a spreadsheet.
func TestATableHasNoFormulas(t *testing.T) {
	t.Parallel()
	d := open(t)
	if _, err := http.PostForm(d.server.URL+"/login", url.Values{"name": {"=HYPERLINK(1)"}, "key": {"wrong"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, text := d.ask(d.inner.URL, "GET", "/trail.csv?what=login_failed", ""); !strings.Contains(text, "login_failed") || regexp.MustCompile(`(?m)(^|,)"?[=+@-]`).MatchString(text) {
		t.Errorf("the trail:\n%s", text)
	}
}

// The language that somebody chose stays.
func TestALanguageIsKept(t *testing.T) {
	t.Parallel()
	d := open(t)
	_, h, _ := d.ask(d.server.URL, "GET", "/?lang=en", "")
	cookie, _, _ := strings.Cut(h.Get("Set-Cookie"), ";")
	if _, _, text := d.ask(d.server.URL, "GET", "/draws?q=1&state=open", "", "Cookie", cookie, "Accept-Language", "es"); !strings.Contains(text, `<html lang="en">`) ||
		!strings.Contains(text, `href="/draws?lang=es&amp;q=1&amp;state=open"`) {
		t.Errorf("with %q:\n%s", cookie, text)
	}
	if _, h, _ := d.ask(d.server.URL, "GET", "/?lang=tlh", ""); h.Get("Set-Cookie") != "" {
		t.Error("a language that there is not is kept")
	}
}

func TestTheStateOfBackups(t *testing.T) {
	t.Parallel()
	d := open(t)
	now := time.Now()
	for name, row := range map[string]struct {
		state web.Backups
		want  string
		never string
	}{
		"good":   {web.Backups{Newest: now.Add(-time.Hour), Next: now.Add(time.Hour), Count: 7}, `<dd>7</dd>`, `class="alert"`},
		"old":    {web.Backups{Newest: now.Add(-30 * time.Hour), Next: now}, "tiene más de un día", "todavía ninguna"},
		"failed": {web.Backups{Newest: now.Add(-time.Hour), Failed: true, Next: now}, "no se hizo", "más de un día"},
		"none":   {web.Backups{Next: now}, "todavía ninguna", `class="alert"`},
	} {
		s := httptest.NewServer(web.New(web.Options{Ledger: d.ledger, Backups: func() web.Backups { return row.state }}).Trusted())
		_, _, text := d.ask(s.URL, "GET", "/backups", "")
		s.Close()
		if !strings.Contains(text, row.want) || strings.Contains(text, row.never) {
			t.Errorf("%s: want %q and not %q:\n%s", name, row.want, row.never, text)
		}
	}
	if _, _, text := d.ask(d.inner.URL, "GET", "/backups", ""); !strings.Contains(text, "no hace copias por sí mismo") {
		t.Error("a server without backups does not say so")
	}
}
