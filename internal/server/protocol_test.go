package server_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"quiniela/internal/server"
)

// TestConformance is docs/PROTOCOL.md as a table: the bytes of each request and of its reply, in one story, each
// framed and bare where the form allows. `…` at a reply's end stands for a detail in words.
func TestConformance(t *testing.T) {
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
		{"second batch", frame("agency_ID|3|2\n" + winny), "success|1\n"},
		{"a field too many", frame("agency_ID|3|3|abc\n" + winny), "fail|0|invalid|…"},
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
		{"status of one that has finished", frame("status|1\n"), "ok|1|open||1|1|1||\n"},
		{"a batch after it", frame("agency_ID|1\n" + ana), "fail|0\n"},
		{"a numbered batch after it", frame("agency_ID|1|2\n" + ana), "fail|0|finished|…"},
		{"a repeat after it", frame("agency_ID|1|1\n" + ana), "success|1\n"},
		{"pipelined requests keep their order", frame("notify_finished|2\n", "query_winners|2\n", "agency_ID|3|3\n"+ana, "hello|1|\n"), "ack_notify\n" + no + "success|1\nok|2|1|1|…"},
		{"finish with the count", frame("notify_finished|3|3\n"), "ack_notify\n"},
		{"wait for the draw", frame("wait_winners|3\n", "wait_winners|3\n", "wait_winners|3\n"), ""},
		{"query after", "16;query_winners|2\n", "ok|1\n30904465\n"},
		{"status after, with the number and its winners", frame("status|2\n"), "ok|1|drawn||4|4|1|7574|1\n"},
		{"status after, bare, no winner", "status|1\n", "ok|1|drawn||1|1|1|7574|0\n"},
		{"status of an unknown agency", frame("status|4\n"), "fail|0|agency|…"},
		{"status of agency 0", frame("status|0\n"), "fail|0|agency|…"},
		{"query after, bare", "query_winners|3\n", "ok|1\n30876370\n"},
		{"query after, no winner", frame("query_winners|1\n"), "ok|0\n"},
		{"wait after", frame("wait_winners|3\n"), "ok|1\n30876370\n"},
		{"bet lines alone after the draw", ana + ana, "fail|0\n"},
		{"single bet after the draw", "Ana~Paz~1~1990-01-01~7\n", "fail|||…"},
		{"unknown agency asks", frame("query_winners|4\n"), "fail|0|agency|…"},
		{"agency 0 asks", frame("query_winners|0\n"), "fail|0|agency|…"},
		{"agency x asks", frame("query_winners|x\n"), "fail|0|agency|…"},
		{"unknown verb", frame("open_sesame|1\n"), "fail|0|unknown|…"},
		{"proofs", frame("proofs|1\n"), "fail|0|absent|…"},
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

func awaitDraw(t *testing.T, c *lottery) {
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
	t.Parallel()
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

// An agency whose client was stopped and started again with another batch size has two connections for a moment. The first one's
// batches may be stored after the second one has asked where to go on, and before its own.
func TestTwoConnectionsDoubleNothing(t *testing.T) {
	t.Parallel()
	c := start(t, 1, nil)
	bet := func(n string) string { return "Ana,Paz," + n + ",1990-01-01,7\n" }
	before, after := c.dial(), c.dial()
	const hello = "hello|1|\n"
	resume := talk(t, after, 1, hello)
	if !strings.HasPrefix(resume, "ok|1|0|0|") {
		t.Fatal(resume)
	}
	if got := talk(t, before, 2, hello, "agency_ID|1|1\n"+bet("1")+bet("2")); got != resume+"success|2\n" {
		t.Fatal(got)
	}
	// The second connection does not wait for answers: batch 2 is the next one, and its bet is the second of what is stored.
	got := talk(t, after, 4, "agency_ID|1|1\n"+bet("1"), "agency_ID|1|2\n"+bet("2"), "agency_ID|1|3\n"+bet("3"), "notify_finished|1|1\n")
	want := "fail|0|conflict|batch 1 of agency 1 is stored with other content (2 bets); ask hello where to go on\n" +
		"fail|0|gap|1\nfail|0|gap|2\nfail|0|missing|batch 1 of 1 was not stored for this connection; ask hello where to go on\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := talk(t, after, 3, hello, "agency_ID|1|2\n"+bet("3"), "notify_finished|1|2\n"); !strings.HasSuffix(got, "success|1\nack_notify\n") {
		t.Errorf("after another hello: %q", got)
	}
	if got, want := c.stored(), 3; len(got) != want {
		t.Errorf("%d bets are stored, want %d: %q", len(got), want, got)
	}
}

// A batch that is refused before it is with the ledger counts as well.
func TestABatchAfterARefusedOneIsNotStored(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]string{
		"a bad line":       "agency_ID|1|1\nAna,Paz,x,1990-01-01,7\n",
		"no bets":          "agency_ID|1|1\n",
		"a field too many": "agency_ID|1|1|abc\n" + ana,
	} {
		c := start(t, 1, nil)
		before, after := c.dial(), c.dial()
		talk(t, after, 1, "hello|1|\n")
		if got := talk(t, after, 1, refused); !strings.HasPrefix(got, "fail|0|invalid|") {
			t.Errorf("%s: %q", name, got)
		}
		if got := talk(t, before, 1, "agency_ID|1|1\n"+ana+winny); got != "success|2\n" {
			t.Fatal(got)
		}
		if got := talk(t, after, 1, "agency_ID|1|2\n"+winny); got != "fail|0|gap|1\n" {
			t.Errorf("%s, and the next batch: %q", name, got)
		}
		if got := talk(t, after, 1, "agency_ID|1|1\n"+ana+winny); got != "success|2\n" {
			t.Errorf("%s, mended: %q", name, got)
		}
		if got := talk(t, before, 1, "agency_ID|1|2\n"+ana); got != "success|1\n" {
			t.Fatal(got)
		}
		if got := talk(t, after, 2, "agency_ID|1|3\n"+ana, "agency_ID|1|2\n"+winny); !strings.HasPrefix(got, "fail|0|gap|2\nfail|0|conflict|") {
			t.Errorf("%s, mended, and the other connection went on: %q", name, got)
		}
	}
}

// Until a batch is refused, an agency's connections may take turns.
func TestConnectionsTakeTurns(t *testing.T) {
	t.Parallel()
	c := start(t, 1, nil)
	conns := []*net.TCPConn{c.dial(), c.dial()}
	for _, conn := range conns {
		talk(t, conn, 1, "hello|1|\n")
	}
	for n := range 6 {
		if got := talk(t, conns[n%2], 1, fmt.Sprintf("agency_ID|1|%d\n%s", n+1, ana)); got != "success|1\n" {
			t.Errorf("batch %d: %q", n+1, got)
		}
	}
	if got := talk(t, conns[0], 1, "notify_finished|1|6\n"); got != "ack_notify\n" {
		t.Errorf("the finish: %q", got)
	}
}

// One connection that waits for each answer goes on after a refusal as it likes.
func TestAConnectionGoesOnAfterARefusal(t *testing.T) {
	t.Parallel()
	for _, hello := range []string{"", "hello|1|\n"} {
		c := start(t, 1, nil)
		conn := c.dial()
		if hello != "" {
			talk(t, conn, 1, hello)
		}
		for _, row := range [][2]string{
			{"agency_ID|1|1\n" + ana, "success|1"}, {"agency_ID|1|1\n" + winny, "fail|0|conflict|"}, {"agency_ID|1|3\n" + ana, "fail|0|gap|2"},
			{"agency_ID|1|2\nAna,Paz,x,1990-01-01,7\n", "fail|0|invalid|"}, {"agency_ID|1|2\n" + winny, "success|1"}, {"agency_ID|1|1\n" + ana, "success|1"},
			{"agency_ID|1|3\n" + ana, "success|1"}, {"notify_finished|1|4\n", "fail|0|missing|"}, {"notify_finished|1|3\n", "ack_notify"},
		} {
			if got := talk(t, conn, 1, row[0]); !strings.HasPrefix(got, row[1]) {
				t.Errorf("%.40q: %q, want %q", row[0], got, row[1])
			}
		}
	}
}
