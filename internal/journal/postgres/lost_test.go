//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/journal/postgres/pgtest"
	"quiniela/internal/ledger"
)

// serve runs a server's ledger over a journal.
func serve(t *testing.T, m *member, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), m, ledger.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func openDraw(t *testing.T, l *ledger.Ledger, id string) {
	t.Helper()
	if _, err := l.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: id, Agencies: 1, Rule: draw.FixedNumber(7574)}); err != nil {
		t.Fatalf("open %s: %v", id, err)
	}
}

func drawNames(t *testing.T, l *ledger.Ledger) string {
	t.Helper()
	all, err := l.Draws(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range all {
		names = append(names, d.ID)
	}
	return strings.Join(names, " ")
}

// A standby is promoted that lacks what servers have read: by mistake, or since it was accepted that it may. Who has read
// it stops and appends nothing to the other history; who has not goes on.
func TestALostHistoryIsFoundOut(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 1)
	primary, standby := c.Nodes[0], c.Nodes[1]
	for _, n := range c.Nodes {
		n.Synchronous(false)
	}
	url := c.URL()
	asleep, dir := join(t, "asleep", url, true), t.TempDir()
	server := serve(t, asleep, dir)
	openDraw(t, server, "kept")
	if err := errors.Join(server.Close(), asleep.Close()); err != nil {
		t.Fatal(err)
	}
	c.Settle(primary)
	standby.Detach(primary)
	reader, writer := serve(t, join(t, "reader", url, true), t.TempDir()), join(t, "writer", url, true)
	openDraw(t, reader, "lost")
	read := writer.receive(writer.asks())

	primary.Kill()
	c.Promote()
	other := serve(t, join(t, "other", url, true), dir)
	openDraw(t, other, "other")
	if got := (<-writer.appends(read, "poison")).err; !errors.Is(got, journal.ErrOtherHistory) {
		t.Errorf("an append behind a lost entry: %v", got)
	}
	select {
	case <-reader.Failed():
	case <-time.After(patience):
		t.Fatal("the server that has read a lost entry goes on")
	}
	for _, want := range []string{"this server has read entries up to 2", "entries were lost that may have been acknowledged", "Delete nothing"} {
		if err := reader.Err(); !errors.Is(err, journal.ErrOtherHistory) || !strings.Contains(err.Error(), want) {
			t.Errorf("it says %v, want %q", err, want)
		}
	}
	openDraw(t, other, "more")
	if got := drawNames(t, serve(t, join(t, "new", url, true), t.TempDir())); got != "kept other more" && got != "more other kept" {
		t.Errorf("a new server reads the draws %s", got)
	}
}
