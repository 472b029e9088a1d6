package central_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/publish"
)

// start opens a central and serves it until the test ends.
func start(t *testing.T, o central.Options) *central.Central {
	t.Helper()
	c, err := central.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-served, c.Close()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// await returns a draw once it is in a state.
func await(t *testing.T, c *central.Central, id, state string) ledger.Draw {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		d, err := c.Ledger.FindDraw(t.Context(), id)
		if err == nil && d.State() == state {
			return d
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("draw %s is %s (%v), want %s", id, d.State(), err, state)
		}
	}
}

// whole are the options of a central with all parts.
func whole(dir string) central.Options {
	o := central.DefaultOptions(dir)
	o.Site = &central.Site{Address: "127.0.0.1:0"}
	o.PublicLog = &central.PublicLog{Origin: "lottery.example/log"}
	o.Seed = &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(7574)}
	return o
}

// Who connects between Open and Serve waits, and is answered then. After Close nobody is, and the folder is free.
func TestALife(t *testing.T) {
	// A socket's path must be short.
	dir, err := os.MkdirTemp("", "central")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var log bytes.Buffer
	o := whole(dir)
	handler := logline.New(&log, slog.LevelInfo)
	o.Log = slog.New(handler)
	c, err := central.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", c.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("18;notify_finished|1\n")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx) }()
	await(t, c, "1", "drawn")
	socket := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, central.SocketName))
	}}}
	answer, err := socket.Get("http://quiniela/metrics")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the operator's socket: %v, %v", answer, err)
	}
	stop()
	if err := errors.Join(<-served, c.Close(), handler.Close()); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", c.Addr().String()); err == nil {
		t.Error("the port is still open")
	}
	// What the last agency was told is published, although the central was stopped at once.
	if seen, err := publish.ReadCheckpoint(filepath.Join(dir, publish.FolderName)); err != nil || seen.Size != 3 {
		t.Errorf("the published log: %+v, %v; want the draw's opening, seal and result", seen, err)
	}
	inOrder(t, log.String(), "listen |", "http |", "publish_log |", "accept_connections |", "close_listener |", "close_ledger |", "close_journal |")
	start(t, o)
}

// inOrder checks that a log has lines with some actions, in this order.
func inOrder(t *testing.T, log string, actions ...string) {
	t.Helper()
	rest := log
	for _, action := range actions {
		_, after, ok := strings.Cut(rest, "action: "+action)
		if !ok {
			t.Errorf("%q is not in its place in the log:\n%s", action, log)
			return
		}
		rest = after
	}
}

// A central that never served lets go of all it took.
func TestACentralThatNeverServes(t *testing.T) {
	o := whole(t.TempDir())
	for range 2 {
		c, err := central.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		o.Server.Address = c.Addr().String()
	}
}

// A start that fails decides nothing and holds nothing: the next one has other terms, another log's name, and the same port.
func TestAFailedStartDecidesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dir := t.TempDir()
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("not a key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*central.Options){
		"listen on":        func(o *central.Options) { o.Server.Address = taken.Addr().String() },
		"SERVER_HTTP_ADDR": func(o *central.Options) { o.Site.Address = taken.Addr().String() },
		bad:                func(o *central.Options) { o.PublicLog.Key = bad },
		"no such file": func(o *central.Options) {
			o.TLS = central.TLS{Cert: bad + "x", Key: bad}
		},
	} {
		o := whole(dir)
		o.PublicLog.Origin, o.Seed.Agencies = "other.example/log", 9
		spoil(&o)
		if _, err := central.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("started, or said %v; want %q", err, what)
		}
		if _, err := os.Stat(filepath.Join(dir, publish.KeyName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a key was made", what)
		}
	}
	c := start(t, whole(dir))
	draws, err := c.Ledger.Draws(t.Context())
	if err != nil || len(draws) != 1 || draws[0].Agencies != 1 {
		t.Errorf("%+v, %v; want one draw of one agency", draws, err)
	}
}

// A start that is told to stop ends with the context's error.
func TestAStartIsInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := central.Open(ctx, whole(t.TempDir())); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}
