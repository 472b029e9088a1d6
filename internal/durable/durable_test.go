package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"quiniela/internal/durable"
)

func write(t *testing.T, path, text string, perm fs.FileMode) {
	t.Helper()
	if err := durable.WriteFile(path, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, path, text string, perm fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != text {
		t.Errorf("%s: %q, %v; want %q", path, got, err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != perm {
		t.Errorf("%s: %v, %v; want the mode %v", path, info.Mode(), err, perm)
	}
}

// wantOnly checks that a folder holds these names and nothing temporary.
func wantOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(names) {
		t.Fatalf("%s holds %v, want %v", dir, entries, names)
	}
	for i, e := range entries {
		if e.Name() != names[i] {
			t.Errorf("%s holds %v, want %v", dir, entries, names)
		}
	}
}

func TestANewFileHasTheModeAskedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, "one", 0o640)
	wantFile(t, path, "one", 0o640)
	wantOnly(t, filepath.Dir(path), "a")
}

func TestAReplacedFileKeepsItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, "one", 0o600)
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	write(t, path, "two", 0o600)
	wantFile(t, path, "two", 0o444)
}

func TestAFailureLeavesTheOldFileAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o600); err == nil {
		t.Error("a folder was replaced by a file")
	}
	wantOnly(t, dir, "a")
	f, err := durable.Create(filepath.Join(dir, "b"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Discard(); err != nil {
		t.Error(err)
	}
	wantOnly(t, dir, "a")
}

func TestANewFileReplacesNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := durable.WriteNew(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteNew(path, []byte("two"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v", err)
	}
	wantFile(t, path, "one", 0o600)
	wantOnly(t, filepath.Dir(path), "a")
}

func TestALinkIsReplacedNotWhatItPointsTo(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "other"), "mine", 0o644)
	if err := os.Symlink("other", filepath.Join(dir, "link")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	write(t, filepath.Join(dir, "link"), "new", 0o600)
	wantFile(t, filepath.Join(dir, "other"), "mine", 0o644)
	wantFile(t, filepath.Join(dir, "link"), "new", 0o600)
}

func TestMkdirAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := durable.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "file"), "", 0o600)
	if err := durable.MkdirAll(filepath.Join(dir, "file", "c"), 0o700); err == nil {
		t.Error("a folder was made in a file")
	}
}
