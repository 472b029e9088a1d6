package server_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela/internal/agencies"
	"quiniela/internal/certs"
	"quiniela/internal/server"
)

// rotation is a server over TLS that knows agency 1, with a token and a certificate.
type rotation struct {
	*lottery
	dir, registry, token string
}

func newRotation(t *testing.T, change func(*server.Options)) *rotation {
	t.Helper()
	r := &rotation{dir: t.TempDir()}
	r.registry = filepath.Join(r.dir, agencies.FileName)
	r.change(t, func(registry *agencies.Registry) (err error) {
		r.token, err = registry.Add(1, "", "", time.Now())
		return err
	})
	guard, err := agencies.NewGuard(r.registry, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r.certify(t, "stolen")
	folder := func(name string) string { return filepath.Join(r.dir, "stolen", name) }
	config, err := certs.Server(folder("server.pem"), folder("server-key.pem"), folder("ca.pem"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r.lottery = start(t, 1, func(s *server.Options) {
		s.Guard, s.TLS = guard, config
		if change != nil {
			change(s)
		}
	})
	return r
}

// certify makes a certificate of agency 1 in a folder. The authority is that of the folder "stolen".
func (r *rotation) certify(t *testing.T, folder string) {
	t.Helper()
	for _, name := range []string{"ca.pem", "ca-key.pem"} {
		text, err := os.ReadFile(filepath.Join(r.dir, "stolen", name))
		if err != nil {
			break // the first makes it
		}
		_ = os.MkdirAll(filepath.Join(r.dir, folder), 0o700)
		if err := os.WriteFile(filepath.Join(r.dir, folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := certs.Create(filepath.Join(r.dir, folder), []string{"127.0.0.1"}, []string{"agency-1"}); err != nil {
		t.Fatal(err)
	}
}

// fingerprint returns that of the certificate in a folder.
func (r *rotation) fingerprint(t *testing.T, folder string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, folder, "agency-1.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return agencies.Fingerprint(c)
}

// client returns the settings of a client that shows the certificate of a folder, or none, and resumes its TLS sessions if it can.
func (r *rotation) client(t *testing.T, folder string) *tls.Config {
	t.Helper()
	cert, key := "", ""
	if folder != "" {
		cert, key = filepath.Join(r.dir, folder, "agency-1.pem"), filepath.Join(r.dir, folder, "agency-1-key.pem")
	}
	config, err := certs.Client(filepath.Join(r.dir, "stolen", "ca.pem"), cert, key)
	if err != nil {
		t.Fatal(err)
	}
	config.ServerName, config.ClientSessionCache = "127.0.0.1", tls.NewLRUClientSessionCache(0)
	return config
}

// change changes the registry. The server sees it a second later.
func (r *rotation) change(t *testing.T, f func(*agencies.Registry) error) {
	t.Helper()
	if err := agencies.Change(r.registry, f); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
}

// caller is a connection that asks and is answered line by line.
type caller struct {
	t       *testing.T
	conn    *tls.Conn
	replies *bufio.Reader
}

func (r *rotation) call(t *testing.T, config *tls.Config) *caller {
	t.Helper()
	conn := r.dialTLS(config).(*tls.Conn)
	return &caller{t, conn, bufio.NewReader(conn)}
}

func (c *caller) want(request, reply string) {
	c.t.Helper()
	_, _ = io.WriteString(c.conn, frame(request)) // the server may have said its refusal and closed already
	if got, err := c.replies.ReadString('\n'); !strings.HasPrefix(got, reply) {
		c.t.Errorf("%.20q: %q, %v, want %q", request, got, err, reply)
	}
}

// Somebody has a copy of an agency's certificate and its key. Once the agency is rotated, revoked, or both, it is good for nothing: not
// on the connection that is open, not on a new one, and not on a TLS session that is resumed.
func TestAStolenCertificateEndsWithARotation(t *testing.T) {
	t.Parallel()
	rotate := func(r *agencies.Registry) error { _, err := r.Rotate(1, "", time.Now()); return err }
	for name, steps := range map[string][]func(*agencies.Registry) error{
		"rotated":               {rotate},
		"revoked, then rotated": {func(r *agencies.Registry) error { return r.Revoke(1, time.Now()) }, rotate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRotation(t, nil)
			stolen := r.client(t, "stolen")
			open := r.call(t, stolen)
			open.want("hello|1", "ok|1|")
			for _, step := range steps {
				r.change(t, step)
			}
			open.want("query_winners|1", "fail|0|denied|agency 1 was revoked, or has a new token or certificate")
			open.want("hello|1|"+r.token, "fail|0|denied|")
			again := r.call(t, stolen)
			again.want("hello|1", "fail|0|denied|this certificate of agency 1 is not")
			if again.conn.ConnectionState().DidResume {
				t.Error("a TLS session was resumed")
			}
			r.certify(t, "fresh") // of the authority, for the agency, but not named by the operator
			r.call(t, r.client(t, "fresh")).want("hello|1", "fail|0|denied|this certificate of agency 1 is not")
			r.change(t, func(registry *agencies.Registry) error {
				_, err := registry.Rotate(1, r.fingerprint(t, "fresh"), time.Now())
				return err
			})
			r.call(t, r.client(t, "fresh")).want("hello|1", "ok|1|")
			r.call(t, stolen).want("hello|1", "fail|0|denied|")
		})
	}
}

// A TLS session is never resumed: a connection shows its certificate, and that it has the key, each time.
func TestNoTLSSessionIsResumed(t *testing.T) {
	t.Parallel()
	r := newRotation(t, nil)
	config := r.client(t, "stolen")
	for range 3 {
		c := r.call(t, config)
		c.want("hello|1", "ok|1|")
		if c.conn.ConnectionState().DidResume {
			t.Fatal("a TLS session was resumed")
		}
		_ = c.conn.Close()
	}
}

// Who stole a certificate or a token takes all the connections that the agency may have, and keeps them silent. After the rotation they
// make room for the agency at once. A connection that shows the new token in time keeps its place.
func TestARotationFreesTheAgencysPlaces(t *testing.T) {
	t.Parallel()
	const most = 3
	r := newRotation(t, func(s *server.Options) { s.PerAgency = most })
	var taken []*caller
	for i := range most {
		folder, hello := "stolen", "hello|1"
		if i == 1 {
			folder, hello = "", "hello|1|"+r.token
		}
		c := r.call(t, r.client(t, folder))
		c.want(hello, "ok|1|")
		taken = append(taken, c)
	}
	r.call(t, r.client(t, "")).want("hello|1|"+r.token, "fail|0|busy|agency 1 has 3 connections open")
	var token string
	r.change(t, func(registry *agencies.Registry) (err error) {
		token, err = registry.Rotate(1, "", time.Now())
		return err
	})
	taken[0].want("hello|1|"+token, "ok|1|")
	for range most - 1 {
		r.call(t, r.client(t, "")).want("hello|1|"+token, "ok|1|")
	}
	for _, c := range taken[1:] {
		if line, err := c.replies.ReadString('\n'); err == nil || line != "" {
			t.Errorf("a stolen connection is still there: %q, %v", line, err)
		}
	}
	taken[0].want("query_winners|1", no)
	r.call(t, r.client(t, "")).want("hello|1|"+token, fmt.Sprintf("fail|0|busy|agency 1 has %d connections open", most))
}
