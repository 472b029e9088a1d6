package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/agencies"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/server"
)

// central is a real server on a real socket over a real disk.
type central struct {
	t       *testing.T
	address string
	journal journal.Journal
	log     *logBuffer
	stop    func() error // ends Serve and returns what it returned
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, agencies uint32, change func(*server.Options)) *central {
	t.Helper()
	c := &central{t: t, log: new(logBuffer)}
	handler := logline.New(c.log, slog.LevelDebug)
	log := slog.New(handler)
	dir := t.TempDir()
	j, err := local.Open(dir+"/journal", local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seed := &ledger.Seed{ID: "1", Agencies: agencies, Rule: draw.FixedNumber(7574)}
	l, err := ledger.Open(context.Background(), j, ledger.Options{Dir: dir, Seed: seed, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	config := server.DefaultOptions()
	config.Address = "127.0.0.1:0"
	if change != nil {
		change(&config)
	}
	s, err := server.Listen(config, l, log)
	if err != nil {
		t.Fatal(err)
	}
	c.address, c.journal = s.Addr().String(), j
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	c.stop = sync.OnceValue(func() error {
		cancel()
		err := <-served
		return errors.Join(err, handler.Flush())
	})
	t.Cleanup(func() {
		if err := errors.Join(c.stop(), l.Close(), j.Close(), handler.Close()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *central) dial() *net.TCPConn {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn.(*net.TCPConn)
}

// ask sends a request, half-closes where told so, and returns all that comes back.
func (c *central) ask(request string, halfClose bool) string {
	c.t.Helper()
	conn := c.dial()
	if _, err := io.WriteString(conn, request); err != nil {
		c.t.Fatal(err)
	}
	if halfClose {
		_ = conn.CloseWrite()
	}
	reply, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("%.60q: %v after %q", request, err, reply)
	}
	_ = conn.Close()
	return string(reply)
}

func (c *central) stored() []string {
	c.t.Helper()
	var b bytes.Buffer
	if _, err := ledger.Export(context.Background(), c.journal, "1", &b, nil); err != nil {
		c.t.Fatal(err)
	}
	if b.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func frame(bodies ...string) string {
	var b strings.Builder
	for _, body := range bodies {
		fmt.Fprintf(&b, "%d;%s", len(body), body)
	}
	return b.String()
}

const (
	ana   = "Ana,Paz,1,1990-01-01,7\n"
	winny = "Win,Ner,30876370,1990-01-01,7574\n"
	no    = "in_progress-sorteo_no_listo\n"
)

// TestConformance is docs/PROTOCOL.md as a table: the bytes of each request and of its reply, in one story, each
// framed and bare where the form allows. `…` at a reply's end stands for a detail in words.
func TestConformance(t *testing.T) {
	secret := strings.Repeat("ab", 32)
	resume := "ok|1|0|0|" + strings.Repeat("0", 64) + "\n"
	c := start(t, 3, func(c *server.Options) { c.Poll = 10 * time.Millisecond })
	for _, row := range []struct{ name, request, reply string }{
		{"the protocol's example of a batch", "35;agency_ID|1\nAna,Paz,1,1990-01-01,7\n", "success|1\n"},
		{"a bad line stores nothing", frame("agency_ID|1\n" + ana + "Ana,Paz,x,1990-01-01,7\n"), "fail|0\n"},
		{"query before the draw", "16;query_winners|1\n", no},
		{"wait before the draw", frame("wait_winners|1\n"), no},
		{"single bet", "Santiago Lionel~Lorca~30904465~1999-03-17~7574\n", "ok|30904465|7574\n"},
		{"single bet of an agency", "2~Santiago Lionel~Lorca~30904465~1999-03-17~7574\n", "ok|30904465|7574\n"},
		{"single bet, framed", frame("2~Ana~Paz~1~1990-01-01~007\n"), "ok|1|7\n"},
		{"single bet, blanks around the fields, no line end", frame(" 2 ~ Ana ~ Paz ~ 1 ~ 1990-01-01 ~ 7 "), "ok|1|7\n"},
		{"single bet, bad number", "2~Ana~Paz~1~1990-01-01~10000\n", "fail|||…"},
		{"single bet, four fields", "Ana~Paz~1~1990-01-01\n", "fail|||…"},
		{"single bet, unknown agency", "9~Ana~Paz~1~1990-01-01~7\n", "fail|||…"},
		{"hello of an agency without bets", frame("hello|3|\n"), resume},
		{"hello without a token field", frame("hello|3\n"), resume},
		{"hello with a field for the draw", frame("hello|3||\n"), strings.TrimSuffix(resume, "\n") + "|1\n"},
		{"hello names the draw", frame("hello|3||1\n"), strings.TrimSuffix(resume, "\n") + "|1\n"},
		{"hello names a draw that is not there", frame("hello|3||2\n"), "fail|0|draw|…"},
		{"hello with too many fields", frame("hello|3||1|x\n"), "fail|0|invalid|…"},
		{"hello must be framed", "hello|3|x\n", "fail|0|frame|…"},
		{"numbered batch", frame("agency_ID|3|1\n" + ana + ana), "success|2\n"},
		{"its repeat", frame("agency_ID|3|1\n" + ana + ana), "success|2\n"},
		{"its repeat with CRLF and blanks", frame("agency_ID | 3 | 1 \r\n " + strings.ReplaceAll(ana+ana, "\n", " \r\n")), "success|2\n"},
		{"its repeat without the last line end", frame(strings.TrimSuffix("agency_ID|3|1\n"+ana+ana, "\n")), "success|2\n"},
		{"conflict", frame("agency_ID|3|1\n" + ana), "fail|0|conflict|…"},
		{"gap", frame("agency_ID|3|3\n" + ana), "fail|0|gap|2\n"},
		{"numbered batch, bad line", frame("agency_ID|3|2\n" + ana + "Ana,Paz,1,1990-02-30,7\n"), "fail|0|invalid|line 2: birthdate…"},
		{"numbered batch with a secret", frame("agency_ID|3|2|" + secret + "\n" + winny), "success|1\n"},
		{"a malformed secret", frame("agency_ID|3|3|abc\n" + winny), "fail|0|invalid|…"},
		{"batch number 0", frame("agency_ID|3|0\n" + winny), "fail|0\n"},
		{"hello after two batches", frame("hello|3|\n"), "ok|3|3|1|d05c6e9f3ae7b0cbd0ad9d2b7a1b3d1b0000000000000000000000000000000…"},
		{"bare batch ended by an empty line", "agency_ID|2\n" + ana + "\n", "success|1\n"},
		{"bet lines alone, half-closed", ana + winny, "success|2\n"},
		{"bet lines alone, ended by an empty line", ana + winny + ana + "\n", "success|3\n"},
		{"one bet line alone", ana, "success|1\n"},
		{"one bet line alone, no line end", strings.TrimSpace(ana), "success|1\n"},
		{"bet lines alone with CRLF and blanks", " Ana,Paz,1,1990-01-01,007 \r\n" + ana + "\r\n", "success|2\n"},
		{"bet lines alone, a bad one", ana + "Ana,Paz,1,1990-13-01,7\n", "fail|0\n"},
		{"bet lines alone, a bad first one", "Ana,Paz,1,1990-01-01\n" + ana, "fail|0\n"},
		{"bet lines alone, a bad name", "An|a,Paz,1,1990-01-01,7\n" + ana, "fail|0\n"},
		{"bet lines alone, framed", frame(ana + ana), "fail|0\n"},
		{"agency 0 with a header", "agency_ID|0\n" + ana + "\n", "fail|0\n"},
		{"finish, batches missing", frame("notify_finished|3|3\n"), "fail|0|missing|…"},
		{"finish", "18;notify_finished|1\n", "ack_notify\n"},
		{"finish again", "notify_finished|1\n", "ack_notify\n"},
		{"a batch after it", frame("agency_ID|1\n" + ana), "fail|0\n"},
		{"a numbered batch after it", frame("agency_ID|1|2\n" + ana), "fail|0|finished|…"},
		{"a repeat after it", frame("agency_ID|1|1\n" + ana), "success|1\n"},
		{"pipelined requests keep their order", frame("notify_finished|2\n", "query_winners|2\n", "agency_ID|3|3\n"+ana, "hello|1|\n"), "ack_notify\n" + no + "success|1\nok|2|1|1|…"},
		{"finish with the count", frame("notify_finished|3|3\n"), "ack_notify\n"},
		{"wait for the draw", frame("wait_winners|3\n", "wait_winners|3\n", "wait_winners|3\n"), ""},
		{"query after", "16;query_winners|2\n", "ok|1\n30904465\n"},
		{"query after, bare", "query_winners|3\n", "ok|1\n30876370\n"},
		{"query after, no winner", frame("query_winners|1\n"), "ok|0\n"},
		{"wait after", frame("wait_winners|3\n"), "ok|1\n30876370\n"},
		{"bet lines alone after the draw", ana + ana, "fail|0\n"},
		{"single bet after the draw", "Ana~Paz~1~1990-01-01~7\n", "fail|||…"},
		{"unknown agency asks", frame("query_winners|4\n"), "fail|0|agency|…"},
		{"agency 0 asks", frame("query_winners|0\n"), "fail|0|agency|…"},
		{"agency x asks", frame("query_winners|x\n"), "fail|0|agency|…"},
		{"unknown verb", frame("open_sesame|1\n"), "fail|0|unknown|…"},
		{"receipt", frame("receipt|1|1|1\n"), "fail|0|absent|…"},
	} {
		got := c.ask(row.request, true)
		want, prefix := strings.CutSuffix(row.reply, "…")
		if strings.HasPrefix(row.name, "hello after two") {
			want = "ok|3|3|1|" // the hash is checked by package client's tests
		}
		if row.name == "wait for the draw" {
			awaitDraw(t, c)
			continue
		}
		if !prefix && got != want || prefix && (!strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\n")) {
			t.Errorf("%s: %.80q -> %q, want %q", row.name, row.request, got, row.reply)
		}
	}
	if got := len(c.stored()); got != 19 {
		t.Errorf("%d bets are stored, want 19: %q", got, c.stored())
	}
	_ = c.stop()
	if n := strings.Count(c.log.String(), "action: sorteo | result: success\n"); n != 1 {
		t.Errorf("the draw was logged %d times, want 1", n)
	}
}

func awaitDraw(t *testing.T, c *central) {
	for range 1000 {
		if strings.HasPrefix(c.ask(frame("wait_winners|3\n"), true), "ok|") {
			return
		}
	}
	t.Fatal("the draw did not come")
}

// The specification's own client neither ends its batch with an empty line nor half-closes.
func TestSilenceEndsABareBatch(t *testing.T) {
	c := start(t, 1, func(c *server.Options) { c.Settle = 20 * time.Millisecond })
	for _, header := range []string{"agency_ID|1\n", ""} {
		if got := c.ask(header+ana+ana, false); got != "success|2\n" {
			t.Fatalf("after the header %q: got %q", header, got)
		}
	}
	c = start(t, 1, func(c *server.Options) { c.Settle, c.Read = 0, 20*time.Millisecond })
	if got := c.ask("agency_ID|1\n"+ana+ana, false); got != "fail|0|frame|the batch did not end\n" && got != "fail|0\n" {
		t.Fatalf("with the rule off: got %q", got)
	}
	if got := c.stored(); got != nil {
		t.Fatalf("stored %q", got)
	}
}

// TestBadInput sends what nobody should, and checks that it is refused or cut off, that nothing of it is stored, and
// that the next client is served.
func TestBadInput(t *testing.T) {
	c := start(t, 5, func(c *server.Options) { c.Read, c.Idle = 50*time.Millisecond, 100*time.Millisecond })
	batch := func(line string) string { return frame("agency_ID|1\n" + ana + line + "\n") }
	for name, request := range map[string]string{
		"empty connection":            "",
		"length too short":            "20;agency_ID|1\n" + ana,
		"length too long":             "99;agency_ID|1\n" + ana,
		"length zero":                 "0;" + "agency_ID|1\n" + ana,
		"negative length":             "-5;agency_ID|1\n" + ana,
		"length not a number":         "abc;agency_ID|1\n" + ana,
		"length of 20 digits":         "12345678901234567890;agency_ID|1\n" + ana,
		"length over the limit":       "99999999;agency_ID|1\n" + ana,
		"length alone":                "35;",
		"digits alone":                "35",
		"half a message then silence": "35;agency_ID|1\nAna,Pa",
		"half a verb then silence":    "agency_",
		"a bare batch over 8 kB":      "agency_ID|1\n" + strings.Repeat(ana, 400) + "\n",
		"invalid UTF-8":               batch("An\xff\xfea,Paz,1,1990-01-01,7"),
		"| in a name":                 batch("An|a,Paz,1,1990-01-01,7"),
		"~ in a name":                 batch("An~a,Paz,1,1990-01-01,7"),
		"control character in a name": batch("An\x07a,Paz,1,1990-01-01,7"),
		"NUL in a name":               batch("An\x00a,Paz,1,1990-01-01,7"),
		"C1 control in a name":        batch("An\u0085a,Paz,1,1990-01-01,7"),
		"bidi override in a name":     batch("An\u202ea,Paz,1,1990-01-01,7"),
		"65 characters in a name":     batch(strings.Repeat("ñ", 65) + ",Paz,1,1990-01-01,7"),
		"empty name":                  batch(",Paz,1,1990-01-01,7"),
		"four fields":                 batch("Ana,Paz,1,1990-01-01"),
		"six fields":                  batch("Ana,Paz,1,1990-01-01,7,8"),
		"blank line inside":           frame("agency_ID|1\n" + ana + "\n" + ana),
		"30 February":                 batch("Ana,Paz,1,1990-02-30,7"),
		"29 February 1900":            batch("Ana,Paz,1,1900-02-29,7"),
		"a date to come":              batch("Ana,Paz,1,2990-01-01,7"),
		"date in another order":       batch("Ana,Paz,1,01-01-1990,7"),
		"number -1":                   batch("Ana,Paz,1,1990-01-01,-1"),
		"number 10000":                batch("Ana,Paz,1,1990-01-01,10000"),
		"number with a sign":          batch("Ana,Paz,1,1990-01-01,+7"),
		"no number":                   batch("Ana,Paz,1,1990-01-01,"),
		"document of 10 digits":       batch("Ana,Paz,1234567890,1990-01-01,7"),
		"document with a dot":         batch("Ana,Paz,1.2,1990-01-01,7"),
		"no bets":                     frame("agency_ID|1\n"),
		"20,001 bets":                 frame("agency_ID|1\n" + strings.Repeat(ana, 20001)),
		"agency 0":                    frame("agency_ID|0\n" + ana),
		"agency 99":                   frame("agency_ID|99\n" + ana),
		"agency x":                    frame("agency_ID|x\n" + ana),
		"agency of 20 digits":         frame("agency_ID|12345678901234567890\n" + ana),
		"agency negative":             frame("agency_ID|-1\n" + ana),
		"no agency":                   frame("agency_ID|\n" + ana),
		"no separator":                frame("agency_ID\n" + ana),
		"five header fields":          frame("agency_ID|1|1|" + strings.Repeat("00", 32) + "|x\n" + ana),
		"bare after framed":           frame("query_winners|1\n") + "agency_ID|1\n" + ana + "\n",
		"only line ends":              "\n\n\n",
		"binary":                      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"HTTP":                        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		for _, halfClose := range []bool{true, false} {
			reply := c.ask(request, halfClose)
			if strings.Contains(reply, "success") || strings.Contains(reply, "ok|") || strings.Contains(reply, "ack") {
				t.Errorf("%s (half-close %t): accepted with %q", name, halfClose, reply)
			}
			if reply != "" && !strings.HasSuffix(reply, "\n") {
				t.Errorf("%s (half-close %t): half a reply %q", name, halfClose, reply)
			}
			if got := c.ask(frame("query_winners|1\n"), true); got != no {
				t.Fatalf("%s (half-close %t): the next client got %q", name, halfClose, got)
			}
		}
	}
	if got := c.stored(); got != nil {
		t.Fatalf("stored %q", got)
	}
}

func TestASlowConnectionDelaysNobody(t *testing.T) {
	c := start(t, 2, nil)
	for _, piece := range []string{"", "3", "35;", "35;agency_ID|2\nAna", "agency_ID|2\nAn", "16;wait_winners|2\n"} {
		conn := c.dial()
		if _, err := io.WriteString(conn, piece); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		if got := c.ask(frame(fmt.Sprintf("agency_ID|1|%d\n", i+1)+ana), true); got != "success|1\n" {
			t.Fatalf("got %q", got)
		}
	}
}

func TestStoppingLetsRequestsFinishAndClosesEverything(t *testing.T) {
	c := start(t, 1, nil)
	idle, busy := c.dial(), c.dial()
	if got := c.ask(frame("agency_ID|1|1\n"+ana), true); got != "success|1\n" {
		t.Fatal(got)
	}
	// A whole request and the beginning of another in one packet: whoever has answered the first has read of the second.
	body := "agency_ID|1|3\n" + ana
	if _, err := fmt.Fprintf(busy, "%s%d;%s", frame("agency_ID|1|2\n"+ana), len(body), body[:20]); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len("success|1\n"))
	if _, err := io.ReadFull(busy, answer); err != nil || string(answer) != "success|1\n" {
		t.Fatalf("the first request got %q, %v", answer, err)
	}
	waitFor(t, func() bool { return strings.Count(c.log.String(), "accept_connections | result: success") == 3 })
	stopped := make(chan error, 1)
	go func() { stopped <- c.stop() }()
	if b, err := io.ReadAll(idle); len(b) > 0 || err != nil {
		t.Fatalf("the idle connection got %q, %v", b, err)
	}
	_ = idle.Close()
	if _, err := io.WriteString(busy, body[20:]); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(busy); string(b) != "success|1\n" || err != nil {
		t.Fatalf("the request in hand got %q, %v", b, err)
	}
	_ = busy.Close()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", c.address); err == nil {
		t.Fatal("still listening")
	}
	log := c.log.String()
	if strings.Count(log, "action: close_listener | result: success") != 1 ||
		strings.Count(log, "action: close_connection | result: success | ip: 127.0.0.1") != 3 {
		t.Fatalf("log:\n%s", log)
	}
}

func TestTooManyConnections(t *testing.T) {
	c := start(t, 1, func(c *server.Options) { c.Connections = 2 })
	first, second := c.dial(), c.dial()
	waitFor(t, func() bool { return strings.Count(c.log.String(), "accept_connections | result: success") == 2 })
	if b, _ := io.ReadAll(c.dial()); !strings.HasPrefix(string(b), "fail|0|busy|") {
		t.Fatalf("the third got %q", b)
	}
	_, _ = first.Close(), second.Close()
	waitFor(t, func() bool { return strings.HasPrefix(c.ask(frame("query_winners|1\n"), true), "in_progress") })
}

func TestNothingFromTheNetworkBreaksALogLine(t *testing.T) {
	c := start(t, 1, nil)
	c.ask("1~Ana~Paz~1|9\x1b[31m~1990-01-01~7\n", true)
	c.ask("1~Ana~Paz~1 | result: success\u2028x~1990-01-01~7\n", true)
	_ = c.stop()
	for line := range strings.Lines(c.log.String()) {
		if !strings.Contains(line, " action: ") || strings.Count(line, "action: ") != 1 || strings.ContainsAny(line, "\x1b\u2028") {
			t.Errorf("a broken line: %q", line)
		}
	}
}

func TestEcho(t *testing.T) {
	var out logBuffer
	handler := logline.New(&out, slog.LevelInfo)
	config := server.DefaultOptions()
	config.Address = "127.0.0.1:0"
	s, err := server.ListenEcho(config, slog.New(handler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	c := &central{t: t, address: s.Addr().String()}
	for _, msg := range []string{"[CLIENT 1] Message N°1\n", "no line end", "\r\n", "a|b \x00\n", ""} {
		if got := c.ask(msg, true); got != msg {
			t.Errorf("%q came back as %q", msg, got)
		}
	}
	cancel()
	if err := errors.Join(<-served, handler.Close()); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"INFO     action: accept_connections | result: in_progress\n",
		"INFO     action: accept_connections | result: success | ip: 127.0.0.1\n",
		"INFO     action: receive_message | result: success | ip: 127.0.0.1 | msg: [CLIENT 1] Message N°1\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no %q in the log:\n%s", line, out.String())
		}
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not come to be")
}

// From the socket to the journal nothing is allocated per bet: what a batch costs does not grow with its bets.
func TestABetCostsNoAllocation(t *testing.T) {
	c := start(t, 1, nil)
	conn := c.dial()
	replies := bufio.NewReader(conn)
	const batches, bets = 200, 180
	lines := strings.Repeat("Santiago Lionel,Lorca,30904465,1999-03-17,7574\n", bets)
	send := func(first, n int) {
		for i := range n {
			if _, err := io.WriteString(conn, frame(fmt.Sprintf("agency_ID|1|%d\n%s", first+i, lines))); err != nil {
				t.Fatal(err)
			}
			if reply, err := replies.ReadString('\n'); err != nil || reply != fmt.Sprintf("success|%d\n", bets) {
				t.Fatalf("%q, %v", reply, err)
			}
		}
	}
	send(1, 50) // pools and buffers fill
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	send(51, batches)
	runtime.ReadMemStats(&after)
	// All of the process's are counted: this test's own, a few per batch, and the database's in the background.
	perBet := float64(after.Mallocs-before.Mallocs) / (batches * bets)
	t.Logf("%.3f allocations a bet, %.1f a batch of %d", perBet, perBet*bets, bets)
	if perBet > 0.5 {
		t.Errorf("%.2f allocations a bet: something is allocated for each", perBet)
	}
}

// registered closes the server: agencies 1 to n have tokens, which it returns from index 1 on.
func registered(t *testing.T, n int) (guard *agencies.Guard, tokens []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), agencies.FileName)
	tokens = make([]string, n+1)
	err := agencies.Change(path, func(r *agencies.Registry) (err error) {
		for i := 1; i <= n; i++ {
			if tokens[i], err = r.Add(quiniela.Agency(i), "", "", time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if guard, err = agencies.NewGuard(path, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return guard, tokens
}

// Every verb in every form, with every wrong identity: refused, and nothing stored, finished or told.
func TestNobodyActsForAnother(t *testing.T) {
	guard, tokens := registered(t, 3)
	c := start(t, 3, func(s *server.Options) { s.Guard = guard })
	hello := func(n int) string { return fmt.Sprintf("hello|%d|%s", n, tokens[n]) }
	if got := c.ask(frame(hello(1), "agency_ID|1|1\n"+winny), true); !strings.HasSuffix(got, "success|1\n") {
		t.Fatalf("agency 1 itself: %q", got)
	}
	denied := func(reply string) bool {
		last := reply[strings.LastIndex(strings.TrimSuffix(reply, "\n"), "\n")+1:]
		return strings.HasPrefix(last, "fail|0|denied|") || last == "fail|0\n" || strings.HasPrefix(last, "fail|||")
	}
	for i, verb := range []string{
		"agency_ID|1\n" + ana, "agency_ID|1|1\n" + winny, "agency_ID|1|2\n" + ana, "agency_ID|1|2|" + strings.Repeat("ab", 32) + "\n" + ana,
		"1~Ana~Paz~1~1990-01-01~7", "Ana~Paz~1~1990-01-01~7", "notify_finished|1", "notify_finished|1|1",
		ana + ana, "query_winners|1", "wait_winners|1", "hello|1|", "hello|1|" + tokens[2], "receipt|1|1|1",
	} {
		for who, login := range map[string][]string{"nobody": nil, "agency 2": {hello(2)}, "agency 2 after a wrong login": {hello(2), "hello|1|wrong"}} {
			if i > 0 && who == "agency 2 after a wrong login" {
				continue // it makes what follows slow
			}
			conn := c.dialFrom("127.0.0." + fmt.Sprint(2+i)) // failed logins slow an address down
			if reply := exchange(t, conn, frame(append(login, verb)...)); !denied(reply) && !strings.Contains(reply, "|busy|") {
				t.Errorf("%s, framed, as %s: %q", verb, who, reply)
			}
		}
		if reply := c.ask(verb+"\n", true); !denied(reply) && !strings.HasPrefix(reply, "fail|0|frame|hello") {
			t.Errorf("%s, bare: %q", verb, reply)
		}
	}
	if got := c.stored(); len(got) != 1 {
		t.Errorf("stored: %q", got)
	}
	if got := c.ask(frame(hello(1), "agency_ID|1|2\n"+ana, "notify_finished|1|2", "query_winners|1"), true); !strings.HasSuffix(got, "success|1\nack_notify\n"+no) {
		t.Errorf("agency 1 afterwards: %q", got)
	}
}

func (c *central) dialFrom(ip string) *net.TCPConn {
	c.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	conn, err := d.Dial("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn.(*net.TCPConn)
}

// exchange sends requests, ends its side, and returns all that comes back.
func exchange(t *testing.T, conn *net.TCPConn, requests string) string {
	t.Helper()
	if _, err := io.WriteString(conn, requests); err != nil {
		t.Fatal(err)
	}
	_ = conn.CloseWrite()
	reply, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(reply)
}

func TestOneAddressCannotTakeAllConnections(t *testing.T) {
	c := start(t, 1, func(s *server.Options) { s.PerAddress = 3 })
	for range 3 {
		conn := c.dialFrom("127.0.0.9")
		if _, err := io.WriteString(conn, frame("hello|1|")); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := io.ReadAll(c.dialFrom("127.0.0.9")); !strings.HasPrefix(string(got), "fail|0|busy|3 connections are open from your address") {
		t.Errorf("the fourth: %q", got)
	}
	if got := c.ask(frame("query_winners|1"), true); got != no {
		t.Errorf("from another address: %q", got)
	}
}

// A request that trickles in, each byte within the read deadline, ends all the same.
func TestATricklingRequestEnds(t *testing.T) {
	c := start(t, 1, func(s *server.Options) { s.Read, s.Request = 200*time.Millisecond, 500*time.Millisecond })
	conn := c.dial()
	began := time.Now()
	for _, b := range []byte(frame("agency_ID|1|1\n" + strings.Repeat(ana, 50))) {
		if _, err := conn.Write([]byte{b}); err != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
		if time.Since(began) > 10*time.Second {
			break
		}
	}
	if got, err := io.ReadAll(conn); err == nil && !strings.HasPrefix(string(got), "fail|0|frame|") {
		t.Errorf("%q", got)
	}
	if len(c.stored()) != 0 {
		t.Error("it was stored")
	}
}

// Nothing of a bettor is in the log at INFO but what the specification puts there, and that can be masked.
func TestTheLogTellsNothingOfBettors(t *testing.T) {
	for _, mask := range []bool{false, true} {
		c := start(t, 1, func(s *server.Options) { s.MaskDNI = mask })
		c.ask("agency_ID|1\nSecreta,Persona,31415926,1990-01-01,7\n\n", false)
		c.ask("agency_ID|1\nSecreta,Persona,31415926,1990-13-01,7\n\n", false)
		c.ask("1~Secreta~Persona~27182818~1990-01-01~7\n", false)
		c.ask("1~Secreta~Persona~27182818~1990-01-01~x\n", false)
		if err := c.stop(); err != nil {
			t.Fatal(err)
		}
		log := ""
		for line := range strings.Lines(c.log.String()) {
			if !strings.Contains(line, " DEBUG ") {
				log += line
			}
		}
		for _, private := range []string{"Secreta", "Persona", "31415926", "1990-"} {
			if strings.Contains(log, private) {
				t.Errorf("the log has %q:\n%s", private, log)
			}
		}
		want := "action: apuesta_almacenada | result: success | dni: 27182818 | numero: 7"
		if mask {
			want = "action: apuesta_almacenada | result: success | dni: *****818 | numero: 7"
		}
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
}
