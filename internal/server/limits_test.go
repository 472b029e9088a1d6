package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"quiniela/internal/server"
)

func TestASlowConnectionDelaysNobody(t *testing.T) {
	c := start(t, 2, nil)
	for _, piece := range []string{"", "3", "35;", "35;agency_ID|2\nAna", "agency_ID|2\nAn", "16;wait_winners|2\n"} {
		conn := c.dial()
		if _, err := io.WriteString(conn, piece); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		if got := c.ask(frame(fmt.Sprintf("agency_ID|1|%d\n", i+1)+ana), true); got != "success|1\n" {
			t.Fatalf("got %q", got)
		}
	}
}

// greet lets a connection show the server that it is not silent.
func greet(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.WriteString(conn, frame("hello|1|")); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
}

func TestTooManyConnections(t *testing.T) {
	c := start(t, 1, func(c *server.Options) { c.Connections = 2 })
	first, second := c.dial(), c.dial()
	for _, conn := range []net.Conn{first, second} {
		greet(t, conn)
	}
	if b, _ := io.ReadAll(c.dial()); !strings.HasPrefix(string(b), "fail|0|busy|") {
		t.Fatalf("the third got %q", b)
	}
	_, _ = first.Close(), second.Close()
	waitFor(t, func() bool { return strings.HasPrefix(c.ask(frame("query_winners|1\n"), true), "in_progress") })
}

func TestOneAddressCannotTakeAllConnections(t *testing.T) {
	c := start(t, 1, func(s *server.Options) { s.PerAddress = 3 })
	for range 3 {
		greet(t, c.dialFrom("127.0.0.9"))
	}
	if got, _ := io.ReadAll(c.dialFrom("127.0.0.9")); !strings.HasPrefix(string(got), "fail|0|busy|3 connections are open from your address") {
		t.Errorf("the fourth: %q", got)
	}
	if got := c.ask(frame("query_winners|1"), true); got != no {
		t.Errorf("from another address: %q", got)
	}
}

// A request that trickles in, each byte within the read deadline, ends all the same.
func TestATricklingRequestEnds(t *testing.T) {
	t.Parallel()
	c := start(t, 1, func(s *server.Options) { s.Read, s.Request = 200*time.Millisecond, 500*time.Millisecond })
	conn := c.dial()
	began := time.Now()
	for _, b := range []byte(frame("agency_ID|1|1\n" + strings.Repeat(ana, 50))) {
		if _, err := conn.Write([]byte{b}); err != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
		if time.Since(began) > 10*time.Second {
			break
		}
	}
	if got, err := io.ReadAll(conn); err == nil && !strings.HasPrefix(string(got), "fail|0|frame|") {
		t.Errorf("%q", got)
	}
	if len(c.stored()) != 0 {
		t.Error("it was stored")
	}
}
