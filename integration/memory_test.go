//go:build linux

package integration

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A container with little memory serves its agencies while a thousand connections each keep a request of 1 MiB unfinished, and is not
// killed for it. The server is open to all, so that it takes requests of that size from everybody.
func TestUnfinishedRequestsFitIntoAContainer(t *testing.T) {
	const limit, connections = "256m", 1000
	l := openLab(t, "batch", 0)
	l.must(nil, "docker", "run", "-d", "--name", "server", "-m", limit, "--memory-swap", limit, "server:latest", "--agencies", "5",
		"--connections-per-address", strconv.Itoa(connections+1))
	t.Cleanup(func() { _, _ = l.run(nil, "docker", "rm", "-f", "-v", "server") })
	l.waitLog("server", "action: listen | result: success")
	address := strings.TrimSpace(l.must(nil, "docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", "server")) + ":12345"
	pid, err := strconv.Atoi(strings.TrimSpace(l.must(nil, "docker", "inspect", "-f", "{{.State.Pid}}", "server")))
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan int, connections)
	for range connections {
		conn, err := net.DialTimeout("tcp", address, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		go func() {
			_ = conn.SetWriteDeadline(time.Now().Add(3 * time.Second)) // the server takes no more than fits
			n, _ := io.WriteString(conn, "1048576;agency_ID|1|1\n"+strings.Repeat("x", 1<<20-100))
			sent <- n
		}()
	}
	total := 0
	for range connections {
		total += <-sent
	}
	conn, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
	const bet = "Ana~Paz~1~1990-01-01~7"
	if _, err := fmt.Fprintf(conn, "%d;%s", len(bet), bet); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, len("ok|1|7\n"))
	if _, err := io.ReadFull(conn, reply); err != nil || string(reply) != "ok|1|7\n" {
		t.Errorf("an agency's bet meanwhile: %q, %v", reply, err)
	}
	t.Logf("%d connections sent %d MiB; the server had %d MiB of memory at most, of %s", connections, total>>20, highWater(t, pid)>>20, limit)
	if state := l.must(nil, "docker", "inspect", "-f", "{{.State.Running}} {{.State.OOMKilled}}", "server"); state != "true false\n" {
		t.Errorf("the server is running and was killed for its memory: %s", state)
	}
}
