// Package publishtest runs a lottery that publishes its log on a real disk, for the tests of whoever reads it.
package publishtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/tlog"
)

// Desk is a lottery that publishes, on a real disk.
type Desk struct {
	Dir     string // its data folder
	Journal *local.Journal
	Ledger  *ledger.Ledger
	Key     publish.Key
	*publish.Publisher
	t    testing.TB
	now  func() time.Time
	stop func()
}

// Start opens a lottery whose first draw, "1", expects some agencies and has the number 7574.
func Start(t testing.TB, agencies uint32) *Desk { return StartAt(t, agencies, time.Now) }

// StartAt is Start by another clock.
func StartAt(t testing.TB, agencies uint32, now func() time.Time) *Desk {
	d := &Desk{t: t, now: now, Dir: t.TempDir()}
	d.Open(agencies)
	t.Cleanup(d.Close)
	return d
}

// Open opens it, again where it was closed.
func (d *Desk) Open(agencies uint32) {
	d.t.Helper()
	if err := d.Try(agencies); err != nil {
		d.t.Fatal(err)
	}
}

// Try is Open that may fail.
func (d *Desk) Try(agencies uint32) (err error) {
	if d.Journal, err = local.Open(filepath.Join(d.Dir, "journal"), local.Options{}); err != nil {
		return err
	}
	o := ledger.Options{Dir: d.Dir, Public: true, Now: d.now, Seed: &ledger.Seed{ID: "1", Agencies: agencies, Rule: draw.FixedNumber(7574)}}
	if d.Ledger, err = ledger.Open(context.Background(), d.Journal, o); err != nil {
		return errors.Join(err, d.Journal.Close())
	}
	if d.Key, err = publish.LoadKey(filepath.Join(d.Dir, publish.KeyName), "lottery.example/log"); err == nil {
		d.Publisher, err = publish.Open(context.Background(), publish.Options{
			Dir: filepath.Join(d.Dir, "public"), Key: d.Key, Ledger: d.Ledger, Log: slog.New(slog.DiscardHandler),
		})
	}
	if err != nil {
		return errors.Join(err, d.Ledger.Close(), d.Journal.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	d.stop = func() { cancel(); <-done }
	return nil
}

// Close stops it; its folder stays.
func (d *Desk) Close() {
	if d.stop == nil {
		return
	}
	d.stop()
	d.stop = nil
	if err := errors.Join(d.Ledger.Close(), d.Journal.Close()); err != nil {
		d.t.Error(err)
	}
}

// Send stores a batch of bets on the given numbers.
func (d *Desk) Send(n uint64, agency quiniela.Agency, batch uint64, numbers ...int) {
	d.t.Helper()
	var lines []byte
	for i, number := range numbers {
		lines = fmt.Appendf(lines, "Ana,Paz,%d,1990-01-01,%d\n", 1000*int(batch)+i, number)
	}
	s := &ledger.Submission{Draw: n, Agency: agency, Batch: batch, Frame: lines}
	if err := d.Ledger.Submit(s); err != nil {
		d.t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil {
		d.t.Fatal(err)
	}
}

// Finish says that an agency has sent all.
func (d *Desk) Finish(n uint64, agency quiniela.Agency) {
	d.t.Helper()
	if err := d.Ledger.Finish(d.t.Context(), n, agency, 0); err != nil {
		d.t.Fatal(err)
	}
}

// Path is a published file's.
func (d *Desk) Path(name string) string {
	return filepath.Join(d.Dir, "public", filepath.FromSlash(name))
}

// File waits for a published file.
func (d *Desk) File(name string) []byte {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		data, err := os.ReadFile(d.Path(name))
		if err == nil {
			return data
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s is not published: %v", name, err)
		}
	}
}

// Policy believes the log's key and asks for no witness.
func (d *Desk) Policy() *tlog.Policy {
	d.t.Helper()
	p, err := tlog.ParsePolicy([]byte("log " + d.Key.Verifier + "\nquorum none\n"))
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}
