package ledger_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
	"quiniela/receipt"
	"quiniela/tlog"
)

// entries returns the whole public log, and checks that its root is that of its entries.
func entries(t *testing.T, l *ledger.Ledger) (all [][]byte) {
	t.Helper()
	log := l.Log()
	var f tlog.CompactRange
	for i := range log.Size {
		entry, err := log.Entry(i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry)
		f.Append(nil, tlog.LeafHash(entry))
	}
	if f.Root() != log.Root {
		t.Errorf("the root of %d entries is %v, and the log's %v", log.Size, f.Root(), log.Root)
	}
	if log.Size > 0 {
		if root, err := sumdb.TreeHash(log.Size, log); err != nil || root != log.Root {
			t.Errorf("the stored hashes give %v, %v; want %v", root, err, log.Root)
		}
	}
	return all
}

// busyDay is two draws and a half, in each other's way.
func busyDay(t *testing.T, m *machine) (night, late ledger.Draw) {
	night = m.openDraw("night", 2, time.Time{}, draw.Rule{Source: quiniela.SourceNotary})
	late = m.openDraw("late", 1, time.Time{}, draw.FixedNumber(10))
	m.sendTo(0, 1, 1, "", 7574, 9, 10)
	m.sendTo(night.Seq, 1, 1, "", 9, 9)
	m.sendTo(night.Seq, 2, 1, "", 9)
	m.sendTo(late.Seq, 1, 1, "", 10)
	m.sendTo(night.Seq, 1, 2, "", 4, 5, 6)
	m.finish(1, 1, "")
	m.wait("1", "drawn")
	for a := range quiniela.Agency(2) {
		if err := m.Finish(t.Context(), night.Seq, a+1, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.EnterNumber(t.Context(), ledger.Actor{}, "night", 9, bytes.Repeat([]byte{7}, 32)); err != nil {
		t.Fatal(err)
	}
	m.sendTo(late.Seq, 1, 2, "", 3)
	m.wait("night", "drawn")
	return night, late
}

func TestTheLogSaysWhatHappened(t *testing.T) {
	m := start(t, 1)
	night, _ := busyDay(t, m)
	all := entries(t, m.Ledger)
	var kinds []string
	for _, e := range all {
		first, _, _ := strings.Cut(string(e), "\n")
		if strings.HasPrefix(first, "QNB2") {
			first = "QNB2"
		}
		kinds = append(kinds, strings.TrimPrefix(first, "quiniela/v2/"))
	}
	open, batch, seal, result := "draw-open", "QNB2", "seal", "result"
	// When a result comes between the others' entries is for the draws to say.
	if got := strings.Join(kinds[:9], " "); got != strings.Join([]string{open, open, open, batch, batch, batch, batch, batch, seal}, " ") || len(all) != 13 {
		t.Errorf("the log has %d entries: %s", len(all), strings.Join(kinds, " "))
	}
	b, err := receipt.ParseBatchEntry(all[7])
	want := receipt.BatchEntry{Draw: 2, Agency: 1, Batch: 2, Count: 3, CumulativeBets: 5, Root: b.Root}
	if b.Received = 0; err != nil || b != want {
		t.Errorf("%+v, %v; want %+v", b, err, want)
	}
	next, err := m.AgencyBatches(t.Context(), night, 1, 2, 10, func(l ledger.Logged) error {
		root, err := receipt.Root(quiniela.Specified, l.Batch.Secret, l.Batch.Lines)
		if err != nil || l.Index != 7 || root != b.Root || l.Batch.Count != 3 || !bytes.Equal(l.Entry, all[7]) {
			t.Errorf("batch 2: %+v, %v", l, err)
		}
		return nil
	})
	if err != nil || next != 3 {
		t.Errorf("the next batch is %d, %v", next, err)
	}
	d := m.wait("night", "drawn")
	sealed, err := receipt.ParseSeal(all[d.SealIndex])
	if err == nil {
		err = sealed.CheckTotals(m.Totals(d))
	}
	if err != nil || sealed.Draw != 2 || sealed.Open != d.OpenIndex || sealed.Bets != 6 || sealed.Batches != 3 || sealed.Agencies != 2 || sealed.Missing != 0 || sealed.By != receipt.ClosedByAgencies {
		t.Errorf("%+v, %v", sealed, err)
	}
	r, err := receipt.ParseResult(all[d.ResultIndex])
	if err != nil || r.Number != 9 || r.Winners != 3 || r.Seal != d.SealIndex || r.Source != "notary" || len(r.Evidence) != 32 || kinds[d.ResultIndex] != result {
		t.Errorf("%+v, %v", r, err)
	}
}

// Whoever has the journal has the log: after a restart, on another machine, from the journal alone.
func TestTheLogIsDerivedFromTheJournal(t *testing.T) {
	m := start(t, 1)
	busyDay(t, m)
	want := entries(t, m.Ledger)
	other, err := ledger.Open(context.Background(), m.j, ledger.Options{Dir: "other", FS: vfs.NewMem(), Seed: seed(1)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, entries(t, other)); diff != "" {
		t.Errorf("another state of the same journal:\n%s", diff)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	m.restart(1)
	if diff := cmp.Diff(want, entries(t, m.Ledger)); diff != "" {
		t.Errorf("after a restart:\n%s", diff)
	}
	m.sendTo(3, 1, 3, "", 8)
	if now := entries(t, m.Ledger); len(now) != len(want)+1 || cmp.Diff(want, now[:len(want)]) != "" {
		t.Errorf("%d entries after one more batch, want %d, the first as before", len(now), len(want)+1)
	}
}

// private is a ledger whose draw 1 is not in the public log.
func private(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, fs: vfs.NewMem(), now: time.Now}
	t.Cleanup(m.stop)
	var err error
	if m.j, err = m.disk.Open(); err != nil {
		t.Fatal(err)
	}
	if m.Ledger, err = ledger.Open(context.Background(), m.j, ledger.Options{Dir: "data", FS: m.fs, Seed: seed(1)}); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestADrawThatIsNotPublicIsNotInTheLog(t *testing.T) {
	m := private(t)
	m.sendTo(0, 1, 1, "", 1)
	if n := m.Log().Size; n != 0 {
		t.Errorf("%d entries of a draw that is not public", n)
	}
	d := m.wait("1", "open")
	if _, err := m.AgencyBatches(t.Context(), d, 1, 1, 1, func(ledger.Logged) error { return nil }); quiniela.CodeOf(err) != quiniela.Absent {
		t.Errorf("its batch can be proven: %v", err)
	}
	if _, err := m.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "b", Agencies: 1, Closes: time.Now().Add(time.Hour), Rule: draw.Rule{Source: quiniela.SourceBeacon}}); quiniela.CodeOf(err) != quiniela.Invalid {
		t.Errorf("a beacon's draw outside the log: %v", err)
	}
	// From now on draws are public; the log counts its own.
	m.stop()
	m.open(1)
	x := m.openDraw("x", 1, time.Time{}, draw.FixedNumber(1))
	m.sendTo(0, 1, 2, "", 1)
	m.sendTo(x.Seq, 1, 1, "", 1)
	all := entries(t, m.Ledger)
	if len(all) != 2 || x.LogSeq != 1 {
		t.Errorf("%d entries, and the draw is number %d of the log", len(all), x.LogSeq)
	}
}

// A batch that was on its way when its draw was opened has a root like any other.
func TestABatchMayOvertakeItsDraw(t *testing.T) {
	m := start(t, 1)
	s := submission(1, 1, 5)
	s.Draw = 2
	errs := make(chan error, 1)
	go func() { errs <- m.Submit(s) }()
	m.openDraw("x", 1, time.Time{}, draw.FixedNumber(1))
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil && quiniela.CodeOf(err) != quiniela.NoDraw {
		t.Fatal(err)
	}
	entries(t, m.Ledger)
}

// Whatever an operator may type is refused, or can be written into the log: nothing that passes the checks stops the ledger.
func TestWhatAnOperatorTypesStopsNothing(t *testing.T) {
	m := start(t, 1)
	texts := []string{"", "-", "--", "- ", " -", " x", "x ", "\u00a0x", "x\u2028", "x\u3000", "a\nb", "\xff", "ñ", "—", strings.Repeat("𐍈", 200), strings.Repeat("x", 201), "\u200b", "a|b", "quiniela/v2/seal"}
	for i, text := range texts {
		id := fmt.Sprintf("d%d", i)
		m.openDraw(id, 1, time.Time{}, draw.FixedNumber(1))
		if _, err := m.CloseDraw(t.Context(), ledger.Actor{}, id, text); err != nil && quiniela.CodeOf(err) != quiniela.Invalid {
			t.Fatalf("the note %q: %v", text, err)
		}
		_, err := m.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: text, Agencies: 1, Rule: draw.FixedNumber(1)})
		if err != nil && quiniela.CodeOf(err) != quiniela.Invalid {
			t.Fatalf("the name %q: %v", text, err)
		}
		if err := m.Err(); err != nil {
			t.Fatalf("%q stops the ledger: %v", text, err)
		}
	}
	m.sendTo(1, 1, 1, "", 5)
}

// The batches of a draw come in the log's order, however many others are among them, and in pieces of any size.
func TestTheBatchesOfADraw(t *testing.T) {
	m := start(t, 2)
	x := m.openDraw("x", 2, time.Time{}, draw.FixedNumber(1))
	want := map[uint64][]string{}
	for n := range uint64(200) {
		for _, agency := range []quiniela.Agency{1, 2} {
			m.sendTo(1, agency, n+1, "", int(n))
			want[1] = append(want[1], fmt.Sprintf("%d/%d", agency, n+1))
		}
		if n%90 == 0 { // so far apart that they are looked up one by one
			m.sendTo(x.Seq, 2, n/90+1, "", 5)
			want[x.Seq] = append(want[x.Seq], fmt.Sprintf("2/%d", n/90+1))
		}
	}
	one := m.wait("1", "open")
	for _, d := range []ledger.Draw{one, x} {
		for _, most := range []int{1, 7, 256, 1000} {
			var got []string
			last := uint64(0)
			for from := uint64(0); ; {
				next, err := m.Batches(t.Context(), d, from, most, func(l ledger.Logged) error {
					if l.Index <= last {
						t.Errorf("entry %d comes after entry %d", l.Index, last)
					}
					last = l.Index
					got = append(got, fmt.Sprintf("%d/%d", l.Batch.Agency, l.Batch.Batch))
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if next == from {
					break
				}
				from = next
			}
			if diff := cmp.Diff(want[d.Seq], got); diff != "" {
				t.Errorf("draw %s by %d: %s", d.ID, most, diff)
			}
		}
	}
}

// round1000 is Quicknet's, published on 23 August 2023.
const round1000 = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"

func beacon(t *testing.T, round uint64, signature string) (b draw.Beacon) {
	t.Helper()
	raw, err := hex.DecodeString(signature)
	if err != nil || len(raw) != len(b.Signature) {
		t.Fatal(err)
	}
	b.Round = round
	copy(b.Signature[:], raw)
	return b
}

// evening opens a draw that takes round 1000, with the clock set back to the day of it.
func evening(t *testing.T) (*machine, *clock, ledger.Draw) {
	c := newClock()
	at := draw.Quicknet().TimeOf(1000)
	c.add(at.Add(-ledger.Margin - time.Hour).Sub(c.now()))
	m := startAt(t, 1, c.now)
	d := m.openDraw("evening", 1, at.Add(-ledger.Margin), draw.Rule{Source: quiniela.SourceBeacon})
	if d.Rule.Round != 1000 {
		t.Fatalf("the draw takes round %d, want 1000", d.Rule.Round)
	}
	return m, c, d
}

func TestABeaconsDraw(t *testing.T) {
	m, c, d := evening(t)
	good := beacon(t, 1000, round1000)
	enter := func(what string, b draw.Beacon, want quiniela.Code) {
		t.Helper()
		if _, err := m.EnterBeacon(t.Context(), ledger.Actor{}, "evening", b); quiniela.CodeOf(err) != want || want == "" && err != nil {
			t.Errorf("%s: %v, want code %q", what, err, want)
		}
	}
	m.sendTo(d.Seq, 1, 1, "", 1, 2, 3)
	enter("before the seal", good, quiniela.Invalid)
	c.add(time.Hour)
	m.wait("evening", "sealed")
	m.sendTo(d.Seq, 1, 2, quiniela.Closed, 1)
	enter("another round", beacon(t, 123, "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"), quiniela.Invalid)
	enter("another round's signature", beacon(t, 1000, "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"), quiniela.Invalid)
	if _, err := m.EnterNumber(t.Context(), ledger.Actor{}, "evening", 5, nil); quiniela.CodeOf(err) != quiniela.Invalid {
		t.Errorf("a number by hand: %v", err)
	}
	enter("the round", good, "")
	enter("the round again", good, quiniela.Conflict)
	d = m.wait("evening", "drawn")
	entry, err := m.Log().Entry(int64(d.OpenIndex))
	if err != nil {
		t.Fatal(err)
	}
	want, err := draw.Prizes(good.Randomness(), draw.Terms{
		ChainHash: draw.Quicknet().Hash(), Round: 1000, DrawID: "evening", Binding: tlog.LeafHash(entry),
	})
	if diff := cmp.Diff(want[:], d.Prizes()); err != nil || diff != "" || d.Result.Number != want[0] {
		t.Errorf("the prizes (%v), want those of the beacon:\n%s", err, diff)
	}
	m.restart(1)
	if again := m.wait("evening", "drawn"); again.Result.Number != want[0] || len(again.Prizes()) != quiniela.PrizeCount {
		t.Errorf("after a restart: %+v", again)
	}
}

// However late its round is, nothing else ends a beacon's draw: neither a notary nor the operator.
func TestABeaconsDrawWaitsForItsRound(t *testing.T) {
	m, c, d := evening(t)
	c.add(time.Hour + ledger.Margin)
	m.wait("evening", "sealed")
	for _, late := range []time.Duration{0, time.Hour, 365 * 24 * time.Hour} {
		c.add(late)
		if _, err := m.EnterNumber(t.Context(), ledger.Actor{}, "evening", 5, nil); quiniela.CodeOf(err) != quiniela.Invalid {
			t.Errorf("%s after the round: %v", late, err)
		}
	}
	if _, err := m.EnterBeacon(t.Context(), ledger.Actor{}, "evening", beacon(t, 1000, round1000)); err != nil {
		t.Error(err)
	}
	m.wait("evening", "drawn")
	_ = d
}

// A journal that has such a number was not written by this program, and is not read on.
func TestANumberByHandStopsTheLedger(t *testing.T) {
	forged(t, func(d ledger.Draw) []byte {
		return journal.Encode(journal.Number{Draw: d.Seq, Number: 1, At: 1})
	}, "entered by hand")
}

func TestABeaconNeedsAClosingTime(t *testing.T) {
	m := start(t, 1)
	_, err := m.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "x", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceBeacon}})
	if quiniela.CodeOf(err) != quiniela.Invalid || !strings.Contains(err.Error(), "closing time") {
		t.Errorf("%v", err)
	}
}

// A draw awaits its round from the round's time on, until somebody enters it.
func TestADrawAwaitsItsRound(t *testing.T) {
	t.Parallel()
	m, c, d := evening(t)
	c.add(time.Hour)
	m.wait("evening", "sealed")
	if due := m.AwaitingRound(); len(due) != 0 {
		t.Errorf("before the round's time: %+v", due)
	}
	c.add(ledger.Margin)
	if due := m.AwaitingRound(); len(due) != 1 || due[0].Seq != d.Seq || due[0].Rule.Round != 1000 {
		t.Errorf("after the round's time: %+v", due)
	}
	if _, err := m.EnterBeacon(t.Context(), ledger.Actor{}, "evening", beacon(t, 1000, round1000)); err != nil {
		t.Fatal(err)
	}
	if due := m.AwaitingRound(); len(due) != 0 {
		t.Errorf("with the round entered: %+v", due)
	}
}

// What the journal says of a beacon is checked when it is replayed.
func TestAForgedRoundStopsTheLedger(t *testing.T) {
	raw, err := hex.DecodeString(round1000)
	if err != nil {
		t.Fatal(err)
	}
	forged(t, func(d ledger.Draw) []byte {
		return journal.Encode(journal.Number{Draw: d.Seq, Number: 1, Signature: raw, At: 1})
	}, "its beacon gives")
}

// forged appends an entry to the journal of a beacon's draw that is sealed, and checks that the ledger does not start with it.
func forged(t *testing.T, entry func(ledger.Draw) []byte, want string) {
	t.Helper()
	m, c, d := evening(t)
	c.add(time.Hour)
	m.wait("evening", "sealed")
	m.stop()
	var err error
	if m.j, err = m.disk.Open(); err != nil {
		t.Fatal(err)
	}
	last, err := m.j.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.j.Append(t.Context(), last, [][]byte{entry(d)}); err != nil {
		t.Fatal(err)
	}
	_, err = ledger.Open(context.Background(), m.j, ledger.Options{Dir: "data", FS: m.fs, Public: true})
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	if err := m.j.Close(); err != nil {
		t.Fatal(err)
	}
}
