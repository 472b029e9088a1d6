package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quiniela"
	"quiniela/internal/agencies"
	"quiniela/internal/server"
)

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
	t.Parallel()
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
	for _, verb := range []string{
		"agency_ID|1\n" + ana, "agency_ID|1|1\n" + winny, "agency_ID|1|2\n" + ana, "proofs|1",
		"1~Ana~Paz~1~1990-01-01~7", "Ana~Paz~1~1990-01-01~7", "notify_finished|1", "notify_finished|1|1",
		ana + ana, "query_winners|1", "wait_winners|1", "status|1", "hello|1|", "hello|1|" + tokens[2],
	} {
		for who, login := range map[string][]string{"nobody": nil, "agency 2": {hello(2)}, "agency 2 after a wrong login": {hello(2), "hello|1|wrong"}} {
			conn := c.dial()
			if reply := exchange(t, conn, frame(append(login, verb)...)); !denied(reply) {
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

// From an agency's own address others guess its token without end, each on connections of their own. Every login with the right token
// succeeds all the same, and a connection that guesses is closed.
func TestARightTokenIsNeverRefused(t *testing.T) {
	t.Parallel()
	guard, tokens := registered(t, 1)
	c := start(t, 1, func(s *server.Options) { s.Guard = guard })
	flood, over := context.WithCancel(t.Context())
	defer over()
	var strangers sync.WaitGroup
	var guesses atomic.Int64
	for range 20 {
		strangers.Go(func() {
			for flood.Err() == nil {
				conn, err := net.Dial("tcp", c.address)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, frame(slices.Repeat([]string{"hello|1|wrong"}, 100)...))
				replies, err := io.ReadAll(conn)
				if n := strings.Count(string(replies), "fail|0|denied|"); n != 5 || err != nil {
					t.Errorf("a connection was answered %d wrong tokens, want 5: %v, %q", n, err, replies)
				}
				guesses.Add(5)
				_ = conn.Close()
			}
		})
	}
	for i := 0; i < 150 || guesses.Load() < 100; i++ {
		if got := c.ask(frame("hello|1|"+tokens[1]), true); !strings.HasPrefix(got, "ok|") {
			t.Fatalf("the right token, the %dth time: %q", i, got)
		}
	}
	over()
	strangers.Wait()
}
