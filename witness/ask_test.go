package witness_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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

// A witness says how much of a log it has seen, to whoever has the log's key, and cosigns nothing by it.
func TestAWitnessSaysWhatItHasSeen(t *testing.T) {
	l := newLog(t, 1).grow(700, "a")
	w := build(t, l.key)
	for _, want := range []int64{0, 300, 515} {
		if want > 0 {
			w.mustAsk(l, want)
		}
		for range 2 {
			if n, err := witness.Seen(t.Context(), http.DefaultClient, w.server.URL, l.checkpoint(0)); n != want || err != nil {
				t.Errorf("it has seen %d, %v; want %d", n, err, want)
			}
		}
	}
	if _, err := witness.Seen(t.Context(), http.DefaultClient, w.server.URL, newLog(t, 2).checkpoint(0)); err == nil {
		t.Error("it answers whoever has another key")
	}
	if _, err := witness.Seen(t.Context(), http.DefaultClient, "http://127.0.0.1:1", l.checkpoint(0)); err == nil {
		t.Error("nobody answers")
	}
}
