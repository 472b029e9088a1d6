package server_test

import (
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"quiniela/internal/server"
)

// The kernel shows a listening socket's backlog as nothing else does: by how many connections it completes while
// nobody accepts them. /proc/net/tcp has no column for it, so the test fills it.
func TestTheBacklogIsApplied(t *testing.T) {
	t.Parallel()
	if b, err := os.ReadFile("/proc/sys/net/core/somaxconn"); err != nil || strings.TrimSpace(string(b)) == "0" {
		t.Skip("this system does not tell its greatest backlog")
	}
	fill := func(backlog int) int {
		c := server.DefaultOptions()
		c.Address, c.Backlog = "127.0.0.1:0", backlog
		s, err := server.ListenEcho(c, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return connectable(t, s.Addr(), 40)
	}
	// Linux completes one more than the backlog.
	if got := fill(3); got != 4 {
		t.Errorf("a backlog of 3 held %d connections, want 4", got)
	}
	if got := fill(17); got != 18 {
		t.Errorf("a backlog of 17 held %d connections, want 18", got)
	}
}

// dialWait is far longer than a connection on loopback takes, also on a busy machine. One that the kernel dropped is tried again meanwhile,
// and dropped again: nobody accepts.
const dialWait = 8 * time.Second

// connectable counts the connections that are completed while nobody accepts.
func connectable(t *testing.T, addr net.Addr, most int) int {
	n := 0
	for range most {
		c, err := net.DialTimeout("tcp", addr.String(), dialWait)
		if err != nil {
			return n
		}
		t.Cleanup(func() { _ = c.Close() })
		n++
	}
	return n
}
