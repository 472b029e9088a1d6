//go:build linux

package integration

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// serverUser is the user that the server runs as in these tests, where the operator is root.
const serverUser = 65534

// home is a lab with a folder of the server's user, home/, and a program that this user can run.
type home struct {
	*lab
	program string
}

func newHome(t *testing.T) home {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("this test runs a server as another user, which takes root")
	}
	path := program(t)
	l := &lab{t, t.TempDir()}
	h := home{l, filepath.Join(l.dir, "quiniela")}
	l.mkdir("home")
	err := errors.Join(os.Chmod(filepath.Dir(l.dir), 0o711), os.Chmod(l.dir, 0o711), copyProgram(path, h.program),
		os.Chmod(filepath.Join(l.dir, "home"), 0o700), os.Chown(filepath.Join(l.dir, "home"), serverUser, serverUser))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.user("version").Cmd.Wait(); err != nil {
		t.Skipf("user %d cannot run programs below %s: %v", serverUser, os.TempDir(), err)
	}
	return h
}

// copyProgram copies a program in a process of its own. A program that this process had open for writing could not be started
// while another test, which forks at the same time, has inherited the open file ("text file busy").
func copyProgram(from, to string) error {
	if out, err := exec.Command("install", "-m", "755", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// user starts quiniela as the server's user.
func (h home) user(args ...string) *process {
	h.t.Helper()
	cmd := exec.Command(h.program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: serverUser, Gid: serverUser}}
	return h.start(cmd)
}

func serverArgs(data string) []string {
	return []string{"server", "--data", data, "--ip", "127.0.0.1", "--port", "0", "--http-addr", "off", "--agencies", "1"}
}

// serve starts a server as its user, and returns it and its address.
func (h home) serve(data string) (*process, string) {
	h.t.Helper()
	server := h.user(serverArgs(data)...)
	return server, server.address()
}

// root runs quiniela as root, as an operator does with sudo, and returns what it printed.
func (h home) root(args ...string) string {
	h.t.Helper()
	return h.must(nil, append([]string{h.program}, args...)...)
}

// token registers agency 1 and returns its token.
func (h home) token() string {
	h.t.Helper()
	token, _, _ := strings.Cut(h.root("agency", "add", "1", "--data", "home/data"), "\n")
	return token
}

// wantOwned checks that all below a folder belongs to the server's user.
func (h home) wantOwned(dir string) {
	h.t.Helper()
	err := filepath.WalkDir(filepath.Join(h.dir, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != serverUser || stat.Gid != serverUser {
			h.t.Errorf("%s belongs to %d:%d", path, stat.Uid, stat.Gid)
		}
		return nil
	})
	if err != nil {
		h.t.Error(err)
	}
}

// Whatever root's commands make or change in the server's folders, the server can go on with.
func TestWhatRootsCommandsWriteIsTheServersUsers(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	token := h.token()
	byRoot := h.launch(serverArgs("home/data")...) // somebody tries it before the service is set up
	byRoot.await(`listen \| result: success`)
	byRoot.stop()
	h.wantOwned("home")
	server, address := h.serve("home/data")
	h.root("generate", "--agencies", "1", "--bets", "20", "--out", "home/files")
	h.root("client", "--id", "1", "--server", address, "--token", token, "--file", "home/files/agency-1.csv")
	h.awaitPublished("home/data")
	h.root("backup", "--data", "home/data", filepath.Join(h.dir, "home", "backup"))
	h.awaitFile("home/data/public/draws/1/outcome.json")
	server.stop()

	h.root("agency", "rotate", "1", "--data", "home/data")
	h.root("certs", "--out", "home/tls")
	h.root("fsck", "--data", "home/data")
	h.root("export", "--data", "home/data", "-o", "home/bets.csv")
	h.root("backup", "--data", "home/data", "home/backup-stopped")
	h.root("forget", "1", "--data", "home/data", "--yes")
	h.root("restore", "home/backup", "--data", "home/restored")
	h.must(nil, "cp", "-p", "home/data/log.key", "home/restored/") // it is in no backup
	h.wantOwned("home")
	for _, data := range []string{"home/data", "home/restored"} {
		server, _ := h.serve(data)
		server.stop()
	}
}

// A registry that was given to another user is the operator's to mend: the log says so once, and an agency with the right
// token waits and is served as soon as it has been mended.
func TestARegistryOfAnotherOwnerMakesAgenciesWait(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	token := h.token()
	server, address := h.serve("home/data")
	registry := filepath.Join(h.dir, "home", "data", "agencies.json")
	text := h.read("home/data/agencies.json")
	if err := errors.Join(os.Remove(registry), os.WriteFile(registry, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	hello := "hello|1|" + token
	await(t, "the registry that cannot be read is noticed", func() bool { return strings.HasPrefix(askFramed(t, address, hello), "fail|") })
	h.root("generate", "--agencies", "1", "--bets", "20", "--out", ".data")
	client := h.launch("client", "--id", "1", "--server", address, "--token", token)
	said := server.await(`ERROR +action: agencies \| result: fail \| (.*)`)
	if !strings.Contains(said, "home/data/agencies.json") || !strings.Contains(said, "permission denied") {
		t.Errorf("the operator is told %q", said)
	}
	for _, request := range []string{hello, "hello|1|wrong", "hello|1|", "query_winners|1"} {
		if got := askFramed(t, address, request); !strings.HasPrefix(got, "fail|0|busy|") {
			t.Errorf("%s gets %q", request, got)
		}
	}
	if err := os.Chown(registry, serverUser, serverUser); err != nil {
		t.Fatal(err)
	}
	client.wait()
	if n := strings.Count(server.log(), "ERROR"); n != 1 {
		t.Errorf("%d errors are logged:\n%s", n, server.log())
	}
	server.stop()
}

// askFramed sends a framed request and returns the first line of the reply.
func askFramed(t testing.TB, address, body string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "%d;%s", len(body), body); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}
