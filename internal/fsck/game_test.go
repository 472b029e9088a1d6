package fsck_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"quiniela"
	"quiniela/internal/journal"
)

// evening is the journal of a draw of the game quiniela: 157.00 are staked, 2100.00, 1330.00 and 7.00 are due, and the cap is what was
// staked.
func evening() []any {
	game := quiniela.DefaultTerms()
	game.Cap = 1
	prizes := make([]quiniela.Number, quiniela.PrizeCount)
	for i := range prizes {
		prizes[i] = quiniela.Number(100*i + 50)
	}
	prizes[0] = 62
	digests := journal.AppendBatchDigest(nil, 1, 1, []byte("2,1,210000\n"))
	digests = journal.AppendBatchDigest(digests, 1, 2, []byte("1,19,133000\n"))
	digests = journal.AppendBatchDigest(digests, 2, 1, []byte("1,1,700\n"))
	sum := sha256.Sum256(digests)
	return []any{
		journal.Open{Draw: 1, ID: "1", Agencies: 2, Source: "notary", Two: true, Game: &game, At: 1},
		batch(1, 1, nil, "Ana,Paz,1,1990-01-01,99,1", "Ana,Paz,1,1990-01-01,62,30"),
		batch(2, 1, nil, "Eva,Sol,2,1990-01-01,2,1", "Eva,Sol,2,1990-01-01,63,106,2-20"),
		batch(1, 2, nil, "Ana,Paz,1,1990-01-01,50,19,2-20"),
		journal.Finish{Draw: 1, Agency: 1, Batches: 2, At: 2},
		journal.Finish{Draw: 1, Agency: 2, Batches: 1, At: 3},
		journal.Seal{Draw: 1, Batches: 3, Bets: 5, By: journal.SealedByAgencies, At: 3},
		journal.Entered{Draw: 1, Number: 62, Prizes: prizes, Who: "ana", At: 4},
		journal.Number{Draw: 1, Number: 62, Prizes: prizes, By: []string{"ana", "eva"}, At: 4},
		journal.Result{Draw: 1, Number: 62, Winners: 3, Due: 343700, Paid: 9592 + 6075 + 31, Digest: sum[:], At: 4},
	}
}

func TestADrawOfTheGame(t *testing.T) {
	if r := check(t, evening()); !r.OK() || r.Bets != 5 || r.Draws[0].Winners != 3 || r.Draws[0].Staked != 15700 || r.Draws[0].Due != 343700 || r.Draws[0].Paid != 15698 {
		t.Errorf("%+v", r)
	}
	all := evening()
	for i := 1; i < 4; i++ {
		left, err := journal.Forgotten(all[i].([]byte), 1, all[0].(journal.Open).Game)
		if err != nil || strings.Contains(string(left), "1990") {
			t.Fatalf("%q, %v", left, err)
		}
		all[i] = left
	}
	if r := check(t, append(all, journal.Forget{Draw: 1, At: 9})); !r.OK() || r.Bets != 5 {
		t.Errorf("forgotten: %+v", r)
	}
	// Without the cap all that is due is paid.
	all = evening()
	open, result := all[0].(journal.Open), all[9].(journal.Result)
	game := *open.Game
	game.Cap, result.Paid = 0, result.Due
	open.Game = &game
	all[0], all[9] = open, result
	if r := check(t, all); !r.OK() {
		t.Errorf("without a cap: %+v", r)
	}
}

func TestWhatIsWrongOfTheGameIsNamed(t *testing.T) {
	for name, row := range map[string]struct {
		change func([]any)
		want   string
	}{
		"no terms":        {func(all []any) { o := all[0].(journal.Open); o.Game = &quiniela.Terms{}; all[0] = o }, "entry 1 opens draw 1 with terms that cannot be: multipliers"},
		"the other game":  {func(all []any) { o := all[0].(journal.Open); o.Game = nil; all[0] = o }, "entry 2 (draw 1, agency 1, batch 1) has a bad bet: invalid: line 1: 6 fields, want 5"},
		"under the least": {func(all []any) { all[3] = batch(1, 2, nil, "Ana,Paz,1,1990-01-01,50,0.99,2-20") }, "entry 4 (draw 1, agency 1, batch 2) has a bad bet: invalid: line 1: stake: 0.99 is under"},
		"19 by the first": {func(all []any) { e := all[7].(journal.Entered); e.Prizes = e.Prizes[:19]; all[7] = e }, "entry 8 enters 19 numbers for draw 1, whose game is quiniela"},
		"one number":      {func(all []any) { n := all[8].(journal.Number); n.Prizes = nil; all[8] = n }, "entry 9 enters 1 numbers for draw 1, whose game is quiniela"},
		"another number":  {func(all []any) { n := all[8].(journal.Number); n.Number = 63; all[8] = n }, "entry 9 enters 20 numbers for draw 1"},
		"another twentieth": {func(all []any) {
			n := all[8].(journal.Number)
			n.Prizes = append(slices.Clone(n.Prizes[:19]), 3)
			all[8] = n
		}, "entry 9 enters a number for draw 1 by the people"},
		"more winners": {func(all []any) { r := all[9].(journal.Result); r.Winners++; all[9] = r }, "entry 10 is a result of draw 1 with 4 winners who are paid 15698 of 343700 cents, and by the bets 3 are paid 15698 of 343700"},
		"more due":     {func(all []any) { r := all[9].(journal.Result); r.Due++; all[9] = r }, "entry 10 is a result of draw 1 with 3 winners"},
		"a cent more":  {func(all []any) { r := all[9].(journal.Result); r.Paid++; all[9] = r }, "entry 10 is a result of draw 1 with 3 winners"},
		"a stake more": {func(all []any) {
			all[2] = batch(2, 1, nil, "Eva,Sol,2,1990-01-01,2,1", "Eva,Sol,2,1990-01-01,63,107,2-20")
		}, "entry 10 is a result of draw 1 with 3 winners who are paid 15698 of 343700 cents, and by the bets 3 are paid"},
		"another range": {func(all []any) { all[3] = batch(1, 2, nil, "Ana,Paz,1,1990-01-01,50,19,1-20") }, "entry 10 is a result of draw 1"},
		"other winners": {func(all []any) { r := all[9].(journal.Result); r.Digest = make([]byte, 32); all[9] = r }, "entry 10 is a result of draw 1 whose winners are not those of the bets"},
	} {
		all := evening()
		row.change(all)
		r := check(t, all)
		if !slices.ContainsFunc(r.Findings, func(f string) bool { return strings.HasPrefix(f, row.want) }) {
			t.Errorf("%s: %q, want %q", name, r.Findings, row.want)
		}
	}
}
