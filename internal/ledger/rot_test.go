package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"quiniela"
	"quiniela/internal/fsck"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
)

var (
	exhaustive = flag.Bool("exhaustive", false, "let TestRotIsHarmlessOrRefused try every fault and not a sample")
	rotOffsets = flag.Int("rot-offsets", 6, "at how many places of a file TestRotIsHarmlessOrRefused spoils it")
)

const (
	rotAgencies = 2
	rotBatches  = 40 // of each agency
	rotBets     = 45 // of each batch: large enough for Pebble to keep the values in files of their own
)

// rotten is a data folder on a real disk, as SIGKILL left it, and an earlier moment of it.
type rotten struct {
	now, before string
	bets        []byte // the export of all that was acknowledged
}

// killed makes the folders: a first life whose entries have come to table files, and a second one whose entries are in the
// write-ahead log alone, cut off by a copy of the folder while it was open.
func killed(t *testing.T) rotten {
	live, before, now := filepath.Join(t.TempDir(), "live"), filepath.Join(t.TempDir(), "before"), filepath.Join(t.TempDir(), "now")
	for life, until := range []int{rotBatches / 2, rotBatches} {
		j, l := openFolder(t, live)
		for a := quiniela.Agency(1); a <= rotAgencies; a++ {
			for n := life*rotBatches/2 + 1; n <= until; n++ {
				numbers := make([]int, rotBets)
				numbers[0] = 7574
				s := submission(a, uint64(n), numbers...)
				if err := l.Submit(s); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Wait(); err != nil {
					t.Fatal(err)
				}
			}
			if life == 1 {
				if err := l.Finish(t.Context(), 0, a, rotBatches, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		if life == 0 {
			copyFolder(t, live, before)
		} else {
			<-l.Drawn(0)
			copyFolder(t, live, now)
		}
		if err := errors.Join(l.Close(), j.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return rotten{now: now, before: before, bets: exported(t, now)}
}

func openFolder(t *testing.T, dir string) (*local.Journal, *ledger.Ledger) {
	t.Helper()
	j, err := local.Open(filepath.Join(dir, "journal"), local.Options{Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), j, ledger.Options{Dir: dir, Seed: seed(rotAgencies), Public: true})
	if err != nil {
		t.Fatal(err)
	}
	return j, l
}

func copyFolder(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func exported(t *testing.T, dir string) []byte {
	t.Helper()
	j, err := local.Open(filepath.Join(dir, "journal"), local.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	var out bytes.Buffer
	if _, err := ledger.Export(t.Context(), j, "1", &out, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// fault is one thing that a disk or a person does to a file of a data folder.
type fault struct {
	file, what string
	do         func(path string) error
}

func (r rotten) faults(t *testing.T) (all []fault) {
	for _, folder := range []string{"journal", "state"} {
		older := filepath.Join(r.before, folder)
		all = append(all,
			fault{folder, "the folder is removed", os.RemoveAll},
			fault{folder, "an older folder", func(path string) error { return errors.Join(os.RemoveAll(path), os.CopyFS(path, os.DirFS(older))) }})
	}
	for _, name := range filesOf(t, r.now) {
		data, err := os.ReadFile(filepath.Join(r.now, name))
		if err != nil {
			t.Fatal(err)
		}
		add := func(what string, do func(path string) error) { all = append(all, fault{name, what, do}) }
		add("removed", os.Remove)
		if older, err := os.ReadFile(filepath.Join(r.before, name)); err == nil && !bytes.Equal(older, data) {
			add("an older one", func(path string) error { return os.WriteFile(path, older, 0o600) })
		}
		for i := range *rotOffsets {
			at := i * len(data) / *rotOffsets
			if i == *rotOffsets-1 {
				at = max(0, len(data)-64)
			}
			if at >= len(data) {
				continue
			}
			add(fmt.Sprintf("one bit at %d of %d", at, len(data)), func(path string) error {
				return os.WriteFile(path, spoil(data, at, 1, 1<<(at%8)), 0o600)
			})
			add(fmt.Sprintf("64 bytes at %d of %d", at, len(data)), func(path string) error {
				return os.WriteFile(path, spoil(data, at, 64, 0xa5), 0o600)
			})
			add(fmt.Sprintf("cut at %d of %d", at, len(data)), func(path string) error { return os.Truncate(path, int64(at)) })
		}
	}
	return all
}

// sample returns a part of the faults, of every file and kind in its turn: another part in each run, and all with -exhaustive.
func sample(t *testing.T, all []fault) []fault {
	every := 4
	if testing.Short() {
		every = 25
	}
	if *exhaustive {
		every = 1
	}
	start := rand.IntN(every)
	t.Logf("fault %d and then one in %d of %d", start, every, len(all))
	var some []fault
	for i := start; i < len(all); i += every {
		some = append(some, all[i])
	}
	return some
}

func spoil(data []byte, at, n int, with byte) []byte {
	data = bytes.Clone(data)
	for i := at; i < min(at+n, len(data)); i++ {
		data[i] ^= with
	}
	return data
}

func filesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// contents is what every file of a folder holds, for a comparison.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range filesOf(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %d\n%s\n", name, len(data), data)
	}
	return all.String()
}

// Every file of the journal and of the state is spoiled in every way, at many places (without -exhaustive: a sample of that). Either all that was acknowledged is
// served, or the start is refused, fsck finds it as well, and not one byte of the folder has changed.
func TestRotIsHarmlessOrRefused(t *testing.T) {
	t.Parallel()
	r := killed(t)
	faults := sample(t, r.faults(t))
	var mu sync.Mutex
	var wg sync.WaitGroup
	refused, next := 0, 0
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(faults) {
					return
				}
				if r.try(t, faults[i]) {
					mu.Lock()
					refused++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d faults: %d were refused, and the others did no harm", len(faults), refused)
	if refused < len(faults)/10 || refused == len(faults) {
		t.Errorf("%d of %d faults were refused: the test does not spoil what it should", refused, len(faults))
	}
}

// try reports whether the fault was refused.
func (r rotten) try(t *testing.T, f fault) bool {
	name := f.file + ", " + f.what
	dir, err := os.MkdirTemp(t.TempDir(), "rot-")
	if err != nil {
		t.Error(err)
		return false
	}
	defer func() { _ = os.RemoveAll(dir) }()
	dir = filepath.Join(dir, "data")
	copyFolder(t, r.now, dir)
	if err := f.do(filepath.Join(dir, f.file)); err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	before := contents(t, dir)
	found, spoiled := checkFolder(dir), ledger.CheckState(dir)
	var log bytes.Buffer
	j, l, err := tryFolder(dir, &log)
	if err != nil {
		if contents(t, dir) != before {
			t.Errorf("%s: the start was refused and has changed the folder: %v", name, err)
		}
		if found == nil {
			t.Errorf("%s: the start was refused (%v), and fsck found nothing", name, err)
		}
		if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "restore the newest backup") {
			t.Errorf("%s: the error does not say what and what to do: %v", name, err)
		}
		return true
	}
	if found != nil {
		t.Errorf("%s: fsck found %v, and the server started", name, found)
	}
	if again := strings.Contains(log.String(), "building it again"); again != (spoiled != nil) {
		t.Errorf("%s: fsck says of the state: %v, and it was built again: %t", name, spoiled, again)
	}
	r.whole(t, name, j, l)
	if err := errors.Join(l.Close(), j.Close()); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return false
}

// checkFolder does what `quiniela fsck` does.
func checkFolder(dir string) (err error) {
	j, err := local.Open(filepath.Join(dir, "journal"), local.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	report, err := fsck.Check(context.Background(), j, nil)
	if err == nil && !report.OK() {
		err = errors.New(report.Findings[0])
	}
	return err
}

func tryFolder(dir string, log io.Writer) (*local.Journal, *ledger.Ledger, error) {
	j, err := local.Open(filepath.Join(dir, "journal"), local.Options{Reserve: 1})
	if err != nil {
		return nil, nil, err
	}
	o := ledger.Options{Dir: dir, Seed: seed(rotAgencies), Public: true, Logger: slog.New(slog.NewTextHandler(log, nil))}
	l, err := ledger.Open(context.Background(), j, o)
	if err != nil {
		return nil, nil, errors.Join(err, j.Close())
	}
	return j, l, nil
}

// whole compares what is served with what was acknowledged.
func (r rotten) whole(t *testing.T, name string, j *local.Journal, l *ledger.Ledger) {
	<-l.Drawn(0)
	for a := quiniela.Agency(1); a <= rotAgencies; a++ {
		if resume, err := l.Resume(t.Context(), 0, a); err != nil || resume.Next != rotBatches+1 || resume.Bets != rotBatches*rotBets {
			t.Errorf("%s: agency %d goes on at %+v, %v", name, a, resume, err)
		}
		documents, _, err := documents(l, 0, a)
		if err != nil || len(documents) != rotBatches || len(slices.Compact(slices.Sorted(slices.Values(documents)))) != rotBatches {
			t.Errorf("%s: %d winners of agency %d, %v", name, len(documents), a, err)
		}
	}
	var out bytes.Buffer
	if _, err := ledger.Export(context.Background(), j, "1", &out, nil); err != nil || !bytes.Equal(out.Bytes(), r.bets) {
		t.Errorf("%s: %d bytes of bets are exported, %v; want %d", name, out.Len(), err, len(r.bets))
	}
}
