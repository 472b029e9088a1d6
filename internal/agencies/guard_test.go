package agencies

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela"
)

type world struct {
	t    *testing.T
	path string
	log  bytes.Buffer
	now  time.Time
	*Guard
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, path: filepath.Join(t.TempDir(), FileName), now: time.Unix(1700000000, 0)}
	w.open()
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.Guard, err = NewGuard(w.path, slog.New(slog.NewTextHandler(&w.log, nil))); err != nil {
		w.t.Fatal(err)
	}
}

// change changes the registry, and lets the guard see it.
func (w *world) change(f func(*Registry) error) {
	w.t.Helper()
	if err := Change(w.path, f); err != nil {
		w.t.Fatal(err)
	}
	w.watched.Recheck()
}

func (w *world) add(n quiniela.Agency) (token string) {
	w.t.Helper()
	w.change(func(r *Registry) (err error) {
		token, err = r.Add(n, "one", "", w.now)
		return err
	})
	return token
}

func (w *world) login(n quiniela.Agency, token string) (Identity, quiniela.Code) {
	id, err := w.Login(Identity{}, n, token)
	return id, quiniela.CodeOf(err)
}

func (w *world) want(id Identity, n quiniela.Agency, want quiniela.Code) {
	w.t.Helper()
	if got := quiniela.CodeOf(w.Allow(&id, n)); got != want {
		w.t.Errorf("%v may speak for agency %d: %q, want %q", id, n, got, want)
	}
}

func TestWithoutARegistryAllMaySpeak(t *testing.T) {
	w := newWorld(t)
	id, code := w.login(7, "whatever")
	if !w.Open() || code != "" {
		t.Fatalf("open %t, login %q", w.Open(), code)
	}
	w.want(id, 8, "")
	w.want(id, quiniela.Unattributed, "")
}

func TestATokenOpensItsAgencyOnly(t *testing.T) {
	w := newWorld(t)
	one, two := w.add(1), w.add(2)
	w.want(Identity{}, 1, quiniela.Denied)
	w.want(Identity{}, quiniela.Unattributed, quiniela.Denied)
	id, code := w.login(1, one)
	if code != "" {
		t.Fatal(code)
	}
	w.want(id, 1, "")
	w.want(id, 2, quiniela.Denied)
	w.want(id, quiniela.Unattributed, quiniela.Denied)
	for _, c := range []struct {
		n     quiniela.Agency
		token string
	}{{1, two}, {1, ""}, {1, one + "x"}, {3, one}, {1, hashToken(one)}, {quiniela.Unattributed, one}} {
		if id, code := w.login(c.n, c.token); code != quiniela.Denied || id != (Identity{}) {
			t.Errorf("agency %d with %q: %v, %q", c.n, c.token, id, code)
		}
	}
	text, err := os.ReadFile(w.path)
	if err != nil || bytes.Contains(text, []byte(one)) || strings.Contains(w.log.String(), one) {
		t.Errorf("the token is in the file or in the log: %v\n%s\n%s", err, text, w.log.String())
	}
	if info, err := os.Stat(w.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestRotatingAndRevokingCutOffWhoIsConnected(t *testing.T) {
	w := newWorld(t)
	old := w.add(1)
	id, _ := w.login(1, old)
	var fresh string
	w.change(func(r *Registry) (err error) { fresh, err = r.Rotate(1, "", w.now); return err })
	w.want(id, 1, quiniela.Denied)
	if _, code := w.login(1, old); code != quiniela.Denied {
		t.Errorf("the old token: %q", code)
	}
	w.now = w.now.Add(time.Hour)
	id, code := w.login(1, fresh)
	if code != "" {
		t.Fatal(code)
	}
	w.change(func(r *Registry) error { return r.Revoke(1, w.now) })
	w.want(id, 1, quiniela.Denied)
	if _, code := w.login(1, fresh); code != quiniela.Denied {
		t.Errorf("a revoked agency's token: %q", code)
	}
}

func TestARegistryThatCannotBeReadLetsNobodyInForNow(t *testing.T) {
	w := newWorld(t)
	token := w.add(1)
	id, _ := w.login(1, token)
	good, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	certified := Identity{agency: 1, certificate: "any"}
	for _, step := range []struct {
		name, cause string
		spoil       func() error
	}{
		{"removed", "put the file back from a backup", func() error { return os.Remove(w.path) }},
		{"spoilt", "unexpected end of JSON input", func() error { return os.WriteFile(w.path, []byte("{"), 0o600) }},
		{"a folder", "is a directory", func() error { return errors.Join(os.Remove(w.path), os.Mkdir(w.path, 0o700)) }},
	} {
		if err := step.spoil(); err != nil {
			t.Fatal(err)
		}
		w.log.Reset()
		for range 3 {
			w.watched.Recheck()
			w.want(id, 1, quiniela.Busy)
			w.want(certified, 1, quiniela.Busy)
			w.want(Identity{}, 1, quiniela.Busy)
			for _, given := range []string{token, "wrong", ""} {
				if _, code := w.login(1, given); code != quiniela.Busy {
					t.Errorf("%s: a login with %q: %q", step.name, given, code)
				}
			}
		}
		said := w.log.String()
		if w.Open() || strings.Count(said, "level=ERROR") != 1 || !strings.Contains(said, w.path) || !strings.Contains(said, step.cause) {
			t.Errorf("%s: open %t; want one error with the file and %q:\n%s", step.name, w.Open(), step.cause, said)
		}
		if _, err := NewGuard(w.path, slog.New(slog.DiscardHandler)); (err == nil) != (step.name == "removed") {
			t.Errorf("%s: a start: %v", step.name, err)
		}
	}
	if err := errors.Join(os.Remove(w.path), os.WriteFile(w.path, good, 0o600)); err != nil {
		t.Fatal(err)
	}
	w.watched.Recheck()
	w.want(id, 1, "")
	w.want(certified, 1, "")
	if _, code := w.login(1, token); code != "" {
		t.Errorf("once it can be read: %q", code)
	}
}

func TestACertificateNamesItsAgency(t *testing.T) {
	w := newWorld(t)
	cert := func(name, raw string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, Raw: []byte(raw)}
	}
	w.add(1)
	w.change(func(r *Registry) error { r.Find(1).Certificate = Fingerprint(cert("", "good")); return nil })
	w.add(2)
	for _, c := range []struct {
		name, raw string
		agency    quiniela.Agency
		good      bool
	}{
		{"agency-1", "good", 1, true}, {"agency-1", "other", 1, false}, {"agency-2", "any", 2, true}, {"agency-3", "any", 3, false},
		{"agency-", "any", 0, false}, {"agency-0", "any", 0, false}, {"2", "any", 2, false}, {"agency-x", "any", 0, false},
	} {
		id, err := w.Certified(cert(c.name, c.raw))
		if (err == nil) != c.good || c.good && id.agency != c.agency {
			t.Errorf("%s with %s: %v, %v", c.name, c.raw, id, err)
		}
	}
	id, err := w.Certified(cert("agency-2", "any"))
	if err != nil {
		t.Fatal(err)
	}
	w.change(func(r *Registry) error { return r.Revoke(2, w.now) })
	w.want(id, 2, quiniela.Denied)
}

// However an agency's credentials are rotated, the stolen certificate is good for nothing afterwards, on a new connection and on an
// open one, and only the certificate that the operator named last is accepted.
func TestRotatingEndsEveryCertificate(t *testing.T) {
	cert := func(raw string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: "agency-1"}, Raw: []byte(raw)}
	}
	sum := func(raw string) string { return Fingerprint(cert(raw)) }
	rotate := func(certificate string) func(*Registry, time.Time) error {
		return func(r *Registry, now time.Time) error { _, err := r.Rotate(1, certificate, now); return err }
	}
	revoke := func(r *Registry, now time.Time) error { return r.Revoke(1, now) }
	for _, c := range []struct {
		name  string
		first string // the certificate that the agency is added with
		steps []func(*Registry, time.Time) error
		good  string // the only certificate that is good afterwards, if any
	}{
		{"rotated", "", []func(*Registry, time.Time) error{rotate("")}, ""},
		{"rotated, with a pin", sum("stolen"), []func(*Registry, time.Time) error{rotate("")}, ""},
		{"revoked", "", []func(*Registry, time.Time) error{revoke}, ""},
		{"revoked, then rotated", "", []func(*Registry, time.Time) error{revoke, rotate("")}, ""},
		{"revoked, then rotated, with a pin", sum("stolen"), []func(*Registry, time.Time) error{revoke, rotate("")}, ""},
		{"a pin is set", "", []func(*Registry, time.Time) error{rotate(sum("fresh"))}, "fresh"},
		{"a pin is changed", sum("stolen"), []func(*Registry, time.Time) error{rotate(sum("fresh"))}, "fresh"},
		{"revoked, then a pin is changed", sum("stolen"), []func(*Registry, time.Time) error{revoke, rotate(sum("fresh"))}, "fresh"},
		{"a pin is changed, then taken off", sum("stolen"), []func(*Registry, time.Time) error{rotate(sum("fresh")), rotate("")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(r *Registry) error { _, err := r.Add(1, "", c.first, w.now); return err })
			open, err := w.Certified(cert("stolen"))
			if err != nil {
				t.Fatal(err)
			}
			w.want(open, 1, "")
			for _, step := range c.steps {
				w.change(func(r *Registry) error { return step(r, w.now) })
			}
			w.want(open, 1, quiniela.Denied)
			w.open() // a start of the server changes nothing
			w.want(open, 1, quiniela.Denied)
			for _, raw := range []string{"stolen", "fresh", "another"} {
				if _, err := w.Certified(cert(raw)); (err == nil) != (raw == c.good) {
					t.Errorf("the certificate %q: %v, want only %q to be good", raw, err, c.good)
				}
			}
		})
	}
	w := newWorld(t)
	w.change(func(r *Registry) error { _, err := r.Add(1, "", sum("stolen"), w.now); return err })
	if err := Change(w.path, func(r *Registry) error { return rotate(sum("stolen"))(r, w.now) }); err == nil || !strings.Contains(err.Error(), "make a new one") {
		t.Errorf("rotating to the certificate that the agency has: %v", err)
	}
}

func TestARegistryIsCheckedWhenRead(t *testing.T) {
	for text, want := range map[string]string{
		`{"version":2}`: "version 2",
		`{"version":1,"agencies":[{"number":0}]}`:                                "out of order",
		`{"version":1,"agencies":[{"number":2},{"number":1}]}`:                   "out of order",
		`{"version":1,"agencies":[{"number":1,"token_sha256":"ab"}]}`:            "SHA-256",
		`{"version":1,"agencies":[{"number":1,"certificate_sha256":"not hex"}]}`: "SHA-256",
		`[]`: "cannot unmarshal",
	} {
		if _, err := parse("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
