package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/server"
)

// Whoever has an answer finds its line in the log.
func TestTheLogIsWrittenBeforeTheAnswer(t *testing.T) {
	c := start(t, 1, nil)
	for _, row := range []struct{ request, reply, line string }{
		{frame("agency_ID|1|1\n" + winny), "success|1\n", "apuesta_recibida | result: success | cantidad: 1\n"},
		{"agency_ID|1\n" + ana + ana + "\n", "success|2\n", "apuesta_recibida | result: success | cantidad: 2\n"},
		{ana + ana + ana + "\n", "success|3\n", "apuesta_recibida | result: success | cantidad: 3\n"},
		{"1~Ana~Paz~31~1990-01-01~7\n", "ok|31|7\n", "apuesta_almacenada | result: success | dni: 31 | numero: 7\n"},
		{frame("agency_ID|1\n" + ana + ana + ana + "x\n"), "fail|0\n", "apuesta_recibida | result: fail | cantidad: 4 | agency: 1 | error: invalid\n"},
		{frame("agency_ID|9\n" + ana), "fail|0\n", "apuesta_recibida | result: fail | cantidad: 1 | agency: 9 | error: agency\n"},
		{"9~Ana~Paz~31~1990-01-01~7\n", "fail|||", "apuesta_almacenada | result: fail | agency: 9 | error: agency\n"},
		{"9~Ana~Paz~31~1990-01-01~x\n", "fail|||", "apuesta_almacenada | result: fail | agency: 9 | error: invalid\n"},
		{frame("query_winners|7\n"), "fail|0|agency|", "receive_message | result: fail | ip: 127.0.0.1 | error: agency\n"},
		{"99999999;", "fail|0|too_large|", "receive_message | result: fail | ip: 127.0.0.1 | error: too_large\n"},
		{frame("notify_finished|1\n", "wait_winners|1\n"), "ack_notify\nok|1\n30876370\n", "sorteo | result: success\n"},
		{ana + "\n", "fail|0\n", "apuesta_recibida | result: fail | cantidad: 1 | agency: 0 | error: closed\n"},
	} {
		got := c.ask(row.request, true)
		if n := strings.Count(c.log.String(), "action: "+row.line); n != 1 || !strings.HasPrefix(got, row.reply) {
			t.Errorf("%.60q: answered %q, with %d lines %q before it", row.request, got, n, row.line)
		}
	}
}

// counted counts a journal's groups.
type counted struct {
	journal.Journal
	groups atomic.Int64
}

func (c *counted) Append(ctx context.Context, after journal.Head, entries [][]byte) (journal.Head, error) {
	c.groups.Add(1)
	return c.Journal.Append(ctx, after, entries)
}

// writes counts the writes of a log that tell of batches.
type writes struct{ n, lines atomic.Int64 }

func (w *writes) Write(p []byte) (int, error) {
	if n := strings.Count(string(p), "apuesta_recibida | result: success"); n > 0 {
		w.n.Add(1)
		w.lines.Add(int64(n))
	}
	return len(p), nil
}

func TestAGroupOfBatchesIsOneWriteOfTheLog(t *testing.T) {
	const batches = 500
	disk, err := local.Open(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	j, w := &counted{Journal: disk}, new(writes)
	log := slog.New(logline.New(w, slog.LevelInfo))
	l, err := ledger.Open(t.Context(), j, ledger.Options{
		Dir: t.TempDir(), Logger: log, Seed: &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(7574)},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := server.DefaultOptions()
	config.Address = "127.0.0.1:0"
	s, err := server.Listen(config, l, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var requests strings.Builder
	for i := range batches {
		requests.WriteString(frame(fmt.Sprintf("agency_ID|1|%d\n%s", i+1, ana)))
	}
	go func() {
		_, _ = io.WriteString(conn, requests.String())
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	if got, err := io.ReadAll(conn); err != nil || string(got) != strings.Repeat("success|1\n", batches) {
		t.Errorf("%d bytes of replies, %v", len(got), err)
	}
	groups := j.groups.Load() - 1 // without the draw's opening
	if w.lines.Load() != batches || w.n.Load() > groups {
		t.Errorf("%d lines in %d writes, for %d groups", w.lines.Load(), w.n.Load(), groups)
	}
	t.Logf("%d lines in %d writes, for %d groups", w.lines.Load(), w.n.Load(), groups)
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := disk.Close(); err != nil {
		t.Error(err)
	}
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
