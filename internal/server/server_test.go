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
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/server"
)

// lottery is a real central on a real socket over a real disk.
type lottery struct {
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

func start(t *testing.T, agencies uint32, change func(*server.Options)) *lottery {
	t.Helper()
	c := &lottery{t: t, log: new(logBuffer)}
	handler := logline.New(c.log, slog.LevelDebug)
	o := central.DefaultOptions(t.TempDir())
	o.Seed = &ledger.Seed{ID: "1", Agencies: agencies, Rule: draw.FixedNumber(7574)}
	o.Log = slog.New(handler)
	if change != nil {
		change(&o.Server)
	}
	l, err := central.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c.address, c.journal = l.Addr().String(), l.Journal
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx) }()
	c.stop = sync.OnceValue(func() error {
		cancel()
		err := <-served
		return errors.Join(err, handler.Flush())
	})
	t.Cleanup(func() {
		if err := errors.Join(c.stop(), l.Close(), handler.Close()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *lottery) dial() *net.TCPConn {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(4 * time.Minute)) // before the server would close it for being idle
	return conn.(*net.TCPConn)
}

// ask sends a request, half-closes where told so, and returns all that comes back.
func (c *lottery) ask(request string, halfClose bool) string {
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

func (c *lottery) stored() []string {
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
	c := &lottery{t: t, address: s.Addr().String()}
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
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
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

func (c *lottery) dialFrom(ip string) *net.TCPConn {
	c.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	conn, err := d.Dial("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(4 * time.Minute)) // before the server would close it for being idle
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

// talk sends framed requests, and returns as many lines of what comes back. The connection stays open.
func talk(t *testing.T, conn *net.TCPConn, lines int, requests ...string) string {
	t.Helper()
	if _, err := io.WriteString(conn, frame(requests...)); err != nil {
		t.Fatal(err)
	}
	var reply []byte
	for c := make([]byte, 1); lines > 0; reply = append(reply, c[0]) {
		if _, err := io.ReadFull(conn, c); err != nil {
			t.Fatalf("%v after %q", err, reply)
		}
		if c[0] == '\n' {
			lines--
		}
	}
	return string(reply)
}
