package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/receipt"
)

// extract is that of the worked examples.
var extract = []quiniela.Number{4563, 4290, 8068, 2532, 9658, 562, 1642, 7613, 3376, 7481, 4062, 3284, 7888, 13, 4533, 5321, 2662, 6884, 5828, 7511}

// plays makes a batch of bets of the game quiniela.
func plays(agency quiniela.Agency, batch uint64, all ...string) *ledger.Submission {
	var lines []byte
	for i, play := range all {
		lines = fmt.Appendf(lines, "Ana,Paz,%d,1990-01-01,%s\n", int(agency)*1000000+int(batch)*1000+i, play)
	}
	return &ledger.Submission{Agency: agency, Batch: batch, Frame: lines}
}

// evening opens a draw of the game quiniela for two agencies.
func (m *machine) evening(id string, change func(*quiniela.Terms)) uint64 {
	m.t.Helper()
	game := quiniela.DefaultTerms()
	if change != nil {
		change(&game)
	}
	d, err := m.OpenDraw(m.t.Context(), ledger.Actor{}, ledger.Terms{ID: id, Agencies: 2, Rule: draw.Rule{Source: quiniela.SourceNotary}, Game: &game})
	if err != nil {
		m.t.Fatal(err)
	}
	return d.Seq
}

func (m *machine) play(d uint64, agency quiniela.Agency, batch uint64, all ...string) {
	m.t.Helper()
	s := plays(agency, batch, all...)
	s.Draw = d
	if n, err := m.send(s); err != nil || n != len(all) {
		m.t.Fatalf("%d, %v", n, err)
	}
}

// prizes reads an agency's prizes, page by page, as a server does.
func (m *machine) prizes(d uint64, a quiniela.Agency) (all []string) {
	m.t.Helper()
	w, drawn, err := m.Winners(m.t.Context(), d, a)
	if err != nil || !drawn {
		m.t.Fatalf("drawn: %t, %v", drawn, err)
	}
	for from := uint32(0); from < w.Count; {
		var page []byte
		page, from, err = w.Append(m.t.Context(), nil, from, 20, func(dst []byte, p *ledger.Prize) []byte {
			return fmt.Appendf(dst, "%d|%d|%s|%d|%d\n", p.Batch, p.Line, p.Document, p.Hits, p.Paid)
		})
		if err != nil {
			m.t.Fatal(err)
		}
		all = append(all, strings.Fields(string(page))...)
	}
	return all
}

// The worked examples through the ledger, with a restart after every step, first from its state and then from the journal alone.
func TestADrawOfTheGame(t *testing.T) {
	for _, again := range []string{"never stopped", "stopped", "built again"} {
		t.Run(again, func(t *testing.T) {
			m := start(t, 1)
			step := func() {
				switch again {
				case "stopped":
					m.restart(1)
				case "built again":
					m.stop()
					if err := m.fs.RemoveAll("data"); err != nil {
						t.Fatal(err)
					}
					m.open(1)
				}
			}
			d := m.evening("night", nil)
			step()
			m.play(d, 1, 1, "4563,100", "563,100", "64,100", "63,100", "62,100,1-20")
			step()
			m.play(d, 2, 1, "1,100", "2,100,1-1")
			m.play(d, 1, 2, "62,100,1-5", "58,100,1-5", "13,100,1-10", "0562,100,1-10", "63,33.34")
			step()
			for a, batches := range []uint64{2, 1} {
				if err := m.Finish(t.Context(), d, quiniela.Agency(a+1), batches, nil); err != nil {
					t.Fatal(err)
				}
			}
			step()
			if _, err := m.EnterNumber(t.Context(), ledger.Actor{}, "night", 4563, nil); quiniela.CodeOf(err) != quiniela.Invalid {
				t.Errorf("one number of twenty: %v", err)
			}
			if _, err := m.EnterPrizes(t.Context(), ledger.Actor{}, "night", extract[1:], nil); quiniela.CodeOf(err) != quiniela.Invalid {
				t.Errorf("19 of twenty: %v", err)
			}
			if _, err := m.EnterPrizes(t.Context(), ledger.Actor{}, "night", extract, nil); err != nil {
				t.Fatal(err)
			}
			got := m.wait("night", "drawn")
			step()
			want := []string{
				"1|1|1001000|1|35000000", "1|2|1001001|1|6000000", "1|4|1001003|1|700000", "1|5|1001004|3|105000",
				"2|2|1002001|1|140000", "2|3|1002002|1|70000", "2|4|1002003|1|3500000", "2|5|1002004|1|233380",
			}
			if diff := cmp.Diff(want, m.prizes(d, 1)); diff != "" {
				t.Error(diff)
			}
			if all := m.prizes(d, 2); len(all) != 0 {
				t.Errorf("agency 2 has the prizes %q", all)
			}
			staked, due := uint64(11*10000+3334), uint64(35000000+6000000+700000+105000+140000+70000+3500000+233380)
			if diff := cmp.Diff(&receipt.Payout{Staked: staked, Due: due, Pool: due, Paid: due}, got.Payout()); diff != "" || got.Result.Winners != 8 {
				t.Errorf("%d winners\n%s", got.Result.Winners, diff)
			}
			payouts, err := m.Payouts(t.Context(), "night", 0, 10)
			if diff := cmp.Diff([]ledger.AgencyPayout{
				{Agency: 1, Batches: 2, Bets: 10, Staked: staked - 20000, Winners: 8, Due: due, Paid: due}, {Agency: 2, Batches: 1, Bets: 2, Staked: 20000},
			}, payouts); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
			var lines []string
			err = m.EachPrize(t.Context(), "night", func(p ledger.Prize) error {
				lines = append(lines, fmt.Sprintf("%d|%d|%d|%d|%d", p.Agency, p.Batch, p.Line, p.Hits, p.Paid))
				return nil
			})
			if err != nil || len(lines) != 8 || lines[3] != "1|1|5|3|105000" {
				t.Errorf("%v, %q", err, lines)
			}
		})
	}
}

// With a cap each prize is paid at one share of it, which follows from the draw's terms; the agencies' sums are the draw's.
func TestTheCapOfADraw(t *testing.T) {
	m := start(t, 1)
	d := m.evening("night", func(g *quiniela.Terms) { g.Cap = 4 })
	m.play(d, 1, 1, "63,3.33", "99,7", "563,1.07", "62,9.99,1-20")
	m.play(d, 2, 1, "3,100", "4563,1")
	if _, err := m.CloseDraw(t.Context(), ledger.Actor{}, "night", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := m.EnterPrizes(t.Context(), ledger.Actor{}, "night", extract, nil); err != nil {
		t.Fatal(err)
	}
	got := m.wait("night", "drawn").Payout()
	dues := []uint64{333 * 70, 107 * 600, 999 * 70 * 3 / 20, 70000, 350000}
	staked := uint64(333 + 700 + 107 + 999 + 10000 + 100)
	want := receipt.Payout{Staked: staked, Pool: 4 * staked}
	for _, due := range dues {
		want.Due += due
	}
	var paid []string
	for i, at := range []string{"1|1|1001000|1", "1|3|1001002|1", "1|4|1001003|3", "1|1|2001000|1", "1|2|2001001|1"} {
		cents := dues[i] * want.Pool / want.Due
		want.Paid += cents
		paid = append(paid, fmt.Sprintf("%s|%d", at, cents))
	}
	if diff := cmp.Diff(&want, got); diff != "" || !got.Capped() || got.Paid > got.Pool {
		t.Error(diff)
	}
	if diff := cmp.Diff(paid, slices.Concat(m.prizes(d, 1), m.prizes(d, 2))); diff != "" {
		t.Error(diff)
	}
	payouts, err := m.Payouts(t.Context(), "night", 0, 10)
	if err != nil || payouts[0].Paid+payouts[1].Paid != got.Paid || payouts[0].Due+payouts[1].Due != got.Due || payouts[0].Staked+payouts[1].Staked != got.Staked {
		t.Errorf("%+v, %v; the draw: %+v", payouts, err, got)
	}
	m.restart(1)
	if again := m.wait("night", "drawn").Payout(); *again != *got {
		t.Errorf("after a restart: %+v", again)
	}
}

// Bets that the terms do not allow are refused whole, with line, field and term.
func TestTheTermsOfADraw(t *testing.T) {
	m := start(t, 1)
	d := m.evening("night", func(g *quiniela.Terms) { g.MaxStake = 5_000_000 })
	for play, want := range map[string]string{
		"63,0.50": "line 2: stake: 0.50 is under the draw's 1.00", "63,50000.01": "line 2: stake: 50000.01 is over the draw's 50000.00",
		"63": "line 2: 5 fields, want 6 or 7", "63,1,0-1": "line 2: from-to: ",
	} {
		s := plays(1, 1, "7,1", play)
		s.Draw = d
		if _, err := m.send(s); quiniela.CodeOf(err) != quiniela.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", play, err, want)
		}
	}
	if _, err := m.send(plays(1, 1, "7,1")); quiniela.CodeOf(err) != quiniela.Invalid || !strings.Contains(err.Error(), "6 fields, want 5") {
		t.Errorf("a bet with a stake in the specification's game: %v", err)
	}
	// What all bets stake together is bounded too, so that no sum of prizes can be over 63 bits.
	d = m.evening("most", func(g *quiniela.Terms) { g.Multipliers[3] = quiniela.MaxMultiplier })
	m.play(d, 1, 1, "7,92233720368.54") // of 92233720368.54775807
	s := plays(2, 1, "7,1")
	s.Draw = d
	if _, err := m.send(s); quiniela.CodeOf(err) != quiniela.TooLarge || !strings.Contains(err.Error(), "line 1: stake: 1.00 is over 0.00, which is left of the 92233720368.54 that all bets of the draw can stake together") {
		t.Errorf("over the most that can be staked: %v", err)
	}
	for why, terms := range map[string]ledger.Terms{
		"twenty of one": {Rule: draw.FixedNumber(7574), Game: &quiniela.Terms{Multipliers: [4]uint32{7, 70, 600, 3500}, MinStake: 100}},
		"no multiplier": {Rule: draw.Rule{Source: quiniela.SourceNotary}, Game: &quiniela.Terms{MinStake: 100}},
	} {
		terms.ID, terms.Agencies = "bad", 1
		if _, err := m.OpenDraw(t.Context(), ledger.Actor{}, terms); quiniela.CodeOf(err) != quiniela.Invalid {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// A long list is read from its middle on, over several marks, and every page is as the whole is.
func TestALongListOfPrizes(t *testing.T) {
	m := start(t, 1)
	d := m.evening("night", nil)
	const batches, bets = 60, 250
	for b := range uint64(batches) {
		all := make([]string, bets)
		for i := range all {
			all[i] = fmt.Sprintf("%d,%d,1-20", i%10, 1+b)
		}
		m.play(d, 1, b+1, all...)
	}
	if _, err := m.CloseDraw(t.Context(), ledger.Actor{}, "night", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := m.EnterPrizes(t.Context(), ledger.Actor{}, "night", extract, nil); err != nil {
		t.Fatal(err)
	}
	m.wait("night", "drawn")
	w, _, err := m.Winners(t.Context(), d, 1)
	if err != nil || w.Count < 10000 {
		t.Fatalf("%d winners, %v", w.Count, err)
	}
	whole, err := w.Prizes(t.Context(), 0, int(w.Count)+1)
	if err != nil || len(whole) != int(w.Count) {
		t.Fatalf("%d of %d, %v", len(whole), w.Count, err)
	}
	for from := uint32(1); from < w.Count; from += 997 {
		part, err := w.Prizes(t.Context(), from, 3)
		if diff := cmp.Diff(whole[from:min(from+3, w.Count)], part); diff != "" || err != nil {
			t.Fatalf("from %d: %v\n%s", from, err, diff)
		}
	}
}
