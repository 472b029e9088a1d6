package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"quiniela"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
)

// brokenDisk fails the write or sync number at, and every one after it, as a disk that has broken does.
type brokenDisk struct {
	count, at atomic.Int64
	failed    atomic.Bool
	once      sync.Once
	// picture is what the disk holds at the moment of the failure.
	picture func() *vfs.MemFS
	disk    atomic.Pointer[vfs.MemFS]
}

func (b *brokenDisk) String() string { return "broken disk" }

// MaybeError implements errorfs.Injector.
func (b *brokenDisk) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	n, at := b.count.Add(1), b.at.Load()
	if at == 0 || n < at {
		return nil
	}
	b.once.Do(func() { // nobody learns of the failure before the picture is taken
		b.disk.Store(b.picture())
		b.failed.Store(true)
	})
	return errorfs.ErrInjected
}

// story is what an operator's day comes to: two agencies, repeats, both finish, the draw. It stops at the first error
// and returns how many batches each agency had acknowledged, and which had finished.
func story(t *testing.T, l *ledger.Ledger) (acked [3]int, finished [3]bool, err error) {
	for batch := uint64(1); batch <= 3; batch++ {
		for a := 1; a <= 2; a++ {
			for range 2 { // the second is a repeat
				s := submission(quiniela.Agency(a), batch, 7574, int(batch))
				if err := l.Submit(s); err != nil {
					return acked, finished, err
				}
				if _, err := s.Wait(); err != nil {
					return acked, finished, err
				}
			}
			acked[a] = int(batch)
		}
	}
	for a := 1; a <= 2; a++ {
		if err := l.Finish(context.Background(), 0, quiniela.Agency(a), 3, nil); err != nil {
			return acked, finished, err
		}
		finished[a] = true
	}
	select {
	case <-l.Drawn(0):
		return acked, finished, nil
	case <-l.Failed():
		return acked, finished, l.Err()
	case <-time.After(5 * time.Minute):
		return acked, finished, errors.New("the draw did not come")
	}
}

// TestEveryFailedWrite fails each write and sync of a story in turn, once with nothing unsynced on the disk afterwards
// ("failed and not persisted") and once with all of it ("failed but persisted"), and opens what is left.
func TestEveryFailedWrite(t *testing.T) {
	for _, keep := range []int{0, 100} {
		t.Run(fmt.Sprintf("%d percent persisted", keep), func(t *testing.T) {
			t.Parallel()
			failEach(t, 60, func(at int64) bool { return failAt(t, at, keep) })
		})
	}
}

// failEach fails the first write, then the second, and so on, until there are no more, of which there must be at least some. With
// -short it leaves most of them out.
func failEach(t *testing.T, least int64, fail func(at int64) bool) {
	t.Helper()
	step := int64(1)
	if testing.Short() {
		step = 11
	}
	last := int64(0)
	for at := int64(1); fail(at) && !t.Failed(); at += step {
		last = at
	}
	t.Logf("one in %d of %d writes and syncs failed in turn", step, last)
	if last < least {
		t.Errorf("only %d writes: the story does not write what it should", last)
	}
}

// failAt runs the story on a new disk with write number at failing, and reports whether it came that far.
func failAt(t *testing.T, at int64, keep int) bool {
	disk := vfs.NewCrashableMem()
	broken := &brokenDisk{picture: func() *vfs.MemFS {
		return disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: rand.New(rand.NewPCG(0, 0))})
	}}
	broken.at.Store(at)
	acked, finished, err := openAndTell(t, errorfs.Wrap(disk, broken))
	if !broken.failed.Load() {
		if err != nil {
			t.Errorf("write %d: nothing failed, and the story ended with %v", at, err)
		}
		return false
	}
	if err == nil && !finished[2] {
		t.Errorf("write %d failed and nobody was told", at)
	}
	reopen(t, at, broken.disk.Load(), acked, finished)
	return true
}

// openAndTell runs the story on a new disk. After a failure nothing is closed: the process would end.
func openAndTell(t *testing.T, fs vfs.FS) (acked [3]int, finished [3]bool, err error) {
	j, err := local.Open("journal", local.Options{FS: fs, Reserve: 1})
	if err != nil {
		return acked, finished, err
	}
	l, err := ledger.Open(context.Background(), j, ledger.Options{Dir: "data", FS: fs, Public: true, Seed: seed(2)})
	if err != nil {
		return acked, finished, err
	}
	if acked, finished, err = story(t, l); err != nil {
		return acked, finished, err
	}
	return acked, finished, errors.Join(l.Close(), j.Close())
}

// reopen opens the disk that the failure has left, checks it against what was acknowledged, and ends the story on it.
func reopen(t *testing.T, at int64, disk *vfs.MemFS, acked [3]int, finished [3]bool) {
	t.Helper()
	j, err := local.Open("journal", local.Options{FS: disk, Reserve: 1})
	if err != nil {
		t.Errorf("write %d: %v", at, err)
		return
	}
	defer func() { _ = j.Close() }()
	l, err := ledger.Open(context.Background(), j, ledger.Options{Dir: "data", FS: disk, Public: true, Seed: seed(2)})
	if err != nil {
		t.Errorf("write %d: %v", at, err)
		return
	}
	defer func() { _ = l.Close() }()
	for a := 1; a <= 2; a++ {
		resume, err := l.Resume(t.Context(), 0, quiniela.Agency(a))
		if err != nil || resume.Next < uint64(acked[a])+1 || resume.Next > uint64(acked[a])+2 {
			t.Errorf("write %d: agency %d goes on at %d, %v; %d batches were acknowledged", at, a, resume.Next, err, acked[a])
		}
		s := submission(quiniela.Agency(a), 99, 1)
		if err := l.Submit(s); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Wait(); finished[a] && quiniela.CodeOf(err) != quiniela.Finished {
			t.Errorf("write %d: agency %d had finished, and a batch of it gets %v", at, a, err)
		}
	}
	// The whole story again: what is there is repeated, the rest is stored, and it comes to the same end.
	if _, _, err := story(t, l); err != nil {
		t.Errorf("write %d: afterwards: %v", at, err)
		return
	}
	for a := 1; a <= 2; a++ {
		want := strings.Fields(fmt.Sprintf("%[1]d001000 %[1]d002000 %[1]d003000", a))
		if got, _, err := documents(l, 0, quiniela.Agency(a)); err != nil || !slices.Equal(got, want) {
			t.Errorf("write %d: winners of agency %d: %q, %v; want %q", at, a, got, err, want)
		}
	}
}
