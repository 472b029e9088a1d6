package audit_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	difference "github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/fsck"
	"quiniela/internal/ledger"
	"quiniela/internal/publish/publishtest"
	"quiniela/receipt"
)

var gameSeed = flag.Uint64("game-seed", 0, "seed of the draws of TestRandomDrawsComeToTheSameEverywhere; 0 takes a new one")

// sold is a bet of a random draw, and what has to become of it.
type sold struct {
	agency quiniela.Agency
	batch  uint64
	line   int

	number   string // with its digits
	from, to int
	stake    uint64

	hits      int
	due, paid uint64
}

// randomDraw is a draw of the game quiniela with what has to come of it, by the arithmetic of this file alone.
type randomDraw struct {
	id      string
	seq     uint64
	terms   quiniela.Terms
	extract []quiniela.Number
	bets    []*sold // by agency, batch and line
	payout  receipt.Payout
}

// agenciesOf is how many agencies a random draw has. One of them may have no bet.
const agenciesOf = 4

func newRandomDraw(r *rand.Rand, id string) *randomDraw {
	d := &randomDraw{id: id, terms: quiniela.Terms{MinStake: 1}}
	for i := range d.terms.Multipliers {
		d.terms.Multipliers[i] = 1 + r.Uint32N(1<<(1+r.IntN(19)))
	}
	switch r.IntN(4) {
	case 0: // no cap
	case 1:
		d.terms.Cap = 1 + r.Uint32N(1000)
	default:
		d.terms.Cap = 1 + r.Uint32N(4)
	}
	for range quiniela.PrizeCount {
		n := quiniela.Number(r.IntN(10000))
		if len(d.extract) > 0 && r.IntN(4) == 0 {
			n = d.extract[r.IntN(len(d.extract))] // the same number may come twice
		}
		d.extract = append(d.extract, n)
	}
	left := d.terms.MostStaked()
	most := min(left>>r.IntN(50), quiniela.MaxStake) // what bets stake is from cents to the most that there can be
	for range r.IntN(150) {
		if left == 0 {
			break
		}
		b := &sold{agency: 1 + quiniela.Agency(r.IntN(agenciesOf)), stake: 1 + r.Uint64N(max(1, min(most, left)))}
		left -= min(b.stake, left)
		b.from = 1 + r.IntN(quiniela.PrizeCount)
		b.to = b.from + r.IntN(quiniela.PrizeCount+1-b.from)
		number := fmt.Sprintf("%04d", r.IntN(10000))
		if r.IntN(2) == 0 {
			number = fmt.Sprintf("%04d", d.extract[r.IntN(len(d.extract))])
		}
		b.number = number[r.IntN(4):]
		d.bets = append(d.bets, b)
	}
	d.place(r)
	return d
}

// place puts the bets into batches of random sizes, and works out what becomes of them.
func (d *randomDraw) place(r *rand.Rand) {
	slices.SortStableFunc(d.bets, func(a, b *sold) int { return cmp.Compare(a.agency, b.agency) })
	batch, line, size := uint64(0), 0, 0
	for i, b := range d.bets {
		if i == 0 || b.agency != d.bets[i-1].agency {
			batch, size = 0, 0
		}
		if line++; size == 0 || line > size {
			batch, line, size = batch+1, 1, 1+r.IntN(40)
		}
		b.batch, b.line = batch, line
	}
	d.compute()
}

// compute is the rules as docs/QUINIELA.md has them, in texts and fractions.
func (d *randomDraw) compute() {
	d.payout = receipt.Payout{}
	for _, b := range d.bets {
		b.hits = 0
		for i, n := range d.extract {
			if i+1 >= b.from && i+1 <= b.to && strings.HasSuffix(fmt.Sprintf("%04d", n), b.number) {
				b.hits++
			}
		}
		prize := new(big.Rat).SetFrac(whole(b.stake), big.NewInt(int64(b.to-b.from+1)))
		prize.Mul(prize, new(big.Rat).SetInt64(int64(b.hits)*int64(d.terms.Multipliers[len(b.number)-1])))
		b.due = truncated(prize)
		d.payout.Staked += b.stake
		d.payout.Due += b.due
	}
	d.payout.Pool = d.payout.Due
	if limit := new(big.Int).Mul(whole(d.payout.Staked), big.NewInt(int64(d.terms.Cap))); d.terms.Cap > 0 && limit.Cmp(whole(d.payout.Due)) < 0 {
		d.payout.Pool = limit.Uint64()
	}
	for _, b := range d.bets {
		if b.paid = b.due; d.payout.Capped() {
			share := new(big.Rat).SetFrac(whole(d.payout.Pool), whole(d.payout.Due))
			b.paid = truncated(share.Mul(share, new(big.Rat).SetInt(whole(b.due))))
		}
		d.payout.Paid += b.paid
	}
}

func whole(n uint64) *big.Int { return new(big.Int).SetUint64(n) }

// truncated leaves out what is less than a cent.
func truncated(r *big.Rat) uint64 {
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsUint64() {
		panic("an amount over 64 bits, which the terms must not allow")
	}
	return n.Uint64()
}

// again is the same draw with the same bets in another order, over other agencies and batches.
func (d *randomDraw) again(r *rand.Rand) *randomDraw {
	o := &randomDraw{id: d.id + "-again", terms: d.terms, extract: d.extract}
	for _, i := range r.Perm(len(d.bets)) {
		b := *d.bets[i]
		b.agency = 1 + quiniela.Agency(r.IntN(agenciesOf))
		o.bets = append(o.bets, &b)
	}
	o.place(r)
	return o
}

// play is the bet as a line has it, in one of the ways to write it.
func (b *sold) play() string {
	text := fmt.Sprintf("%s,%d.%02d", b.number, b.stake/100, b.stake%100)
	switch {
	case b.from == 1 && b.to == 1 && b.stake%2 == 0:
		return text
	case b.from == 1 && b.to == 1:
		return text + ",1"
	}
	return fmt.Sprintf("%s,%d-%d", text, b.from, b.to)
}

// hold opens the draw, sells its bets, and lets it be drawn.
func (d *randomDraw) hold(t *testing.T, desk *publishtest.Desk) {
	t.Helper()
	game := d.terms
	opened, err := desk.Ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: d.id, Agencies: agenciesOf, Rule: draw.Rule{Source: quiniela.SourceNotary}, Game: &game})
	if err != nil {
		t.Fatal(err)
	}
	d.seq = opened.Seq
	for i := 0; i < len(d.bets); {
		first, plays := d.bets[i], []string(nil)
		for ; i < len(d.bets) && d.bets[i].agency == first.agency && d.bets[i].batch == first.batch; i++ {
			plays = append(plays, d.bets[i].play())
		}
		desk.Play(d.seq, first.agency, first.batch, plays...)
	}
	for a := range quiniela.Agency(agenciesOf) {
		desk.Finish(d.seq, a+1)
	}
	if _, err := desk.Ledger.EnterPrizes(t.Context(), ledger.Actor{}, d.id, d.extract, nil); err != nil {
		t.Fatal(err)
	}
	<-desk.Ledger.Drawn(d.seq)
}

// sums are what the bets of an agency come to.
func (d *randomDraw) sums(a quiniela.Agency) (s ledger.AgencyPayout) {
	s.Agency = a
	for _, b := range d.bets {
		if b.agency == a {
			s.Batches = b.batch
			s.Bets++
			s.Staked += b.stake
			s.Due += b.due
			s.Paid += b.paid
			s.Winners += uint64(min(b.hits, 1))
		}
	}
	return s
}

// payouts are the sums of the agencies that have bets.
func (d *randomDraw) payouts() (all []ledger.AgencyPayout) {
	for a := range quiniela.Agency(agenciesOf) {
		if s := d.sums(a + 1); s.Bets > 0 {
			all = append(all, s)
		}
	}
	return all
}

func (d *randomDraw) winners() (n uint64) {
	for _, s := range d.payouts() {
		n += s.Winners
	}
	return n
}

// bounded checks what holds of every draw with a cap: no more is paid than it allows, and less than a cent of each winner is left over.
func (d *randomDraw) bounded(t *testing.T) {
	t.Helper()
	p := d.payout
	var sum receipt.Payout
	for _, s := range d.payouts() {
		sum.Staked, sum.Due, sum.Paid = sum.Staked+s.Staked, sum.Due+s.Due, sum.Paid+s.Paid
	}
	if sum.Staked != p.Staked || sum.Due != p.Due || sum.Paid != p.Paid {
		t.Errorf("draw %s: the agencies come to %+v, and the draw to %+v", d.id, sum, p)
	}
	limit := new(big.Int).Mul(whole(p.Staked), big.NewInt(int64(d.terms.Cap)))
	if over := d.terms.Cap > 0 && whole(p.Paid).Cmp(limit) > 0; over || p.Paid > p.Due || p.Pool-p.Paid > 0 && p.Pool-p.Paid >= d.winners() || !p.Capped() && p.Paid != p.Due {
		t.Errorf("draw %s: %+v under %s, with %d winners", d.id, p, &d.terms, d.winners())
	}
}

// inLedger compares what the ledger says.
func (d *randomDraw) inLedger(t *testing.T, l *ledger.Ledger, when string) {
	t.Helper()
	got, err := l.FindDraw(t.Context(), d.id)
	if err != nil || got.Result == nil {
		t.Fatalf("%s: draw %s: %+v, %v", when, d.id, got, err)
	}
	if diff := difference.Diff(&d.payout, got.Payout()); diff != "" || uint64(got.Result.Winners) != d.winners() || got.Staked != d.payout.Staked {
		t.Errorf("%s: draw %s: %d winners, want %d\n%s", when, d.id, got.Result.Winners, d.winners(), diff)
	}
	payouts, err := l.Payouts(t.Context(), d.id, 0, 100)
	if diff := difference.Diff(d.payouts(), payouts); diff != "" || err != nil {
		t.Errorf("%s: draw %s: %v\n%s", when, d.id, err, diff)
	}
	var want, each []string
	for _, b := range d.bets {
		if b.hits > 0 {
			want = append(want, fmt.Sprintf("%d/%d/%d: %s at %d-%d for %d hits %d times: %d, %d", b.agency, b.batch, b.line, b.number, b.from, b.to, b.stake, b.hits, b.due, b.paid))
		}
	}
	line := func(p ledger.Prize) string {
		return fmt.Sprintf("%d/%d/%d: %s at %d-%d for %d hits %d times: %d, %d", p.Agency, p.Batch, p.Line, p.Play.Appearance(), p.Play.From, p.Play.To, p.Play.Stake, p.Hits, p.Due, p.Paid)
	}
	if err := l.EachPrize(t.Context(), d.id, func(p ledger.Prize) error { each = append(each, line(p)); return nil }); err != nil {
		t.Error(err)
	}
	if diff := difference.Diff(want, each); diff != "" {
		t.Errorf("%s: draw %s: each prize\n%s", when, d.id, diff)
	}
	var listed []string
	for a := range quiniela.Agency(agenciesOf) {
		w, drawn, err := l.Winners(t.Context(), d.seq, a+1)
		if err != nil || !drawn {
			t.Fatalf("%s: draw %s, agency %d: %t, %v", when, d.id, a+1, drawn, err)
		}
		for from := uint32(0); from < w.Count; {
			part, err := w.Prizes(t.Context(), from, 7)
			if err != nil || len(part) == 0 {
				t.Fatalf("%s: draw %s, from %d: %v", when, d.id, from, err)
			}
			for _, p := range part {
				listed = append(listed, line(p))
			}
			from += uint32(len(part))
		}
	}
	if diff := difference.Diff(want, listed); diff != "" {
		t.Errorf("%s: draw %s: the agencies' lists\n%s", when, d.id, diff)
	}
}

// exported reads the bets of an export, and counts them again by the rules that everybody can read, package draw's.
func (d *randomDraw) exported(t *testing.T, text string) {
	t.Helper()
	var payout receipt.Payout
	staked, due, paid := new(big.Int), new(big.Int), new(big.Int)
	var dues []*big.Int
	for row := range strings.Lines(text) {
		_, line, _ := strings.Cut(strings.TrimSuffix(row, "\n"), ",")
		p, bad := d.terms.PlayOf([]byte(line))
		if bad != nil {
			t.Fatalf("draw %s: the exported %q: %v", d.id, row, bad)
		}
		prize := draw.Prize(&d.terms, p, len(draw.Hits(d.extract, p)))
		staked.Add(staked, whole(p.Stake))
		due.Add(due, prize)
		dues = append(dues, prize)
	}
	pool := draw.Pool(&d.terms, staked, due)
	for _, prize := range dues {
		paid.Add(paid, draw.Paid(prize, pool, due))
	}
	payout = receipt.Payout{Staked: staked.Uint64(), Due: due.Uint64(), Pool: pool.Uint64(), Paid: paid.Uint64()}
	if diff := difference.Diff(d.payout, payout); diff != "" || len(dues) != len(d.bets) {
		t.Errorf("draw %s: %d bets are exported of %d\n%s", d.id, len(dues), len(d.bets), diff)
	}
}

// audited compares what strangers recompute from what is published.
func (d *randomDraw) audited(t *testing.T, f files, r *audit.Report) {
	t.Helper()
	i := slices.IndexFunc(r.Draws, func(a *audit.Draw) bool { return a.ID == d.id })
	if i < 0 {
		t.Fatalf("the audit has no draw %s", d.id)
	}
	got := r.Draws[i]
	if got.Stake != d.payout.Staked || got.Due != d.payout.Due || got.Paid != d.payout.Paid || got.Bets != uint64(len(d.bets)) || got.Winners != d.winners() {
		t.Errorf("draw %s: the audit has %+v, want %+v", d.id, got, d.payout)
	}
	var agencies []ledger.AgencyPayout
	for _, a := range got.Agencies {
		agencies = append(agencies, ledger.AgencyPayout{Agency: quiniela.Agency(a.Agency), Batches: a.Batches, Bets: a.Bets, Staked: a.Stake, Winners: a.Winners, Due: a.Due, Paid: a.Paid})
	}
	if diff := difference.Diff(d.payouts(), agencies); diff != "" {
		t.Errorf("draw %s: the audit\n%s", d.id, diff)
	}
	want := ""
	for _, s := range d.payouts() {
		if s.Winners > 0 {
			want += fmt.Sprintf("%d %d %d %d\n", s.Agency, s.Winners, s.Due, s.Paid)
		}
	}
	if diff := difference.Diff(want, string(f["draws/"+d.id+"/winners"])); diff != "" {
		t.Errorf("draw %s: the published winners\n%s", d.id, diff)
	}
}

// Random draws with random terms come to the same in the ledger, in a ledger that is built anew from the journal, in the journal's own check,
// in an export, and in what is published; and in whatever order the bets are sold.
func TestRandomDrawsComeToTheSameEverywhere(t *testing.T) {
	t.Parallel()
	seed := *gameSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat these draws with -game-seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 17))
	desk := publishtest.Start(t, 1)
	desk.Finish(1, 1)
	var all []*randomDraw
	for i := range 20 {
		d := newRandomDraw(r, "draw-"+strconv.Itoa(i))
		o := d.again(r)
		for _, d := range []*randomDraw{d, o} {
			d.hold(t, desk)
			d.bounded(t)
			d.inLedger(t, desk.Ledger, "at first")
		}
		if d.payout != o.payout {
			t.Errorf("in another order %+v, and at first %+v", o.payout, d.payout)
		}
		all = append(all, d, o)
	}
	for _, d := range all {
		desk.File("draws/" + d.id + "/outcome.json")
	}
	desk.Close()
	if err := os.RemoveAll(filepath.Join(desk.Dir, ledger.StateName)); err != nil {
		t.Fatal(err)
	}
	desk.Open(1)
	for _, d := range all {
		d.inLedger(t, desk.Ledger, "built anew")
	}
	desk.Close()
	randomOutside(t, desk, all)
}

// randomOutside compares what is outside of the ledger.
func randomOutside(t *testing.T, desk *publishtest.Desk, all []*randomDraw) {
	t.Helper()
	l := asPublished(desk)
	j := l.journal(t)
	checked, err := fsck.Check(t.Context(), j, nil)
	if err != nil || !checked.OK() {
		t.Fatalf("%+v, %v", checked, err)
	}
	report := l.run(t, l.files, nil)
	if !report.OK {
		t.Fatalf("%+v", findings(report))
	}
	for _, d := range all {
		d.audited(t, l.files, report)
		var text bytes.Buffer
		if _, err := ledger.Export(context.Background(), j, d.id, &text, nil); err != nil {
			t.Fatal(err)
		}
		d.exported(t, text.String())
		i := slices.IndexFunc(checked.Draws, func(c fsck.Draw) bool { return c.ID == d.id })
		if c := checked.Draws[i]; c.Winners != d.winners() || c.Bets != uint64(len(d.bets)) {
			t.Errorf("draw %s: fsck has %+v", d.id, c)
		}
	}
}
