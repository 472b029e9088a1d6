package publish_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/internal/publish/publishtest"
	"quiniela/receipt"
	"quiniela/tlog"
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
	for _, c := range []struct{ fails, last string }{
		{"draws/1/totals", "draws/1/seal"},
		{"draws/1/sealed.checkpoint", "draws/1/seal"},
		{"draws/1/winners", "draws/1/outcome.json"},
		{"draws/1/result", "draws/1/outcome.json"},
	} {
		if err := os.MkdirAll(path(c.fails), 0o755); err != nil { // no file can be put there
			t.Fatal(err)
		}
		if err := p.PublishDraws(t.Context()); err == nil {
			t.Errorf("%s is a folder, and all went well", c.fails)
		}
		if _, err := os.Stat(path(c.last)); err == nil {
			t.Errorf("%s was not written, and %s was", c.fails, c.last)
		}
		if err := os.RemoveAll(path(c.fails)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.PublishDraws(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"draws/1/seal", "draws/1/outcome.json"} {
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

// After a start, receipts show the checkpoint that witnesses cosigned before it, and not a newer one without them.
func TestCosignaturesAreRememberedAfterAStart(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	signer, _, err := tlog.NewWitnessKey("witness.example", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	o := publish.Options{Dir: filepath.Join(t.TempDir(), "public"), Key: d.Key, Ledger: d.Ledger, Log: slog.New(slog.DiscardHandler)}
	o.Cosign = func(_ context.Context, signed []byte, _ ledger.Log) ([][]byte, error) {
		line, err := tlog.Cosign(signed, signer)
		return [][]byte{line}, err
	}
	for _, start := range []string{"the first", "the second"} {
		p := open(t, o)
		if err := p.PublishDraws(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := p.Receipt(t.Context(), 1, 1, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		r, err := receipt.ParseReceipt(text)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := tlog.CountSignatures([]byte(r.Checkpoint)); err != nil || n != 2 {
			t.Errorf("after %s start a receipt's checkpoint has %d signatures, %v; want 2", start, n, err)
		}
		o.Cosign = nil // the second start asks nobody
	}
}
