package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela/internal/backup"
	"quiniela/internal/journal/local"
)

var morning = time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC)

// add makes the nth day's backup of its own.
func add(t *testing.T, k backup.Kept, j *local.Journal, n int) (path string, m *backup.Manifest) {
	t.Helper()
	path, m, err := k.Add(t.Context(), j, morning.AddDate(0, 0, n))
	if err != nil {
		t.Fatal(err)
	}
	return path, m
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// Of all that is in a folder for backups, a server removes only its own oldest ones.
func TestOnlyTheServersOwnOldBackupsAreRemoved(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	other, otherJournal := data(t)
	place := t.TempDir()
	k := backup.Kept{Data: dir, Dir: place}
	if _, err := backup.Create(t.Context(), j, dir, filepath.Join(place, "2020-01-01"), nil); err != nil { // somebody asked for it
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, "notes.txt"), []byte("keep\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add(t, backup.Kept{Data: other, Dir: place}, otherJournal, -9)
	for n := range 4 {
		add(t, k, j, n)
	}
	replaced, away := filepath.Join(place, "auto-2026-11-24T070000Z"), filepath.Join(t.TempDir(), "away")
	if err := os.Rename(replaced, away); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Create(t.Context(), j, dir, replaced, nil); err != nil { // in the place of one of its own
		t.Fatal(err)
	}
	removed, err := k.Prune(2)
	if want := []string{filepath.Join(place, "auto-2026-11-25T070000Z")}; err != nil || !cmp.Equal(removed, want) {
		t.Errorf("removed %q, %v; want %q", removed, err, want)
	}
	want := []string{"2020-01-01", "auto-2026-11-15T070000Z", "auto-2026-11-24T070000Z", "auto-2026-11-26T070000Z", "auto-2026-11-27T070000Z", "notes.txt"}
	if got := names(t, place); !cmp.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
	if _, err := k.Prune(0); err != nil {
		t.Error(err)
	}
	own, err := k.List()
	if err != nil || len(own) != 1 || own[0].Path != filepath.Join(place, "auto-2026-11-27T070000Z") {
		t.Errorf("the newest is not kept: %+v, %v", own, err)
	}
	if _, err := backup.Verify(t.Context(), own[0].Path); err != nil {
		t.Error(err)
	}
}

// A folder that was restored from a backup removes none of those from before.
func TestARestoredFolderRemovesNoBackupOfBefore(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	k := backup.Kept{Data: dir, Dir: t.TempDir()}
	add(t, k, j, 0)
	newest, _ := add(t, k, j, 1)
	back := filepath.Join(t.TempDir(), "back")
	if _, err := backup.Restore(t.Context(), newest, back, nil, nil); err != nil {
		t.Fatal(err)
	}
	restored, err := local.Open(filepath.Join(back, "journal"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = restored.Close() }()
	k.Data = back
	own, _ := add(t, k, restored, 2)
	if removed, err := k.Prune(1); err != nil || len(removed) > 0 {
		t.Errorf("removed %q, %v", removed, err)
	}
	if all, err := k.List(); err != nil || len(all) != 1 || all[0].Path != own {
		t.Errorf("its own are %+v, %v; want %s", all, err, own)
	}
}

// Where no backup can be made, the error says what to do, and nothing is left.
func TestAPlaceThatTakesNoBackup(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]string{
		filepath.Join(t.TempDir(), "absent"): "is not there: make it, or mount its disk",
		file:                                 "is no folder",
	} {
		_, _, err := backup.Kept{Data: dir, Dir: place}.Add(t.Context(), j, morning)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", place, err, want)
		}
	}
	k := backup.Kept{Data: dir, Dir: t.TempDir()}
	path, _ := add(t, k, j, 0)
	before, err := backup.Verify(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Add(t.Context(), j, morning); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a second one of the same second: %v", err)
	}
	if after, err := backup.Verify(t.Context(), path); err != nil || !cmp.Equal(before, after) {
		t.Errorf("the first one was changed: %v", err)
	}
	if got := names(t, k.Dir); len(got) != 1 {
		t.Errorf("left %q", got)
	}
}
