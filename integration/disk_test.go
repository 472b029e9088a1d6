//go:build linux

package integration

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of 400 MiB as the lab's data folder.
func (l *lab) smallDisk() {
	l.t.Helper()
	l.mkdir("data")
	dir := filepath.Join(l.dir, "data")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=400m"); err != nil {
		skipOrFail(l.t, "QUINIELA_REQUIRE_DOCKER", "this test mounts a small file system, which takes root: "+err.Error())
	}
	l.t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// fill leaves the small disk with no more than free bytes, and returns how to make room again.
func (l *lab) fill(free int64) (makeRoom func()) {
	l.t.Helper()
	path := filepath.Join(l.dir, "data", "filler")
	f, err := os.Create(path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		l.t.Fatal(err)
	}
	size := int64(fs.Bavail)*fs.Bsize - free
	if _, err := io.CopyN(f, zeros{}, size); err != nil && !errors.Is(err, syscall.ENOSPC) {
		l.t.Fatal(err)
	}
	return func() { _ = os.Remove(path) }
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (l *lab) agencies(address string, options ...string) (clients []*process) {
	l.t.Helper()
	for id := 1; id <= 5; id++ {
		clients = append(clients, l.launch(append([]string{"client", "--id", strconv.Itoa(id), "--server", address}, options...)...))
	}
	return clients
}

// Under the reserve, batches are refused and nothing else happens; with room, the agencies go on.
func TestAFullDiskRefusesBetsUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	l := &lab{t, t.TempDir()}
	l.dataset()
	l.smallDisk()
	server, address := l.serve("--disk-reserve", "33554432")
	makeRoom := l.fill(24 << 20)
	clients := l.agencies(address)
	server.await(`action: append \| result: fail \| error: .*less than 32 MiB free`)
	got := "fail|0|conflict|"
	for n := 1; strings.HasPrefix(got, "fail|0|conflict|"); n++ { // the first ones may have been stored before the server looked at the disk
		got = ask(t, address, fmt.Sprintf("agency_ID|1|%d\nAna,Paz,1,1990-01-01,7\n\n", n))
	}
	if !strings.HasPrefix(got, "fail|0|storage|") {
		t.Errorf("with a full disk a batch gets %q", got)
	}
	makeRoom()
	server.await(`action: append \| result: success`)
	for _, c := range clients {
		c.wait()
	}
	wantDocuments(t, address)
	server.stop()
	wantExport(t, l, 5)
}

// Without a reserve the disk runs full under the journal: a write fails, and the server says so and stops. Started
// again with room, it has all that it acknowledged, and the agency, which was waiting, goes on.
func TestAFailedWriteStopsTheServer(t *testing.T) {
	t.Parallel()
	l := &lab{t, t.TempDir()}
	l.smallDisk()
	// More than the journal sets aside on the disk in advance.
	l.launch("generate", "--agencies", "1", "--bets", "1200000", "--out", ".data").wait()
	server, address := l.serve("--agencies", "1", "--disk-reserve", "1")
	makeRoom := l.fill(64 << 10) // more than the reserve, and less than the next write
	client := l.launch("client", "--id", "1", "--server", address)
	err := server.Cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(server.log(), "action: serve | result: fail | error: append to the journal: ") {
		t.Fatalf("the server ended with %v:\n%s", err, tail(server.log()))
	}
	makeRoom()
	_, port, _ := strings.Cut(address, ":")
	server = l.launch("server", "--ip", "127.0.0.1", "--port", port, "--agencies", "1", "--disk-reserve", "1")
	client.wait()
	server.stop()
	wantExport(t, l, 1)
}
