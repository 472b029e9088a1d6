package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela/internal/backup"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/publish"
	"quiniela/internal/publish/publishtest"
)

// data makes a data folder with some draws in its journal, and returns it open.
func data(t *testing.T) (string, *local.Journal) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	j, err := local.Open(filepath.Join(dir, "journal"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	grow(t, j, 50)
	if err := os.WriteFile(filepath.Join(dir, "agencies.json"), []byte(`{"version":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, j
}

// flipped changes one bit in each of n bytes in the middle of text.
func flipped(text []byte, n int) []byte {
	text = bytes.Clone(text)
	for i := len(text) / 2; i < min(len(text), len(text)/2+n); i++ {
		text[i] ^= 1
	}
	return text
}

// grow appends openings of draws: entries that follow each other without more.
func grow(t *testing.T, j *local.Journal, n int) {
	t.Helper()
	last, err := j.Last(context.Background())
	if err != nil {
		t.Error(err)
	}
	for range n {
		e := journal.Open{Draw: last.Position + 1, ID: fmt.Sprint("d", last.Position), Agencies: 1, Source: "notary", At: 1}
		if last, err = j.Append(context.Background(), last, [][]byte{journal.Encode(e)}); err != nil {
			t.Error(err)
		}
	}
}

func TestABackupIsOneMomentOfAJournalThatGrows(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	done := make(chan struct{})
	go func() { defer close(done); grow(t, j, 300) }()
	for i := range 5 {
		to := filepath.Join(t.TempDir(), "copy")
		head, _ := j.Last(t.Context())
		before := head.Position
		m, err := backup.Create(t.Context(), j, dir, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(t.TempDir(), "back")
		report, err := backup.Restore(t.Context(), to, target, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Entries < before {
			t.Errorf("copy %d has %d entries, and %d were durable before it was made (it says %d)", i, report.Entries, before, m.Last)
		}
		if _, err := os.Stat(filepath.Join(target, "agencies.json")); err != nil {
			t.Error(err)
		}
	}
	<-done
}

func TestAnyChangeOfABackupIsNoticed(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	to := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Create(t.Context(), j, dir, to, nil); err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		t.Helper()
		target := filepath.Join(t.TempDir(), "back")
		if _, err := backup.Restore(t.Context(), to, target, nil, nil); err == nil {
			t.Errorf("%s: restored", what)
		}
		if _, err := os.Stat(target); err == nil {
			t.Errorf("%s: something is in place", what)
		}
	}
	files := 0
	err := filepath.WalkDir(to, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, changed := range [][]byte{append([]byte("x"), text...), text[:len(text)/2], flipped(text, 1), flipped(text, 64)} {
			if len(text) == 0 && len(changed) == 0 {
				continue // an empty file has no half
			}
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				return err
			}
			refused(path)
		}
		if err := os.Rename(path, path+".away"); err != nil {
			return err
		}
		refused(path + " away")
		if err := os.Rename(path+".away", path); err != nil {
			return err
		}
		return os.WriteFile(path, text, 0o600)
	})
	if err != nil || files < 5 {
		t.Fatalf("%d files, %v", files, err)
	}
	if _, err := backup.Restore(t.Context(), to, filepath.Join(t.TempDir(), "back"), nil, nil); err != nil {
		t.Errorf("as it was made: %v", err)
	}
}

// wantNothing fails where a backup that was not made has left something.
func wantNothing(t *testing.T, dir string) {
	t.Helper()
	if names, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(names) != 0 {
		t.Errorf("%d names are beside %s, %v", len(names), dir, err)
	}
}

// A backup has the newest signed checkpoint, whether the server runs or not, and one that is not of its journal is noticed
// as the backup is made.
func TestABackupHasTheNewestCheckpoint(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574, 2)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	running, stopped := filepath.Join(t.TempDir(), "running"), filepath.Join(t.TempDir(), "stopped")
	if m, err := backup.Create(t.Context(), d.Journal, d.Dir, running, nil); err != nil || m.Log == 0 {
		t.Fatalf("of a running server: %+v, %v", m, err)
	}
	d.Close()
	j, err := local.Open(filepath.Join(d.Dir, "journal"), local.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	last, err := j.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := backup.Create(t.Context(), j, d.Dir, stopped, nil)
	if err != nil || m.Log != 4 || m.First != 1 || m.Last != last.Position || m.Chain != fmt.Sprintf("%016x", last.Chain) {
		t.Fatalf("of a stopped server: %+v, %v", m, err)
	}
	back := filepath.Join(t.TempDir(), "back")
	if _, err := backup.Restore(t.Context(), stopped, back, nil, nil); err != nil {
		t.Fatal(err)
	}
	if seen, err := publish.ReadCheckpoint(filepath.Join(back, "public")); err != nil || seen.Size != 4 {
		t.Errorf("the restored folder has a checkpoint of %d, %v", seen.Size, err)
	}
	other := publishtest.Start(t, 1)
	for n := range uint64(9) {
		other.Send(1, 1, n+1, 1)
	}
	other.Close()
	for _, name := range []string{"checkpoint", "log.vkey"} {
		data, err := os.ReadFile(other.Path(name))
		if err == nil {
			err = os.WriteFile(d.Path(name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	not := filepath.Join(t.TempDir(), "not")
	if _, err := backup.Create(t.Context(), j, d.Dir, not, nil); err == nil || !strings.Contains(err.Error(), "entries were lost") {
		t.Errorf("a checkpoint that goes further than the journal: %v", err)
	}
	wantNothing(t, not)
}

func TestABackupThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	not := filepath.Join(t.TempDir(), "not")
	if _, err := backup.Create(ctx, j, dir, not, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled one: %v", err)
	}
	wantNothing(t, not)
	last, err := j.Last(t.Context())
	if err == nil { // an entry that follows from nothing: the journal is whole, and what it says is not
		_, err = j.Append(t.Context(), last, [][]byte{journal.Encode(journal.Finish{Draw: 99, Agency: 1})})
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Create(t.Context(), j, dir, not, nil); err == nil || !strings.Contains(err.Error(), "draw 99, which was never opened") {
		t.Errorf("a journal that fsck finds something in: %v", err)
	}
	wantNothing(t, not)
}
