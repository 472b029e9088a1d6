package client_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"quiniela/internal/certs"
	"quiniela/internal/client"
)

// everything is each thing that a client does with a token.
var everything = map[string]func(*testing.T, client.Options) error{
	"send": func(t *testing.T, c client.Options) error { _, err := client.Run(t.Context(), c, quiet); return err },
	"bet": func(t *testing.T, c client.Options) error {
		return client.Bet(t.Context(), c, client.BetFields{FirstName: "Ana", LastName: "Paz", Document: "1", Birthdate: "1990-01-01", Number: "7"}, quiet)
	},
}

// spy is a server on an address that is not this machine's loopback: it notes what arrives, and answers with a fixed text.
type spy struct {
	address string

	mu    sync.Mutex
	heard strings.Builder
}

func listenIn(t *testing.T, address, answer string) *spy {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &spy{address: l.Addr().String()}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				r := bufio.NewReader(conn)
				for {
					b, err := r.ReadByte()
					if err != nil {
						return
					}
					s.mu.Lock()
					s.heard.WriteByte(b)
					s.mu.Unlock()
					if r.Buffered() == 0 {
						_, _ = io.WriteString(conn, answer)
					}
				}
			}()
		}
	}()
	return s
}

func (s *spy) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard.String()
}

// outside returns an address of this machine that others can reach.
func outside(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	t.Skip("this machine has no address but its own loopback")
	return ""
}

// Without TLS no token leaves this machine, whatever it is for, unless the agency says that it may. Nothing at all is sent then, also
// where only one of several servers is elsewhere, and where a name leads there that should not.
func TestNoTokenInClear(t *testing.T) {
	t.Parallel()
	const denied = "fail|0|denied|no\n"
	there, here := listenIn(t, net.JoinHostPort(outside(t), "0"), denied), listenIn(t, "127.0.0.1:0", denied)
	for what, do := range everything {
		conf := config(1, there.address, write(t, ana))
		conf.Token = "secret"
		for _, address := range []string{there.address, here.address + "," + there.address, "lottery.example:12345"} {
			conf.Address = address
			if err := do(t, conf); !errors.Is(err, client.ErrInClear) || !strings.Contains(err.Error(), "--token-in-clear") {
				t.Errorf("%s to %s: %v", what, address, err)
			}
		}
		conf.Address = "localhost:1" // if that name leads elsewhere
		if err := client.Connect(t.Context(), conf, there.address); !errors.Is(err, client.ErrInClear) {
			t.Errorf("%s by a name that misleads: %v", what, err)
		}
		if got := there.said() + here.said(); got != "" {
			t.Fatalf("%s: %q was sent", what, got)
		}
	}
	for what, do := range everything {
		conf := config(1, here.address, write(t, ana))
		conf.Token = "secret"
		if err := do(t, conf); err == nil || errors.Is(err, client.ErrInClear) {
			t.Errorf("%s to this machine: %v", what, err)
		}
		conf.Address, conf.TokenInClear = there.address, true
		if err := do(t, conf); err == nil || errors.Is(err, client.ErrInClear) {
			t.Errorf("%s, asked for by name: %v", what, err)
		}
		conf.TokenInClear, conf.Token = false, ""
		if err := do(t, conf); err == nil || errors.Is(err, client.ErrInClear) {
			t.Errorf("%s, without a token: %v", what, err)
		}
	}
	for _, s := range []*spy{there, here} {
		if n := strings.Count(s.said(), "hello|1|secret"); n != len(everything) {
			t.Errorf("%d logins arrived, want %d: %q", n, len(everything), s.said())
		}
	}
}

// An echo server logs what it gets: it gets no token.
func TestAnEchoServerGetsNoToken(t *testing.T) {
	t.Parallel()
	s := listenIn(t, "127.0.0.1:0", "[CLIENT 1] Message N°1\n")
	conf := config(1, s.address, "")
	conf.Token = "secret"
	_ = client.Echo(t.Context(), conf, 1, 0, quiet)
	if got := s.said(); got != "[CLIENT 1] Message N°1\n" {
		t.Errorf("it got %q", got)
	}
}

// Who comes to the wrong port is told which it is and what to change, at once, though there is a minute to reach the server.
func TestTheWrongPortIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := certs.Create(dir, []string{"127.0.0.1"}, nil); err != nil {
		t.Fatal(err)
	}
	trust, err := certs.Client(dir+"/ca.pem", "", "")
	if err != nil {
		t.Fatal(err)
	}
	const alert = "\x15\x03\x01\x00\x02\x02\x46" // what other servers of TLS answer to what is none
	plain, proxy := start(t, 1), listenIn(t, "127.0.0.1:0", alert)
	for what, do := range everything {
		for _, c := range []struct {
			address string
			tls     *tls.Config
			want    string
		}{
			{plain.address, trust, "does not speak TLS on this port (tls: first record does not look like a TLS handshake); nothing was sent: give the address of the port that does"},
			{proxy.address, nil, "the server speaks TLS on this port: connect with TLS (--tls-ca FILE, or --tls)"},
		} {
			conf := config(1, c.address, write(t, ana))
			conf.TLS = c.tls
			if err := do(t, conf); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", what, err, c.want)
			}
		}
	}
}
