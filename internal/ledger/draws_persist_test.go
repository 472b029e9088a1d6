package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
)

// The steps of an operator's day with a notary's draw whose number two people enter, in order.
var day = []struct {
	name string
	do   func(l *ledger.Ledger) error
	done func(d ledger.Draw) bool
}{
	{"open", func(l *ledger.Ledger) error {
		_, err := l.OpenDraw(context.Background(), person("ana"), ledger.Terms{ID: "x", Agencies: 2, Closes: time.Now().Add(time.Hour), Rule: draw.Rule{Source: quiniela.SourceNotary}, Two: true})
		return err
	}, func(d ledger.Draw) bool { return d.ID == "x" && !d.Closes.IsZero() }},
	{"close", func(l *ledger.Ledger) error {
		_, err := l.CloseDraw(context.Background(), person("ana"), "x", "why")
		return err
	}, func(d ledger.Draw) bool { return d.Sealed && d.SealedBy == "operator" && d.Note == "why" }},
	{"enter first", func(l *ledger.Ledger) error {
		_, err := l.EnterNumber(context.Background(), person("ana"), "x", 7, nil)
		return err
	}, func(d ledger.Draw) bool { return d.First != nil || d.Entered != nil }},
	{"enter", func(l *ledger.Ledger) error {
		_, err := l.EnterNumber(context.Background(), person("eva"), "x", 7, nil)
		return err
	}, func(d ledger.Draw) bool { return d.Entered != nil && *d.Entered == 7 }},
}

// walk does the day's steps that are not done yet, and returns how many are acknowledged.
func walk(l *ledger.Ledger) (acknowledged int, err error) {
	for i, step := range day {
		if d, err := l.FindDraw(context.Background(), "x"); err == nil && step.done(d) {
			continue
		}
		if err := step.do(l); err != nil {
			return i, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	select {
	case <-l.Drawn(2):
		return len(day), nil
	case <-l.Failed():
		return len(day), l.Err()
	case <-time.After(5 * time.Minute):
		return len(day), errors.New("the draw did not come")
	}
}

// Each write and sync of an operator's day fails in turn, persisted and not; what was acknowledged is there, and the day
// can be ended on what is left.
func TestEveryFailedWriteOfAnOperatorsDay(t *testing.T) {
	for _, keep := range []int{0, 100} {
		t.Run(fmt.Sprintf("%d percent persisted", keep), func(t *testing.T) {
			t.Parallel()
			failEach(t, 40, func(at int64) bool { return failDayAt(t, at, keep) })
		})
	}
}

func failDayAt(t *testing.T, at int64, keep int) bool {
	disk := vfs.NewCrashableMem()
	broken := &brokenDisk{picture: func() *vfs.MemFS {
		return disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: rand.New(rand.NewPCG(0, 0))})
	}}
	broken.at.Store(at)
	acknowledged, err := liveDay(errorfs.Wrap(disk, broken))
	if !broken.failed.Load() {
		if err != nil {
			t.Errorf("write %d: nothing failed, and the day ended with %v", at, err)
		}
		return false
	}
	j, err := local.Open("journal", local.Options{FS: broken.disk.Load(), Reserve: 1})
	if err != nil {
		t.Errorf("write %d: %v", at, err)
		return true
	}
	defer func() { _ = j.Close() }()
	l, err := ledger.Open(context.Background(), j, ledger.Options{Dir: "data", FS: broken.disk.Load(), Public: true, Seed: seed(1)})
	if err != nil {
		t.Errorf("write %d: %v", at, err)
		return true
	}
	defer func() { _ = l.Close() }()
	d, err := l.FindDraw(context.Background(), "x")
	for _, step := range day[:acknowledged] {
		if err != nil || !step.done(d) {
			t.Errorf("write %d: %s was acknowledged, and is gone: %+v, %v", at, step.name, d, err)
		}
	}
	if _, err := walk(l); err != nil {
		t.Errorf("write %d: afterwards: %v", at, err)
	}
	want := []string{"ana open x ", "ana close x why", "ana enter x the first of two", "eva enter x 0007"}
	if diff := cmp.Diff(want, trail(t, l)); diff != "" {
		t.Errorf("write %d: the trail has not each act once: %s", at, diff)
	}
	if _, err := l.EnterNumber(context.Background(), person("ana"), "x", 8, nil); quiniela.CodeOf(err) != quiniela.Conflict {
		t.Errorf("write %d: a second number: %v", at, err)
	}
	return true
}

func liveDay(fs vfs.FS) (acknowledged int, err error) {
	j, err := local.Open("journal", local.Options{FS: fs, Reserve: 1})
	if err != nil {
		return 0, err
	}
	l, err := ledger.Open(context.Background(), j, ledger.Options{Dir: "data", FS: fs, Public: true, Seed: seed(1)})
	if err != nil {
		return 0, err
	}
	if acknowledged, err = walk(l); err != nil {
		return acknowledged, err
	}
	return acknowledged, errors.Join(l.Close(), j.Close())
}
