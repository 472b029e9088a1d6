//go:build linux

package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"quiniela/internal/backup"
)

// A folder for backups that the server's user cannot write into, or that is too small, at whatever point the room ends, costs backups
// and nothing else: the log says why, nothing unfinished is left, and the server goes on.
func TestBackupsWithoutRoomOrRights(t *testing.T) {
	h := newHome(t)
	place := filepath.Join(h.dir, "kept")
	h.mkdir("kept")
	server := h.serveBackups("home/closed")
	server.await(`ERROR +action: backup \| result: fail \| .*permission denied; name one that does not exist, in one that the server's user can write into`)
	h.wantBackups(server, place, 0)
	t.Cleanup(func() { _ = syscall.Unmount(place, syscall.MNT_DETACH) }) // where a size below has failed
	full := 0
	for kib := 4; kib <= 36; kib += 4 {
		if err := syscall.Mount("tmpfs", place, "tmpfs", 0, fmt.Sprintf("size=%dk,mode=777", kib)); err != nil {
			skipOrFail(t, "QUINIELA_REQUIRE_DOCKER", "this test mounts small file systems, which takes root: "+err.Error())
		}
		server := h.serveBackups(fmt.Sprintf("home/data%d", kib), "--disk-reserve", "0")
		made := 1
		if server.await(`action: backup \| result: (\w+)`) == "fail" {
			server.await(`make room`)
			made, full = 0, full+1
		}
		h.wantBackups(server, place, made)
		if err := syscall.Unmount(place, syscall.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
	}
	if full < 2 {
		t.Errorf("the disk was full %d times: these sizes test nothing", full)
	}
}

// wantBackups checks that the server still answers, stops it, and checks that some backups are in a folder, whole, and nothing else.
func (h home) wantBackups(server *process, place string, want int) {
	h.t.Helper()
	h.must(nil, server.Path, "draw", "list", "--data", server.Args[3])
	server.stop()
	entries, err := os.ReadDir(place)
	for _, e := range entries {
		if _, bad := backup.Verify(h.t.Context(), filepath.Join(place, e.Name())); bad != nil {
			err = errors.Join(err, bad)
		}
	}
	if err != nil || len(entries) != want {
		h.t.Errorf("%s has %v, %v; want %d backups", server.Args[3], entries, err, want)
	}
}

// serveBackups starts a server as its user, which makes a backup in kept/ at once.
func (h home) serveBackups(data string, args ...string) *process {
	h.t.Helper()
	server := h.user(append(append(serverArgs(data), "--backup-dir", "kept"), args...)...)
	server.address()
	return server
}
