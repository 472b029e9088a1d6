// Package certs makes TLS configurations for both sides, read from files that may be replaced while a server runs, and
// certificates of a private authority for trials. Only TLS 1.3 is spoken.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"
)

// reloadEvery is the shortest time between two looks at the files.
const reloadEvery = time.Second

// Files are a server's certificate, key and, where it is named, its clients' authority. Its methods may be called concurrently.
type Files struct {
	paths []string // in this order
	log   *slog.Logger

	mu      sync.Mutex // protects all below; held while the files are read
	checked time.Time
	seen    []time.Time // when each was changed, as it was last read well
	failure string      // why they cannot be used now, "" where they can
	config  *tls.Config
	expiry  map[string]time.Time // by path
}

// Open reads the files of a server. They are read again when they have changed; where the new ones cannot be used, log says so and the old
// ones stay in use. Without clientCA no client's certificate is asked for; with it, a client may bring one, and one that is not of
// that authority ends the handshake.
func Open(cert, key, clientCA string, log *slog.Logger) (*Files, error) {
	f := &Files{paths: []string{cert, key}, log: log}
	if clientCA != "" {
		f.paths = append(f.paths, clientCA)
	}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// Server is Open for who needs the configuration alone.
func Server(cert, key, clientCA string, log *slog.Logger) (*tls.Config, error) {
	f, err := Open(cert, key, clientCA, log)
	if err != nil {
		return nil, err
	}
	return f.Config(), nil
}

// Config returns the configuration of a server, which uses the files as they are when somebody connects.
func (f *Files) Config() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true, // a connection shows its certificate and its key each time
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.current(), nil
		},
	}
}

// Expiry returns when the first certificate expires in each of the files that have any, by its path, as they are in use now.
func (f *Files) Expiry() map[string]time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current()
	return maps.Clone(f.expiry)
}

// current looks at the files, now and then, and returns what is in use.
func (f *Files) current() *tls.Config {
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
func (f *Files) reload() {
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

func (f *Files) changed() bool {
	for i, path := range f.paths {
		if info, err := os.Stat(path); err == nil && !info.ModTime().Equal(f.seen[i]) {
			return true
		}
	}
	return false
}

func (f *Files) load() error {
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
	expiry := map[string]time.Time{f.paths[0]: firstExpiry(pair.Certificate)}
	if len(f.paths) > 2 {
		if c.ClientCAs, err = pool(f.paths[2]); err != nil {
			return err
		}
		c.ClientAuth = tls.VerifyClientCertIfGiven
		text, err := os.ReadFile(f.paths[2])
		if err != nil {
			return fmt.Errorf("read the authority: %w", err)
		}
		expiry[f.paths[2]] = firstExpiry(blocks(text))
	}
	f.config, f.seen, f.expiry = c, seen, expiry
	return nil
}

// firstExpiry returns when the first of some certificates expires. Those that cannot be read are not used either.
func firstExpiry(all [][]byte) (first time.Time) {
	for _, der := range all {
		c, err := x509.ParseCertificate(der)
		if err == nil && (first.IsZero() || c.NotAfter.Before(first)) {
			first = c.NotAfter
		}
	}
	return first
}

// blocks returns what is in a file in PEM.
func blocks(text []byte) (all [][]byte) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		all = append(all, block.Bytes)
	}
	return all
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
