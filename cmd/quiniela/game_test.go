package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/internal/lang"
	"quiniela/internal/web"
)

// evening is the extract of the worked examples.
var evening = []uint16{4563, 4290, 8068, 2532, 9658, 562, 1642, 7613, 3376, 7481, 4062, 3284, 7888, 13, 4533, 5321, 2662, 6884, 5828, 7511}

const eveningTable = `
PRIZE  NUMBER  PRIZE  NUMBER
    1  4563       11  4062
    2  4290       12  3284
    3  8068       13  7888
    4  2532       14  0013
    5  9658       15  4533
    6  0562       16  5321
    7  1642       17  2662
    8  7613       18  6884
    9  3376       19  5828
   10  7481       20  7511
`

func described(t *testing.T, d web.Draw) string {
	t.Helper()
	var out bytes.Buffer
	if err := describe(env{stdout: &out, lang: lang.English}, d); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func pointer[T any](v T) *T { return &v }

// A published case, of Tucumán: the cap of 4 times what was staked.
func TestTheShareOfACapIsSaid(t *testing.T) {
	terms := quiniela.DefaultTerms()
	terms.Cap = 4
	d := web.Draw{
		ID: "nocturna", State: "drawn", Agencies: 1, Game: "quiniela", Terms: &terms, Source: "notary", Prizes: evening, Number: &evening[0], Winners: pointer(uint64(1234)),
		Figures: &web.Figures{Finished: 1, Batches: 2, Bets: 3000, Staked: 13030800}, Payout: &web.Payout{Due: 58690900, Pool: 52123200, Paid: 52123199},
	}
	want := `draw         nocturna
state        drawn
game         quiniela
pays         7 times the stake for 1 digit, 70 for 2, 600 for 3, 3,500 for 4
stakes       1.00 a bet or more
cap          all prizes together at most 4 times what was staked; over that, the same share of each
agencies     1 of 1 have finished
bets         3,000, batches: 2
opened       -
winners      1,234
staked       130,308.00
prizes due   586,909.00
share        0.8880 (rounded down) of each prize: 521,232.00 of 586,909.00
prizes paid  521,231.99
` + eveningTable
	if diff := cmp.Diff(want, described(t, d)); diff != "" {
		t.Error(diff)
	}
	// Where what is due is within the cap, there is no share; nor where a server sends one that is none.
	for _, pool := range []uint64{0, 58690900, 58690901} {
		d.Payout.Pool = pool
		if got := described(t, d); strings.Contains(got, "share  ") {
			t.Errorf("pool %d:\n%s", pool, got)
		}
	}
	e := env{lang: lang.English}
	if got := e.share(1<<63-2, 1<<63-1); got != "0.9999 (rounded down) of each prize: 92,233,720,368,547,758.06 of 92,233,720,368,547,758.07" {
		t.Error(got)
	}
}

// A beacon draws twenty numbers in the specification's game too.
func TestTheNumbersOfABeaconAreInTwoColumns(t *testing.T) {
	d := web.Draw{
		ID: "noon", State: "drawn", Agencies: 1, Game: "specified", Source: "beacon", Round: 7, Prizes: evening, Number: &evening[0], Winners: pointer(uint64(2)),
		Figures: &web.Figures{Finished: 1, Batches: 2, Bets: 3},
	}
	want := "draw      noon\nstate     drawn\nagencies  1 of 1 have finished\nbets      3, batches: 2\nopened    -\nnumber    4563, winners: 2\n" + eveningTable
	if diff := cmp.Diff(want, described(t, d)); diff != "" {
		t.Error(diff)
	}
}

// What a draw waits for, and what the person does then.
func TestWhereTheExtractComesFrom(t *testing.T) {
	terms := quiniela.DefaultTerms()
	for want, d := range map[string]web.Draw{
		"a notary's, once the draw is closed":                                           {State: "open", Source: "notary"},
		"a notary's, which two people enter once the draw is closed":                    {State: "open", Source: "notary", Two: true},
		"of the beacon's round 7, to be signed at -":                                    {State: "open", Source: "beacon", Round: 7},
		"of the beacon's round 7, signed at -":                                          {State: "sealed", Source: "beacon", Round: 7},
		"not entered yet: quiniela draw enter x --extract FILE":                         {State: "sealed", Source: "notary"},
		"not entered yet, and two people must: quiniela draw enter x --extract FILE":    {State: "sealed", Source: "notary", Two: true},
		"it is there; the winners are being found: quiniela draw results x":             {State: "sealed", Source: "notary", Number: &evening[0]},
		"entered by ana; a second person must enter the same: quiniela draw enter x --": {State: "sealed", Source: "notary", Two: true, First: "ana"},
	} {
		d.ID, d.Terms, d.Figures = "x", &terms, &web.Figures{}
		if got := described(t, d); !strings.Contains(got, "\nextract   "+want) {
			t.Errorf("want %q:\n%s", want, got)
		}
	}
}

// oneDraw answers as a server that has one drawn draw of the game quiniela, and hands all else to next.
func oneDraw(t *testing.T, next http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/draws/night" {
			next(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"id":"night","state":"drawn","finished":0,"batches":0,"bets":0,"game":"quiniela","terms":{"multipliers":[7,70,600,3500],"min_stake":100},"number":4563,"winners":2}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A table that breaks off is not taken for a whole one, wherever it breaks.
func TestATableOfPrizesThatBreaksOffIsAnError(t *testing.T) {
	const row = "night,1,,1,1,62,1-20,100.00,3,1050.00,1050.00\n"
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sent   string
		breaks bool
		want   string // of the error; "": none
	}{
		"whole":              {prizeColumns + "\n" + row, false, ""},
		"after a row":        {prizeColumns + "\n" + row, true, "broke off, and what was written is not all of it: ask again"},
		"in a row":           {prizeColumns + "\n" + row + "night,1", true, "broke off"},
		"a row is short":     {prizeColumns + "\n" + row + "night,1\n", false, "broke off"},
		"after its heading":  {prizeColumns + "\n", true, "broke off"},
		"before its heading": {"", true, "sends no table of prizes"},
		"another table":      {"draw,number\n", false, "sends no table of prizes"},
		"a page":             {"<html>", false, "sends no table of prizes"},
	} {
		url := oneDraw(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, c.sent)
			if c.breaks {
				_ = http.NewResponseController(w).Flush() // what came is then read before the end
				panic(http.ErrAbortHandler)
			}
		})
		var out, errs bytes.Buffer
		err := run(t.Context(), []string{"draw", "results", "night", "--csv", "--server", url, "--key-file", key}, &out, &errs)
		if failed := err != nil; failed != (c.want != "") || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: %v, want an error with %q\n%s", name, err, c.want, &errs)
		}
		if strings.Contains(c.sent, row) && !strings.Contains(out.String(), row) {
			t.Errorf("%s: what came is not written:\n%s", name, &out)
		}
	}
}

// The flags of terms are the terms, to the cent.
func TestFlagsAreTerms(t *testing.T) {
	for want, f := range map[string]gameFlags{
		"specified": {Game: "specified"},
		"quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=- cap=-":        {Game: "quiniela"},
		"quiniela multipliers=8,80,700,4000 min_stake=0.05 max_stake=50000.10 cap=5": {Game: "quiniela", Multipliers: pointer("8,80,700,4000"), MinStake: pointer("0.05"), MaxStake: pointer("50000.1"), Cap: pointer(uint32(5))},
	} {
		got, err := f.terms("notary")
		if err != nil || got.String() != want {
			t.Errorf("%v, %v; want %s", got, err, want)
		}
		// The server is asked for the same ones.
		var to web.Terms
		if setGame(&to, got); (to.Game == "quiniela") != (got != nil) || got != nil && fmt.Sprint(to.Terms.Multipliers, *to.Terms.MinStake, to.Terms.MaxStake, to.Terms.Cap) !=
			fmt.Sprint(got.Multipliers, got.MinStake, got.MaxStake, got.Cap) {
			t.Errorf("%s: asked for %+v", want, to)
		}
	}
}

// The sums foot, also of more agencies than one.
func TestTheTotalOfPayoutsFoots(t *testing.T) {
	l := payouts(env{lang: lang.English}, []web.Payouts{
		{Agency: 1, Name: "Rosario", Batches: 1, Bets: 3, Staked: 18384, Winners: 2, Due: 338380, Paid: 94405},
		{Agency: 20, Batches: 9, Bets: 1200, Staked: 10100, Winners: 1, Due: 70000, Paid: 19529},
	})
	var out bytes.Buffer
	if err := l.write(&out, 0); err != nil {
		t.Fatal(err)
	}
	want := `AGENCY  NAME      BETS  STAKED  WINNERS       DUE      PAID
1       Rosario      3  183.84        2  3,383.80    944.05
20               1,200  101.00        1    700.00    195.29
total            1,203  284.84        3  4,083.80  1,139.34
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// A bet that was found says what it is paid. Its number for programs is as it was typed in the game quiniela, where 7 and 07 are two.
func TestAFoundBetSaysWhatItIsPaid(t *testing.T) {
	e := env{lang: lang.English}
	for _, c := range []struct {
		bet            web.FoundBet
		result, number string
	}{
		{web.FoundBet{Bet: "Ana,Paz,1,1990-01-01,7", Number: 7}, "not drawn yet", "0007"},
		{web.FoundBet{Bet: "Ana,Paz,1,1990-01-01,7", Number: 7, Drawn: true}, "did not win", "0007"},
		{web.FoundBet{Bet: "Ana,Paz,1,1990-01-01,7", Number: 7, Drawn: true, Won: true}, "won", "0007"},
		{web.FoundBet{Bet: "Ana,Paz,1,1990-01-01,7,100", Number: 7, Drawn: true, Won: true, Hits: 1, Paid: 70000}, "won 700.00", "7"},
		{web.FoundBet{Bet: "Ana,Paz,1,1990-01-01,07,100,1-20", Number: 7, Drawn: true, Won: true, Hits: 3, Paid: 105000}, "won 1,050.00, hits: 3", "07"},
	} {
		c.bet.Received = time.Unix(0, 0)
		if got := e.result(c.bet); got != c.result {
			t.Errorf("%+v: %s, want %s", c.bet, got, c.result)
		}
		if got := numberOf(c.bet); got != c.number {
			t.Errorf("%+v: the number %s, want %s", c.bet, got, c.number)
		}
	}
}
