//go:build unix

package integration

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// limited starts a server under a limit of open files, as `ulimit` sets it.
func (l *lab) limited(ulimit string) *process {
	l.t.Helper()
	path := program(l.t)
	command := "ulimit " + ulimit + ` && exec "$0" server --ip 127.0.0.1 --port 0 --http-addr off --agencies 1`
	p := &process{Cmd: exec.Command("sh", "-c", command, path), t: l.t}
	p.Dir, p.Stdout, p.Stderr = l.dir, p, p
	if err := p.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// Many more connections come than there are descriptors: some are refused, and the journal never lacks one.
func TestAServerWithFewDescriptors(t *testing.T) {
	t.Parallel()
	l := &lab{t, t.TempDir()}
	server := l.limited("-n 660")
	if n := server.await(`WARNING +action: descriptors \| result: success \| limit: 660 \| connections: (\d+) \| configured: 10000`); n != "48" {
		t.Errorf("%s connections", n)
	}
	address := server.address()
	const comers = 800
	served, refused := 0, 0
	for i := range comers {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(patience))
		// One that is refused may be reset while it writes.
		body := fmt.Sprintf("agency_ID|1|%d\nAna,Paz,%d,1990-01-01,7\n", served+1, i)
		_, _ = fmt.Fprintf(conn, "%d;%s", len(body), body)
		switch reply, err := bufio.NewReader(conn).ReadString('\n'); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatalf("connection %d was not answered; %d were served\n%s", i, served, tail(server.log()))
		case reply == "success|1\n":
			served++
		case reply == "" || strings.HasPrefix(reply, "fail|0|busy|"):
			refused++
		default:
			t.Fatalf("connection %d: %q", i, reply)
		}
	}
	if served != 48 || refused != comers-48 {
		t.Errorf("%d of %d connections were served, and %d refused", served, comers, refused)
	}
	server.stop()
	if strings.Contains(server.log(), "too many open files") {
		t.Errorf("it ran out of descriptors:\n%s", tail(server.log()))
	}
}

func TestAServerWithTooFewDescriptors(t *testing.T) {
	t.Parallel()
	l := &lab{t, t.TempDir()}
	server := l.limited("-n 300")
	err := server.Wait()
	if code := server.ProcessState.ExitCode(); code != 1 {
		t.Errorf("%v", err)
	}
	for _, advice := range []string{"may have 300 files open", "ulimit -n 65536", "LimitNOFILE="} {
		if !strings.Contains(server.log(), advice) {
			t.Errorf("it does not say %q:\n%s", advice, server.log())
		}
	}
	if files, err := os.ReadDir(l.dir); err != nil || len(files) > 0 {
		t.Errorf("it left %v behind, %v", files, err)
	}
}

func TestASoftLimitOfDescriptorsIsRaised(t *testing.T) {
	t.Parallel()
	l := &lab{t, t.TempDir()}
	server := l.limited("-S -n 64")
	address := server.address()
	for i := range 100 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(conn, "16;query_winners|1\n")
		if reply, err := bufio.NewReader(conn).ReadString('\n'); reply != "in_progress-sorteo_no_listo\n" {
			t.Fatalf("connection %d: %q, %v", i, reply, err)
		}
	}
	server.stop()
}
