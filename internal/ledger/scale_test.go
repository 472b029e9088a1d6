package ledger_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
)

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Ten thousand draws, and as many agencies as a draw may have, cost memory in proportion and nothing else: what each commit and
// each hello looks at does not grow with them. The bounds have room for the race detector, which takes memory as well.
func TestManyDrawsAndAgencies(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	const draws, workers = 10_000, 500
	agencies := 100_000
	if *exhaustive {
		agencies = ledger.MaxAgencies
	}
	j, err := local.Open(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	dir := t.TempDir()
	open := func() *ledger.Ledger {
		t.Helper()
		began := time.Now()
		l, err := ledger.Open(t.Context(), j, ledger.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("the ledger opens in %s", time.Since(began).Round(time.Millisecond))
		return l
	}
	together := func(n int, do func(i int) error) {
		var all sync.WaitGroup
		for first := range workers {
			all.Go(func() {
				for i := first; i < n; i += workers {
					if err := do(i); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	l := open()
	before := heap()
	began := time.Now()
	number := draw.FixedNumber(7574)
	together(draws, func(i int) error {
		d, err := l.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: fmt.Sprintf("d%d", i), Agencies: 1, Rule: number})
		if err == nil {
			err = l.Finish(t.Context(), d.Seq, 1, 0, nil)
		}
		if err == nil {
			<-l.Drawn(d.Seq)
		}
		return err
	})
	each := (heap() - before) / draws
	t.Logf("%d draws were opened, finished and drawn in %s; each takes %d bytes of memory", draws, time.Since(began).Round(time.Millisecond), each)
	if each > 16<<10 {
		t.Errorf("a draw takes %d bytes of memory", each)
	}

	before, began = heap(), time.Now()
	d, err := l.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "large", Agencies: uint32(agencies), Rule: number})
	if err != nil {
		t.Fatal(err)
	}
	together(agencies, func(i int) error { return l.Finish(t.Context(), d.Seq, quiniela.Agency(i+1), 0, nil) })
	<-l.Drawn(d.Seq)
	each = (heap() - before) / agencies
	t.Logf("%d agencies finished a draw in %s; each takes %d bytes of memory", agencies, time.Since(began).Round(time.Millisecond), each)
	if each > 2<<10 {
		t.Errorf("an agency takes %d bytes of memory", each)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open()
	if all, err := l.Draws(t.Context()); err != nil || len(all) != draws+1 {
		t.Errorf("%d draws are there, %v", len(all), err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// A draw that would be one too many is refused, and opened once another has its result.
func TestDrawsWithoutAResult(t *testing.T) {
	m := start(t, 1)
	open := func(i int) error {
		_, err := m.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: fmt.Sprintf("d%d", i), Agencies: 1, Rule: draw.FixedNumber(7574)})
		return err
	}
	for i := 1; i < ledger.MaxUndrawn; i++ {
		if err := open(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(ledger.MaxUndrawn); quiniela.CodeOf(err) != quiniela.Busy {
		t.Fatalf("one more: %v", err)
	}
	if err := m.Finish(t.Context(), 5, 1, 0, nil); err != nil {
		t.Fatal(err)
	}
	<-m.Drawn(5)
	if err := open(ledger.MaxUndrawn); err != nil {
		t.Error(err)
	}
	if d, err := m.FindDraw(t.Context(), ""); err != nil || d.Seq != 1 {
		t.Errorf("the current draw is %d, %v", d.Seq, err)
	}
}
