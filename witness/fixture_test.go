package witness_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/tlog"
	"quiniela/witness"
)

const origin = "quiniela.example/ledger"

// aLog is a log in memory. Its entries are told apart by a word, so that two can be forks of each other.
type aLog struct {
	t      *testing.T
	signer note.Signer
	key    string
	stored []tlog.Hash
	size   int64
}

func newLog(t *testing.T, seed byte) *aLog {
	t.Helper()
	signer, key, err := tlog.NewLogKey(origin, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return &aLog{t: t, signer: signer, key: key}
}

func (l *aLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, i := range indexes {
		found = append(found, l.stored[i])
	}
	return found, nil
}

// grow appends entries that say the word, up to a size.
func (l *aLog) grow(size int64, word string) *aLog {
	l.t.Helper()
	for ; l.size < size; l.size++ {
		more, err := sumdb.StoredHashes(l.size, fmt.Appendf(nil, "%s %d", word, l.size), l)
		if err != nil {
			l.t.Fatal(err)
		}
		l.stored = append(l.stored, more...)
	}
	return l
}

func (l *aLog) checkpoint(size int64) []byte {
	l.t.Helper()
	root, err := sumdb.TreeHash(size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: l.signer.Name(), Size: size, Root: root}, l.signer)
	if err != nil {
		l.t.Fatal(err)
	}
	return signed
}

// proves returns the proofs of growth up to a size.
func (l *aLog) proves(size int64) func(old int64) ([]tlog.Hash, error) {
	return func(old int64) ([]tlog.Hash, error) { return tlog.ProveConsistency(old, size, l) }
}

// tower is a witness over HTTP, in a folder.
type tower struct {
	t       *testing.T
	dir     string
	logs    []string
	witness *witness.Witness
	server  *httptest.Server
}

func build(t *testing.T, logs ...string) *tower {
	t.Helper()
	b := &tower{t: t, dir: filepath.Join(t.TempDir(), "w"), logs: logs}
	b.open()
	t.Cleanup(func() { b.close() })
	return b
}

func (b *tower) open() {
	b.t.Helper()
	var err error
	b.witness, err = witness.Open(witness.Options{Dir: b.dir, Name: "witness.example/w1", Logs: b.logs})
	if err != nil {
		b.t.Fatal(err)
	}
	b.server = httptest.NewServer(b.witness.Handler())
}

func (b *tower) close() {
	b.t.Helper()
	b.server.Close()
	if err := b.witness.Close(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tower) restart() {
	b.t.Helper()
	b.close()
	b.open()
}

// post sends a body as it is.
func (b *tower) post(body string) (status int, kind, text string) {
	b.t.Helper()
	answer, err := http.Post(b.server.URL+"/add-checkpoint", "text/plain", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Content-Type"), string(got)
}

func (b *tower) want(name, body string, status int) {
	b.t.Helper()
	if got, _, text := b.post(body); got != status {
		b.t.Errorf("%s: %d %q, want %d", name, got, text, status)
	}
}

func (b *tower) ask(l *aLog, size int64) ([]byte, error) {
	return witness.Ask(b.t.Context(), http.DefaultClient, b.server.URL+"/", l.checkpoint(size), l.proves(size))
}

func (b *tower) mustAsk(l *aLog, size int64) []byte {
	b.t.Helper()
	line, err := b.ask(l, size)
	if err != nil {
		b.t.Fatal(err)
	}
	return line
}

// body is a request, by hand.
func body(l *aLog, old, size int64, path []tlog.Hash) string {
	var b strings.Builder
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range path {
		fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(h[:]))
	}
	fmt.Fprintln(&b)
	b.Write(l.checkpoint(size))
	return b.String()
}

func (l *aLog) path(old, size int64) []tlog.Hash {
	l.t.Helper()
	path, err := tlog.ProveConsistency(old, size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	return path
}
