//go:build unix

package pgtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Pooler runs pgbouncer in transaction mode in front of the first node, with further settings, and returns the URL of the
// cluster's database through it. It skips the test where there is no pgbouncer, or fails it with
// QUINIELA_REQUIRE_POSTGRES=1.
func (c *Cluster) Pooler(t testing.TB, settings string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // not in everybody's PATH
		if _, err = os.Stat(program); err != nil && os.Getenv("QUINIELA_REQUIRE_POSTGRES") == "1" {
			t.Fatal(err)
		} else if err != nil {
			t.Skip("this test needs a pooler: install your system's package pgbouncer")
		}
	}
	n := c.Nodes[0]
	dir, err := os.MkdirTemp(c.dir, "pooler-")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	config := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\n"+
		"auth_type = trust\nauth_file = %s\npool_mode = transaction\n%s\n", n.Port, port, filepath.Join(dir, "users"), settings)
	for name, text := range map[string]string{"pgbouncer.ini": config, "users": "\"quiniela\" \"\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	process := c.command(program, filepath.Join(dir, "pgbouncer.ini"))
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return "postgres://quiniela@" + address + "/quiniela?sslmode=disable"
		}
		if time.Now().After(deadline) {
			t.Fatal("pgbouncer did not start")
		}
	}
}
