package operators_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela/internal/operators"
)

func change(t *testing.T, path string, f func(*operators.Registry) error) {
	t.Helper()
	if err := operators.Change(path, f); err != nil {
		t.Fatal(err)
	}
}

func TestKeysAreShownOnceAndHashed(t *testing.T) {
	path := filepath.Join(t.TempDir(), operators.FileName)
	var key, other string
	change(t, path, func(r *operators.Registry) (err error) {
		key, err = r.Add("ana", operators.Operator, time.Now())
		return err
	})
	g, err := operators.NewGuard(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	change(t, path, func(r *operators.Registry) (err error) {
		other, err = r.Add("José", operators.Notary, time.Now())
		return err
	})
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, []byte(key)) || bytes.Contains(text, []byte(other)) || key == other {
		t.Fatalf("%v, %s", err, text)
	}
	if p, ok := g.ByKey(other); !ok || p.Name != "José" || p.Role != operators.Notary { // at once, though the file was read a moment ago
		t.Errorf("%v, %t", p, ok)
	}
	for _, wrong := range []string{"", "x", strings.ToLower(key), key + " "} {
		if p, ok := g.ByKey(wrong); ok {
			t.Errorf("%q opens for %v", wrong, p)
		}
	}
	if _, ok := g.Login("José", key); ok {
		t.Error("a key opens with another one's name")
	}
	came, ok := g.Login("ana", key)
	if !ok {
		t.Fatal("a right key does not open")
	}
	for _, step := range []struct {
		what string
		do   func(*operators.Registry) error
		old  bool // the old key holds afterwards
	}{
		{"nothing", func(*operators.Registry) error { return nil }, true},
		{"a new key", func(r *operators.Registry) (err error) { other, err = r.Rotate("ana", time.Now()); return err }, false},
		{"revoked", func(r *operators.Registry) error { return r.Revoke("ana", time.Now()) }, false},
		{"brought back", func(r *operators.Registry) (err error) { other, err = r.Rotate("ana", time.Now()); return err }, false},
	} {
		change(t, path, step.do)
		g.Count(operators.Viewer) // looks at the file now
		if _, ok := g.ByKey(key); ok != step.old {
			t.Errorf("%s: the old key holds is %t", step.what, ok)
		}
		if _, ok := g.Still(came); ok != step.old {
			t.Errorf("%s: the old login holds is %t", step.what, ok)
		}
	}
	if _, ok := g.ByKey(other); !ok {
		t.Error("the newest key does not open")
	}
}

func TestRoles(t *testing.T) {
	order := []operators.Role{"", operators.Viewer, operators.Notary, operators.Operator}
	for i, role := range order {
		for j, needs := range order {
			if role.May(needs) != (i >= j) {
				t.Errorf("%q may do what needs %q is %t", role, needs, role.May(needs))
			}
		}
	}
	if operators.Role("king").May(operators.Viewer) || operators.Role("king").May("") {
		t.Error("a role that is not there may do something")
	}
}

func TestWhatIsNoOperatorIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), operators.FileName)
	for _, name := range []string{"", "-ana", "ana maria", "local:root", "a|b", "a\nb", "ana\u202e", strings.Repeat("a", 33)} {
		err := operators.Change(path, func(r *operators.Registry) error { _, err := r.Add(name, operators.Viewer, time.Now()); return err })
		if err == nil {
			t.Errorf("the name %q is taken", name)
		}
	}
	if err := operators.Change(path, func(r *operators.Registry) error { _, err := r.Add("ana", "king", time.Now()); return err }); err == nil {
		t.Error("the role king is taken")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused change has written the registry")
	}
	for what, text := range map[string]string{
		"no JSON": "x", "a version": `{"version":2}`, "a role": `{"version":1,"operators":[{"name":"ana","role":"king"}]}`,
		"a name": `{"version":1,"operators":[{"name":"local:x","role":"viewer"}]}`, "a key": `{"version":1,"operators":[{"name":"ana","role":"viewer","key_sha256":"00"}]}`,
		"an order": `{"version":1,"operators":[{"name":"eva","role":"viewer"},{"name":"ana","role":"viewer"}]}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := operators.NewGuard(path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("a registry with %s that is wrong: %v", what, err)
		}
	}
}

// While the registry is spoiled nobody comes in, and whoever did is out; once it is mended they are back.
func TestASpoiledRegistryLetsNobodyIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), operators.FileName)
	var key string
	change(t, path, func(r *operators.Registry) (err error) {
		key, err = r.Add("ana", operators.Operator, time.Now())
		return err
	})
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	g, err := operators.NewGuard(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	came, ok := g.ByKey(key)
	if !ok {
		t.Fatal("a right key does not open")
	}
	for i, text := range [][]byte{[]byte("x"), good, nil, good} {
		if text == nil {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		g.Count(operators.Viewer) // looks at the file now
		want := i%2 == 1
		if _, ok := g.ByKey(key); ok != want {
			t.Errorf("step %d: the key opens is %t", i, ok)
		}
		if _, ok := g.Still(came); ok != want {
			t.Errorf("step %d: the login holds is %t", i, ok)
		}
	}
	if n := strings.Count(log.String(), "nobody can log in until it can be read"); n != 2 {
		t.Errorf("the log says %d times that nobody can log in:\n%s", n, log.String())
	}
}
