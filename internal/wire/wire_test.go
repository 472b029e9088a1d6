package wire_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/internal/wire"
)

func TestParseEncoded(t *testing.T) {
	r, err := wire.Parse(append(wire.AppendBatchHeader(nil, 3, 17), "lines\n"...))
	if err != nil || r.Verb != wire.Batch || r.Agency != 3 || r.Batch != 17 || string(r.Lines) != "lines\n" {
		t.Errorf("batch: %+v, %v", r, err)
	}
	r, err = wire.Parse(wire.AppendFinish(nil, 3, 9))
	if err != nil || r.Verb != wire.Finish || r.Agency != 3 || r.Batches != 9 {
		t.Errorf("finish: %+v, %v", r, err)
	}
	r, err = wire.Parse(wire.AppendHello(nil, 3, "to ken", "night"))
	if err != nil || r.Verb != wire.Hello || r.Agency != 3 || r.Token != "to ken" || !r.Named || r.Draw != "night" {
		t.Errorf("hello: %+v, %v", r, err)
	}
	for _, wait := range []bool{false, true} {
		r, err = wire.Parse(wire.AppendQuery(nil, 3, wait))
		if err != nil || (r.Verb == wire.Wait) != wait || r.Agency != 3 {
			t.Errorf("query: %+v, %v", r, err)
		}
	}
	r, err = wire.Parse(wire.AppendStatus(nil, 3))
	if err != nil || r.Verb != wire.Status || r.Agency != 3 {
		t.Errorf("status: %+v, %v", r, err)
	}
	r, err = wire.Parse(wire.AppendBet(nil, 3, [quiniela.Fields]string{"Ana", "Paz", "1", "1990-01-01", "7"}))
	if err != nil || r.Verb != wire.Bet || r.Agency != 3 || string(bytes.Join(r.Fields[:], []byte(","))) != "Ana,Paz,1,1990-01-01,7" {
		t.Errorf("bet: %+v, %v", r, err)
	}
}

// A batch without a header is told by its first line, also where that line is no good bet.
func TestABatchWithoutAHeader(t *testing.T) {
	const ana = "Ana,Paz,1,1990-01-01,7"
	for body, headless := range map[string]bool{
		ana: true, ana + "\n": true, " " + ana + " \r\n" + ana + "\r\n": true, "Ana,Paz,1,1990-01-01\n" + ana: true,
		"An|a,Paz,1,1990-01-01,7\n": true, "An~a,Paz,1,1990-01-01,7\n": true, ",\n": true,
		"agency_ID|1\n" + ana: false, " agency_ID | 0,0 \n" + ana: false, "hello|1|to,ken": false, "proofs|1,2": false,
		"1~Ana~Paz~1~1990-01-01~7": false, "Ana,Maria~Paz~1~1990-01-01~7": false, "Ana\n" + ana: false, "\n" + ana: false, "": false,
	} {
		r, err := wire.Parse([]byte(body))
		if r.Headless != headless || headless && (err != nil || r.Verb != wire.Batch || r.Agency != quiniela.Unattributed || r.Batch != 0 || string(r.Lines) != body) {
			t.Errorf("%q: %+v, %v", body, r, err)
		}
	}
	refusal := string(wire.AppendError(nil, wire.Request{Verb: wire.Batch, Headless: true}, quiniela.Refuse(quiniela.Invalid, "line 1")))
	if refusal != "fail|0\n" {
		t.Errorf("refused with %q", refusal)
	}
	// It ends as every bare batch does: at an empty line, at the end of the stream, or by silence.
	for stream, want := range map[string]string{ana + "\n" + ana + "\n\nmore\n": ana + "\n" + ana + "\n\n", ana + "\n" + ana: ana + "\n" + ana, ana: ana} {
		for name, src := range map[string]io.Reader{"end": strings.NewReader(stream), "silence": silent{strings.NewReader(stream)}} {
			if name == "silence" && !strings.HasSuffix(stream, "\n") {
				continue // a line that has not ended is not a batch yet
			}
			if _, body, framed, err := wire.NewReader(src).Next(nil); string(body) != want || framed || err != nil {
				t.Errorf("%q, then %s: %q, framed %t, %v", stream, name, body, framed, err)
			}
		}
	}
}

func reader(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }

func TestRepliesComeBack(t *testing.T) {
	want := wire.Resume{Next: 4, Bets: 450, LastBets: 150, LastHash: wire.Hash{1, 2, 255}}
	if got, err := wire.ReadResume(reader(string(wire.AppendResume(nil, want)))); err != nil || got != want {
		t.Errorf("resume: %+v, %v", got, err)
	}
	game := quiniela.DefaultTerms()
	want.Draw, want.Game = "night", &game
	text := fmt.Sprintf("ok|4|450|150|0102ff%s|night|quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=- cap=-\n", strings.Repeat("0", 58))
	if reply := string(wire.AppendResume(nil, want)); reply != text {
		t.Errorf("resume in the game quiniela: %q, want %q", reply, text)
	}
	if got, err := wire.ReadResume(reader(text)); err != nil || !cmp.Equal(got, want) {
		t.Errorf("resume in the game quiniela: %+v, %v", got, err)
	}
	for _, bad := range []string{"|x\n", "|specified\n", "|\n", "|quiniela\n"} {
		if got, err := wire.ReadResume(reader(strings.Replace(text, "|quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=- cap=-\n", bad, 1))); err == nil {
			t.Errorf("with the terms %q: %+v", bad, got)
		}
	}
	prize := wire.Prize{Batch: 3, Line: 150, Document: "00000042", Hits: 3, Cents: 105000}
	reply := string(wire.AppendPrize(wire.AppendListHead(nil, 1), prize))
	var prizes []wire.Prize
	if drawn, err := wire.ReadPrizesReply(reader(reply), func(p wire.Prize) error { prizes = append(prizes, p); return nil }); reply != "ok|1\n3|150|00000042|3|105000\n" || !drawn || err != nil || !slices.Equal(prizes, []wire.Prize{prize}) {
		t.Errorf("prizes: %q, %v, %t, %v", reply, prizes, drawn, err)
	}
	if drawn, err := wire.ReadPrizesReply(reader(wire.InProgress+"\n"), nil); drawn || err != nil {
		t.Errorf("prizes before the draw: %t, %v", drawn, err)
	}
	for _, bad := range []string{"ok|1\n", "ok|x\n", "ok|1\n3|150|1|3\n", "ok|1\n0|1|1|1|1\n", "ok|1\n1|0|1|1|1\n", "ok|1\n1|1|1|0|1\n", "ok|1\n1|1|1|21|1\n", "ok|1\n1|1|1|1|-1\n", "ok|1\n1|1|1|1|1|1\n"} {
		if drawn, err := wire.ReadPrizesReply(reader(bad), func(wire.Prize) error { return nil }); err == nil {
			t.Errorf("%q is read as prizes, drawn: %t", bad, drawn)
		}
	}
	if r, err := wire.Parse(wire.AppendPrizes(nil, 3)); err != nil || r.Verb != wire.Prizes || r.Agency != 3 {
		t.Errorf("query_prizes: %+v, %v", r, err)
	}
	if n, err := wire.ReadBatchReply(reader(string(wire.AppendBatchOK(nil, 150)))); n != 150 || err != nil {
		t.Errorf("batch: %d, %v", n, err)
	}
	if d, n, err := wire.ReadBetReply(reader(string(wire.AppendBetOK(nil, []byte("123"), 7)))); d != "123" || n != 7 || err != nil {
		t.Errorf("bet: %s, %d, %v", d, n, err)
	}
	if err := wire.ReadFinishReply(reader(string(wire.AppendFinishOK(nil)))); err != nil {
		t.Errorf("finish: %v", err)
	}
	docs, drawn, err := wire.ReadWinnersReply(reader(string(wire.AppendListHead(nil, 2)) + "1\n22\n"))
	if !drawn || err != nil || strings.Join(docs, " ") != "1 22" {
		t.Errorf("winners: %q, %t, %v", docs, drawn, err)
	}
	if _, drawn, err := wire.ReadWinnersReply(reader(string(wire.AppendInProgress(nil)))); drawn || err != nil {
		t.Errorf("in progress: %t, %v", drawn, err)
	}
	for _, r := range []wire.Request{{Verb: wire.Batch, Batch: 3}, {Verb: wire.Finish}, {Verb: wire.Hello}} {
		reply := string(wire.AppendError(nil, r, quiniela.Refuse(quiniela.Conflict, "a|b\nc")))
		if _, err := wire.ReadBatchReply(reader(reply)); quiniela.CodeOf(err) != quiniela.Conflict || strings.Count(reply, "\n") != 1 || strings.Count(reply, "|") != 3 {
			t.Errorf("%v: %q reads as %v", r.Verb, reply, err)
		}
	}
	for _, bad := range []string{"", "ok", "ok|x\n", "success|-1\n", "success|\n", "ok|2\n1\n", "fail\n", strings.Repeat("x", 1<<17), "ok|1|2|3|zz\n", "ok|1|2|3|" + strings.Repeat("0", 65) + "\n", "ok|1|2|3|" + strings.Repeat("0", 64) + "|.\n"} {
		if _, _, err := wire.ReadWinnersReply(reader(bad)); err == nil {
			t.Errorf("winners: %.20q was taken", bad)
		}
		if _, err := wire.ReadResume(reader(bad)); err == nil {
			t.Errorf("resume: %.20q was taken", bad)
		}
		if _, err := wire.ReadBatchReply(reader(bad)); err == nil {
			t.Errorf("batch: %.20q was taken", bad)
		}
	}
}

// However the bytes are cut, the bodies are the same.
func TestFramesArriveInPieces(t *testing.T) {
	bodies := []string{"a", "", "agency_ID|1\nx\n", strings.Repeat("long ", 50000), "last"}
	var stream []byte
	for _, b := range bodies {
		stream = wire.AppendFrame(stream, []byte(b))
	}
	for name, src := range map[string]io.Reader{
		"whole": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
		"halved": iotest.HalfReader(bytes.NewReader(stream)), "with its end": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		r := wire.NewReader(src)
		var buf []byte
		for i, want := range bodies {
			var body []byte
			var framed bool
			var err error
			buf, body, framed, err = r.Next(buf)
			if err != nil || !framed || string(body) != want {
				t.Fatalf("%s: body %d is %.40q, framed %t, %v", name, i, body, framed, err)
			}
			if len(want) > 0 && (&buf[wire.Headroom] != &body[0] || cap(body) == len(body)) {
				t.Fatalf("%s: body %d is not where it should be, or has no free byte behind it", name, i)
			}
		}
		if _, _, _, err := r.Next(buf); !errors.Is(err, io.EOF) {
			t.Fatalf("%s: %v after the last", name, err)
		}
	}
}

// A length alone costs no memory.
func TestMemoryFollowsTheBytesThatArrive(t *testing.T) {
	r := wire.NewReader(strings.NewReader("1048576;only this"))
	buf, _, _, err := r.Next(nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || cap(buf) > 256<<10 {
		t.Fatalf("%v, with a buffer of %d bytes", err, cap(buf))
	}
}

type silent struct{ io.Reader }

func (s silent) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("read: %w", os.ErrDeadlineExceeded)
	}
	return n, err
}

func TestPhases(t *testing.T) {
	var phases []wire.Phase
	r := wire.NewReader(silent{strings.NewReader("agency_ID|1\nline\n")})
	r.OnPhase = func(p wire.Phase) { phases = append(phases, p) }
	_, body, framed, err := r.Next(nil)
	if err != nil || framed || string(body) != "agency_ID|1\nline\n" {
		t.Fatalf("%q, %t, %v", body, framed, err)
	}
	if fmt.Sprint(phases) != fmt.Sprint([]wire.Phase{wire.Between, wire.Settling}) {
		t.Fatalf("phases %v", phases)
	}
}

// Silence after a line of a bare batch ends it only if the reader may settle for that. A connection that breaks never does.
func TestSilenceEndsABatchOnlyWhereItMay(t *testing.T) {
	const head = "agency_ID|1\n"
	broken := errors.New("broken")
	for _, row := range []struct {
		name   string
		after  error // what the read after the line returns
		settle bool
		code   quiniela.Code
		err    error
	}{
		{"silence", os.ErrDeadlineExceeded, true, "", nil},
		{"silence is refused", os.ErrDeadlineExceeded, false, quiniela.BadFrame, nil},
		{"the end", io.EOF, false, "", nil},
		{"broken", broken, true, "", broken},
	} {
		r := wire.NewReader(io.MultiReader(strings.NewReader(head), iotest.ErrReader(row.after)))
		r.Settle = row.settle
		_, body, _, err := r.Next(nil)
		switch {
		case row.code != "" || row.err != nil:
			if quiniela.CodeOf(err) != row.code || row.err != nil && !errors.Is(err, row.err) {
				t.Errorf("%s: %v", row.name, err)
			}
		case err != nil || string(body) != head:
			t.Errorf("%s: %q, %v", row.name, body, err)
		}
	}
}

// Whatever arrives, the reader ends, keeps its limits, and a body comes with room around it.
func FuzzReader(f *testing.F) {
	f.Add([]byte("35;agency_ID|1\nAna,Paz,1,1990-01-01,7\n16;query_winners|1\n"))
	f.Add([]byte("agency_ID|1\nAna,Paz,1,1990-01-01,7\n\n"))
	f.Add([]byte("99999999;"))
	f.Add([]byte("12345678901234567890;x"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := wire.NewReader(bytes.NewReader(stream))
		r.Limits = quiniela.Limits{BareBody: 100, FramedBody: 200, BatchBets: 5}
		var buf []byte
		for range len(stream) + 1 {
			var body []byte
			var framed bool
			var err error
			if buf, body, framed, err = r.Next(buf); err != nil {
				return
			}
			if len(body) > 200 || !framed && len(body) > 100 || cap(body) == len(body) {
				t.Fatalf("a body of %d bytes in %d, framed %t", len(body), cap(body), framed)
			}
			if !framed {
				return
			}
		}
		t.Fatal("more bodies than bytes")
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"agency_ID|1|2\nx", "1~a~b~c~d~e", "notify_finished|1|2", "hello|1|t", "proofs|1", "\xff|", "Ana,Paz,1,1990-01-01,7\nx,", "a,b~c,d"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := wire.Parse(body)
		if err != nil && quiniela.CodeOf(err) == "" {
			t.Fatalf("an error without a code: %v", err)
		}
		if err == nil && r.Verb == 0 {
			t.Fatal("neither a verb nor an error")
		}
		reply := wire.AppendError(nil, r, quiniela.Refuse(quiniela.Invalid, "%s", body))
		if bytes.Count(reply, []byte("\n")) != 1 {
			t.Fatalf("a refusal of more than a line: %q", reply)
		}
	})
}

// Whatever reply to status is read means the same when it is written again.
func FuzzProgress(f *testing.F) {
	for _, s := range []string{"ok|1|open||0|0|0||", "ok|night|sealed|2026-11-24T21:00:00Z|80|12000|1||", "ok|a.b|drawn|2026-11-24T21:00:00Z|1|2|1|0042|0", "ok|a|drawn||1|2|1|7|1|0007" + strings.Repeat(" 0007", 19) + "|2|1", "fail|0|agency|x", "ok|"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		p, err := wire.ReadProgress(bufio.NewReader(bytes.NewReader(append(line, '\n'))))
		if err != nil {
			return
		}
		again, err := wire.ReadProgress(bufio.NewReader(bytes.NewReader(wire.AppendProgress(nil, p))))
		if err != nil || !again.Closes.Equal(p.Closes) {
			t.Fatalf("%q is read as %+v, and that as %+v, %v", line, p, again, err)
		}
		again.Closes = p.Closes
		if !cmp.Equal(again, p) || p.Number > quiniela.MaxNumber {
			t.Fatalf("%q is read as %+v, and that as %+v", line, p, again)
		}
	})
}

func BenchmarkEncodeBatch(b *testing.B) {
	lines := bytes.Repeat([]byte("Santiago Lionel,Lorca,30904465,1999-03-17,7574\n"), 150)
	var body, frame []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(lines)))
	for b.Loop() {
		body = append(wire.AppendBatchHeader(body[:0], 5, 12345), lines...)
		frame = wire.AppendFrame(frame[:0], body)
	}
}

func BenchmarkReadBatch(b *testing.B) {
	lines := strings.Repeat("Santiago Lionel,Lorca,30904465,1999-03-17,7574\n", 150)
	frame := wire.AppendFrame(nil, []byte("agency_ID|5|12345\n"+lines))
	r := wire.NewReader(endless{frame, new(int)})
	var buf []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		var body []byte
		var err error
		if buf, body, _, err = r.Next(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := wire.Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

// endless reads the same bytes over and over.
type endless struct {
	text []byte
	at   *int
}

func (e endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[*e.at:])
	*e.at = (*e.at + n) % len(e.text)
	return n, nil
}

// The reply to status is read as it was written, and a reply that no server writes is refused.
func TestProgressIsReadAsItWasWritten(t *testing.T) {
	closes := time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC)
	sevens := strings.Repeat(" 0007", 19)
	twenty := append([]quiniela.Number{4563}, slices.Repeat([]quiniela.Number{7}, 19)...)
	for want, p := range map[string]wire.Progress{
		"ok|1|open||0|0|0||\n":                                    {Draw: "1", State: wire.Open},
		"ok|night|sealed|2026-11-24T21:00:00Z|80|12000|1||\n":     {Draw: "night", State: wire.Sealed, Closes: closes, Batches: 80, Bets: 12000, Finished: true},
		"ok|night|drawn|2026-11-24T21:00:00Z|80|12000|1|7574|2\n": {Draw: "night", State: wire.Drawn, Closes: closes, Batches: 80, Bets: 12000, Finished: true, Number: 7574, Winners: 2},
		"ok|night|drawn||1|2|1|4563|1|4563" + strings.Repeat(" 0007", 19) + "|58690900|52123200\n": {
			Draw: "night", State: wire.Drawn, Batches: 1, Bets: 2, Finished: true, Number: 4563, Winners: 1, Prizes: twenty, Due: 58690900, Pool: 52123200},
		"ok|night|drawn||18446744073709551|1|0|0|4294967295\n": {Draw: "night", State: wire.Drawn, Batches: 18446744073709551, Bets: 1, Winners: 4294967295},
	} {
		reply := wire.AppendProgress(nil, p)
		if string(reply) != want {
			t.Errorf("%+v is written %q, want %q", p, reply, want)
		}
		if got, err := wire.ReadProgress(bufio.NewReader(bytes.NewReader(reply))); err != nil || !cmp.Equal(got, p) {
			t.Errorf("%q is read as %+v, %v", reply, got, err)
		}
	}
	for _, bad := range []string{
		"ok|1|open||0|0|0|", "ok|1|open||0|0|0|||", "ok||open||0|0|0||", "ok|1|shut||0|0|0||", "ok|1|open|soon|0|0|0||", "ok|1|open|2026-11-24T21:00:00-03:00|0|0|0||", "ok|1|open||-1|0|0||",
		"ok|1|open||0|x|0||", "ok|1|open||0|0|2||", "ok|1|open||0|0|0|7|", "ok|1|sealed||0|0|0||1", "ok|1|drawn||0|0|0||", "ok|1|drawn||0|0|0|10000|1",
		"ok|1|drawn||0|0|0|7|1|0007" + sevens + "|1", "ok|1|sealed||0|0|0|||0007" + sevens + "|2|1", "ok|1|drawn||0|0|0|7|1|0007" + sevens + "|1|2", "ok|1|drawn||0|0|0|8|1|0007" + sevens + "|2|1",
		"ok|1|drawn||0|0|0|7|1|0007" + sevens + " 0007|2|1", "ok|1|drawn||0|0|0|7|1|7" + sevens + "|2|1", "ok|1|drawn||0|0|0|7|1|0007" + sevens + "|x|1",
		"ok|1|drawn||0|0|0|7|4294967296", "no|1|open||0|0|0||",
	} {
		if p, err := wire.ReadProgress(bufio.NewReader(strings.NewReader(bad + "\n"))); !errors.Is(err, wire.ErrReply) {
			t.Errorf("%q is read as %+v, %v", bad, p, err)
		}
	}
	_, err := wire.ReadProgress(bufio.NewReader(strings.NewReader("fail|0|unknown|no such request\n")))
	if quiniela.CodeOf(err) != quiniela.Unknown {
		t.Error(err)
	}
}
