package witness_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela/witness"
)

func TestARestartKeepsTheMemory(t *testing.T) {
	l, fork := newLog(t, 1).grow(20, "a"), newLog(t, 1).grow(30, "b")
	b := build(t, l.key)
	key := b.witness.Key()
	b.mustAsk(l, 10)
	b.restart()
	if b.witness.Key() != key {
		t.Errorf("the key %s is now %s", key, b.witness.Key())
	}
	b.want("a fork", body(fork, 0, 30, nil), http.StatusConflict)
	b.want("a fork of the same size", body(fork, 10, 10, nil), http.StatusConflict)
	b.mustAsk(l, 20)
	b.restart()
	b.want("what it had before", body(l, 10, 20, l.path(10, 20)), http.StatusConflict)
	b.mustAsk(l, 20)
}

func TestTwoKeysOfOneLog(t *testing.T) {
	l, renewed := newLog(t, 1).grow(20, "a"), newLog(t, 2).grow(20, "a")
	b := build(t, l.key)
	b.mustAsk(l, 10)
	b.logs = []string{renewed.key}
	b.server.Close()
	if err := b.witness.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Open(witness.Options{Dir: b.dir, Logs: b.logs}); err == nil || !strings.Contains(err.Error(), "name the old one too") {
		t.Errorf("a new key alone: %v", err)
	}
	b.logs = []string{l.key, renewed.key}
	b.open()
	b.want("a fork with the new key", body(newLog(t, 2).grow(10, "b"), 10, 10, nil), http.StatusConflict)
	b.mustAsk(renewed, 20)
}

// dropped is an answer whose peer has gone: the process might as well have been killed before it.
type dropped struct{ header http.Header }

func (d dropped) Header() http.Header       { return d.header }
func (d dropped) Write([]byte) (int, error) { panic(http.ErrAbortHandler) }
func (d dropped) WriteHeader(int)           {}

func TestAnAnswerThatIsLostDoesNoHarm(t *testing.T) {
	l, fork := newLog(t, 1).grow(20, "a"), newLog(t, 1).grow(20, "b")
	b := build(t, l.key)
	b.mustAsk(l, 5)
	request := httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body(l, 5, 10, l.path(5, 10))))
	func() {
		defer func() {
			if r := recover(); r != http.ErrAbortHandler {
				t.Fatalf("nothing was answered: %v", r)
			}
		}()
		b.witness.Handler().ServeHTTP(dropped{make(http.Header)}, request)
	}()
	b.restart()
	b.want("a fork in place of what was not answered", body(fork, 10, 10, nil), http.StatusConflict)
	b.mustAsk(l, 10) // is told the size, and has the line
	b.mustAsk(l, 20)
}

// A write that fails ends the witness: nothing is signed any more, and what is on the disk counts after a restart.
func TestAFailedWriteSignsNothing(t *testing.T) {
	for _, persisted := range []bool{false, true} {
		t.Run(fmt.Sprintf("persisted=%t", persisted), func(t *testing.T) {
			l := newLog(t, 1).grow(20, "a")
			b := build(t, l.key)
			b.mustAsk(l, 5)
			b.witness.FailWrites(func(path string, data []byte) error {
				if persisted {
					if err := witness.ReplaceFile(path, data); err != nil {
						t.Error(err)
					}
				}
				return errors.New("the disk is gone")
			})
			b.want("a failed write", body(l, 5, 10, l.path(5, 10)), http.StatusInternalServerError)
			b.want("the same size as before", body(l, 5, 5, nil), http.StatusInternalServerError)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			if err := b.witness.Serve(t.Context(), listener); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
				t.Errorf("it goes on serving: %v", err)
			}
			b.restart()
			b.mustAsk(l, 10)
		})
	}
}

func TestTheFolderIsGuarded(t *testing.T) {
	l := newLog(t, 1).grow(20, "a")
	b := build(t, l.key)
	b.mustAsk(l, 5)
	again := func() error {
		w, err := witness.Open(witness.Options{Dir: b.dir, Logs: b.logs})
		if err == nil {
			err = errors.Join(errors.New("opened"), w.Close())
		}
		return err
	}
	if err := again(); !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("opened twice: %v", err)
	}
	if entries, err := os.ReadDir(b.dir); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v: want the key, the memory and no lock's file, which could be deleted", entries, err)
	}
	key, memory := filepath.Join(b.dir, "witness.key"), filepath.Join(b.dir, "checkpoints.json")
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}
	b.close()
	defer b.open()
	kept, err := os.ReadFile(memory)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	restore := func() {
		t.Helper()
		for path, data := range map[string][]byte{memory: kept, key: seed} {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		spoil func() error
		want  string
	}{
		"no memory":       {func() error { return os.Remove(memory) }, "retire this witness"},
		"an empty memory": {func() error { return os.WriteFile(memory, nil, 0o600) }, "damaged"},
		"null":            {func() error { return os.WriteFile(memory, []byte("null"), 0o600) }, "damaged"},
		"a cut memory":    {func() error { return os.WriteFile(memory, kept[:len(kept)/2], 0o600) }, "damaged"},
		"a changed memory": {func() error {
			return os.WriteFile(memory, bytes.Replace(kept, []byte(`\n5\n`), []byte(`\n4\n`), 1), 0o600)
		}, "last cosigned"},
		"no key":             {func() error { return os.Remove(key) }, "--name"},
		"a cut key":          {func() error { return os.WriteFile(key, seed[:20], 0o600) }, "not a witness's key"},
		"another log's key?": {func() error { b.logs = []string{"x"}; return nil }, "verifier key"},
	} {
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		if err := again(); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		restore()
		b.logs = []string{l.key}
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Key(b.dir, "witness.example/new"); err == nil || !strings.Contains(err.Error(), "and no key") {
		t.Errorf("a new key over an old memory: %v", err)
	}
	restore()
	if _, err := witness.Key(b.dir, "witness.example/other"); err == nil || !strings.Contains(err.Error(), "not of witness.example/other") {
		t.Errorf("another name: %v", err)
	}
}
