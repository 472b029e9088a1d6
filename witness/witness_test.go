package witness_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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

func TestAWitnessFollowsALog(t *testing.T) {
	l := newLog(t, 1).grow(600, "a")
	b := build(t, l.key)
	policy, err := tlog.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w %s\nquorum w\n", l.key, b.witness.Key()))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{0, 1, 2, 2, 7, 256, 257, 599, 600, 600} {
		signed, err := tlog.AddSignatures(l.checkpoint(size), b.mustAsk(l, size))
		if err != nil {
			t.Fatal(err)
		}
		opened, err := policy.VerifyCheckpoint(signed)
		if err != nil {
			t.Fatal(err)
		}
		if err := policy.Quorum(opened); err != nil || opened.Size != size {
			t.Errorf("size %d: %d entries, %v", size, opened.Size, err)
		}
	}
}

// What a witness answers is checked here by the note package, with a verifier written from C2SP tlog-cosignature alone.
func TestTheNotePackageReadsACosignature(t *testing.T) {
	l := newLog(t, 1).grow(9, "a")
	b := build(t, l.key)
	signed := append(l.checkpoint(9), b.mustAsk(l, 9)...)
	theirs, err := note.NewVerifier(l.key)
	if err != nil {
		t.Fatal(err)
	}
	ours := cosignatureVerifier(t, b.witness.Key())
	n, err := note.Open(signed, note.VerifierList(theirs, ours))
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Sigs) != 2 || n.Sigs[1].Name != "witness.example/w1" || len(n.UnverifiedSigs) != 0 {
		t.Errorf("signatures %v, unverified %v", n.Sigs, n.UnverifiedSigs)
	}
	signed[len(signed)-10] ^= 1
	if n, err := note.Open(signed, note.VerifierList(theirs, ours)); err == nil && len(n.Sigs) == 2 {
		t.Error("a changed cosignature verifies")
	}
}

type verifier struct {
	name   string
	id     uint32
	public ed25519.PublicKey
}

func (v verifier) Name() string    { return v.name }
func (v verifier) KeyHash() uint32 { return v.id }
func (v verifier) Verify(msg, sig []byte) bool {
	if len(sig) != 8+64 {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	if late := time.Since(time.Unix(int64(at), 0)); late < 0 || late > time.Minute {
		return false
	}
	return ed25519.Verify(v.public, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, msg), sig[8:])
}

func cosignatureVerifier(t *testing.T, vkey string) verifier {
	t.Helper()
	name, rest, _ := strings.Cut(vkey, "+")
	id, b64, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(key) != 33 || key[0] != 4 {
		t.Fatalf("verifier key %s", vkey)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	if fmt.Sprintf("%x", sum[:4]) != id {
		t.Fatalf("the id of %s is not %x", vkey, sum[:4])
	}
	return verifier{name, binary.BigEndian.Uint32(sum[:]), key[1:]}
}

func TestAForkIsRefused(t *testing.T) {
	l, fork := newLog(t, 1).grow(20, "a"), newLog(t, 1).grow(9, "a").grow(30, "b")
	b := build(t, l.key)
	b.mustAsk(l, 10)
	status, kind, text := b.post(body(fork, 10, 10, nil))
	if status != http.StatusConflict || kind == "text/x.tlog.size" {
		t.Errorf("another root at the same size: %d %s %q", status, kind, text)
	}
	b.want("a fork's own proof", body(fork, 10, 20, fork.path(10, 20)), http.StatusUnprocessableEntity)
	b.want("the log's proof for a fork", body(fork, 10, 20, l.path(10, 20)), http.StatusUnprocessableEntity)
	if _, err := b.ask(fork, 30); err == nil || !strings.Contains(err.Error(), "422") {
		t.Errorf("asked for a fork: %v", err)
	}
	if _, err := b.ask(fork, 10); err == nil || !strings.Contains(err.Error(), "same size") {
		t.Errorf("asked for a fork of the same size: %v", err)
	}
	b.mustAsk(l, 20)
}

func TestARollbackIsRefused(t *testing.T) {
	l := newLog(t, 1).grow(20, "a")
	b := build(t, l.key)
	b.mustAsk(l, 10)
	for old := range int64(9) {
		status, kind, text := b.post(body(l, old, 9, l.path(old, 9)))
		if status != http.StatusConflict || kind != "text/x.tlog.size" || text != "10\n" {
			t.Errorf("size 9 from %d: %d %s %q", old, status, kind, text)
		}
	}
	if _, err := b.ask(l, 9); err == nil || !strings.Contains(err.Error(), "has cosigned 10 entries already") {
		t.Errorf("asked for a shorter log: %v", err)
	}
	b.want("an old size over the new", body(l, 10, 9, nil), http.StatusBadRequest)
	b.mustAsk(l, 10)
}

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

func TestBadProofsAreRefused(t *testing.T) {
	l := newLog(t, 1).grow(20, "a")
	b := build(t, l.key)
	b.want("a proof from nothing", body(l, 0, 10, l.path(4, 10)), http.StatusUnprocessableEntity)
	b.mustAsk(l, 6)
	good := l.path(6, 19)
	for i := range good {
		for bit := range 8 * tlog.HashSize {
			bad := append([]tlog.Hash(nil), good...)
			bad[i][bit/8] ^= 1 << (bit % 8)
			if _, err := b.witness.Add(6, bad, l.checkpoint(19)); !errors.Is(err, witness.ErrProof) {
				t.Fatalf("bit %d of hash %d changed: %v", bit, i, err)
			}
		}
	}
	b.want("no proof", body(l, 6, 19, nil), http.StatusUnprocessableEntity)
	b.want("a proof too short", body(l, 6, 19, good[:len(good)-1]), http.StatusUnprocessableEntity)
	b.want("a proof too long", body(l, 6, 19, append(good[:len(good):len(good)], good[0])), http.StatusUnprocessableEntity)
	b.want("a proof where none is needed", body(l, 6, 6, good), http.StatusUnprocessableEntity)
	b.want("the right one", body(l, 6, 19, good), http.StatusOK)
}

func TestOnlyTheLogsKeyCounts(t *testing.T) {
	l, other := newLog(t, 1).grow(20, "a"), newLog(t, 2).grow(20, "a")
	b := build(t, l.key)
	b.want("another key of the name", body(other, 0, 10, nil), http.StatusForbidden)
	signed := body(l, 0, 10, nil)
	for i := strings.LastIndex(signed, " ") + 8; i < len(signed)-4; i++ { // behind the key's id
		changed := []byte(signed)
		changed[i] = 'A' + (changed[i]+1)%16
		b.want("a changed signature", string(changed), http.StatusForbidden)
	}
	stranger, _, err := tlog.NewLogKey("another.example", ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	unknown := newLog(t, 1).grow(10, "a")
	unknown.signer = stranger
	b.want("a log it does not know", body(unknown, 0, 10, nil), http.StatusNotFound)
	b.want("the log", signed, http.StatusOK)
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

func TestMalformedRequests(t *testing.T) {
	l := newLog(t, 1).grow(20, "a")
	b := build(t, l.key)
	b.mustAsk(l, 4)
	good := body(l, 4, 9, l.path(4, 9))
	_, signed, _ := strings.Cut(good, "\n\n")
	hash := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, bad := range map[string]string{
		"nothing":            "",
		"no empty line":      strings.Replace(good, "\n\n", "\n", 2),
		"no old":             "\n\n" + signed,
		"a sign":             strings.Replace(good, "old 4", "old +4", 1),
		"below 0":            strings.Replace(good, "old 4", "old -4", 1),
		"a leading zero":     strings.Replace(good, "old 4", "old 04", 1),
		"two spaces":         strings.Replace(good, "old 4", "old  4", 1),
		"no number":          strings.Replace(good, "old 4", "old x", 1),
		"too large":          strings.Replace(good, "old 4", "old 9223372036854775808", 1),
		"carriage returns":   strings.ReplaceAll(good, "\n", "\r\n"),
		"a short hash":       "old 4\nAAAA\n\n" + signed,
		"stray bits":         "old 4\n" + hash[:42] + "B=\n\n" + signed,
		"64 hashes":          "old 4\n" + strings.Repeat(hash+"\n", 64) + "\n" + signed,
		"no checkpoint":      "old 4\n\n",
		"no note":            "old 4\n\nabc\n",
		"an extension line":  strings.Replace(good, "\n\n—", "\nmore\n\n—", 1),
		"a request too long": good + strings.Repeat("— x AAAAAAAA\n", 4000),
	} {
		b.want(name, bad, http.StatusBadRequest)
	}
	answer, err := http.Get(b.server.URL + "/add-checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body.Close(); answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", answer.Status)
	}
	b.want("the good one", good, http.StatusOK)
}

// Of many posts at once that prove growth from one size, to logs that differ, one log wins, and the memory is of it.
func TestConcurrentPosts(t *testing.T) {
	base := newLog(t, 1).grow(8, "a")
	b := build(t, base.key)
	b.mustAsk(base, 8)
	var wait sync.WaitGroup
	var mu sync.Mutex
	signed := make(map[string]bool) // by text
	for i := range 24 {
		l := newLog(t, 1).grow(8, "a").grow(9+int64(i%3), fmt.Sprint("fork ", i%6))
		text := body(l, 8, l.size, l.path(8, l.size))
		want := string(l.checkpoint(l.size))
		wait.Go(func() {
			answer, err := http.Post(b.server.URL+"/add-checkpoint", "text/plain", strings.NewReader(text))
			if err != nil {
				t.Error(err)
				return
			}
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				mu.Lock()
				signed[want] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(signed) != 1 {
		t.Errorf("%d different checkpoints were cosigned, all from size 8", len(signed))
	}
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
	if _, err := witness.Key(b.dir, "witness.example/new"); err == nil || !strings.Contains(err.Error(), "not its key") {
		t.Errorf("a new key over an old memory: %v", err)
	}
	restore()
	if _, err := witness.Key(b.dir, "witness.example/other"); err == nil || !strings.Contains(err.Error(), "not of witness.example/other") {
		t.Errorf("another name: %v", err)
	}
}

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

func TestServeEndsWithItsContext(t *testing.T) {
	b := build(t, newLog(t, 1).key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.witness.Serve(ctx, listener) }()
	if _, err := http.Get("http://" + listener.Addr().String() + "/"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
