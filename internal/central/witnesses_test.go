package central_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/witness"
)

// logKey makes the key of the log in a data folder, before its central is opened, so that witnesses can know it.
func logKey(t *testing.T, dir string) publish.Key {
	t.Helper()
	key, err := publish.LoadKey(filepath.Join(dir, publish.KeyName), "lottery.example/log")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// tower is a real witness of a log.
func tower(t *testing.T, name, log string) central.Witness {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "w")
	key, err := witness.Key(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(witness.Options{Dir: dir, Logs: []string{log}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler())
	t.Cleanup(func() {
		s.Close()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return central.Witness{URL: s.URL, Key: key}
}

// impostor is a witness whose key is known and whose answers are whatever answer writes.
func impostor(t *testing.T, seed byte, answer func(w http.ResponseWriter, signed []byte, signer note.Signer)) central.Witness {
	t.Helper()
	signer, key, err := tlog.NewWitnessKey(fmt.Sprintf("impostor-%d.example", seed), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, signed, _ := bytes.Cut(body, []byte("\n\n"))
		answer(w, signed, signer)
	}))
	t.Cleanup(s.Close)
	return central.Witness{URL: s.URL, Key: key}
}

// A witness can be slow, down, mad or malicious: it is left out, nothing of it is published, and nobody waits for it for long.
func TestNoWitnessHoldsUpOrSpoilsWhatIsPublished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := logKey(t, dir)
	good := tower(t, "good.example", key.Verifier)
	stranger, _, err := tlog.NewWitnessKey("stranger.example", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{99}, 32)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	hang := make(chan struct{})
	all := []central.Witness{
		impostor(t, 1, func(http.ResponseWriter, []byte, note.Signer) { <-hang }),
		impostor(t, 2, func(w http.ResponseWriter, _ []byte, _ note.Signer) {
			_, _ = io.WriteString(w, strings.Repeat("— x AAAA\n", 1<<20))
		}),
		impostor(t, 3, func(w http.ResponseWriter, signed []byte, _ note.Signer) { // somebody else's
			line, _ := tlog.Cosign(signed, stranger)
			_, _ = w.Write(line)
		}),
		impostor(t, 4, func(w http.ResponseWriter, signed []byte, signer note.Signer) { // of another text
			line, _ := tlog.Cosign(bytes.Replace(signed, []byte("\n1"), []byte("\n2"), 1), signer)
			_, _ = w.Write(bytes.Replace(line, []byte("A"), []byte("B"), 1))
		}),
		impostor(t, 5, func(w http.ResponseWriter, _ []byte, _ note.Signer) {
			_, _ = io.WriteString(w, "— impostor-5.example AAAA\n\n— lottery.example/log AAAA\n")
		}),
		impostor(t, 6, func(w http.ResponseWriter, signed []byte, signer note.Signer) { // the right line among others
			line, _ := tlog.Cosign(signed, signer)
			other, _ := tlog.Cosign(signed, stranger)
			_, _ = w.Write(append(other, line...))
		}),
		{URL: "http://127.0.0.1:1", Key: good.Key[:strings.Index(good.Key, "+")] + "2" + good.Key[strings.Index(good.Key, "+"):]},
		good,
	}
	all[6] = impostor(t, 7, func(w http.ResponseWriter, _ []byte, _ note.Signer) { w.WriteHeader(http.StatusConflict) })
	t.Cleanup(func() { close(hang) }) // before the servers close
	o := central.DefaultOptions(dir)
	o.Seed = &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(7)}
	o.PublicLog = &central.PublicLog{Interval: 20 * time.Millisecond, Witnesses: all, Quorum: 2}
	c := start(t, o)
	send(t, c, 1, 1, 7)
	if err := c.Ledger.Finish(t.Context(), 1, 1, 0, nil); err != nil {
		t.Fatal(err)
	}
	signed := published(t, dir, "draws/1/sealed.checkpoint")
	policy, err := tlog.ParsePolicy([]byte("log " + key.Verifier + "\nwitness good " + good.Key + "\nwitness six " + all[5].Key + "\ngroup both all good six\nquorum both\n"))
	if err != nil {
		t.Fatal(err)
	}
	at, err := policy.VerifyCheckpoint(signed)
	if err == nil {
		err = policy.Quorum(at)
	}
	if n, bad := tlog.CountSignatures(signed); err != nil || bad != nil || n != 3 {
		t.Errorf("the seal has %d signatures, want the log's and two witnesses' (%v, %v):\n%s", n, err, bad, signed)
	}
	outcome, err := receipt.ParseOutcome(published(t, dir, "draws/1/outcome.json"))
	if err != nil {
		t.Fatal(err)
	}
	if last, err := policy.VerifyCheckpoint([]byte(outcome.Checkpoint)); err != nil || policy.Quorum(last) != nil {
		t.Errorf("the outcome's checkpoint: %v", err)
	}
}

// Without enough witnesses what is shown is marked, and the draw has no outcome; with them, and after a start, it is final.
func TestTooFewWitnesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := logKey(t, dir)
	one, two := tower(t, "one.example", key.Verifier), tower(t, "two.example", key.Verifier)
	o := central.DefaultOptions(dir)
	o.Seed = &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(7)}
	o.PublicLog = &central.PublicLog{Interval: 20 * time.Millisecond, Witnesses: []central.Witness{one, {URL: "http://127.0.0.1:1", Key: two.Key}}, Quorum: 2}
	t.Run("one is away", func(t *testing.T) {
		c := start(t, o)
		send(t, c, 1, 1, 7)
		if err := c.Ledger.Finish(t.Context(), 1, 1, 0, nil); err != nil {
			t.Fatal(err)
		}
		published(t, dir, "draws/1/sealed.unwitnessed")
		await(t, c, "1", "drawn")
		for _, name := range []string{"sealed.checkpoint", "outcome.json"} {
			if _, err := os.Stat(filepath.Join(dir, publish.FolderName, "draws", "1", name)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is shown with too few witnesses (%v)", name, err)
			}
		}
	})
	o.PublicLog.Witnesses[1] = two
	start(t, o)
	published(t, dir, "draws/1/outcome.json")
	if _, err := os.Stat(filepath.Join(dir, publish.FolderName, "draws", "1", "sealed.unwitnessed")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the unwitnessed one is still there: %v", err)
	}
}

// Before anything is signed after a start, the witnesses say what they have seen. A restored backup that has less, with its public folder,
// would fork the log.
func TestARestoreThatForgotWhatWasShownSignsNothing(t *testing.T) {
	t.Parallel()
	dir, old := t.TempDir(), t.TempDir()
	key := logKey(t, dir)
	w := tower(t, "w.example", key.Verifier)
	o := central.DefaultOptions(dir)
	o.Seed = &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(7)}
	o.PublicLog = &central.PublicLog{Interval: 20 * time.Millisecond, Witnesses: []central.Witness{w}}
	t.Run("the day", func(t *testing.T) {
		c := start(t, o)
		send(t, c, 1, 1, 7)
		published(t, dir, "checkpoint")
	})
	if err := os.CopyFS(filepath.Join(old, "copy"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(old, "copy", publish.KeyName), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("goes on", func(t *testing.T) {
		c := start(t, o)
		send(t, c, 1, 2, 8)
		if err := c.Ledger.Finish(t.Context(), 1, 1, 0, nil); err != nil {
			t.Fatal(err)
		}
		published(t, dir, "draws/1/outcome.json")
	})
	restored := o
	restored.Dir = filepath.Join(old, "copy")
	before := published(t, restored.Dir, "checkpoint")
	_, err := central.Open(t.Context(), restored)
	if err == nil || !strings.Contains(err.Error(), "has cosigned") || !strings.Contains(err.Error(), "Nothing was signed") {
		t.Errorf("a restored journal starts: %v", err)
	}
	if now := published(t, restored.Dir, "checkpoint"); !bytes.Equal(before, now) {
		t.Error("a checkpoint was signed")
	}
	// The witness being away holds nothing up.
	o.PublicLog.Witnesses = []central.Witness{{URL: "http://127.0.0.1:1", Key: w.Key}}
	c, err := central.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

var exhaustive = flag.Bool("exhaustive", false, "publish a draw of a million batches of one bet, not of thirty thousand")

// The seal of a draw, with its witnesses, waits for nothing that another draw publishes.
func TestASealWaitsForNoOtherDraw(t *testing.T) {
	t.Parallel()
	batches := 30_000
	if *exhaustive {
		batches = 1_000_000
	}
	dir := t.TempDir()
	key := logKey(t, dir)
	o := central.DefaultOptions(dir)
	o.Seed = &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(7)}
	o.PublicLog = &central.PublicLog{Witnesses: []central.Witness{tower(t, "w.example", key.Verifier)}}
	c := start(t, o)
	other, err := c.Ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "other", Agencies: 1, Rule: draw.FixedNumber(1)})
	if err != nil {
		t.Fatal(err)
	}
	send(t, c, other.Seq, 1, 1)
	fill(t, c, 1, batches)
	// Draw 1 ends, and all that it has to publish begins; a moment later the other one ends.
	if err := c.Ledger.Finish(t.Context(), 1, 1, 0, nil); err != nil {
		t.Fatal(err)
	}
	await(t, c, "1", "drawn")
	began := time.Now()
	if err := c.Ledger.Finish(t.Context(), other.Seq, 1, 0, nil); err != nil {
		t.Fatal(err)
	}
	published(t, dir, "draws/other/sealed.checkpoint")
	took := time.Since(began)
	_, err = os.Stat(filepath.Join(dir, publish.FolderName, "draws", "1", "outcome.json"))
	busy := errors.Is(err, fs.ErrNotExist)
	t.Logf("the other draw's seal was cosigned after %v; draw 1's %d batches were being published: %t", took.Round(time.Millisecond), batches, busy)
	if *exhaustive && !busy {
		t.Error("draw 1 was published before, so the test has shown nothing")
	}
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, publish.FolderName, "draws", "1", "outcome.json")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("draw 1 was not published in five minutes")
		}
	}
	t.Logf("draw 1 was published after %v", time.Since(began).Round(time.Millisecond))
}

// fill stores batches of one bet.
func fill(t *testing.T, c *central.Central, draw uint64, batches int) {
	t.Helper()
	const window = 512
	all := make([]*ledger.Submission, window)
	for n := range batches + window {
		if s := all[n%window]; s != nil {
			if _, err := s.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		all[n%window] = nil
		if n >= batches {
			continue
		}
		s := &ledger.Submission{Draw: draw, Agency: 1, Batch: uint64(n) + 1, Frame: fmt.Appendf(nil, "Ana,Paz,%d,1990-01-01,%d\n", n, n%10000)}
		if err := c.Ledger.Submit(s); err != nil {
			t.Fatal(err)
		}
		all[n%window] = s
	}
}

// send stores a batch of one bet.
func send(t *testing.T, c *central.Central, draw, batch uint64, number int) {
	t.Helper()
	s := &ledger.Submission{Draw: draw, Agency: 1, Batch: batch, Frame: fmt.Appendf(nil, "Ana,Paz,%d,1990-01-01,%d\n", batch, number)}
	if err := c.Ledger.Submit(s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil {
		t.Fatal(err)
	}
}

// published waits for a published file.
func published(t *testing.T, dir, name string) []byte {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
		data, err := os.ReadFile(filepath.Join(dir, publish.FolderName, filepath.FromSlash(name)))
		if err == nil {
			return data
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
