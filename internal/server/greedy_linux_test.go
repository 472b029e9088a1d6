package server_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela/internal/certs"
	"quiniela/internal/server"
)

// drawn starts a lottery of two agencies that is drawn, in which agency 1 has some winners, and agency 2 none.
func drawn(t *testing.T, winners int, client *tls.Config, change func(*server.Options)) *lottery {
	t.Helper()
	const each = 20000
	c := start(t, 2, change)
	conn := c.dialTLS(client)
	replies := bufio.NewReader(conn)
	say := func(request, want string) {
		t.Helper()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
		if _, err := io.WriteString(conn, frame(request)); err != nil {
			t.Fatal(err)
		}
		if reply, err := replies.ReadString('\n'); err != nil || reply != want+"\n" {
			t.Fatalf("%.40q: %q, %v", request, reply, err)
		}
	}
	for batch := range winners / each {
		say(fmt.Sprintf("agency_ID|1|%d\n%s", batch+1, strings.Repeat(winny, each)), fmt.Sprintf("success|%d", each))
	}
	say("notify_finished|1", "ack_notify")
	say("notify_finished|2", "ack_notify")
	say("wait_winners|2", "ok|0")
	return c
}

// askers open connections that ask and take nothing of the answers. over closes them.
func askers(t *testing.T, c *lottery, n int, request string) (over func()) {
	t.Helper()
	var open []*net.TCPConn
	for range n {
		conn := c.dialFrom("127.0.0.9")
		_ = conn.SetReadBuffer(4 << 10)
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	return func() {
		for _, conn := range open {
			_ = conn.SetLinger(0)
			_ = conn.Close()
		}
	}
}

// Forty connections ask seventy times for a list of many winners and take none of it. It costs the server next to no memory, another
// agency has its answers meanwhile, and when they have gone nothing of it goes on.
func TestAListCostsAPage(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	const winners, connections, queries = 1_000_000, 40, 70
	c := drawn(t, winners, nil, nil)
	before := measure(t)
	over := askers(t, c, connections, strings.Repeat(frame("query_winners|1"), queries))
	most := uint64(0)
	for range 20 {
		if got := c.ask(frame("query_winners|2"), true); got != "ok|0\n" {
			t.Errorf("agency 2 meanwhile: %q", got)
		}
		if now := measure(t).heap; now > before.heap {
			most = max(most, now-before.heap)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("%d connections with %d queries each for %d winners: the heap grew by %.1f MiB at most", connections, queries, winners, float64(most)/(1<<20))
	if most > 32<<20 {
		t.Errorf("the heap grew by %d bytes", most)
	}
	over()
	settle(t, before)
}

// A list arrives whole, whatever else is asked for around it on the same connection.
func TestAListIsWhole(t *testing.T) {
	const winners = 20_000
	c := drawn(t, winners, nil, nil)
	list := "ok|20000\n" + strings.Repeat("30876370\n", winners)
	got := exchange(t, c.dial(), frame("query_winners|1", "notify_finished|1", "wait_winners|1", "query_winners|2", "hello|1|"))
	for _, want := range []string{list, "ack_notify\n", list, "ok|0\n"} {
		rest, ok := strings.CutPrefix(got, want)
		if !ok {
			t.Fatalf("want %.20q next, got %.60q", want, got)
		}
		got = rest
	}
	if !strings.HasPrefix(got, "ok|2|20000|20000|") {
		t.Errorf("the hello at the end: %q", got)
	}
	for _, halfClose := range []bool{true, false} {
		for _, verb := range []string{"query_winners", "wait_winners"} {
			conn := c.dial()
			_, _ = io.WriteString(conn, verb+"|1\n")
			if halfClose {
				_ = conn.CloseWrite()
			}
			if got, err := io.ReadAll(conn); err != nil || string(got) != list { // the server ends the connection
				t.Errorf("%s, bare: %d bytes, want %d, %v", verb, len(got), len(list), err)
			}
		}
	}
}

// Who waits for a draw and is gone waits no longer, and neither does what it had asked for behind that.
func TestAWaitEndsWithItsConnection(t *testing.T) {
	c := start(t, 1, func(s *server.Options) { s.Poll = 10 * time.Minute })
	before := measure(t)
	over := askers(t, c, 50, frame("wait_winners|1"))
	bare := askers(t, c, 50, "wait_winners|1\n")
	waitFor(t, func() bool { return measure(t).goroutines >= before.goroutines+100 })
	over()
	bare()
	settle(t, before)
}

// A peer that ends its side of the connection still gets what it waits for.
func TestAWaitOutlivesTheEndOfTheRequests(t *testing.T) {
	c := start(t, 1, nil)
	conn := c.dial()
	_, _ = io.WriteString(conn, frame("wait_winners|1"))
	_ = conn.CloseWrite()
	time.Sleep(100 * time.Millisecond)
	exchange(t, c.dial(), frame("agency_ID|1|1\n"+winny, "notify_finished|1"))
	if got, err := io.ReadAll(conn); err != nil || string(got) != "ok|1\n30876370\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// Whatever is in hand, the server stops: lists that nobody takes, also over TLS, waits, and requests that do not end.
func TestStoppingIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	for _, form := range []string{"plain", "TLS"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			var own, client *tls.Config
			if form == "TLS" {
				own, client = pair(t)
			}
			c := drawn(t, 40_000, client, func(s *server.Options) {
				s.TLS = own
				s.Drain, s.Read, s.Request, s.Poll, s.Idle = 500*time.Millisecond, 10*time.Minute, 10*time.Minute, 10*time.Minute, 10*time.Minute
			})
			for _, request := range []string{
				strings.Repeat(frame("query_winners|1"), 70), strings.Repeat(frame("proofs|1"), 70), frame("wait_winners|1"),
				strings.Repeat(frame("hello|1|"), 1000), "1048576;x", "agency_ID|1\nAna",
			} {
				for range 10 {
					conn := c.dialTLS(client)
					go func() { _, _ = io.WriteString(conn, request) }()
				}
			}
			time.Sleep(500 * time.Millisecond)
			c.stopsSoon()
		})
	}
	t.Run("an agency that waits for its quota", func(t *testing.T) {
		t.Parallel()
		guard, tokens := registered(t, 1)
		c := start(t, 1, func(s *server.Options) {
			s.Guard, s.AgencyBytes, s.Drain, s.Request = guard, 100, 500*time.Millisecond, 10*time.Minute
		})
		_, _ = io.WriteString(c.dial(), frame("hello|1|"+tokens[1])+"1048576;agency_ID|1|1\nAna")
		waitFor(t, func() bool { return strings.Contains(c.log.String(), "agency: 1") })
		c.stopsSoon()
	})
}

func (c *lottery) stopsSoon() {
	c.t.Helper()
	stopped := make(chan error)
	go func() { stopped <- c.stop() }()
	select {
	case err := <-stopped:
		if err != nil {
			c.t.Error(err)
		}
	case <-time.After(5 * time.Minute):
		c.t.Fatal("five minutes later it has not stopped")
	}
}

// pair returns both ends' settings of TLS.
func pair(t *testing.T) (s, c *tls.Config) {
	t.Helper()
	dir := t.TempDir()
	if _, err := certs.Create(dir, []string{"127.0.0.1"}, nil); err != nil {
		t.Fatal(err)
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13}, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13}
}

// dialTLS dials with TLS where there is a configuration for it.
func (c *lottery) dialTLS(config *tls.Config) net.Conn {
	conn := c.dial()
	_ = conn.SetReadBuffer(4 << 10)
	if config == nil {
		return conn
	}
	return tls.Client(conn, config)
}

// An agency that asks more often than it may waits, on all its connections together, and another does not wait for it.
func TestRequestsASecond(t *testing.T) {
	t.Parallel()
	const rate, connections, each = 20, 4, 15
	guard, tokens := registered(t, 2)
	c := start(t, 2, func(s *server.Options) { s.Guard, s.AgencyRequests = guard, rate })
	began := time.Now()
	var greedy sync.WaitGroup
	for range connections {
		greedy.Go(func() {
			requests := append([]string{"hello|1|" + tokens[1]}, repeated(each, "query_winners|1")...)
			if got := exchange(t, c.dial(), frame(requests...)); strings.Count(got, no) != each {
				t.Errorf("the greedy agency lost an answer: %q", got)
			}
		})
	}
	over := make(chan struct{})
	go func() { greedy.Wait(); close(over) }()
	if got := exchange(t, c.dialFrom("127.0.0.2"), frame("hello|2|"+tokens[2], "agency_ID|2|1\n"+ana)); !strings.HasSuffix(got, "\nsuccess|1\n") {
		t.Errorf("the other agency: %q", got)
	}
	select {
	case <-over:
		t.Error("the greedy agency was done before the other one")
	default:
	}
	<-over
	const asked = connections*each - 1 // the hellos are of nobody yet
	if took := time.Since(began); took < asked*time.Second/rate {
		t.Errorf("%d requests took %s, at %d a second", asked, took, rate)
	}
}

func repeated(n int, s string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// What an agency sends and the lists that it is sent are counted together.
func TestBytesASecond(t *testing.T) {
	t.Parallel()
	const bytes = 2 << 20
	guard, tokens := registered(t, 2)
	c := start(t, 2, func(s *server.Options) { s.Guard, s.AgencyBytes = guard, bytes })
	lines := strings.Repeat(winny, 20000)
	requests := []string{"hello|1|" + tokens[1]}
	for i := range 8 {
		requests = append(requests, fmt.Sprintf("agency_ID|1|%d\n%s", i+1, lines))
	}
	sent := 7 * len(lines)
	began := time.Now()
	if got := exchange(t, c.dial(), frame(requests...)); strings.Count(got, "success|20000\n") != 8 {
		t.Fatalf("%q", got)
	}
	if took, least := time.Since(began), time.Duration(sent)*time.Second/bytes; took < least {
		t.Errorf("%d bytes took %s, want %s at least", sent, took, least)
	}
	exchange(t, c.dial(), frame("hello|1|"+tokens[1], "notify_finished|1"))
	exchange(t, c.dial(), frame("hello|2|"+tokens[2], "notify_finished|2", "wait_winners|2"))
	list := 160_000 * len("30876370\n")
	began = time.Now()
	if got := exchange(t, c.dial(), frame("hello|1|"+tokens[1], "query_winners|1", "query_winners|1", "query_winners|1")); len(got) < 3*list {
		t.Errorf("three lists of %d bytes are %d", list, len(got))
	}
	if took, least := time.Since(began), time.Duration(2*list)*time.Second/bytes; took < least {
		t.Errorf("lists of %d bytes took %s, want %s at least", 3*list, took, least)
	}
}

// An agency has as many connections as it may, whichever way it shows who it is, and others' do not count.
func TestConnectionsOfAnAgency(t *testing.T) {
	t.Parallel()
	guard, tokens := registered(t, 2)
	c := start(t, 2, func(s *server.Options) { s.Guard, s.PerAgency = guard, 2 })
	open := func(n int, want string) (*net.TCPConn, string) {
		t.Helper()
		conn := c.dial()
		if _, err := io.WriteString(conn, frame(fmt.Sprintf("hello|%d|%s", n, tokens[n]))); err != nil {
			t.Fatal(err)
		}
		reply, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(reply, want) {
			t.Errorf("agency %d got %q, %v, want %q", n, reply, err, want)
		}
		return conn, reply
	}
	first, _ := open(1, "ok|")
	second, _ := open(1, "ok|")
	open(1, "fail|0|busy|agency 1 has 2 connections open")
	open(2, "ok|")
	// A connection that becomes another agency's is that one's from then on.
	if _, err := io.WriteString(second, frame("hello|2|"+tokens[2])); err != nil {
		t.Fatal(err)
	}
	if reply, err := bufio.NewReader(second).ReadString('\n'); err != nil || !strings.HasPrefix(reply, "ok|") {
		t.Fatalf("the second becomes agency 2's: %q, %v", reply, err)
	}
	open(1, "ok|")
	open(2, "fail|0|busy|")
	_ = first.Close()
	waitFor(t, func() bool {
		return strings.Contains(exchange(t, c.dial(), frame("hello|1|"+tokens[1], "query_winners|1")), no)
	})
}

// An agency whose bodies do not end holds its share of the memory for them, and not what others need.
func TestOneAgencysBodiesStopNobodyElse(t *testing.T) {
	t.Parallel()
	const memory = 8 << 20
	guard, tokens := registered(t, 2)
	c := start(t, 2, func(s *server.Options) {
		s.Guard, s.BodyMemory, s.Read, s.Request = guard, memory, time.Hour, time.Hour
	})
	for range 4 * memory >> 20 {
		if _, err := io.WriteString(c.dial(), frame("hello|1|"+tokens[1])+"1048576;agency_ID|1|1\nAna"); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() bool { return strings.Count(c.log.String(), "agency: 1") == 4*memory>>20 })
	for i := range 10 {
		request := frame("hello|2|"+tokens[2], fmt.Sprintf("agency_ID|2|%d\n%s", i+1, strings.Repeat(ana, 20000)))
		if got := exchange(t, c.dialFrom("127.0.0.2"), request); !strings.HasSuffix(got, "\nsuccess|20000\n") {
			t.Fatalf("the other agency's batch %d: %q", i+1, got)
		}
	}
}

// Thousands who wait for the draw take memory in proportion, keep nobody from betting, and are all told.
func TestManyWaitForTheDraw(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	const waiting, ahead = 3000, 20
	c := start(t, 2, func(s *server.Options) { s.PerAddress, s.Backlog, s.Poll = 0, 4096, time.Hour })
	memory := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapInuse + m.StackInuse)
	}
	before := memory()
	goroutines := runtime.NumGoroutine()
	var open []*net.TCPConn
	for range waiting {
		conn := c.dial()
		if _, err := io.WriteString(conn, strings.Repeat(frame("hello|1|"), ahead)+frame("wait_winners|1")); err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	waitFor(t, func() bool { return runtime.NumGoroutine() >= goroutines+2*waiting })
	each := (memory() - before) / waiting
	t.Logf("%d connections wait; each takes %d bytes of memory", waiting, each)
	if each > 64<<10 {
		t.Errorf("each takes %d bytes", each)
	}
	for i := range 10 {
		if got := c.ask(frame(fmt.Sprintf("agency_ID|1|%d\n%s", i+1, winny)), true); got != "success|1\n" {
			t.Fatalf("a batch meanwhile: %q", got)
		}
	}
	began := time.Now()
	exchange(t, c.dial(), frame("notify_finished|1", "notify_finished|2"))
	for _, conn := range open {
		_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
		_ = conn.CloseWrite()
		if got, err := io.ReadAll(conn); err != nil || !strings.HasSuffix(string(got), "\nok|10\n"+strings.Repeat("30876370\n", 10)) {
			t.Fatalf("%q, %v", got, err)
		}
	}
	t.Logf("all are told in %s", time.Since(began).Round(time.Millisecond))
}
