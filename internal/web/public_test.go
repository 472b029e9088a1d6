package web_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/certs"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/web"
)

// Every page, operation and file is asked for by a stranger while a draw is open. Nothing tells how much is sold, by whom, or which numbers
// are played. The operator's answers show that the search finds it.
func TestStrangersSeeNothingOfAnOpenDraw(t *testing.T) {
	d := open(t)
	closes := time.Now().Add(time.Hour)
	night, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "night", Agencies: 41, Closes: closes, Rule: draw.FixedNumber(1)})
	if err != nil {
		t.Fatal(err)
	}
	const bets, finished = 4321, 23
	d.bet(night.Seq, 37, strings.Repeat("Ana,Paz,1,1990-01-01,9876\n", bets))
	for a := range quiniela.Agency(finished) {
		if err := d.ledger.Finish(t.Context(), night.Seq, a+1, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	paths := []string{"/", "/draws/night", "/draws/night?from=30", "/?draws=2", "/draws", "/draws?q=night", "/draws/night/act", "/draws/night/winners.csv", "/draws/night/documents.csv", "/draws/night/prizes.csv", "/draws/night/settlement", "/draws/night/settlement/37", "/draws/night/settlement.csv",
		"/draws/night/number", "/draws/night/close", "/open", "/trail", "/trail.csv", "/backups", "/resultados", "/resultados/night", "/verify", "/login", "/static/", "/static/page.js", "/log/", "/log/checkpoint",
		"/metrics", "/readyz", "/healthz", "/debug/pprof/", "/api/v1/events?draw=night"}
	for _, operation := range d.site.Operations() {
		if path, ok := strings.CutPrefix(operation, "GET "); ok {
			paths = append(paths, strings.NewReplacer("{id}", "night", "{agency}", "37").Replace(path))
		}
	}
	sold := regexp.MustCompile(`4.?321\b|"finished":\s*23|>23<|9876|9800|agency-37|"agency":\s*37`)
	found := 0
	for _, path := range paths {
		if text := d.begin(d.server.URL, path); sold.MatchString(text) {
			t.Errorf("%s tells a stranger %q", path, sold.FindString(text))
		}
		if sold.MatchString(d.begin(d.inner.URL, path)) {
			found++
		}
	}
	if found < 6 {
		t.Errorf("the operator sees it on %d pages: the search finds too little", found)
	}
	for _, path := range []string{"/draws/night", "/api/v1/draws/night"} {
		if text := d.begin(d.server.URL, path); !strings.Contains(text, "night") || !strings.Contains(text, closes.UTC().Format("2006-01-02T15:04")) {
			t.Errorf("%s does not say until when the draw is open:\n%s", path, text)
		}
	}
	// Once it is closed, the public log has its figures, and so has the page. What each agency sold stays the operator's.
	if _, err := d.ledger.CloseDraw(t.Context(), ledger.Actor{}, "night", ""); err != nil {
		t.Fatal(err)
	}
	if text := d.begin(d.server.URL, "/api/v1/draws/night"); !strings.Contains(text, `"bets":4321`) {
		t.Errorf("closed: %s", text)
	}
	for _, path := range []string{"/draws/night", "/api/v1/draws/night/agencies", "/api/v1/draws/night/numbers", "/api/v1/events?draw=night"} {
		if text := d.begin(d.server.URL, path); regexp.MustCompile(`9876|agency-37|"agency":\s*37`).MatchString(text) {
			t.Errorf("closed, %s tells a stranger what an agency sold, or which numbers", path)
		}
	}
}

// begin returns the beginning of an answer: all of it, or the first event of a stream.
func (d *desk) begin(base, path string) string {
	d.t.Helper()
	if !strings.Contains(path, "/events") {
		_, _, text := d.ask(base, "GET", path, "")
		return text
	}
	r, err := http.Get(base + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	lines := bufio.NewReader(r.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil || strings.HasPrefix(line, "data:") {
			return line
		}
	}
}

// Following the links of an answer gives every item once, in order.
func TestEveryListComesInPages(t *testing.T) {
	d := open(t)
	d.drawn()
	for i := range 230 {
		if _, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: fmt.Sprintf("d%d", i), Agencies: 450, Rule: draw.FixedNumber(1)}); err != nil {
			t.Fatal(err)
		}
	}
	seq := uint64(2)
	for a := range quiniela.Agency(300) {
		d.bet(seq, a+1, strings.Repeat("Ana,Paz,1,1990-01-01,1\n", 1+int(a)%3))
	}
	d.bet(seq, 301, strings.Repeat("Eva,Sol,2,1990-01-01,1\n", 250))
	if _, err := d.ledger.CloseDraw(t.Context(), ledger.Actor{}, "d0", ""); err != nil {
		t.Fatal(err)
	}
	<-d.ledger.Drawn(seq)
	for path, want := range map[string]int{
		"/api/v1/draws": 231, "/api/v1/draws/d1/agencies": 450, "/api/v1/draws/d0/winners": 301, "/api/v1/draws/d0/winners/301": 250,
	} {
		for _, limit := range []int{7, 100, 1000} {
			items, next := 0, "1"
			if strings.HasSuffix(path, "/301") {
				next = "0"
			}
			for next != "" {
				var answer map[string]json.RawMessage
				_, _, text := d.ask(d.inner.URL, "GET", fmt.Sprintf("%s?from=%s&limit=%d", path, next, limit), "")
				if err := json.Unmarshal([]byte(text), &answer); err != nil {
					t.Fatalf("%s: %v: %s", path, err, text)
				}
				next = string(answer["next"])
				delete(answer, "next")
				for name, list := range answer {
					var all []any
					if err := json.Unmarshal(list, &all); err != nil || len(all) > limit {
						t.Fatalf("%s: %d %s in one answer, %v, with limit %d", path, len(all), name, err, limit)
					}
					items += len(all)
				}
			}
			if items != want {
				t.Errorf("%s: %d items by %d, want %d", path, items, limit, want)
			}
		}
	}
	// The page's lists, by their links.
	for list, want := range map[string]struct {
		page, pattern string
		items         int
	}{
		"draws":   {"/draws", `id="in-list-([^"]+)"`, 231},
		"winners": {"/draws/d0", `<tr><th scope="row">(\d+)(?: <span class="called">[^<]*</span>)?</th><td class="n">\d+</td><td class="documents">`, 301},
	} {
		seen := map[string]bool{}
		for at := want.page; at != ""; {
			_, _, text := d.ask(d.inner.URL, "GET", at, "")
			for _, m := range regexp.MustCompile(want.pattern).FindAllStringSubmatch(text, -1) {
				if seen[m[1]] {
					t.Fatalf("%s: %s twice", list, m[1])
				}
				seen[m[1]] = true
			}
			at = ""
			link := regexp.MustCompile(`<a href="(?:/draws)?(\?(?:before|` + list + `)=[^"]+)" rel="next"`)
			if m := link.FindStringSubmatch(text); m != nil {
				at = want.page + m[1]
			}
		}
		if len(seen) != want.items {
			t.Errorf("%s: %d on the pages, want %d", list, len(seen), want.items)
		}
	}
}

// A page and an answer are as large with very many draws and agencies as with some.
func TestManyDrawsMakeNoLargePages(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	const draws, agencies = 10_000, 1_000_000
	d := open(t)
	var all sync.WaitGroup
	for worker := range 100 {
		all.Go(func() {
			for i := worker; i < draws; i += 100 {
				n, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: fmt.Sprintf("d%d", i), Agencies: 1, Rule: draw.FixedNumber(1)})
				if err == nil {
					err = d.ledger.Finish(t.Context(), n.Seq, 1, 0, nil)
				}
				if err != nil {
					t.Error(err)
					return
				}
				<-d.ledger.Drawn(n.Seq)
			}
		})
	}
	all.Wait()
	large, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "large", Agencies: agencies, Rule: draw.FixedNumber(1)})
	if err != nil {
		t.Fatal(err)
	}
	d.bet(large.Seq, agencies, "Ana,Paz,1,1990-01-01,1\n")
	for _, path := range []string{"/", "/draws", "/draws?q=d9", "/draws/large/act", "/draws/large", "/draws/large?from=999900", "/api/v1/draws", "/api/v1/draws?limit=1000", "/api/v1/draws/large/agencies",
		"/api/v1/draws/large/agencies?limit=1000", "/api/v1/draws/large/numbers", "/api/v1/events?draw=large"} {
		for who, base := range map[string]string{"a stranger": d.server.URL, "the operator": d.inner.URL} {
			_ = d.begin(base, path)
			began := time.Now()
			text := d.begin(base, path)
			t.Logf("%-40s %-12s %7d bytes in %s", path, who, len(text), time.Since(began).Round(100*time.Microsecond))
			if len(text) > 512<<10 {
				t.Errorf("%s is %d bytes for %s", path, len(text), who)
			}
		}
	}
}

// served serves the site as a server does, on a listener with its limits.
func (d *desk) served(config *tls.Config) (address string) {
	d.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.site.Serve(ctx, l, config, web.MostConnections, d.site.Public()) }()
	d.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			d.t.Error(err)
		}
	})
	return l.Addr().String()
}

// from returns a client at an address of this machine.
func from(ip string) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: 5 * time.Minute}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}, Timeout: 5 * time.Minute}
}

// Connections that only stand there, from one address and from twenty, keep nobody from the public site, which lets the oldest of them go,
// and the monitoring is apart from them.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	d := open(t)
	address := d.served(nil)
	for i := range 3000 {
		ip := "127.0.5.1"
		if i < 2000 {
			ip = fmt.Sprintf("127.0.5.%d", 1+i%20)
		}
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		c, err := dialer.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	for _, path := range []string{"/", "/api/v1/draws", "/verify"} {
		for _, ip := range []string{"127.0.6.1", "127.0.5.1"} {
			r, err := from(ip).Get("http://" + address + path)
			if err != nil || r.StatusCode != 200 {
				t.Fatalf("%s from %s: %v", path, ip, err)
			}
			_ = r.Body.Close()
		}
	}
	for _, path := range []string{"/readyz", "/metrics"} {
		if status, _, _ := d.ask(d.admin.URL, "GET", path, ""); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
		if r, err := from("127.0.6.1").Get("http://" + address + path); err != nil || r.StatusCode != 404 {
			t.Errorf("the public site has %s: %v", path, err)
		}
	}
}

// A client has its bounds, another one has its own, and the operator has none, also from the same address.
func TestOneClientsRequestsAndStreams(t *testing.T) {
	d := open(t)
	address := "http://" + d.served(nil)
	greedy, other := from("127.0.5.1"), from("127.0.6.1")
	if r, err := greedy.Get(address + "/api/v1/draws"); err != nil || r.StatusCode != 200 {
		t.Fatalf("the first request of a client: %v", err)
	}
	d.site.Owe("127.0.5.1", 10*time.Minute) // more than this machine may need for the requests below
	if r, err := greedy.Get(address + "/api/v1/draws"); err != nil || r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a client over its requests is answered: %v", err)
	}
	for range 20 {
		if r, err := other.Get(address + "/api/v1/draws"); err != nil || r.StatusCode != 200 {
			t.Fatalf("another client: %v", err)
		}
	}
	request, _ := http.NewRequest("GET", address+"/api/v1/draws", nil)
	request.Header.Set("Authorization", "Bearer "+key)
	for range 50 {
		if r, err := greedy.Do(request); err != nil || r.StatusCode != 200 {
			t.Fatalf("the operator from the same address: %v", err)
		}
	}
	open := 0
	for range 15 {
		r, err := other.Get(address + "/api/v1/events")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		if r.StatusCode == 200 {
			open++
		}
	}
	if open != 10 {
		t.Errorf("one client has %d streams, want 10", open)
	}
	if r, err := from("127.0.6.2").Get(address + "/api/v1/events"); err != nil || r.StatusCode != 200 {
		t.Errorf("another client's stream: %v", err)
	}
}

// Behind a proxy the client is who the proxy says, and behind nobody else.
func TestOnlyAProxysWordCounts(t *testing.T) {
	d := open(t)
	var log bytes.Buffer
	var mu sync.Mutex
	site := web.New(web.Options{
		Ledger: d.ledger, Operators: d.people, Log: slog.New(logline.New(writer(func(b []byte) { mu.Lock(); defer mu.Unlock(); log.Write(b) }), slog.LevelInfo)),
		Proxies: web.Proxies{From: []netip.Prefix{netip.MustParsePrefix("127.0.7.0/24")}},
	})
	defer site.Close()
	s := httptest.NewServer(site.Public())
	defer s.Close()
	for _, row := range []struct {
		from, header, proto string
		want                string
		secure              bool
	}{
		{"127.0.7.1", "203.0.113.9", "https", "203.0.113.9", true},
		{"127.0.7.1", "198.51.100.1, 203.0.113.9", "https", "203.0.113.9", true}, // the client wrote the first one
		{"127.0.7.1", "203.0.113.9, 127.0.7.2", "http", "203.0.113.9", false},    // two proxies
		{"127.0.7.1", "203.0.113.9:4711", "https", "203.0.113.9", true},
		{"127.0.7.1", "[2001:db8::9]:4711", "https", "2001:db8::9", true},
		{"127.0.7.1", "", "", "127.0.7.1", false},
		{"127.0.7.1", "nonsense", "https", "127.0.7.1", true},
		{"127.0.8.1", "203.0.113.9", "https", "127.0.8.1", false}, // no proxy of ours
	} {
		mu.Lock()
		log.Reset()
		mu.Unlock()
		client := from(row.from)
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		request, _ := http.NewRequest("POST", s.URL+"/login", strings.NewReader(url.Values{"name": {"ana"}, "key": {key}}.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if row.header != "" {
			request.Header.Set("X-Forwarded-For", row.header)
		}
		if row.proto != "" {
			request.Header.Set("X-Forwarded-Proto", row.proto)
		}
		r, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		line := log.String()
		mu.Unlock()
		if !strings.Contains(line, "ip: "+row.want+"\n") {
			t.Errorf("%+v: the log has %q", row, line)
		}
		if cookie := r.Header.Get("Set-Cookie"); strings.Contains(cookie, "Secure") != row.secure {
			t.Errorf("%+v: the cookie %q", row, cookie)
		}
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

// The site has TLS of its own, and its cookie is for TLS alone then.
func TestTheSiteHasTLS(t *testing.T) {
	d := open(t)
	dir := t.TempDir()
	if _, err := certs.Create(dir, []string{"127.0.0.1"}, nil); err != nil {
		t.Fatal(err)
	}
	own, err := certs.Server(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem"), "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := certs.Client(filepath.Join(dir, "ca.pem"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	address := d.served(own)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: theirs}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.PostForm("https://"+address+"/login", url.Values{"name": {"ana"}, "key": {key}})
	if err != nil || r.StatusCode != http.StatusSeeOther || !strings.Contains(r.Header.Get("Set-Cookie"), "; Secure") {
		t.Fatalf("%v, %v", err, r)
	}
	for range 3 {
		if r, err := client.Get("https://" + address + "/"); err != nil || r.StatusCode != 200 {
			t.Fatalf("the page over TLS: %v", err)
		} else {
			_, _ = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		}
	}
}

// The operator's stream of an open draw ends with the login.
func TestAStreamEndsWithItsLogin(t *testing.T) {
	t.Parallel()
	d := open(t)
	jar, _ := cookiejar.New(nil)
	browser := http.Client{Jar: jar}
	if r, err := browser.PostForm(d.server.URL+"/login", url.Values{"name": {"ana"}, "key": {key}}); err != nil || r.StatusCode != 200 {
		t.Fatalf("log in: %v", err)
	}
	stream, err := browser.Get(d.server.URL + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	lines := bufio.NewReader(stream.Body)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := browser.PostForm(d.server.URL+"/logout", nil); err != nil {
		t.Fatal(err)
	}
	d.bet(1, 1, "Ana,Paz,1,1990-01-01,9876\n")
	rest, err := io.ReadAll(lines)
	if err != nil || strings.Count(string(rest), `"bets":1`) > 1 { // what was read just before may still come
		t.Errorf("after the logout the stream goes on: %v, %s", err, rest)
	}
}

// The pages' files are there by their names, and nothing else is.
func TestStaticFilesAreNotListed(t *testing.T) {
	d := open(t)
	entries, err := os.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if status, _, _ := d.ask(d.server.URL, "GET", "/static/"+e.Name(), ""); status != 200 {
			t.Errorf("/static/%s: %d", e.Name(), status)
		}
	}
	for _, path := range []string{"/static", "/static/", "/static/.", "/static/%2e%2e/pages/layout.html", "/static/..%2fpages%2flayout.html", "/static/../pages/layout.html", "/pages/layout.html", "/static/none"} {
		if status, _, text := d.ask(d.server.URL, "GET", path, ""); status == 200 || strings.Contains(text, "{{") {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// Every wrong key is in the log, by the form and by the API, and a flood of them is a line a second.
func TestWrongKeysAreInTheLog(t *testing.T) {
	d := open(t)
	var log bytes.Buffer
	var mu sync.Mutex
	site := web.New(web.Options{Ledger: d.ledger, Operators: d.people, Log: slog.New(logline.New(writer(func(b []byte) { mu.Lock(); defer mu.Unlock(); log.Write(b) }), slog.LevelInfo))})
	s := httptest.NewServer(site.Public())
	defer s.Close()
	began := time.Now()
	const each = 20
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range each / 10 {
				_, _ = http.PostForm(s.URL+"/login", url.Values{"name": {"ana"}, "key": {"wrong"}})
				_, _, _ = d.ask(s.URL, "GET", "/", "", "Authorization", "Bearer wrong")
			}
		})
	}
	all.Wait()
	site.Close()
	mu.Lock()
	text := log.String()
	mu.Unlock()
	counted := 0
	for _, m := range regexp.MustCompile(`why: key (\d+)`).FindAllStringSubmatch(text, -1) {
		n := 0
		_, _ = fmt.Sscan(m[1], &n)
		counted += n
	}
	if counted != 2*each {
		t.Errorf("%d wrong keys are in the log, want %d:\n%s", counted, 2*each, text)
	}
	if lines, most := strings.Count(text, "action: refuse"), int(time.Since(began)/time.Second)+3; lines > most {
		t.Errorf("%d lines, want %d at most", lines, most)
	}
}
