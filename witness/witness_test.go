package witness_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"quiniela/tlog"
	"quiniela/witness"
)

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
