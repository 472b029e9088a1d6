package publish_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/internal/publish/publishtest"
	"quiniela/tlog"
	"quiniela/verify"
)

// still returns a second publisher of a desk's log, into a folder of its own. It publishes only when it is told to.
func still(t *testing.T, d *publishtest.Desk) (p *publish.Publisher, path func(name string) string) {
	t.Helper()
	o := publish.Options{Dir: filepath.Join(t.TempDir(), "public"), Key: d.Key, Ledger: d.Ledger, Log: slog.New(slog.DiscardHandler)}
	return open(t, o), func(name string) string { return filepath.Join(o.Dir, filepath.FromSlash(name)) }
}

func open(t *testing.T, o publish.Options) *publish.Publisher {
	t.Helper()
	p, err := publish.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A file that says that others are there is not written after one of them has failed.
func TestAFailureStopsTheFilesThatFollow(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574, 2)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	p, path := still(t, d)
	publish := func() error { return errors.Join(p.PublishSeals(t.Context()), p.PublishDraws(t.Context())) }
	for _, c := range []struct{ fails, last string }{
		{"draws/1/open", "draws.txt"},
		{"draws/1/totals", "draws/1/sealed.checkpoint"},
		{"draws/1/seal", "draws/1/sealed.checkpoint"},
		{"draws/1/winners", "draws/1/outcome.json"},
		{"draws/1/batches/0", "draws/1/outcome.json"},
		{"draws/1/result", "draws/1/outcome.json"},
	} {
		if err := os.MkdirAll(path(c.fails), 0o755); err != nil { // no file can be put there
			t.Fatal(err)
		}
		if err := publish(); err == nil {
			t.Errorf("%s is a folder, and all went well", c.fails)
		}
		if _, err := os.Stat(path(c.last)); err == nil {
			t.Errorf("%s was not written, and %s was", c.fails, c.last)
		}
		if err := os.RemoveAll(path(c.fails)); err != nil {
			t.Fatal(err)
		}
	}
	if err := publish(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"draws/1/sealed.checkpoint", "draws/1/outcome.json"} {
		if _, err := os.Stat(path(name)); err != nil {
			t.Error(err)
		}
	}
}

// A checkpoint speaks of tiles, so it is not written before they are on disk.
func TestNoCheckpointOfTilesThatMayBeLost(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	p, path := still(t, d)
	before, err := os.ReadFile(path("checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	d.Send(1, 1, 1, 7574)
	p.FailFlush()
	if err := p.PublishLog(t.Context()); err == nil {
		t.Fatal("a flush failed, and all went well")
	}
	if now, err := os.ReadFile(path("checkpoint")); err != nil || !bytes.Equal(now, before) {
		t.Errorf("there is a new checkpoint (%v)", err)
	}
}

// What is shown as final has the signatures that the operator asks for; until then it is marked. A start changes nothing of that.
func TestNothingIsFinalBeforeItsWitnesses(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	signer, key, err := tlog.NewWitnessKey("witness.example", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := tlog.ParsePolicy([]byte("log " + d.Key.Verifier + "\nwitness w " + key + "\nquorum w\n"))
	if err != nil {
		t.Fatal(err)
	}
	enough, asked := false, 0
	o := publish.Options{Dir: filepath.Join(t.TempDir(), "public"), Key: d.Key, Ledger: d.Ledger, Log: slog.New(slog.DiscardHandler)}
	o.Cosign = func(_ context.Context, signed []byte, _ ledger.Log) ([]byte, bool) {
		asked++
		if !enough {
			return signed, false
		}
		line, err := tlog.Cosign(signed, signer)
		if err == nil {
			signed, err = tlog.AddSignatures(signed, line)
		}
		return signed, err == nil
	}
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(o.Dir, "draws", "1", name))
		return err == nil
	}
	p := open(t, o)
	round := func() {
		t.Helper()
		if err := errors.Join(p.PublishSeals(t.Context()), p.PublishDraws(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	round()
	if !there("sealed.unwitnessed") || there("sealed.checkpoint") || there("outcome.json") || asked != 1 {
		t.Errorf("without a witness, asked %d times: unwitnessed %t, sealed %t, outcome %t", asked, there("sealed.unwitnessed"), there("sealed.checkpoint"), there("outcome.json"))
	}
	if round(); asked != 1 {
		t.Errorf("the witnesses were asked again at once")
	}
	enough = true
	p.RetryNow()
	round()
	if there("sealed.unwitnessed") || !there("sealed.checkpoint") || !there("outcome.json") {
		t.Errorf("with the witness: unwitnessed %t, sealed %t, outcome %t", there("sealed.unwitnessed"), there("sealed.checkpoint"), there("outcome.json"))
	}
	outcome, err := os.ReadFile(filepath.Join(o.Dir, "draws", "1", "outcome.json"))
	if err != nil {
		t.Fatal(err)
	}
	if found, _ := verify.Outcome(outcome, policy, nil); !found.Passed() {
		t.Errorf("under the policy: %+v", found)
	}
	o.Cosign = func(context.Context, []byte, ledger.Log) ([]byte, bool) {
		t.Error("asked again after a start")
		return nil, false
	}
	p = open(t, o)
	round()
	if now, err := os.ReadFile(filepath.Join(o.Dir, "draws", "1", "outcome.json")); err != nil || !bytes.Equal(now, outcome) {
		t.Errorf("the outcome changed (%v)", err)
	}
}

// Witnesses that are away cost a question every few seconds, and not the reading of all bets each time.
func TestADrawIsLaidOutOnce(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	asked := 0
	o := publish.Options{Dir: filepath.Join(t.TempDir(), "public"), Key: d.Key, Ledger: d.Ledger, Log: slog.New(slog.DiscardHandler)}
	o.Cosign = func(_ context.Context, signed []byte, _ ledger.Log) ([]byte, bool) {
		asked++
		return signed, asked != 2 // the first time it is the seal, and then the outcome
	}
	p := open(t, o)
	if err := errors.Join(p.PublishSeals(t.Context()), p.PublishDraws(t.Context())); err != nil {
		t.Fatal(err)
	}
	bets, outcome := filepath.Join(o.Dir, "draws", "1", "batches", "0"), filepath.Join(o.Dir, "draws", "1", "outcome.json")
	if _, err := os.Stat(outcome); err == nil || asked != 2 {
		t.Fatalf("the witnesses were asked %d times, and the outcome is there: %t", asked, err == nil)
	}
	if err := os.Remove(bets); err != nil { // who puts it again has read all bets again
		t.Fatal(err)
	}
	p.RetryNow()
	if err := p.PublishDraws(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(outcome); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(bets); err == nil {
		t.Error("all bets were read and put again")
	}
}
