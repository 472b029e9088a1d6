package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela/internal/operators"
	"quiniela/internal/web"
)

const (
	notaryKey = "the-notarys-key-0123456789"
	secondKey = "the-second-notarys-key-012"
	viewerKey = "the-viewers-key-0123456789"
)

// shows reports whether a text has a number, given as a regular expression, that stands by itself. In a time or a hash the same digits come
// by chance.
func shows(text, number string) bool {
	return regexp.MustCompile(`(^|[^0-9A-Za-z])(` + number + `)($|[^0-9A-Za-z])`).MatchString(text)
}

// people registers a person of each role, and another notary, and lets the site see them.
func (d *desk) register(name string, role operators.Role, key string) {
	d.t.Helper()
	if err := operators.Change(d.path, func(r *operators.Registry) error { return r.AddWithKey(name, role, key, time.Now()) }); err != nil {
		d.t.Fatal(err)
	}
	d.recheck()
}

// recheck waits until the site looks at its registry again.
func (d *desk) recheck() { time.Sleep(1100 * time.Millisecond) }

func bearer(key string) []string { return []string{"Authorization", "Bearer " + key} }

// trail returns the acts, the oldest first, as "who what draw about note failed".
func (d *desk) trail() (lines []string) {
	d.t.Helper()
	_, _, text := d.ask(d.inner.URL, "GET", "/api/v1/trail", "")
	var answer struct{ Acts []web.Act }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		d.t.Fatalf("%v: %s", err, text)
	}
	for _, a := range slices.Backward(answer.Acts) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s%s %s %s", a.Who, a.What, a.Draw, a.About, a.Note, a.Failed)))
	}
	return lines
}

// Every operation of the API with every role.
func TestEachRoleMayDoItsPart(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.register("nora", operators.Notary, notaryKey)
	d.register("vera", operators.Viewer, viewerKey)
	keys := map[operators.Role][]string{"": nil, operators.Viewer: bearer(viewerKey), operators.Notary: bearer(notaryKey), operators.Operator: bearer(key)}
	order := []operators.Role{"", operators.Viewer, operators.Notary, operators.Operator}
	needs := map[string]operators.Role{
		"GET /api/v1/draws": "", "GET /api/v1/draws/{id}": "", "GET /api/v1/draws/{id}/winners": "", "GET /api/v1/openapi.json": "", "GET /api/v1/events": "",
		"GET /api/v1/draws/{id}/agencies": operators.Viewer, "GET /api/v1/draws/{id}/numbers": operators.Viewer, "GET /api/v1/trail": operators.Viewer,
		"GET /api/v1/draws/{id}/payouts": operators.Viewer, "GET /api/v1/draws/{id}/prizes.csv": operators.Viewer,
		"GET /api/v1/draws/{id}/winners/{agency}": operators.Notary, "POST /api/v1/draws/{id}/number": operators.Notary,
		"POST /api/v1/draws": operators.Operator, "POST /api/v1/draws/{id}/close": operators.Operator, "POST /api/v1/backup": operators.Operator, "POST /api/v1/find": operators.Operator,
	}
	for _, operation := range d.site.Operations() {
		role, known := needs[operation]
		if !known {
			t.Errorf("%s: this test does not know who may do it", operation)
		}
		method, path, _ := strings.Cut(operation, " ")
		if strings.HasSuffix(path, "/events") {
			continue // goes on for ever; TestAStreamEndsWithItsLogin
		}
		path = strings.NewReplacer("{id}", "none", "{agency}", "1").Replace(path)
		for _, as := range order {
			status, _, text := d.ask(d.server.URL, method, path, "{}", keys[as]...)
			want := http.StatusForbidden
			if as == "" {
				want = http.StatusUnauthorized
			}
			if refused := status == want; refused == as.May(role) {
				t.Errorf("%s as %q: %d %s", operation, as, status, text)
			}
		}
	}
}

// Of the first person's number nothing is shown to anybody, by any answer of the site, until the second has entered it.
func TestTheSecondPersonDoesNotSeeTheNumber(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.register("nora", operators.Notary, notaryKey)
	d.register("nico", operators.Notary, secondKey)
	must := func(who []string, path, body string, want int) string {
		t.Helper()
		status, _, text := d.ask(d.server.URL, "POST", path, body, who...)
		if status != want {
			t.Fatalf("%s %s: %d %s", path, body, status, text)
		}
		return text
	}
	if text := must(bearer(key), "/api/v1/draws", `{"id":"night","agencies":1,"source":"notary"}`, 201); !strings.Contains(text, `"two_people":true`) {
		t.Errorf("with three who may enter it, one is enough: %s", text)
	}
	must(bearer(key), "/api/v1/draws/night/close", `{"note":"the time has come"}`, 200)
	must(bearer(viewerKey), "/api/v1/draws/night/number", `{"number":8642}`, 401)
	text := must(bearer(notaryKey), "/api/v1/draws/night/number", `{"number":8642}`, 200)
	if !strings.Contains(text, `"first":"nora"`) {
		t.Errorf("it does not say that one has entered it: %s", text)
	}
	pages := []string{"/", "/draws/night", "/api/v1/draws", "/api/v1/draws/night", "/api/v1/trail", "/api/v1/draws/night/winners", "/api/v1/draws/night/numbers", "/api/v1/draws/night/agencies"}
	for _, path := range pages {
		for _, base := range []string{d.server.URL, d.inner.URL} {
			status, _, text := d.ask(base, "GET", path, "", bearer(secondKey)...)
			if status != 200 || shows(text, "8\u202f?642") {
				t.Errorf("%s shows the number that was entered: %d %s", path, status, text)
			}
		}
	}
	if status, _, text := d.ask(d.inner.URL, "POST", "/api/v1/draws/night/number", `{"number":8642}`); status != 401 || !strings.Contains(text, "two people") {
		t.Errorf("whoever has the folder is a second person: %d %s", status, text)
	}
	if text := must(bearer(secondKey), "/api/v1/draws/night/number", `{"number":8643}`, 409); shows(text, "8642") {
		t.Errorf("the refusal shows the number: %s", text)
	}
	for _, path := range pages { // both enter it again
		if _, _, text := d.ask(d.server.URL, "GET", path, "", bearer(secondKey)...); shows(text, "8642") {
			t.Errorf("%s shows what was entered before the difference: %s", path, text)
		}
	}
	must(bearer(notaryKey), "/api/v1/draws/night/number", `{"number":8642}`, 200)
	if text := must(bearer(secondKey), "/api/v1/draws/night/number", `{"number":8642}`, 200); !strings.Contains(text, `"entered_by":["nora","nico"]`) {
		t.Errorf("the two are not named: %s", text)
	}
	if _, _, text := d.ask(d.server.URL, "GET", "/api/v1/draws/night", ""); strings.Contains(text, "nora") {
		t.Errorf("a stranger is told who works here: %s", text)
	}
	want := []string{
		"ana open night", "ana close night the time has come", "nora enter night the first of two",
		"nico differ night nora and nico entered different numbers",
		"nora enter night the first of two", "nico enter night 8642",
	}
	got := slices.DeleteFunc(d.trail(), func(s string) bool { return strings.HasPrefix(s, "login_failed") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What two people need is said when a draw opens, and not later.
func TestADrawSaysAtItsOpeningWhetherTwoAreNeeded(t *testing.T) {
	t.Parallel()
	d := open(t)
	open := func(body string, status int, want string) {
		t.Helper()
		got, _, text := d.ask(d.server.URL, "POST", "/api/v1/draws", body, bearer(key)...)
		if got != status || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s, want %d and %s", body, got, text, status, want)
		}
	}
	one := func(text string) string { return strings.Replace(text, "}", `,"agencies":1,"source":"notary"}`, 1) }
	open(one(`{"id":"alone"}`), 201, `"public":false`)
	if _, _, text := d.ask(d.server.URL, "GET", "/api/v1/draws/alone", ""); strings.Contains(text, "two_people") {
		t.Errorf("one alone cannot be two: %s", text)
	}
	open(one(`{"id":"more","two_people":true}`), 422, "1 may")
	d.register("nora", operators.Notary, notaryKey)
	open(one(`{"id":"both"}`), 201, `"two_people":true`)
	open(one(`{"id":"less","two_people":false}`), 201, `"id":"less"`)
	open(`{"id":"fixed","agencies":1,"source":"fixed","number":1,"two_people":true}`, 422, "notary")
	if _, _, text := d.ask(d.server.URL, "GET", "/api/v1/draws/less", ""); strings.Contains(text, "two_people") {
		t.Errorf("it was opened for one: %s", text)
	}
}

// A key that is replaced or revoked ends what was begun with it: logins, and requests with the key.
func TestARevokedOperatorIsOut(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *operators.Registry) error{
		"revoked": func(r *operators.Registry) error { return r.Revoke("ana", time.Now()) },
		"rotated": func(r *operators.Registry) error { _, err := r.Rotate("ana", time.Now()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			jar, _ := cookiejar.New(nil)
			browser := http.Client{Jar: jar}
			if r, err := browser.PostForm(d.server.URL+"/login", url.Values{"name": {"eva"}, "key": {key}}); err != nil || r.StatusCode != 401 {
				t.Fatalf("another one's key: %v", err)
			}
			if r, err := browser.PostForm(d.server.URL+"/login", url.Values{"name": {"ana"}, "key": {key}}); err != nil || r.StatusCode != 200 {
				t.Fatalf("log in: %v", err)
			}
			agencies := func() int {
				r, err := browser.Get(d.server.URL + "/api/v1/draws/1/agencies")
				if err != nil {
					t.Fatal(err)
				}
				_ = r.Body.Close()
				return r.StatusCode
			}
			if status := agencies(); status != 200 {
				t.Fatalf("after the login: %d", status)
			}
			if err := operators.Change(d.path, change); err != nil {
				t.Fatal(err)
			}
			d.recheck()
			if status := agencies(); status != 401 {
				t.Errorf("the login still holds: %d", status)
			}
			if status, _, _ := d.ask(d.server.URL, "GET", "/api/v1/trail", "", bearer(key)...); status != 401 {
				t.Errorf("the key still holds: %d", status)
			}
		})
	}
}

// Strangers who try keys leave a few entries, whatever they try, and none that looks like something else.
func TestStrangersCannotFillTheTrail(t *testing.T) {
	t.Parallel()
	d := open(t)
	site := web.New(web.Options{Ledger: d.ledger, Operators: d.people})
	s := httptest.NewServer(site.Public())
	defer s.Close()
	for i := range 30 { // the answer to a wrong key waits a second, and only sixteen at once do
		go func() {
			r, err := http.PostForm(s.URL+"/login", url.Values{"name": {fmt.Sprintf("eva%d\n|x", i%7)}, "key": {"wrong"}})
			if err == nil {
				_ = r.Body.Close()
			}
		}()
	}
	counted := 0
	for deadline := time.Now().Add(5 * time.Minute); counted < 1 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		counted = len(d.trail())
	}
	time.Sleep(2 * time.Second)
	if got := d.trail(); len(got) != 1 || !strings.HasPrefix(got[0], "login_failed eva") {
		t.Errorf("at first: %q", got)
	}
	site.Close() // writes what is left
	got := d.trail()
	if len(got) != 2 || !strings.HasPrefix(got[1], "login_failed eva") || !strings.Contains(got[1], "and 2 more 29 times") || strings.ContainsAny(got[1], "\n") {
		t.Errorf("at the end: %q", got)
	}
}

// On the socket the kernel says who comes, and that name stands in the trail.
func TestTheSocketKnowsWhoComes(t *testing.T) {
	t.Parallel()
	d := open(t)
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.site.Serve(ctx, l, nil, 10, d.site.Trusted()) }()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	r, err := client.Post("http://quiniela/api/v1/draws", "application/json", strings.NewReader(`{"id":"night","agencies":1,"source":"notary"}`))
	if err != nil || r.StatusCode != http.StatusCreated {
		t.Fatal(r, err)
	}
	_ = r.Body.Close()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.trail(), []string{"local:" + me.Username + " open night"}; !slices.Equal(got, want) {
		t.Errorf("the trail has %q, want %q", got, want)
	}
}
