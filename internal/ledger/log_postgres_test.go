//go:build unix

package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/backup"
	"quiniela/internal/journal/postgres"
	"quiniela/internal/journal/postgres/pgtest"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/tlog"
)

// open starts a server of a cluster, which ends with the test.
func open(t *testing.T, c *pgtest.Cluster, agencies uint32) *machine {
	t.Helper()
	j, err := postgres.Open(context.Background(), postgres.Options{URL: c.URL(), UnsafeSingle: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), j, ledger.Options{Dir: t.TempDir(), Seed: seed(agencies), Public: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return &machine{t: t, j: j, Ledger: l}
}

// Each of an agency's two connections is to another server, which decides of a batch twice where the other was faster.
func TestEveryOrderOfConnectionsToTwoServers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it starts a database server")
	}
	t.Parallel()
	const agencies = 1000
	c := pgtest.Start(t, 0)
	everyOrder(t, open(t, c, agencies), open(t, c, agencies), agencies, [][2][]int{{{2}, {1}}, {{1}, {2}}})
}

// Two servers take batches of the same draw at the same time; both have the same tree, and so has a third that comes later.
func TestEveryServerOfAClusterDerivesTheSameLog(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it starts a database server")
	}
	t.Parallel()
	c := pgtest.Start(t, 0)
	server := func() *ledger.Ledger { return open(t, c, 4).Ledger }
	a, b := server(), server()
	if _, err := a.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "x", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}}); err != nil {
		t.Fatal(err)
	}
	const batches = 25
	var agencies sync.WaitGroup
	for i, l := range []*ledger.Ledger{a, b, a, b} {
		agencies.Go(func() {
			m := &machine{t: t, Ledger: l}
			agency := quiniela.Agency(i + 1)
			for n := range uint64(batches) {
				s := submission(agency, n+1, 7574, int(n))
				if _, err := m.send(s); err != nil {
					t.Errorf("agency %d, batch %d: %v", agency, n+1, err)
					return
				}
			}
			if err := l.Finish(t.Context(), 1, agency, batches, nil); err != nil {
				t.Error(err)
			}
		})
	}
	agencies.Wait()
	if t.Failed() {
		return
	}
	for _, l := range []*ledger.Ledger{a, b} {
		(&machine{t: t, Ledger: l}).wait("1", "drawn")
	}
	want := entries(t, a)
	if len(want) != 2+4*batches+2 {
		t.Errorf("%d entries", len(want))
	}
	for name, l := range map[string]*ledger.Ledger{"the other server": b, "a server that comes later": server()} {
		for deadline := time.Now().Add(5 * time.Minute); l.Log().Size < int64(len(want)) && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
		if diff := cmp.Diff(want, entries(t, l)); diff != "" {
			t.Errorf("%s has another log:\n%.500s", name, diff)
		}
	}
}

// Where servers share the journal, one command begins the new log for all; a server that runs meanwhile stops, and says why.
func TestANewLogOnASharedJournal(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it starts a database server")
	}
	t.Parallel()
	c := pgtest.Start(t, 0)
	running := open(t, c, 2)
	running.sendTo(1, 1, 1, "", 5)
	was := entries(t, running.Ledger)
	j, err := postgres.Open(t.Context(), postgres.Options{URL: c.URL(), UnsafeSingle: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	nothing := &backup.NewLog{Origin: "lottery.example/b", Old: tlog.Checkpoint{Size: 2, Root: running.Log().Root}, OldKey: keys(t)[0]}
	tried := filepath.Join(t.TempDir(), "data")
	if err := backup.BeginLog(t.Context(), j, tried, nothing); !errors.Is(err, ledger.ErrNothingGone) {
		t.Errorf("where nothing is gone: %v", err)
	}
	if left, err := os.ReadDir(tried); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	n := &backup.NewLog{Origin: "lottery.example/b", Old: tlog.Checkpoint{Size: 9, Root: tlog.Hash{1}}, OldKey: keys(t)[0]}
	dir := filepath.Join(t.TempDir(), "data")
	if err := backup.BeginLog(t.Context(), j, dir, n); err != nil || n.Had != 2 {
		t.Fatalf("%d entries, %v", n.Had, err)
	}
	if key, err := publish.LoadKey(filepath.Join(dir, publish.KeyName), ""); err != nil || key.Verifier != n.Key {
		t.Errorf("its key is %s, %v; want %s", key.Verifier, err, n.Key)
	}
	select {
	case <-running.Failed():
	case <-time.After(5 * time.Minute):
		t.Fatal("the other server goes on with the old log")
	}
	if err := running.Err(); !strings.Contains(err.Error(), "begins a new public log") {
		t.Errorf("it stopped with %v", err)
	}
	later := open(t, c, 2)
	if now := entries(t, later.Ledger); len(now) != 3 || !slices.EqualFunc(now[1:], was, bytes.Equal) || later.NewLog().Key != n.Key {
		t.Errorf("the log is %q", now)
	}
	later.sendTo(1, 1, 2, "", 6)
	if err := backup.BeginLog(t.Context(), j, dir, n); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("again in the same folder: %v", err)
	}
}
