package durable_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

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

// holding is the folder that TestAFolderIsLockedByOneProcess has a second process lock.
const holding = "QUINIELA_DURABLE_TEST_LOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holding); dir != "" {
		if _, err := durable.Lock(dir); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("locked")
		}
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

// Two processes exclude each other, whatever is deleted in the folder, and the lock of one that is killed is gone.
func TestAFolderIsLockedByOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "one", 0o600)
	other := exec.CommandContext(t.Context(), os.Args[0])
	other.Env = append(os.Environ(), holding+"="+dir)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(out).ReadString('\n'); said != "locked\n" {
		t.Fatalf("%q, %v", said, err)
	}
	if _, err := durable.Lock(dir); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("locked by another process: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		_ = os.Remove(filepath.Join(dir, e.Name()))
	}
	if _, err := durable.Lock(dir); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("locked by another process, and all files are deleted: %v", err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // it was killed
	lock, err := durable.Lock(dir)
	if err != nil {
		t.Fatalf("after the other process was killed: %v", err)
	}
	if _, err := durable.Lock(dir); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("locked by this process: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	if lock, err = durable.Lock(dir); err != nil || lock.Close() != nil {
		t.Errorf("unlocked: %v", err)
	}
}
