package audit_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quiniela"
	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/books"
	"quiniela/internal/ledger"
	"quiniela/internal/publish/publishtest"
	"quiniela/receipt"
)

// extract is that of the worked examples in docs/QUINIELA.md.
var extract = []quiniela.Number{4563, 4290, 8068, 2532, 9658, 562, 1642, 7613, 3376, 7481, 4062, 3284, 7888, 13, 4533, 5321, 2662, 6884, 5828, 7511}

// The draws of the evening by their numbers in the log.
const (
	byNotary uint64 = 2 // with a cap that is exceeded
	byBeacon uint64 = 3
)

// evening is a day of two draws of the game quiniela, as a server has published it: one whose extract a notary enters, with the worked
// examples and a cap that is exceeded, and one of a beacon. The specification's draw beside them has no bets.
var evening = sync.OnceValue(func() *log {
	at := draw.Quicknet().TimeOf(1000)
	var ahead atomic.Int64
	start := at.Add(-ledger.Margin - time.Hour)
	d := publishtest.StartAt(kept, 1, func() time.Time { return start.Add(time.Duration(ahead.Add(1)) * time.Millisecond) })
	ctx := kept.Context()
	open := func(t ledger.Terms, limit uint32) {
		game := quiniela.DefaultTerms()
		game.Cap, game.MaxStake = limit, 5_000_000
		t.Game = &game
		_, err := d.Ledger.OpenDraw(ctx, ledger.Actor{}, t)
		check(err)
	}
	open(ledger.Terms{ID: "night", Agencies: 2, Rule: draw.Rule{Source: quiniela.SourceNotary}}, 4)
	open(ledger.Terms{ID: "late", Agencies: 1, Closes: at.Add(-ledger.Margin), Rule: draw.Rule{Source: quiniela.SourceBeacon}}, 0)
	d.Play(byNotary, 1, 1, "4563,100", "563,100", "63,100", "62,100,1-20", "62,100,1-5", "58,100,1-5")
	d.Play(byNotary, 2, 1, "13,100,1-10", "0562,100,1-10", "63,33.34")
	d.Play(byNotary, 1, 2, "99,1", "1,2.50,1-20", "7,1,2-2")
	for n := range uint64(20) {
		d.Play(byBeacon, 1, n+1, fmt.Sprintf("%d,5,1-20", n%10), fmt.Sprintf("%02d,%d", n, 1+n), fmt.Sprintf("%03d,1.50,1-10", n), fmt.Sprintf("%04d,1", n))
	}
	d.Finish(1, 1)
	d.Finish(byNotary, 1)
	d.Finish(byNotary, 2)
	_, err := d.Ledger.EnterPrizes(ctx, ledger.Actor{}, "night", extract, make([]byte, 32))
	check(err)
	ahead.Add(time.Hour.Milliseconds())
	for {
		e, err := d.Ledger.FindDraw(ctx, "late")
		if check(err); e.Sealed {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	_, err = d.Ledger.EnterBeacon(ctx, ledger.Actor{}, "late", beacon())
	check(err)
	for _, id := range []string{"1", "night", "late"} {
		d.File("draws/" + id + "/outcome.json")
	}
	d.Close()
	return asPublished(d)
})

func TestDrawsOfTheGamePass(t *testing.T) {
	l := evening()
	j := l.journal(t)
	r := l.run(t, l.files, func(o *audit.Options) { o.Books = books.Of(j) })
	if !r.OK || len(r.Draws) != 3 {
		t.Fatalf("%+v", findings(r))
	}
	night, late := r.Draws[1], r.Draws[2]
	// 35,000.00 + … as in the worked examples, and for 1 at all twenty 2.50 × 7 × 3 ÷ 20, truncated.
	staked, due := uint64(8*10000+3334+100+250+100), uint64(35000000+6000000+700000+105000+140000+70000+3500000+233380+262)
	if night.Stake != staked || night.Due != due || night.Paid > 4*staked || night.Paid < 4*staked-10 || night.Winners != 9 {
		t.Errorf("%+v, want %d staked and %d due", night, staked, due)
	}
	if late.Paid != late.Due || late.Due == 0 || late.Agencies[0].Due != late.Due {
		t.Errorf("%+v", late)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), fmt.Sprintf("9 winners paid %s of %s", quiniela.FormatCents(night.Paid), quiniela.FormatCents(due))) {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// play changes what the first bet of a batch is on, and the batch's entry with it, as an operator would who has the key.
func (f *forger) play(id batchID, change func(*quiniela.Play)) {
	i, b := f.batch(id.draw, id.agency, id.batch)
	records := bytes.Clone(f.records[id])
	r, err := receipt.ParseRecord(records[:receipt.RecordSize])
	check(err)
	change(&r.Play)
	first := r.Encode()
	copy(records, first[:])
	public, err := receipt.ReadRecords(records, nil)
	check(err)
	f.records[id], b.Root, b.Stake = records, public.Root, public.Stake
	b.CumulativeStake += public.Stake - binary.BigEndian.Uint64(f.entries[i][28:])
	f.put(i, b)
}

// The operator has the log's key and writes all anew, so that the log fits together. What the bets are paid then does not.
func TestATermAStakeARangeOrTheShareIsChanged(t *testing.T) {
	l := evening()
	terms := func(draw uint64, change func(*quiniela.Terms)) func(*forger) {
		return func(f *forger) {
			edit(f, receipt.ParseDrawOpen, func(o *receipt.DrawOpen) bool {
				if o.Draw == draw {
					changed := *o.Game
					change(&changed)
					o.Game = &changed
				}
				return o.Draw == draw
			})
		}
	}
	result := func(change func(*receipt.Result)) func(*forger) {
		return func(f *forger) { editResult(f, byNotary, change) }
	}
	play := func(change func(*quiniela.Play)) func(*forger) {
		return func(f *forger) { f.play(batchID{byNotary, 2, 1}, change) } // 13, 100.00, 1-10
	}
	for name, row := range map[string]struct {
		change func(*forger)
		check  string
		words  []string
	}{
		"a multiplier":         {terms(byNotary, func(t *quiniela.Terms) { t.Multipliers[1]++ }), "winners", []string{"draw night", "prizes come to"}},
		"the least stake":      {terms(byNotary, func(t *quiniela.Terms) { t.MinStake = 101 }), "bets", []string{"stake: 1.00 is under the draw's 1.01"}},
		"the greatest stake":   {terms(byNotary, func(t *quiniela.Terms) { t.MaxStake = 9999 }), "bets", []string{"stake: 100.00 is over the draw's 99.99"}},
		"the cap":              {terms(byNotary, func(t *quiniela.Terms) { t.Cap = 5 }), "winners", []string{"draw night", "by its terms", "the share is another"}},
		"no cap":               {terms(byNotary, func(t *quiniela.Terms) { t.Cap = 0 }), "winners", []string{"draw night", "by its terms"}},
		"a term of a beacon's": {terms(byBeacon, func(t *quiniela.Terms) { t.Multipliers[0]++ }), "numbers", []string{"draw late", "round 1000 gives"}},
		"the game": {func(f *forger) {
			edit(f, receipt.ParseDrawOpen, func(o *receipt.DrawOpen) bool { o.Game = nil; return o.Draw == byNotary })
		}, "bets", []string{"which the game specified does not have"}},
		"a stake":                {play(func(p *quiniela.Play) { p.Stake++ }), "winners", []string{"draw night", "cents were staked"}},
		"a stake under the term": {play(func(p *quiniela.Play) { p.Stake = 99 }), "bets", []string{"0.99 is under"}},
		"a range":                {play(func(p *quiniela.Play) { p.To = 11 }), "winners", []string{"draw night", "prizes come to"}},
		"another range's end":    {play(func(p *quiniela.Play) { p.From = 9 }), "winners", []string{"draw night", "the records have 8 bets"}},
		"the digits":             {play(func(p *quiniela.Play) { p.Digits = 3 }), "winners", []string{"draw night", "prizes come to"}},
		"a number":               {play(func(p *quiniela.Play) { p.Number = 14 }), "winners", []string{"draw night", "the records have 8 bets"}},
		"a prize of the extract": {result(func(r *receipt.Result) { r.Prizes[4] = 9659 }), "winners", []string{"draw night", "the records have 8 bets"}},
		"what was staked":        {result(func(r *receipt.Result) { r.Payout.Staked++ }), "winners", []string{"cents were staked, and the seal"}},
		"what is due":            {result(func(r *receipt.Result) { r.Payout.Due++ }), "winners", []string{"prizes come to"}},
		"the share":              {result(func(r *receipt.Result) { r.Payout.Pool-- }), "winners", []string{"the share is another"}},
		"what is paid":           {result(func(r *receipt.Result) { r.Payout.Paid-- }), "winners", []string{"the winners are paid"}},
		"no payout":              {result(func(r *receipt.Result) { r.Payout, r.Prizes = nil, nil }), "winners", []string{"is of the game quiniela, and its result says otherwise"}},
		"an agency's payment": {func(f *forger) {
			name := "draws/night/winners"
			f.files[name] = append(bytes.Clone(f.files[name][:len(f.files[name])-2]), '9', '\n')
		}, "winners", []string{"draws/night/winners is missing, or is not what"}},
	} {
		f := l.forge(t)
		row.change(f)
		t.Run(name, func(t *testing.T) { wantFinding(t, l.run(t, f.publish(), nil), row.check, row.words...) })
	}
	if r := l.run(t, l.forge(t).publish(), nil); !r.OK {
		t.Errorf("unchanged, it is found fault with: %+v", findings(r))
	}
}

// The journal, which the operator keeps, has to say the same of stakes and terms.
func TestTheBooksHaveOtherStakes(t *testing.T) {
	l := evening()
	f := l.forge(t)
	f.play(batchID{byNotary, 2, 1}, func(p *quiniela.Play) { p.Stake++ })
	j := l.journal(t)
	wantFinding(t, l.run(t, f.publish(), func(o *audit.Options) { o.Books = books.Of(j) }), "private journal", "another root than the log")
	wantFinding(t, l.run(t, f.publish(), func(o *audit.Options) { o.Books = books.Of(j) }), "private journal", "the journal's bets stake 23334 cents, and the log has 23335")
	f = l.forge(t)
	editResult(f, byNotary, func(r *receipt.Result) { r.Payout.Paid-- })
	wantFinding(t, l.run(t, f.publish(), func(o *audit.Options) { o.Books = books.Of(j) }), "private journal", "a result")
}
