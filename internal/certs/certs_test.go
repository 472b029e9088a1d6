package certs

import (
	"bytes"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A key that cannot be used for a while, as after a renewal by another user, is taken as soon as it can, though nothing but
// its owner, its mode or its content in the same moment has changed.
func TestAKeyIsTriedUntilItCanBeUsed(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(dir, []string{"localhost"}, nil); err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem")
	good, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	f := &Files{paths: []string{cert, key}, log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	first, moment := f.config, time.Now().Add(time.Minute)
	for _, text := range []string{"", string(good)} {
		if err := errors.Join(os.WriteFile(key, []byte(text), 0o600), os.Chtimes(key, moment, moment)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			f.checked = time.Time{}
			if got := f.current(); (got == first) != (text == "") {
				t.Errorf("with %d bytes of a key, the certificate of before: %t", len(text), got == first)
			}
		}
	}
	if fails, news := strings.Count(log.String(), "result=fail"), strings.Count(log.String(), "result=success"); fails != 1 || news != 1 {
		t.Errorf("want one failure and one success:\n%s", log.String())
	}
}

// Each file says when its first certificate expires, and says it of the renewed one once that is in use.
func TestTheFirstExpiryOfEachFile(t *testing.T) {
	dir, renewed := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, renewed} {
		if _, err := Create(d, []string{"localhost"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	read := func(dir, name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	expires := func(text []byte) time.Time {
		c, err := x509.ParseCertificate(blocks(text)[0])
		if err != nil {
			t.Fatal(err)
		}
		return c.NotAfter
	}
	cert, key, bundle := filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem"), filepath.Join(dir, "bundle.pem")
	authority, leaf := expires(read(dir, "ca.pem")), expires(read(dir, "server.pem"))
	if !leaf.Before(authority) {
		t.Fatal("this test wants a certificate that expires before its authority")
	}
	if err := os.WriteFile(bundle, append(read(dir, "ca.pem"), read(dir, "server.pem")...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(cert, key, bundle, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Expiry(); len(got) != 2 || !got[cert].Equal(leaf) || !got[bundle].Equal(leaf) {
		t.Errorf("%v; want %v of %s and %s", got, leaf, cert, bundle)
	}
	moment := time.Now().Add(time.Minute)
	err = errors.Join(os.WriteFile(bundle, read(renewed, "ca.pem"), 0o600), os.Chtimes(bundle, moment, moment))
	if err != nil {
		t.Fatal(err)
	}
	f.checked = time.Time{}
	if got, want := f.Expiry()[bundle], expires(read(renewed, "ca.pem")); !got.Equal(want) {
		t.Errorf("after the renewal %v, want %v", got, want)
	}
}
