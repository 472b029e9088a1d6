package backup_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"quiniela/backup"
	"quiniela/journal"
	"quiniela/journal/local"
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
	dir, j := data(t)
	done := make(chan struct{})
	go func() { defer close(done); grow(t, j, 300) }()
	for i := range 5 {
		to := filepath.Join(t.TempDir(), "copy")
		head, _ := j.Last(t.Context())
		before := head.Position
		m, err := backup.Make(t.Context(), j, dir, to)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(t.TempDir(), "back")
		report, err := backup.Restore(t.Context(), to, target, nil)
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
	dir, j := data(t)
	to := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Make(t.Context(), j, dir, to); err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		t.Helper()
		target := filepath.Join(t.TempDir(), "back")
		if _, err := backup.Restore(t.Context(), to, target, nil); err == nil {
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
		for _, changed := range [][]byte{append([]byte("x"), text...), text[:len(text)/2]} {
			if len(changed) == len(text) {
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
	if _, err := backup.Restore(t.Context(), to, filepath.Join(t.TempDir(), "back"), nil); err != nil {
		t.Errorf("as it was made: %v", err)
	}
}
