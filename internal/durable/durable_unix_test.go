//go:build unix

package durable_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"quiniela/internal/durable"
)

const nobody = 65534

func wantOwner(t *testing.T, path string, uid, gid int) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); int(stat.Uid) != uid || int(stat.Gid) != gid {
		t.Errorf("%s belongs to %d:%d, want %d:%d", path, stat.Uid, stat.Gid, uid, gid)
	}
}

// othersFolder is a folder of another user's.
func othersFolder(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a file that belongs to somebody else")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhatRootMakesInAnothersFolderIsTheirs(t *testing.T) {
	dir := othersFolder(t)
	write(t, filepath.Join(dir, "a"), "one", 0o600)
	wantOwner(t, filepath.Join(dir, "a"), nobody, nobody)
	if err := durable.WriteNew(filepath.Join(dir, "b"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantOwner(t, filepath.Join(dir, "b"), nobody, nobody)
	if err := durable.MkdirAll(filepath.Join(dir, "c", "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantOwner(t, filepath.Join(dir, "c"), nobody, nobody)
	wantOwner(t, filepath.Join(dir, "c", "d"), nobody, nobody)
}

func TestWhatRootReplacesKeepsItsOwner(t *testing.T) {
	dir := othersFolder(t)
	path := filepath.Join(dir, "a")
	write(t, path, "one", 0o600)
	if err := os.Chown(path, 1234, 4321); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	write(t, path, "two", 0o600)
	wantOwner(t, path, 1234, 4321)
	wantFile(t, path, "two", 0o640)
}

func TestWhatIsCopiedAsRootIsInherited(t *testing.T) {
	dir := othersFolder(t)
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a", "b", "c"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	durable.Inherit(filepath.Join(dir, "a"))
	for _, name := range []string{"a", "a/b", "a/b/c"} {
		wantOwner(t, filepath.Join(dir, name), nobody, nobody)
	}
}
