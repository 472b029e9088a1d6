package witness_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela/tlog"
	"quiniela/witness"
)

func TestAnAnswerThatIsNoCosignatureIsRefused(t *testing.T) {
	l := newLog(t, 1).grow(20, "a")
	answers := map[string]string{
		"nothing": "", "no line": "hello\n", "no line end": "— w AAAAAAAA", "too long": strings.Repeat("— w AAAAAAAA\n", 1000),
		"an empty line": "\n— w AAAAAAAA\n",
	}
	for name, text := range answers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
		if line, err := witness.Ask(t.Context(), server.Client(), server.URL, l.checkpoint(9), l.proves(9)); err == nil {
			t.Errorf("%s: %q", name, line)
		}
		server.Close()
	}
	// One that names ever another size is asked twice, and not for ever.
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintln(w, asked)
	}))
	defer server.Close()
	if _, err := witness.Ask(t.Context(), server.Client(), server.URL, l.checkpoint(9), l.proves(9)); err == nil || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// publish writes the log's files as a server does.
func (l *aLog) publish(dir string) {
	l.t.Helper()
	tiles, err := tlog.Tiles(0, l.size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range append(tiles, tlog.File{Path: "checkpoint", Data: l.checkpoint(l.size)}) {
		write(l.t, filepath.Join(dir, f.Path), f.Data)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestADrawsSealIsCosigned(t *testing.T) {
	l := newLog(t, 1).grow(700, "a")
	first, second := build(t, l.key), build(t, l.key)
	first.mustAsk(l, 300)
	dir := t.TempDir()
	l.publish(dir)
	path := filepath.Join(dir, "draws", "7", "sealed.checkpoint")
	write(t, path, l.checkpoint(515))
	urls := []string{first.server.URL, "http://127.0.0.1:1", second.server.URL}
	n, err := witness.CosignDraw(t.Context(), http.DefaultClient, dir, "7", urls)
	if n != 2 || err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Fatalf("%d lines, %v", n, err)
	}
	signed, err := os.ReadFile(path)
	if err != nil || bytes.Count(signed, []byte("\n— ")) != 3 {
		t.Fatalf("%s%v", signed, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("others cannot read it any more: %v, %v", info.Mode(), err)
	}
	if n, err := witness.CosignDraw(t.Context(), http.DefaultClient, dir, "7", urls[:1]); n != 0 || err != nil {
		t.Errorf("again: %d lines, %v", n, err)
	}
	for id, want := range map[string]string{"8": "once the draw is sealed", "../7": "no folder of its own", ".": "once the draw is sealed", "a/b": "no folder"} {
		if _, err := witness.CosignDraw(t.Context(), http.DefaultClient, dir, id, urls); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("draw %q: %v", id, err)
		}
	}
	write(t, path, newLog(t, 1).grow(600, "b").checkpoint(600))
	if _, err := witness.CosignDraw(t.Context(), http.DefaultClient, dir, "7", urls); err == nil || !strings.Contains(err.Error(), "not the one of the draw") {
		t.Errorf("a seal of another log: %v", err)
	}
}
