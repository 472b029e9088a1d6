package local_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"quiniela/internal/journal"
	"quiniela/internal/journal/journaltest"
	"quiniela/internal/journal/local"
)

func TestConformance(t *testing.T) {
	journaltest.Run(t, journaltest.Engine{New: func(t *testing.T) func() (journal.Journal, error) {
		dir := filepath.Join(t.TempDir(), "journal")
		return func() (journal.Journal, error) { return local.Open(dir, local.Options{}) }
	}})
}

func TestASecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	j, err := local.Open(dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if _, err := local.Open(dir, local.Options{}); !errors.Is(err, journal.ErrLocked) {
		t.Fatalf("a second open gave %v, want ErrLocked", err)
	}
	if _, err := local.Open(dir, local.Options{ReadOnly: true}); !errors.Is(err, journal.ErrLocked) {
		t.Fatalf("a second open to read gave %v, want ErrLocked", err)
	}
}

func TestReadingNothingMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	if _, err := local.Open(dir, local.Options{ReadOnly: true}); err == nil {
		t.Fatal("an absent journal was opened")
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the folder was made: %v", err)
	}
}

func TestAFullDiskIsSaidAndLosesNothing(t *testing.T) {
	ctx := context.Background()
	j, err := local.Open(t.TempDir(), local.Options{Reserve: 1 << 62}) // no disk has that much free
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if _, err := j.Append(ctx, journal.Head{}, [][]byte{[]byte("a")}); !errors.Is(err, journal.ErrFull) {
		t.Fatalf("append gave %v, want ErrFull", err)
	}
	if last, _ := j.Last(ctx); last != (journal.Head{}) {
		t.Fatalf("last is %d after a refusal", last)
	}
}

func TestPowerLossKeepsWhatWasAppended(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewCrashableMem()
	j, err := local.Open("j", local.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(ctx, journal.Head{}, [][]byte{[]byte("a"), []byte("b")}); err != nil {
		t.Fatal(err)
	}
	after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0})
	_ = j.Close()
	j, err = local.Open("j", local.Options{FS: after})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if last, _ := j.Last(ctx); last.Position != 2 {
		t.Fatalf("last is %d after a power loss, want 2", last)
	}
}

// A write that fails must fail the append, and every append after it: what is on the disk is unknown.
func TestAFailedWriteSticks(t *testing.T) {
	ctx := context.Background()
	armed := errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo {
			return errorfs.ErrInjected
		}
		return nil
	})}
	j, err := local.Open("j", local.Options{FS: errorfs.Wrap(vfs.NewMem(), &armed)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(ctx, journal.Head{}, [][]byte{[]byte("a")}); err != nil {
		t.Fatal(err)
	}
	armed.On()
	if _, err := j.Append(ctx, journal.Head{}.Next([]byte("a")), [][]byte{[]byte("b")}); err == nil {
		t.Fatal("an append whose write failed was acknowledged")
	}
	armed.Off()
	if _, err := j.Append(ctx, journal.Head{}.Next([]byte("a")), [][]byte{[]byte("c")}); err == nil {
		t.Fatal("an append after a failed one was acknowledged")
	}
	if err := j.Close(); err == nil {
		t.Fatal("the journal closed as if nothing had happened")
	}
}

// entries is a group as large as five agencies' windows.
func entries() [][]byte {
	group := make([][]byte, 80)
	for i := range group {
		group[i] = bytes.Repeat([]byte{byte(i)}, 8000)
	}
	return group
}

func BenchmarkAppend(b *testing.B) {
	j, err := local.Open(b.TempDir(), local.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	group, head := entries(), journal.Head{}
	b.ReportAllocs()
	b.SetBytes(80 * 8000)
	for b.Loop() {
		if head, err = j.Append(b.Context(), head, group); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	j, err := local.Open(b.TempDir(), local.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	const groups = 200
	head := journal.Head{}
	for range groups {
		if head, err = j.Append(b.Context(), head, entries()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.SetBytes(groups * 80 * 8000)
	for b.Loop() {
		n := 0
		for _, err := range j.Entries(b.Context(), 1) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != groups*80 {
			b.Fatal(n)
		}
	}
}

// A process that may not read, or has too many files open, has seen nothing of the journal, and must not say that it is damaged.
func TestWhatHindersTheProcessIsNoDamage(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewMem()
	j, err := local.Open("j", local.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(ctx, journal.Head{}, [][]byte{[]byte("a")}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, cause := range []error{syscall.EMFILE, os.ErrPermission, syscall.EIO} {
		failing := errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpOpen && !strings.HasSuffix(op.Path, "LOCK") {
				return cause
			}
			return nil
		}))
		_, err := local.Open("j", local.Options{FS: failing})
		if damaged := errors.Is(err, journal.ErrDamaged); err == nil || damaged != (cause == syscall.EIO) {
			t.Errorf("%v: %v", cause, err)
		}
	}
	if j, err = local.Open("j", local.Options{FS: fs}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
