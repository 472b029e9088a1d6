// Package publishtest runs a lottery that publishes its log on a real disk, for the tests of whoever reads it.
package publishtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/tlog"
)

// Desk is a lottery that publishes, on a real disk. Its fields are new after each Open.
type Desk struct {
	Dir     string // its data folder
	Origin  string // its log's name
	Journal *local.Journal
	Ledger  *ledger.Ledger
	Key     publish.Key
	*publish.Publisher
	t    testing.TB
	now  func() time.Time
	stop func() error // nil where it is closed
}

// Start opens a lottery whose first draw, "1", expects some agencies and has the number 7574.
func Start(t testing.TB, agencies uint32) *Desk { return StartAt(t, agencies, time.Now) }

// StartAt is Start by another clock.
func StartAt(t testing.TB, agencies uint32, now func() time.Time) *Desk {
	d := &Desk{t: t, now: now, Dir: t.TempDir(), Origin: "lottery.example/log"}
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
func (d *Desk) Try(agencies uint32) error {
	o := central.DefaultOptions(d.Dir)
	o.PublicLog = &central.PublicLog{Origin: d.Origin, Interval: 50 * time.Millisecond} // tests wait for files
	o.Seed = &ledger.Seed{ID: "1", Agencies: agencies, Rule: draw.FixedNumber(7574)}
	o.Now = d.now
	c, err := central.Open(context.Background(), o)
	if err != nil {
		return err
	}
	d.Journal, d.Ledger, d.Publisher, d.Key = c.Journal.(*local.Journal), c.Ledger, c.Publisher, c.Publisher.Key
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx) }()
	d.stop = func() error {
		cancel()
		return errors.Join(<-served, c.Close())
	}
	return nil
}

// Close stops it; its folder stays.
func (d *Desk) Close() {
	if d.stop == nil {
		return
	}
	if err := d.stop(); err != nil {
		d.t.Error(err)
	}
	d.stop = nil
}

// Send stores a batch of bets on the given numbers.
func (d *Desk) Send(n uint64, agency quiniela.Agency, batch uint64, numbers ...int) {
	d.t.Helper()
	var lines []byte
	for i, number := range numbers {
		lines = fmt.Appendf(lines, "Ana,Paz,%d,1990-01-01,%d\n", 1000*int(batch)+i, number)
	}
	d.store(n, agency, batch, lines)
}

// Play stores a batch of bets of the game quiniela: number,stake[,from-to].
func (d *Desk) Play(n uint64, agency quiniela.Agency, batch uint64, plays ...string) {
	d.t.Helper()
	var lines []byte
	for i, play := range plays {
		lines = fmt.Appendf(lines, "Ana,Paz,%d,1990-01-01,%s\n", 1000*int(batch)+i, play)
	}
	d.store(n, agency, batch, lines)
}

func (d *Desk) store(n uint64, agency quiniela.Agency, batch uint64, lines []byte) {
	d.t.Helper()
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
	if err := d.Ledger.Finish(d.t.Context(), n, agency, 0, nil); err != nil {
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
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
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
	p, err := tlog.TrustLog(d.Key.Verifier)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}
