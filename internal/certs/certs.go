// Package certs makes TLS configurations for both sides, read from files that may be replaced while a server runs, and
// certificates of a private authority for trials. Only TLS 1.3 is spoken.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// reloadEvery is the shortest time between two looks at the files.
const reloadEvery = time.Second

// files are a server's certificate, key and, where it is named, its clients' authority.
type files struct {
	paths []string
	log   *slog.Logger

	mu      sync.Mutex // protects all below; held while the files are read
	checked time.Time
	seen    []time.Time // when each was changed, as it was last read well
	failure string      // why they cannot be used now, "" where they can
	config  *tls.Config
}

// Server returns the configuration of a server. The files are read again when they have changed; where the new ones cannot be
// used, log says so and the old ones stay in use. Without clientCA no client's certificate is asked for; with it, a
// client may bring one, and one that is not of that authority ends the handshake.
func Server(cert, key, clientCA string, log *slog.Logger) (*tls.Config, error) {
	f := &files{paths: []string{cert, key}, log: log}
	if clientCA != "" {
		f.paths = append(f.paths, clientCA)
	}
	if err := f.load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true, // a connection shows its certificate and its key each time
		GetConfigForClient:     func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.current(), nil },
	}, nil
}

func (f *files) current() *tls.Config {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.checked) >= reloadEvery {
		f.checked = time.Now()
		if f.changed() {
			f.reload()
		}
	}
	return f.config
}

// reload reads the files until they can be used: a new owner or mode does not change when they were written. Each reason is
// logged once.
func (f *files) reload() {
	err := f.load()
	switch {
	case err == nil:
		f.failure = ""
		f.log.Info("tls_reload", "result", "success", "certificate", f.paths[0])
	case err.Error() != f.failure:
		f.failure = err.Error()
		f.log.Error("tls_reload", "result", "fail", "error", err, "certificate", "the one before stays in use")
	}
}

func (f *files) changed() bool {
	for i, path := range f.paths {
		if info, err := os.Stat(path); err == nil && !info.ModTime().Equal(f.seen[i]) {
			return true
		}
	}
	return false
}

func (f *files) load() error {
	var seen []time.Time
	for _, path := range f.paths {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("read the TLS files: %w", err)
		}
		seen = append(seen, info.ModTime())
	}
	pair, err := tls.LoadX509KeyPair(f.paths[0], f.paths[1])
	if err != nil {
		return fmt.Errorf("read the certificate %s and its key %s: %w", f.paths[0], f.paths[1], err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true, Certificates: []tls.Certificate{pair}}
	if len(f.paths) > 2 {
		if c.ClientCAs, err = pool(f.paths[2]); err != nil {
			return err
		}
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	f.config, f.seen = c, seen
	return nil
}

func pool(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return p, nil
}

// Client returns the configuration of a client, which always verifies the server: by the authority in the file ca or,
// where it is empty, by the system's. cert and key are its own certificate, or empty.
func Client(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS13}
	var err error
	if ca != "" {
		if c.RootCAs, err = pool(ca); err != nil {
			return nil, err
		}
	}
	if cert == "" && key == "" {
		return c, nil
	}
	if cert == "" || key == "" {
		return nil, errors.New("a certificate and its key go together")
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s and its key %s: %w", cert, key, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}
