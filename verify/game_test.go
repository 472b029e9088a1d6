package verify_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"quiniela"
	"quiniela/receipt"
	"quiniela/verify"
	"quiniela/verify/verifytest"
)

// game are the terms of a draw, with a cap.
func game(limit uint32) *quiniela.Terms {
	g := quiniela.DefaultTerms()
	g.Cap = limit
	return &g
}

// A receipt says in words what was played, and what it is paid, from either source and with a cap.
func TestABetOfTheGame(t *testing.T) {
	// In the notary's extract 68 is the end of the third prize alone: 100 × 70 ÷ 20. Twice that and twice 350,000.00 are due, of 600.00.
	const played = "on 68, two digits, prizes 1 to 20, 100.00 in draw"
	for name, row := range map[string]struct {
		terms verifytest.Terms
		want  []string
		paid  uint64
	}{
		"as it is":   {verifytest.Terms{Source: quiniela.SourceNotary, Game: game(0)}, []string{played, "hits at the prizes: 3. THE BET WON, and is paid 350.00."}, 35000},
		"at a share": {verifytest.Terms{Source: quiniela.SourceNotary, Game: game(4)}, []string{played, "THE BET WON, and is paid 1.19."}, 119},
		"a beacon's": {verifytest.Terms{Game: game(0)}, []string{"two digits, prizes 1 to 20, 100.00 in draw", "THE BET WON, and is paid "}, 0},
	} {
		l := lottery(t, row.terms)
		given := func() verify.Options {
			in := all(l)
			if row.terms.Source != "" {
				in.Beacon = nil // it is of no round
			}
			return in
		}
		r := check(t, given())
		if r.Result != verify.Proven || r.Won == nil || !*r.Won || r.Paid == nil || row.paid != 0 && *r.Paid != row.paid || row.paid == 0 && (*r.Paid == 0 || *r.Paid%35000 != 0) {
			t.Errorf("%s: %s, won %v, paid %v: %q", name, r.Result, r.Won, r.Paid, states(r))
		}
		for _, want := range row.want {
			if !strings.Contains(r.Verdict, want) {
				t.Errorf("%s: %s\nwant %q", name, r.Verdict, want)
			}
		}
		if capped := strings.Contains(strings.Join(r.Notes, " "), "Each prize is paid at the same share, 2,400.00 of 700,700.00, since all prizes together are over 4 times what was staked"); capped != (name == "at a share") {
			t.Errorf("%s: %q", name, r.Notes)
		}
		in := given()
		in.Receipt = l.Lost
		if r := check(t, in); r.Result != verify.Proven || *r.Won || r.Paid != nil || !strings.Contains(r.Verdict, "four digits, the first prize, 100.00") || !strings.Contains(r.Verdict, "none of its prizes ends in it: the bet did not win") {
			t.Errorf("%s, the other bet: %s, %v: %s", name, r.Result, r.Won, r.Verdict)
		}
		in.Receipt, in.Lang = l.Receipt, "es"
		if r := check(t, in); !strings.Contains(r.Verdict, "dos cifras, a los premios 1 a 20, 100,00") || !strings.Contains(r.Verdict, "LA APUESTA GANÓ, y se le paga") {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
}

// What the operator signs as the result has to follow from the terms that the draw was opened with.
func TestAPayoutThatDoesNotFollow(t *testing.T) {
	for name, change := range map[string]func(*receipt.Result){
		"another share": func(r *receipt.Result) { r.Payout.Pool, r.Payout.Paid = r.Payout.Pool-1, 0 },
		"no cap":        func(r *receipt.Result) { r.Payout.Pool, r.Payout.Paid = r.Payout.Due, r.Payout.Due },
		"another stake": func(r *receipt.Result) { r.Payout.Staked += 100 },
		"another game":  func(r *receipt.Result) { r.Payout, r.Prizes = nil, nil },
	} {
		l := lottery(t, verifytest.Terms{Source: quiniela.SourceNotary, Game: game(4), Result: change})
		in := all(l)
		in.Beacon = nil
		if r := check(t, in); r.Result != verify.NotProven || !slices.Equal(failed(r), []string{"outcome/result"}) || r.Won != nil || r.Paid != nil {
			t.Errorf("%s: %s, %q", name, r.Result, failed(r))
		}
	}
}

// Of a draw of the game quiniela all twenty numbers are said, and not the first one alone.
func TestTheTwentyNumbersAreSaid(t *testing.T) {
	l := lottery(t, verifytest.Terms{Source: quiniela.SourceNotary, Game: game(0)})
	for lang, want := range map[string][]string{
		"en": {`the twenty numbers are \d{4}( \d{4}){19}\.`, `The twenty numbers are the notary's word`},
		"es": {`salieron \d{4}( \d{4}){19}\.`, `Los veinte números son la palabra del escribano`},
	} {
		r := check(t, verify.Options{Outcome: l.Outcome, Policy: l.Policy, Lang: lang})
		for _, pattern := range append(want, `\n  ok +\S+ +\d{4}( \d{4}){19}, `) {
			if text := r.Text(); !regexp.MustCompile(pattern).MatchString(text) {
				t.Errorf("%s: no match for %q in\n%s", lang, pattern, text)
			}
		}
	}
}
