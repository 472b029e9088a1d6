package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/internal/ledger"
	"quiniela/receipt"
)

// The most that a bet can stake, and the most that all bets of a draw can: by the usual terms 9,223,372,036,854,775,807 ÷ 3,500 cents, which is
// nine of the greatest bets and 1,019,743,629,911.83 more. The bet that is over it is refused by line and field, and nothing else is: what
// fits beside it is taken, all of them win, and are paid to the cent, after a restart and from the journal alone too.
func TestTheMostThatCanBeStaked(t *testing.T) {
	m := start(t, 1)
	d := m.evening("night", nil)
	const greatest, rest = "4563,2814749767106.55", "4563,1019743629911.83"
	send := func(batch uint64, want string, lines ...string) {
		t.Helper()
		s := plays(1, batch, lines...)
		s.Draw = d
		if _, err := m.send(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", lines, err, want)
		}
		if got, err := m.FindDraw(t.Context(), "night"); err != nil || got.Batches != batch-1 {
			t.Errorf("%q: %d batches, %v", lines, got.Batches, err)
		}
	}
	send(1, "invalid: line 2: stake: 2814749767106.56 is over 2814749767106.55, the most that a bet can have", "63,1", "4563,2814749767106.56")
	send(1, `invalid: line 1: stake: "99999999999999999" is not an amount`, "4563,99999999999999999")
	send(1, `invalid: line 1: stake: "18446744073709551616" is not an amount`, "4563,18446744073709551616")
	ten := []string{"63,1", greatest, greatest, greatest, greatest, greatest, greatest, greatest, greatest, greatest, greatest}
	send(1, "too_large: line 11: stake: 2814749767106.55 is over 1019743629910.83, which is left of the 26352491533870.78 that all bets of the draw can stake together", ten...)
	m.play(d, 1, 1, ten[1:6]...)
	m.play(d, 1, 2, ten[6:10]...)
	send(3, "too_large: line 3: stake: 1019743629911.83 is over 1019743629909.83, which is left", "63,1", "62,1", rest)
	m.play(d, 1, 3, rest)
	send(4, "too_large: line 1: stake: 1.00 is over 0.00, which is left", "63,1")
	m.restart(1)
	send(4, "too_large: line 1: stake: 1.00 is over 0.00, which is left", "63,1")
	for a, batches := range []uint64{3, 0} {
		if err := m.Finish(t.Context(), d, quiniela.Agency(a+1), batches, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.EnterPrizes(t.Context(), ledger.Actor{}, "night", extract, nil); err != nil {
		t.Fatal(err)
	}
	m.wait("night", "drawn")
	var want []string
	for i := range 9 {
		want = append(want, fmt.Sprintf("%d|%d|%d|1|%d", 1+i/5, 1+i%5, 1_001_000+1000*(i/5)+i%5, uint64(985_162_418_487_292_500)))
	}
	want = append(want, fmt.Sprintf("3|1|1003000|1|%d", uint64(356_910_270_469_140_500)))
	for _, again := range []string{"at first", "stopped", "built again"} {
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
		due := uint64(9_223_372_036_854_773_000)
		if diff := cmp.Diff(&receipt.Payout{Staked: 2_635_249_153_387_078, Due: due, Pool: due, Paid: due}, m.wait("night", "drawn").Payout()); diff != "" {
			t.Errorf("%s\n%s", again, diff)
		}
		if diff := cmp.Diff(want, m.prizes(d, 1)); diff != "" {
			t.Errorf("%s\n%s", again, diff)
		}
	}
}
