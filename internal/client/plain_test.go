package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"quiniela/internal/client"
)

// exchange is what a strict server wants next, byte for byte, and what it answers.
type exchange struct{ want, answer string }

// strict is a server that serves one request a connection, in the order of a script, and nothing else.
type strict struct {
	address string
	l       net.Listener
	done    chan error // why it stopped: nil after the whole script
}

// end stops the server and returns an error unless it has served its whole script.
func (s *strict) end() error {
	_ = s.l.Close()
	return <-s.done
}

// serveStrictly starts a strict server. A framed one reads the length and as many bytes, and answers before it looks for
// more, as a server does that knows lengths; the other reads to the client's half-close.
func serveStrictly(t *testing.T, framed bool, script []exchange) *strict {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &strict{l.Addr().String(), l, make(chan error, 1)}
	go func() {
		for i, e := range script {
			conn, err := l.Accept()
			if err == nil {
				err = e.serve(conn, framed)
			}
			if err != nil {
				s.done <- fmt.Errorf("request %d: %w", i+1, err)
				_ = l.Close()
				return
			}
		}
		_ = l.Close() // another connection is refused
		s.done <- nil
	}()
	return s
}

func (e exchange) serve(conn net.Conn, framed bool) (err error) {
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetDeadline(time.Now().Add(longest)); err != nil {
		return err
	}
	var got []byte
	if framed {
		got = make([]byte, len(e.want))
		var n int
		if n, err = io.ReadFull(conn, got); err != nil {
			return fmt.Errorf("%q, want %q: %w", got[:n], e.want, err)
		}
	} else if got, err = io.ReadAll(conn); err != nil {
		return fmt.Errorf("%q, want %q and a half-close: %w", got, e.want, err)
	}
	if string(got) != e.want {
		return fmt.Errorf("%q, want %q", got, e.want)
	}
	if _, err := io.WriteString(conn, e.answer); err != nil {
		return err
	}
	more, err := io.ReadAll(conn)
	if len(more) > 0 {
		err = fmt.Errorf("%q after %q, want nothing", more, e.want)
	}
	return err
}

const (
	ana = "Ana,Paz,1,1990-01-01,7\n"
	eva = "Eva,Sol,22,1990-01-01,8\n"
)

// The specification's server of exercises 7 and 8.
func TestPlainIsTheSpecifiedForm(t *testing.T) {
	t.Parallel()
	s := serveStrictly(t, true, []exchange{
		{"59;agency_ID|1\n" + ana + eva, "success|2\n"},
		{"35;agency_ID|1\n" + ana, "success|1\n"},
		{"18;notify_finished|1\n", "ack_notify\n"},
		{"16;query_winners|1\n", "in_progress-sorteo_no_listo\n"},
		{"16;query_winners|1\n", "ok|2\n30876370\n24807259\n"},
	})
	conf := config(1, s.address, write(t, strings.ReplaceAll(ana+eva+ana, "\n", "\r\n")+"\r\n"))
	conf.BatchBets, conf.Plain, conf.Timeout = 2, true, 5*time.Second
	report, err := client.Run(t.Context(), conf, quiet)
	if err := errors.Join(err, s.end()); err != nil {
		t.Fatal(err)
	}
	if report.Bets != 3 || report.Batches != 2 || !slices.Equal(report.Documents, []string{"30876370", "24807259"}) {
		t.Errorf("%+v", report)
	}
}

// A request never has over 8192 bytes, with its length.
func TestPlainRequestsFitTheSpecifiedPacket(t *testing.T) {
	t.Parallel()
	for _, lines := range []bool{false, true} {
		var sizes []int
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					served <- nil
					return
				}
				got, err := io.ReadAll(conn)
				if err != nil {
					served <- err
					return
				}
				sizes = append(sizes, len(got))
				answer := fmt.Sprintf("success|%d\n", bytes.Count(got, []byte(",1990-")))
				if bytes.Contains(got, []byte("notify_")) {
					answer = "ack_notify\n"
				} else if bytes.Contains(got, []byte("query_")) {
					answer = "ok|0\n"
				}
				_, _ = io.WriteString(conn, answer)
				_ = conn.Close()
			}
		}()
		conf := config(1, l.Addr().String(), write(t, strings.Repeat(ana, 5000)))
		conf.BatchBets, conf.Plain, conf.Lines = 10000, true, lines
		report, err := client.Run(t.Context(), conf, quiet)
		if err := errors.Join(err, l.Close(), <-served); err != nil || report.Bets != 5000 {
			t.Fatalf("lines %t: %d bets, %v", lines, report.Bets, err)
		}
		if most := slices.Max(sizes); most > 8192 || most < 8192-len(ana)-len("8192;") {
			t.Errorf("lines %t: a request of %d bytes, want nearly 8192 and no more", lines, most)
		}
	}
}

// The specification's server of exercise 6 knows neither agencies nor winners.
func TestPlainLinesAreTheFormOfExerciseSix(t *testing.T) {
	t.Parallel()
	s := serveStrictly(t, false, []exchange{{ana + eva, "success|2\n"}, {ana, "success|1\n"}})
	conf := config(1, s.address, write(t, strings.TrimSuffix(ana+eva+ana, "\n")))
	conf.BatchBets, conf.Plain, conf.Lines = 2, true, true
	report, err := client.Run(t.Context(), conf, quiet)
	if err := errors.Join(err, s.end()); err != nil || report.Bets != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	s = serveStrictly(t, false, []exchange{{ana + eva, "fail|0\n"}})
	conf.Address = s.address
	if _, err := client.Run(t.Context(), conf, quiet); err == nil || !strings.Contains(err.Error(), "bets 1 to 2 of agency 1") {
		t.Errorf("a refused batch: %v", err)
	}
}

// The specification's server of exercise 5.
func TestAPlainBetHasTheFiveFields(t *testing.T) {
	t.Parallel()
	fields := client.BetFields{FirstName: "Santiago Lionel", LastName: "Lorca", Document: "30904465", Birthdate: "1999-03-17", Number: "7574"}
	for _, framed := range []bool{false, true} {
		s := serveStrictly(t, framed, []exchange{{"Santiago Lionel~Lorca~30904465~1999-03-17~7574\n", "ok|30904465|7574\n"}})
		conf := config(1, s.address, "")
		conf.Plain = true
		ctx, cancel := context.WithTimeout(t.Context(), longest)
		if err := errors.Join(client.Bet(ctx, conf, fields, quiet), s.end()); err != nil {
			t.Error(err)
		}
		cancel()
	}
}

// A token has no place in the specified form: it is never sent.
func TestPlainNeverLogsIn(t *testing.T) {
	t.Parallel()
	s := serveStrictly(t, true, []exchange{{"35;agency_ID|1\n" + ana, "success|1\n"}, {"18;notify_finished|1\n", "ack_notify\n"}, {"16;query_winners|1\n", "ok|0\n"}})
	conf := config(1, s.address, write(t, ana))
	conf.Plain, conf.Token = true, "secret"
	_, err := client.Run(t.Context(), conf, quiet)
	if err := errors.Join(err, s.end()); err != nil {
		t.Error(err)
	}
}
