//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mount makes a folder of the lab that is a file system of its own.
func (l *lab) mount(name string) {
	l.t.Helper()
	l.mkdir(name)
	dir := filepath.Join(l.dir, name)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		skipOrFail(l.t, "QUINIELA_REQUIRE_DOCKER", "this test mounts a file system, which takes root: "+err.Error())
	}
	l.t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// awaitPublished waits until draw 1 is published whole.
func (l *lab) awaitPublished(data string) {
	l.t.Helper()
	l.awaitFile(filepath.Join(data, "public", "draws", "1", "outcome.json")) // the last file of a draw
}

// The public log, the backups and the folder that is restored may each be on a disk of their own.
func TestThePublicFolderIsAMount(t *testing.T) {
	t.Parallel()
	l := &lab{t, t.TempDir()}
	for _, name := range []string{"data/public", "backups", "restored"} {
		l.mount(name)
	}
	l.mkdir("data/public/lost+found") // as a new file system has one
	l.launch("generate", "--agencies", "1", "--bets", "300", "--out", ".data").wait()
	options := []string{"server", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "off", "--agencies", "1"}
	server := l.launch(options...)
	address := server.address()
	l.launch("client", "--id", "1", "--server", address).wait()
	l.awaitPublished("data")
	l.launch("backup", "backups/one").wait()
	server.stop()
	l.launch("audit", "data/public").wait()
	if left, err := os.ReadDir(filepath.Join(l.dir, "data", "public", ".unfinished")); err != nil || len(left) > 0 {
		t.Errorf("left unfinished: %v, %v", left, err)
	}
	l.launch("restore", "backups/one", "--data", "restored").wait()
	check := l.launch("fsck", "--data", "restored")
	check.wait()
	if !strings.Contains(check.log(), "300 bets") || !strings.Contains(check.log(), "nothing is wrong") {
		t.Errorf("the restored folder:\n%s", check.log())
	}
	server = l.launch(options...) // and again, on what is there
	server.address()
	server.stop()
}
