package ledger_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
)

func (m *machine) openDraw(id string, agencies uint32, closes time.Time, rule draw.Rule) ledger.Draw {
	m.t.Helper()
	d, err := m.OpenDraw(m.t.Context(), ledger.Actor{}, ledger.Terms{ID: id, Agencies: agencies, Closes: closes, Rule: rule})
	if err != nil {
		m.t.Fatalf("open draw %s: %v", id, err)
	}
	return d
}

func (m *machine) sendTo(d uint64, agency quiniela.Agency, batch uint64, want quiniela.Code, numbers ...int) {
	m.t.Helper()
	s := submission(agency, batch, numbers...)
	s.Draw = d
	if _, err := m.send(s); quiniela.CodeOf(err) != want || want == "" && err != nil {
		m.t.Fatalf("batch %d of agency %d for draw %d: %v, want code %q", batch, agency, d, err, want)
	}
}

// wait returns the draw once it has a state.
func (m *machine) wait(id, state string) ledger.Draw {
	m.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		d, err := m.FindDraw(m.t.Context(), id)
		if err == nil && d.State() == state {
			return d
		}
		if err != nil || time.Now().After(deadline) {
			m.t.Fatalf("draw %s is %s (%v), want %s", id, d.State(), err, state)
		}
	}
}

func TestSeveralDrawsAtOnce(t *testing.T) {
	m := start(t, 1)
	night := m.openDraw("night", 2, time.Time{}, draw.FixedNumber(9))
	late := m.openDraw("late", 1, time.Time{}, draw.FixedNumber(10))
	m.sendTo(0, 1, 1, "", 7574, 9, 10)
	m.sendTo(night.Seq, 1, 1, "", 9, 9)
	m.sendTo(night.Seq, 2, 1, "", 9)
	m.sendTo(late.Seq, 1, 1, "", 10)
	m.sendTo(late.Seq, 2, 1, quiniela.NoAgency, 10)
	m.sendTo(77, 1, 1, quiniela.NoDraw, 10)

	m.finish(1, 1, "")
	m.wait("1", "drawn")
	// The first is over, so the next one is the current draw.
	if d, err := m.FindDraw(t.Context(), ""); err != nil || d.ID != "night" {
		t.Fatalf("unnamed is %q, %v; want night", d.ID, err)
	}
	m.sendTo(0, 1, 2, "", 1)
	for a := range quiniela.Agency(2) {
		if err := m.Finish(t.Context(), night.Seq, a+1, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	m.wait("night", "drawn")
	m.sendTo(late.Seq, 1, 2, "", 3)

	check := func() {
		t.Helper()
		for a, want := range map[quiniela.Agency][]string{1: {"1001000", "1001001"}, 2: {"2001000"}} {
			if got, _, err := documents(m.Ledger, night.Seq, a); err != nil || !slices.Equal(got, want) {
				t.Fatalf("winners of night: %q, %v", got, err)
			}
		}
		if got, _, err := documents(m.Ledger, 1, 1); err != nil || !slices.Equal(got, []string{"1001000"}) {
			t.Fatalf("winners of the first draw: %q, %v", got, err)
		}
		counts, err := m.CountWinners(t.Context(), "night", 0, 10)
		if want := []ledger.AgencyCount{{Agency: 1, Winners: 2}, {Agency: 2, Winners: 1}}; err != nil || !cmp.Equal(counts, want) {
			t.Fatalf("counts of night: %v, %v", counts, err)
		}
		if counts, err := m.CountWinners(t.Context(), "night", 2, 1); err != nil || !cmp.Equal(counts, []ledger.AgencyCount{{Agency: 2, Winners: 1}}) {
			t.Fatalf("counts from agency 2: %v, %v", counts, err)
		}
		if counts, err := m.CountWinners(t.Context(), "night", 0, 1); err != nil || !cmp.Equal(counts, []ledger.AgencyCount{{Agency: 1, Winners: 2}}) {
			t.Fatalf("one count: %v, %v", counts, err)
		}
		progress, err := m.Progress(t.Context(), "night", 0, 10)
		for i := range progress {
			progress[i].Seen = time.Time{}
		}
		wantProgress := []ledger.AgencyProgress{{Agency: 1, Batches: 2, Bets: 3, Finished: true}, {Agency: 2, Batches: 1, Bets: 1, Finished: true}}
		if err != nil || !cmp.Equal(progress, wantProgress) {
			t.Fatalf("progress: %+v, %v", progress, err)
		}
		tally, err := m.Tally(t.Context(), "night")
		if err != nil || tally.On(4, 9) != 3 || tally.On(4, 1) != 1 || tally.On(4, 10) != 0 {
			t.Fatalf("tally: 9: %d, 1: %d, 10: %d, %v", tally.On(4, 9), tally.On(4, 1), tally.On(4, 10), err)
		}
		if d := m.wait("late", "open"); d.Bets != 2 {
			t.Fatalf("late has %d bets, want 2", d.Bets)
		}
	}
	check()
	before, err := m.Draws(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.restart(1)
	check()
	m.stop()
	m.fs = vfs.NewMem() // the state is gone, and comes back from the journal
	m.open(1)
	check()
	if after, err := m.Draws(t.Context()); err != nil || !cmp.Equal(before, after) {
		t.Fatalf("rebuilt otherwise: %v\n%s", err, cmp.Diff(before, after))
	}
}

func TestATallyCountsWhatHasComeSince(t *testing.T) {
	m := start(t, 2)
	for i := range 3 {
		m.mustSend(1, uint64(i+1), 5, 5)
		m.mustSend(2, uint64(i+1), 5)
		want := uint64(3 * (i + 1))
		for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) { // it may be a second old
			tally, err := m.Tally(t.Context(), "")
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("after %d rounds: %d bets on 5, want %d: %v", i+1, tally.On(4, 5), want, err)
			}
			if tally.On(4, 5) == want {
				break
			}
		}
	}
}

func TestANameIsUsedOnce(t *testing.T) {
	m := start(t, 1)
	open := func(id string, agencies uint32, closes time.Time, rule draw.Rule) error {
		_, err := m.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: id, Agencies: agencies, Closes: closes, Rule: rule})
		return err
	}
	for name, row := range map[string]struct {
		err  error
		want quiniela.Code
	}{
		"taken":         {open("1", 1, time.Time{}, draw.FixedNumber(1)), quiniela.NoDraw},
		"empty":         {open("", 1, time.Time{}, draw.FixedNumber(1)), quiniela.Invalid},
		"a path":        {open("../x", 1, time.Time{}, draw.FixedNumber(1)), quiniela.Invalid},
		"nobody":        {open("a", 0, time.Time{}, draw.FixedNumber(1)), quiniela.Invalid},
		"in the past":   {open("b", 1, time.Now().Add(-time.Hour), draw.FixedNumber(1)), quiniela.Invalid},
		"no number":     {open("c", 1, time.Time{}, draw.Rule{Source: quiniela.SourceFixed}), quiniela.Invalid},
		"early number":  {open("d", 1, time.Time{}, draw.Rule{Source: quiniela.SourceNotary, Fixed: new(quiniela.Number)}), quiniela.Invalid},
		"unknown rule":  {open("e", 1, time.Time{}, draw.Rule{Source: "dice"}), quiniela.Invalid},
		"a long number": {open("f", 1, time.Time{}, draw.FixedNumber(10000)), quiniela.Invalid},
	} {
		if quiniela.CodeOf(row.err) != row.want {
			t.Errorf("%s: %v, want code %q", name, row.err, row.want)
		}
	}
	if all, err := m.Draws(t.Context()); err != nil || len(all) != 1 {
		t.Fatalf("%d draws, %v", len(all), err)
	}
}

func TestAnOperatorClosesWithAgenciesMissing(t *testing.T) {
	m := start(t, 3)
	m.mustSend(1, 1, 7574)
	m.finish(1, 1, "")
	m.mustSend(2, 1, 7574)
	if _, err := m.CloseDraw(t.Context(), ledger.Actor{}, "nothing", ""); quiniela.CodeOf(err) != quiniela.NoDraw {
		t.Fatalf("close a draw that is not there: %v", err)
	}
	if _, err := m.CloseDraw(t.Context(), ledger.Actor{}, "1", "two\nlines"); quiniela.CodeOf(err) != quiniela.Invalid {
		t.Fatalf("a note of two lines: %v", err)
	}
	if _, err := m.CloseDraw(t.Context(), ledger.Actor{}, "1", "agency 2 lost its line"); err != nil {
		t.Fatal(err)
	}
	m.refused(quiniela.Closed, 2, 2, 7574)
	m.finish(2, 0, quiniela.Closed)
	m.mustSend(2, 1, 7574) // a repeat gets its answer
	if _, err := m.CloseDraw(t.Context(), ledger.Actor{}, "1", ""); quiniela.CodeOf(err) != quiniela.Closed {
		t.Fatalf("close it twice: %v", err)
	}
	m.winners(2, "2001000")
	for range 2 {
		d := m.wait("1", "drawn")
		if d.SealedBy != "operator" || d.Note != "agency 2 lost its line" || d.Finished != 1 || d.SealedAt.IsZero() {
			t.Fatalf("recorded as %+v", d)
		}
		m.restart(3)
	}
}

func TestANotaryEntersTheNumber(t *testing.T) {
	m := start(t, 1)
	d := m.openDraw("official", 1, time.Time{}, draw.Rule{Source: quiniela.SourceNotary})
	m.sendTo(d.Seq, 1, 1, "", 42, 43)
	enter := func(id string, n quiniela.Number, want quiniela.Code) {
		t.Helper()
		if _, err := m.EnterNumber(t.Context(), ledger.Actor{}, id, n, nil); quiniela.CodeOf(err) != want || want == "" && err != nil {
			t.Fatalf("enter %d for %s: %v, want code %q", n, id, err, want)
		}
	}
	enter("official", 42, quiniela.Invalid) // it is open: the number would be known before the last bet
	enter("1", 42, quiniela.Invalid)
	enter("other", 42, quiniela.NoDraw)
	if err := m.Finish(t.Context(), d.Seq, 1, 1, nil); err != nil {
		t.Fatal(err)
	}
	m.wait("official", "sealed")
	m.restart(1) // and it goes on waiting
	enter("official", 10000, quiniela.Invalid)
	enter("official", 42, "")
	enter("official", 43, quiniela.Conflict)
	m.wait("official", "drawn")
	m.stop()
	m.fs = vfs.NewMem()
	m.open(1)
	if d := m.wait("official", "drawn"); *d.Entered != 42 || d.Result.Winners != 1 {
		t.Fatalf("recorded as %+v", d)
	}
	if got, _, err := documents(m.Ledger, d.Seq, 1); err != nil || !slices.Equal(got, []string{"1001000"}) {
		t.Fatalf("winners: %q, %v", got, err)
	}
}

// clock is one that the test sets.
type clock struct{ us atomic.Int64 }

func (c *clock) now() time.Time      { return time.UnixMicro(c.us.Load()) }
func (c *clock) add(d time.Duration) { c.us.Add(d.Microseconds()) }

func newClock() *clock {
	c := new(clock)
	c.us.Store(time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func TestTheClosingTimeIsTheServersClock(t *testing.T) {
	c := newClock()
	m := startAt(t, 1, c.now)
	d := m.openDraw("evening", 2, c.now().Add(time.Hour), draw.FixedNumber(5))
	m.sendTo(d.Seq, 1, 1, "", 5)
	c.add(time.Hour - time.Microsecond)
	m.sendTo(d.Seq, 1, 2, "", 5)
	c.add(time.Microsecond)
	m.sendTo(d.Seq, 1, 3, quiniela.Closed, 5) // by itself, without waiting for anybody to look at the clock
	c.add(-2 * time.Hour)                     // a clock that is set back opens nothing again
	m.sendTo(d.Seq, 1, 3, quiniela.Closed, 5)
	if d := m.wait("evening", "drawn"); d.SealedBy != "time" || d.Finished != 0 || d.Bets != 2 || d.Result.Winners != 2 {
		t.Fatalf("recorded as %+v", d)
	}
}

func TestTheClosingTimeComesWithNobodyAsking(t *testing.T) {
	c := newClock()
	m := startAt(t, 1, c.now)
	m.openDraw("evening", 2, c.now().Add(time.Hour), draw.FixedNumber(5))
	c.add(time.Hour)
	m.wait("evening", "drawn")
}

func TestTheClosingTimeComesWhileTheServerIsDown(t *testing.T) {
	c := newClock()
	m := startAt(t, 1, c.now)
	d := m.openDraw("evening", 2, c.now().Add(time.Hour), draw.FixedNumber(5))
	m.sendTo(d.Seq, 1, 1, "", 5)
	m.stop()
	c.add(2 * time.Hour)
	m.open(1)
	m.sendTo(d.Seq, 1, 2, quiniela.Closed, 5)
	m.wait("evening", "drawn")
}

// sharedJournal is one that others append to as well.
type sharedJournal struct{ journal.Journal }

func (sharedJournal) Follow(context.Context) <-chan struct{} { return nil }

// Two servers decide as one about draws, too.
func TestDrawsOverASharedJournal(t *testing.T) {
	m := start(t, 1)
	server := func(dir string) *ledger.Ledger {
		l, err := ledger.Open(context.Background(), sharedJournal{m.j}, ledger.Options{Dir: dir, FS: m.fs, Public: true, Seed: seed(1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	a, b := server("a"), server("b")
	if _, err := a.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "x", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.CloseDraw(t.Context(), ledger.Actor{}, "x", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := a.EnterNumber(t.Context(), ledger.Actor{}, "x", 3, nil); err != nil {
		t.Fatal(err)
	}
	two := ledger.Terms{ID: "two", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}, Two: true}
	if _, err := a.OpenDraw(t.Context(), person("ana"), two); err != nil {
		t.Fatal(err)
	}
	if _, err := b.CloseDraw(t.Context(), person("eva"), "two", ""); err != nil {
		t.Fatal(err)
	}
	if d, err := a.EnterNumber(t.Context(), person("ana"), "two", 3, nil); err != nil || d.Entered != nil {
		t.Fatalf("the first of two: %+v, %v", d, err)
	}
	change := journal.Act{What: journal.ActAgencyAdd, Who: "local:root", Registry: "r", Change: 1}
	for _, l := range []*ledger.Ledger{a, b} { // each has a copy of the registry
		if err := l.Record(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.EnterNumber(t.Context(), person("eva"), "two", 3, nil); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*ledger.Ledger{a, b} {
		m := &machine{t: t, Ledger: l}
		m.wait("x", "drawn")
		if d := m.wait("two", "drawn"); !slices.Equal(d.EnteredBy, []string{"ana", "eva"}) {
			t.Errorf("entered by %q", d.EnteredBy)
		}
		want := []string{"ana open two ", "eva close two ", "ana enter two the first of two", "local:root agency_add  ", "eva enter two 0003"}
		if diff := cmp.Diff(want, trail(t, l)); diff != "" {
			t.Error(diff)
		}
	}
}
