package server_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela/internal/server"
)

// footprint is what a connection may leave behind.
type footprint struct {
	goroutines, sockets int
	heap                uint64
}

func measure(t *testing.T) footprint {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	sockets := 0 // and not the databases' files, of which there may be more at any moment
	for _, file := range files {
		if to, _ := os.Readlink("/proc/self/fd/" + file.Name()); strings.HasPrefix(to, "socket:") {
			sockets++
		}
	}
	return footprint{runtime.NumGoroutine(), sockets, m.HeapInuse}
}

// settle waits until the process is where it was, give or take what a pool or a timer keeps.
func settle(t *testing.T, before footprint) {
	t.Helper()
	const memory = 24 << 20
	var now footprint
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		now = measure(t)
		if now.goroutines <= before.goroutines+2 && now.sockets <= before.sockets+2 && now.heap <= before.heap+memory {
			return
		}
	}
	t.Errorf("before: %+v; five minutes after: %+v", before, now)
}

// attack is what a hostile peer does with one connection. Errors are what it expects.
type attack func(r *rand.Rand, conn *net.TCPConn)

var attacks = map[string]attack{
	"random bytes": func(r *rand.Rand, conn *net.TCPConn) {
		noise := make([]byte, r.IntN(20000))
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		_, _ = conn.Write(noise)
		_ = conn.CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
	},
	"truncated frames": func(r *rand.Rand, conn *net.TCPConn) {
		whole := frame("agency_ID|1|1\n"+strings.Repeat(ana, 20), "query_winners|1")
		_, _ = io.WriteString(conn, whole[:r.IntN(len(whole)-40)])
		_ = conn.CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
	},
	"slow writers": func(r *rand.Rand, conn *net.TCPConn) {
		for _, c := range []byte(frame("agency_ID|1|1\n" + strings.Repeat(ana, 20))) {
			if _, err := conn.Write([]byte{c}); err != nil {
				return
			}
			time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
		}
	},
	"slow readers": func(r *rand.Rand, conn *net.TCPConn) {
		_ = conn.SetReadBuffer(1 << 10)
		query := strings.Repeat(frame("hello|1|"), 1000)
		for range 100 { // until the server's side is full
			_ = conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			if _, err := io.WriteString(conn, query); err != nil {
				break
			}
		}
		time.Sleep(time.Second)
	},
	"silence": func(_ *rand.Rand, conn *net.TCPConn) {
		_, _ = io.Copy(io.Discard, conn)
	},
	"resets inside a message": func(r *rand.Rand, conn *net.TCPConn) {
		whole := frame("agency_ID|1|1\n" + strings.Repeat(ana, 20))
		_, _ = io.WriteString(conn, whole[:len(whole)-1-r.IntN(len(whole)/2)])
		_ = conn.SetLinger(0) // Close resets
	},
	"announced gigabytes": func(_ *rand.Rand, conn *net.TCPConn) {
		_, _ = io.WriteString(conn, "99999999;agency_ID|1|1\n")
		_, _ = io.Copy(io.Discard, conn)
	},
}

// While each attack goes on from fifty connections, an honest agency is served; afterwards nothing of it is left.
func TestHostilePeersHarmThemselvesOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	c := start(t, 2, func(s *server.Options) {
		s.Read, s.Idle, s.Request = 500*time.Millisecond, time.Second, time.Second
	})
	batch := 0
	honest := func(during string) {
		t.Helper()
		batch++
		conn := c.dialFrom("127.0.0.2")
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Minute)) // it takes milliseconds; the deadline only ends a hang
		if _, err := io.WriteString(conn, frame(fmt.Sprintf("agency_ID|2|%d\n%s", batch, ana))); err != nil {
			t.Fatalf("%s: %v", during, err)
		}
		if reply, err := bufio.NewReader(conn).ReadString('\n'); err != nil || reply != "success|1\n" {
			t.Fatalf("%s: the honest agency got %q, %v", during, reply, err)
		}
	}
	honest("before")
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			before := measure(t)
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					conn, err := net.Dial("tcp", c.address)
					if err != nil {
						t.Error(err)
						return
					}
					defer func() { _ = conn.Close() }()
					_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
					attack(rand.New(rand.NewPCG(uint64(i), 1)), conn.(*net.TCPConn))
				})
			}
			for range 10 {
				honest(name)
				time.Sleep(20 * time.Millisecond)
			}
			wg.Wait()
			settle(t, before)
			honest("after " + name)
		})
	}
	for _, line := range c.stored() {
		if !strings.HasPrefix(line, "2,") {
			t.Errorf("stored of an attack: %q", line)
		}
	}
}

// Ten thousand connections from one address: the oldest of its own give way to further ones, and an agency elsewhere is served.
func TestAFloodOfConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	const flood, most = 10000, 500
	c := start(t, 2, func(s *server.Options) {
		s.PerAddress, s.Connections, s.Idle, s.Backlog = most, 1000, 2*time.Second, 4096
	})
	before := measure(t)
	var mu sync.Mutex
	var open []net.Conn
	var wg sync.WaitGroup
	for worker := range 50 {
		wg.Go(func() {
			for i := range flood / 50 {
				conn, err := net.DialTimeout("tcp", c.address, time.Minute)
				if err != nil {
					t.Errorf("connection %d of worker %d: %v", i, worker, err)
					return
				}
				mu.Lock()
				if open = append(open, conn); len(open) > 2*most { // the machine's descriptors are for both sides
					_ = open[0].Close()
					open = open[1:]
				}
				mu.Unlock()
			}
		})
	}
	for i := 1; i <= 20; i++ {
		conn := c.dialFrom("127.0.0.3")
		_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
		if _, err := io.WriteString(conn, frame(fmt.Sprintf("agency_ID|2|%d\n%s", i, ana))); err != nil {
			t.Fatal(err)
		}
		if reply, err := bufio.NewReader(conn).ReadString('\n'); err != nil || reply != "success|1\n" {
			t.Fatalf("during the flood the honest agency got %q, %v", reply, err)
		}
		_ = conn.Close()
		time.Sleep(10 * time.Millisecond)
	}
	wg.Wait()
	for _, conn := range open {
		_ = conn.Close()
	}
	settle(t, before)
	if evicted := regexp.MustCompile(`evicted \d+`).FindString(c.log.String()); evicted == "" {
		t.Error("nobody had to give way: the flood was none")
	}
}
