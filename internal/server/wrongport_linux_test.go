package server_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"quiniela/internal/server"
)

// Every form of request that comes to a TLS port without TLS is told at once what the port speaks, whole and whatever its length, and none
// is taken. A registry that is made while the server runs changes nothing of that: there is no plain port.
func TestAPlainRequestIsToldThatThePortSpeaksTLS(t *testing.T) {
	t.Parallel()
	own, client := pair(t)
	guard, tokens := registered(t, 1)
	for _, open := range []bool{true, false} {
		c := start(t, 1, func(s *server.Options) {
			s.TLS, s.Read, s.Request, s.Login = own, time.Hour, time.Hour, time.Hour // what has to wait for one of them is not answered at once
			if !open {
				s.Guard = guard
			}
		})
		for _, request := range []string{
			frame("hello|1|" + tokens[1]), frame("agency_ID|1|1\n" + winny), "agency_ID|1\n" + ana, "Ana~Paz~1~1990-01-01~7\n", ana,
			frame("query_winners|1"), frame("agency_ID|1|1\n" + strings.Repeat(winny, 20_000)),
		} {
			conn := c.dial()
			go func() { _, _ = io.WriteString(conn, request) }()
			got, err := io.ReadAll(conn)
			if want := "fail|0|frame|this port speaks TLS: connect with TLS (quiniela client --tls-ca FILE); nothing was stored\n"; string(got) != want || err != nil {
				t.Errorf("open: %t, %.20q: %q, %v", open, request, got, err)
			}
		}
		if got := c.stored(); len(got) != 0 {
			t.Errorf("stored: %q", got)
		}
		conn := c.dialTLS(client)
		_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
		if got := exchangeTLS(t, conn, frame("hello|1|"+tokens[1])); !strings.HasPrefix(got, "ok|1|0|") {
			t.Errorf("with TLS: %q", got)
		}
		if err := c.stop(); err != nil {
			t.Error(err)
		}
		if log := c.log.String(); !strings.Contains(log, "action: refuse | result: fail | why: plain_on_tls 1 | from: 127.0.0.0/24 1") || strings.Contains(log, "form: plain") {
			t.Errorf("the log does not say that somebody came without TLS, or that there is a plain port:\n%s", log)
		}
	}
}

// exchangeTLS sends requests, ends the sending side and returns all that comes back.
func exchangeTLS(t *testing.T, conn net.Conn, requests string) string {
	t.Helper()
	if _, err := io.WriteString(conn, requests); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*tls.Conn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// Who comes with TLS to a plain port, also to an echo server's, is answered at once in plain text, which its TLS says is none.
func TestTLSIsToldThatThePortIsPlain(t *testing.T) {
	t.Parallel()
	own, client := pair(t)
	slow := func(s *server.Options) { s.Read, s.Request, s.Login = time.Hour, time.Hour, time.Hour } // likewise
	alone, beside := start(t, 1, slow), freeAddress(t)
	both := start(t, 1, func(s *server.Options) { slow(s); s.TLS, s.PlainAddress = own, beside })
	for _, address := range []string{alone.address, beside, startEcho(t)} {
		conn, err := tls.Dial("tcp", address, client)
		var record tls.RecordHeaderError
		if !errors.As(err, &record) || !strings.HasPrefix(string(record.RecordHeader[:]), "fail|") {
			t.Errorf("%s: %v, %v", address, conn, err)
		}
	}
	for _, c := range []*lottery{alone, both} {
		if err := c.stop(); err != nil {
			t.Fatal(err)
		}
		if log := c.log.String(); !strings.Contains(log, "why: tls_on_plain 1") || strings.Contains(log, "apuesta_recibida") {
			t.Errorf("the log:\n%s", log)
		}
	}
}

// The beginning of TLS in the middle of a connection, or of a message, is nothing special.
func TestOnlyTheBeginningIsTLS(t *testing.T) {
	t.Parallel()
	c := start(t, 1, nil)
	if got := c.ask("\x16", true); !strings.HasPrefix(got, "fail|") {
		t.Errorf("a single byte: %q", got)
	}
	conn := c.dial()
	_, _ = io.WriteString(conn, "15;query_winners|1")
	time.Sleep(50 * time.Millisecond)
	_, _ = io.WriteString(conn, "\x16\x03")
	_ = conn.CloseWrite()
	if got, _ := io.ReadAll(conn); strings.Contains(string(got), "TLS") || !strings.HasPrefix(string(got), no) {
		t.Errorf("%q", got)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// startEcho starts an echo server and returns its address.
func startEcho(t *testing.T) string {
	t.Helper()
	config := server.DefaultOptions()
	config.Address, config.Read, config.Request = "127.0.0.1:0", time.Hour, time.Hour
	s, err := server.ListenEcho(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s.Addr().String()
}
