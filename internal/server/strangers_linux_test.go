package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela/internal/server"
)

// Silent connections take every place they can get, from ten addresses and from the agencies' own, and open new ones without end.
// Agencies log in all the while, and those that are in stay in.
func TestSilentStrangersKeepNoAgencyOut(t *testing.T) {
	t.Parallel()
	guard, tokens := registered(t, 2)
	c := start(t, 2, func(s *server.Options) { s.Guard, s.Connections, s.PerAddress = guard, 200, 50 })
	working := c.dialFrom("127.0.1.1")
	replies := bufio.NewReader(working)
	say := func(request, want string) {
		t.Helper()
		_ = working.SetDeadline(time.Now().Add(5 * time.Minute))
		if _, err := io.WriteString(working, frame(request)); err != nil {
			t.Fatal(err)
		}
		if reply, err := replies.ReadString('\n'); err != nil || !strings.HasPrefix(reply, want) {
			t.Fatalf("the agency at work got %q, %v", reply, err)
		}
	}
	say("hello|2|"+tokens[2], "ok|")
	flood, over := context.WithCancel(t.Context())
	defer over()
	var strangers sync.WaitGroup
	for i := range 10 {
		strangers.Go(func() {
			var open []net.Conn
			for ; flood.Err() == nil; time.Sleep(time.Millisecond) {
				if conn, err := dialVia(c, fmt.Sprintf("127.0.1.%d", 1+i)); err == nil {
					open = append(open, conn)
				}
				if len(open) > 100 {
					_ = open[0].Close()
					open = open[1:]
				}
			}
			for _, conn := range open {
				_ = conn.Close()
			}
		})
	}
	login := func(address string) bool {
		conn, err := dialVia(c, address)
		if err != nil {
			return false
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
		_, _ = io.WriteString(conn, frame("hello|1|"+tokens[1]))
		reply, _ := bufio.NewReader(conn).ReadString('\n') // a connection that has to give way may be reset
		return strings.HasPrefix(reply, "ok|")
	}
	tries := 0
	for i := range 50 {
		if !login("127.0.2.1") {
			t.Errorf("login %d from an address without strangers is not let in", i)
		}
		// Behind the strangers' own address a login may have to give way to them, and a client tries again.
		for tries++; !login(fmt.Sprintf("127.0.1.%d", 1+i%10)); tries++ {
		}
		say(fmt.Sprintf("agency_ID|2|%d\n%s", i+1, ana), "success|1\n")
	}
	t.Logf("behind the strangers' own addresses %d of %d logins were let in", 50, tries)
	over()
	strangers.Wait()
	if !strings.Contains(c.log.String(), "evicted ") {
		t.Error("nobody had to give way: the strangers were too few")
	}
}

// dialVia dials the server from an address of this machine.
func dialVia(c *lottery, address string) (net.Conn, error) {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: time.Minute}
	return from.Dial("tcp", c.address)
}

// A connection that does not show who it is in time is closed, in whichever way it passes the time.
func TestStrangersHaveSeconds(t *testing.T) {
	t.Parallel()
	guard, tokens := registered(t, 1)
	c := start(t, 1, func(s *server.Options) { s.Guard, s.Login = guard, 300*time.Millisecond })
	for _, said := range []string{"", "4", "900;hello|1|", "hello|1", frame("query_winners|1")} {
		conn := c.dial()
		if _, err := io.WriteString(conn, said); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute)) // it is closed after five minutes without that bound
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%q: %v", said, err)
		}
	}
	conn := c.dial()
	replies := bufio.NewReader(conn)
	for _, request := range []string{"hello|1|" + tokens[1], "agency_ID|1|1\n" + ana} {
		if _, err := io.WriteString(conn, frame(request)); err != nil {
			t.Fatal(err)
		}
		if reply, err := replies.ReadString('\n'); err != nil || strings.HasPrefix(reply, "fail") {
			t.Errorf("an agency that has shown who it is: %q, %v", reply, err)
		}
		time.Sleep(400 * time.Millisecond) // longer than a stranger may take
	}
}

func TestAStrangerSaysLittle(t *testing.T) {
	t.Parallel()
	guard, tokens := registered(t, 1)
	c := start(t, 1, func(s *server.Options) { s.Guard = guard })
	long := "agency_ID|1|1\n" + strings.Repeat(ana, 100)
	for _, request := range []string{frame(long), long, "1048576;"} {
		if reply := exchange(t, c.dial(), request); !strings.HasPrefix(reply, "fail|0|too_large|") {
			t.Errorf("a stranger's %d bytes: %q", len(request), reply)
		}
	}
	if reply := exchange(t, c.dial(), frame("hello|1|"+tokens[1], long)); !strings.HasSuffix(reply, "\nsuccess|100\n") {
		t.Errorf("the agency itself: %q", reply)
	}
}

// Bodies that do not end hold the memory that is set aside for them and no more.
func TestBodiesShareABudget(t *testing.T) {
	const memory, hostile, body = 8 << 20, 200, 1<<20 - 1
	c := start(t, 1, func(s *server.Options) { s.BodyMemory, s.Read, s.Request = memory, 3*time.Second, 3*time.Second })
	before := measure(t)
	unfinished := []byte(fmt.Sprintf("%d;%s", body+1, strings.Repeat("x", body)))
	var strangers sync.WaitGroup
	for range hostile {
		strangers.Go(func() {
			conn, err := net.Dial("tcp", c.address)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
			_, _ = conn.Write(unfinished)
			if reply, err := io.ReadAll(conn); err == nil && !strings.HasPrefix(string(reply), "fail|0|frame|") && !strings.HasPrefix(string(reply), "fail|0|busy|") {
				t.Errorf("an unfinished body is answered %q", reply)
			}
		})
	}
	most := before.heap
	for i := range 40 {
		if got := c.ask(frame(fmt.Sprintf("agency_ID|1|%d\n%s", i+1, ana)), true); got != "success|1\n" {
			t.Errorf("a small batch meanwhile: %q", got)
		}
		most = max(most, measure(t).heap)
		time.Sleep(20 * time.Millisecond)
	}
	strangers.Wait()
	t.Logf("%d unfinished bodies of %d bytes: the heap grew by %.1f MiB at most", hostile, body, float64(most-before.heap)/(1<<20))
	// What is set aside is a twenty-fifth of what was sent. A buffer that grows has its old and its new storage for a moment, and a
	// busy machine collects garbage late: about the double is usual, and four times as much was seen. Without the budget the heap
	// holds all that was sent, and more.
	if grown := most - before.heap; grown > hostile*body/2 {
		t.Errorf("the heap grew by %d bytes, with %d set aside for bodies", grown, memory)
	}
	settle(t, before)
}

// Bodies that are announced and do not come, large and small ones, stop nobody's batches: with those that do wait, nothing would be
// stored before the hour is over that a request may take.
func TestAnnouncedBodiesStopNobody(t *testing.T) {
	const memory = 1 << 20
	c := start(t, 1, func(s *server.Options) {
		s.BodyMemory, s.Read, s.Request, s.Backlog = memory, time.Hour, time.Hour, 1024
	})
	for _, announced := range []string{"1048576;x", "16384;x", "agency_ID|1\nAna"} {
		for range 2 * memory / (16 << 10) { // that is more than there is, also where each counts as a small one
			if _, err := io.WriteString(c.dial(), announced); err != nil {
				t.Fatal(err)
			}
		}
	}
	conn := c.dial()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
	replies := bufio.NewReader(conn)
	for i := range 20 {
		if _, err := io.WriteString(conn, frame(fmt.Sprintf("agency_ID|1|%d\n%s", i+1, ana))); err != nil {
			t.Fatal(err)
		}
		if reply, err := replies.ReadString('\n'); err != nil || reply != "success|1\n" {
			t.Fatalf("batch %d: %q, %v", i+1, reply, err)
		}
	}
}

// A flood of refused requests is a line a second with the counts.
func TestRefusalsOfStrangersAreCounted(t *testing.T) {
	t.Parallel()
	guard, _ := registered(t, 1)
	c := start(t, 1, func(s *server.Options) { s.Guard = guard })
	began := time.Now()
	const floods, each = 20, 20
	var strangers sync.WaitGroup
	for i := range floods {
		strangers.Go(func() {
			for range each {
				conn := c.dialFrom(fmt.Sprintf("127.0.3.%d", 1+i))
				_, _ = io.WriteString(conn, frame("query_winners|1", "nothing", "agency_ID|1|1\n"+ana, "1~x", "hello|x", "query_winners|1"))
				_, _ = io.Copy(io.Discard, conn)
			}
		})
	}
	strangers.Wait()
	exchange(t, c.dialFrom("127.0.4.1"), frame("hello|1|wrong"))
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	lines, counted := 0, 0
	for line := range strings.Lines(c.log.String()) {
		if strings.Contains(line, " DEBUG ") {
			continue
		}
		if strings.Contains(line, "action: refuse |") {
			lines++
		}
		if m := regexp.MustCompile(`127\.0\.3\.0/24 (\d+)`).FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			counted += n
		} else if strings.Contains(line, "127.0.3.") && !strings.Contains(line, "close_connection") { // of the stop, as specified
			t.Errorf("a line for one refusal: %s", line)
		}
	}
	if want := floods * each * 5; counted != want { // the sixth request finds the connection closed
		t.Errorf("%d refusals are in the log, want %d", counted, want)
	}
	if most := int(time.Since(began)/time.Second) + 3; lines > most {
		t.Errorf("%d lines, want %d at most", lines, most)
	}
	if log := c.log.String(); !strings.Contains(log, "127.0.4.0/24 1") || !strings.Contains(log, "tokens_of: 1 1") {
		t.Errorf("the wrong token of agency 1 is not in the log")
	}
}
