// Package fsck reads a journal from its first entry to its last and reports what is wrong in it. It changes nothing.
//
// It does not import the ledger: it follows the draws' states, and counts batches, bets and winners, with code of its own, so
// that a mistake of one is not a mistake of both. The parsers and formats it shares with what it controls: the journal's
// decoder, the check of a bet line, the hash of a batch (package receipt) and the check of a beacon's signature (package draw).
// A mistake in one of those is not found here.
package fsck

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/receipt"
)

// Report is what a journal holds, and what is wrong with it.
type Report struct {
	Entries, Batches, Bets uint64
	Draws                  []Draw
	Findings               []string // the first of them
	More                   uint64   // findings that are not listed
}

// OK reports that nothing is wrong.
func (r *Report) OK() bool { return len(r.Findings) == 0 }

// Draw is what the journal says of a draw.
type Draw struct {
	ID       string
	Agencies uint32
	Closes   time.Time // zero: it has no closing time
	Batches  uint64
	Bets     uint64
	State    string           // open, sealed, drawn or forgotten
	Number   *quiniela.Number // fixed or entered; nil: not known yet
	Winners  uint64           // once it is drawn
	// Of the game quiniela, in cents: what the bets stake, and once it is drawn what the prizes are before the cap, and what is paid.
	Staked, Due, Paid uint64
}

// mostFindings bounds the list of what is wrong.
const mostFindings = 100

// checker is the state of a check: its own small account of what has been read.
type checker struct {
	report  Report
	draws   map[uint64]*drawn
	names   map[string]bool
	changes map[string]uint64 // the last one of each registry, by its ID
	at      uint64            // the entry that is being read
}

type drawn struct {
	Draw
	opened   journal.Open
	number   *quiniela.Number
	prizes   []quiniela.Number // of the game quiniela: all twenty
	staked   uint64            // in cents
	wins     uint64            // bets that win something, of the game quiniela
	due      big.Int           // their prizes, in cents
	pool     *big.Int          // how much of them is paid at most
	paid     big.Int           // what is paid of them where that is less than all
	batches  uint64
	next     map[quiniela.Agency]uint64
	finished map[quiniela.Agency]bool
	tally    [quiniela.MaxNumber + 1]uint64
	result   *journal.Result
	resultAt uint64
	winners  map[quiniela.Agency][]byte // their part of the digest
	first    *journal.Entered           // what the first of two people has entered
}

// Check reads j. progress, where it is not nil, is called now and then with how far it is. The error says that the
// journal could not be read to its end; the report then says what there was until there.
func Check(ctx context.Context, j journal.Journal, progress func(entries uint64)) (*Report, error) {
	c := &checker{draws: map[uint64]*drawn{}, names: map[string]bool{}, changes: map[string]uint64{}}
	for e, err := range j.Entries(ctx, 1) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return c.done(), fmt.Errorf("after entry %d: %w", c.at, err)
		}
		if c.at++; e.Position != c.at {
			c.finding("is at position %d: entries are missing", e.Position)
			c.at = e.Position
		}
		c.report.Entries++
		c.entry(e.Data)
		if progress != nil && c.at%1024 == 0 {
			progress(c.at)
		}
	}
	if err := c.winners(ctx, j); err != nil {
		return c.done(), err
	}
	return c.done(), nil
}

func (c *checker) done() *Report {
	for n := uint64(1); c.draws[n] != nil; n++ {
		d := c.draws[n]
		d.Draw.Batches, d.Draw.Number, d.Draw.Staked = d.batches, d.number, d.staked
		if d.opened.Closes != 0 {
			d.Closes = time.UnixMicro(d.opened.Closes)
		}
		if d.result != nil {
			d.Winners, d.Due, d.Paid = d.result.Winners, d.result.Due, d.result.Paid
		}
		c.report.Draws = append(c.report.Draws, d.Draw)
	}
	return &c.report
}

// finding notes what is wrong with the entry that is being read.
func (c *checker) finding(format string, args ...any) {
	if len(c.report.Findings) == mostFindings {
		c.report.More++
		return
	}
	c.report.Findings = append(c.report.Findings, fmt.Sprintf("entry %d ", c.at)+fmt.Sprintf(format, args...))
}

func (c *checker) entry(data []byte) {
	v, err := journal.Decode(data)
	if err != nil {
		c.finding("cannot be read: %v", err)
		return
	}
	switch v := v.(type) {
	case *journal.Batch:
		c.batch(v)
	case journal.Open:
		c.open(v)
	case journal.Finish:
		c.finish(v)
	case journal.Seal:
		c.seal(v)
	case journal.Number:
		c.enter(v)
	case journal.Result:
		c.result(v)
	case journal.Forget:
		c.forget(v)
	case journal.NewLog:
		c.newLog(v)
	case journal.Entered:
		c.entered(v)
	case journal.Act:
		c.act(v)
	default:
		c.finding("is a %T, which this check does not know", v)
	}
}

// of returns the draw of an entry, where it is in one of the states.
func (c *checker) of(n uint64, what string, states ...string) *drawn {
	d := c.draws[n]
	if d == nil {
		c.finding("is %s of draw %d, which was never opened", what, n)
		return nil
	}
	for _, s := range states {
		if d.State == s {
			return d
		}
	}
	c.finding("is %s of draw %s, which is %s by then", what, d.ID, d.State)
	return nil
}

func (c *checker) open(o journal.Open) {
	switch {
	case o.Draw != uint64(len(c.draws))+1:
		c.finding("opens draw %d (%s), and %d are there", o.Draw, o.ID, len(c.draws))
	case c.names[o.ID]:
		c.finding("opens a second draw with the name %s", o.ID)
	case o.Game.Check() != nil:
		c.finding("opens draw %s with terms that cannot be: %v", o.ID, o.Game.Check())
	}
	c.names[o.ID] = true
	c.draws[o.Draw] = &drawn{
		Draw: Draw{ID: o.ID, Agencies: o.Agencies, State: "open"}, opened: o, number: o.Number,
		next: map[quiniela.Agency]uint64{}, finished: map[quiniela.Agency]bool{},
	}
}

func (c *checker) batch(b *journal.Batch) {
	d := c.of(b.Draw, fmt.Sprintf("batch %d of agency %d", b.Batch, b.Agency), "open")
	if d == nil {
		return
	}
	where := fmt.Sprintf("(draw %s, agency %d, batch %d)", d.ID, b.Agency, b.Batch)
	if uint32(b.Agency) > d.Agencies {
		c.finding("%s is of an agency that the draw does not have", where)
	}
	if d.finished[b.Agency] {
		c.finding("%s follows the agency's finish", where)
	}
	if want := d.next[b.Agency] + 1; b.Batch != want {
		c.finding("%s comes where batch %d is next", where, want)
	}
	if d.opened.Closes != 0 && b.Received > d.opened.Closes+late.Microseconds() {
		c.finding("%s was received after the closing time", where)
	}
	d.next[b.Agency] = b.Batch
	d.batches++
	d.Bets += uint64(b.Count)
	c.report.Batches++
	c.report.Bets += uint64(b.Count)
	c.bets(d, b, where)
	c.root(d, b, where)
}

// newLog checks that a new public log has again what was not drawn.
func (c *checker) newLog(n journal.NewLog) {
	opened := uint64(0)
	var again []uint64
	for seq := range uint64(len(c.draws)) {
		d := c.draws[seq+1]
		if d == nil || !d.opened.Public {
			continue
		}
		if opened++; d.result == nil {
			again = append(again, seq+1)
		}
	}
	if n.Opened != opened || !slices.Equal(n.Again, again) {
		c.finding("begins a new public log with the draws %v of %d, and those without a result are %v of %d", n.Again, n.Opened, again, opened)
	}
}

// round checks that a number comes with its round's signature. Whether it follows from the signature is for the audit to check,
// which has the public log.
func (c *checker) round(d *drawn, n journal.Number) {
	chain := draw.Quicknet()
	if hash := chain.Hash(); !bytes.Equal(hash[:], d.opened.Chain) {
		c.finding("enters a number for draw %s from a beacon that this check does not know", d.ID)
	} else if _, err := chain.Verify(d.opened.Round, n.Signature); err != nil {
		c.finding("enters a number for draw %s: %v", d.ID, err)
	}
}

// root checks the root that a batch has in the public log. A batch whose bettors were forgotten cannot be hashed again.
func (c *checker) root(d *drawn, b *journal.Batch, where string) {
	switch {
	case d.opened.Public != (b.Root != nil):
		c.finding("%s has a root: %t; and the draw is in the public log: %t", where, b.Root != nil, d.opened.Public)
	case b.Root == nil || b.Plays != nil:
	default:
		if root, err := receipt.Root(d.opened.Game, b.Secret, b.Lines); err != nil || root != *b.Root {
			c.finding("%s has a root that is not of its bets: the public log says something else than was bet", where)
		}
	}
}

// late is how long after the closing time a batch may have been received: the clocks of several servers differ.
const late = time.Minute

// bets checks the bet lines of a batch, or only what they are on where its bettors were forgotten, and counts that.
func (c *checker) bets(d *drawn, b *journal.Batch, where string) {
	game, plays := d.opened.Game, b.Plays
	if plays == nil {
		if b.Root == nil && journal.MAC(b.Secret, b.Lines) != b.MAC {
			c.finding("%s has lines that do not have its MAC: they were changed", where)
		}
		received := time.UnixMicro(b.Received)
		if b.Received == 0 {
			received = time.Now()
		}
		lines := append([]byte(nil), b.Lines...) // the check may tidy them
		_, packed, err := game.CheckLines(lines, quiniela.DayOf(received), int(b.Count), nil, nil)
		if err != nil {
			c.finding("%s has a bad bet: %v", where, err)
			return
		}
		plays = packed
	}
	size := game.PlaySize()
	if len(plays) != size*int(b.Count) {
		c.finding("%s says %d bets and has %d", where, b.Count, len(plays)/size)
	}
	for ; len(plays) >= size; plays = plays[size:] {
		p, err := game.UnpackPlay(plays[:size])
		if err == nil {
			err = game.CheckPlay(p)
		}
		if err != nil {
			c.finding("%s has a bad bet: %v", where, err)
			continue
		}
		d.tally[p.Number]++
		if d.staked += p.Stake; d.staked > game.MostStaked() {
			c.finding("%s brings what was staked to over %s, the most that the draw can have", where, quiniela.FormatCents(game.MostStaked()))
		}
	}
}

func (c *checker) finish(f journal.Finish) {
	d := c.of(f.Draw, fmt.Sprintf("the finish of agency %d", f.Agency), "open")
	switch {
	case d == nil:
	case f.Agency == 0 || uint32(f.Agency) > d.Agencies || d.finished[f.Agency]:
		c.finding("is a finish of agency %d, which draw %s does not have or which has finished", f.Agency, d.ID)
	case f.Batches != d.next[f.Agency]:
		c.finding("is the finish of agency %d after %d batches, and %d are there", f.Agency, f.Batches, d.next[f.Agency])
	default:
		d.finished[f.Agency] = true
	}
}

func (c *checker) seal(s journal.Seal) {
	d := c.of(s.Draw, "the seal", "open")
	if d == nil {
		return
	}
	if s.Batches != d.batches || s.Bets != d.Bets {
		c.finding("seals draw %s with %d batches and %d bets, and %d and %d are there", d.ID, s.Batches, s.Bets, d.batches, d.Bets)
	}
	if missing := d.Agencies - uint32(len(d.finished)); s.By != "" && s.Missing != missing || s.By == journal.SealedByAgencies && missing != 0 {
		c.finding("seals draw %s by %s with %d agencies missing, and %d are", d.ID, s.By, s.Missing, missing)
	}
	d.State = "sealed"
}

func (c *checker) enter(n journal.Number) {
	d := c.of(n.Draw, "the number", "sealed")
	switch {
	case d == nil:
	case d.opened.Source == quiniela.SourceFixed || d.number != nil || n.Number > quiniela.MaxNumber:
		c.finding("enters the number %d for draw %s, whose source is %q or which has one", n.Number, d.ID, d.opened.Source)
	case n.Signature != nil && d.opened.Source != quiniela.SourceBeacon:
		c.finding("enters a beacon's number for draw %s, whose source is %q", d.ID, d.opened.Source)
	case n.Signature == nil && d.opened.Source == quiniela.SourceBeacon:
		c.finding("enters a number by hand for draw %s, whose source is the beacon", d.ID)
	case !d.complete(n.Number, n.Prizes):
		c.finding("enters %d numbers for draw %s, whose game is %s", max(len(n.Prizes), 1), d.ID, d.opened.Game.Game())
	case !d.enteredBy(n):
		c.finding("enters a number for draw %s by the people %q, and not as its opening says", d.ID, n.By)
	default:
		if n.Signature != nil {
			c.round(d, n)
		}
		d.number, d.prizes = &n.Number, n.Prizes
	}
}

// enteredBy reports whether a number was entered by as many people as its draw needs.
func (d *drawn) enteredBy(n journal.Number) bool {
	if !d.opened.Two {
		return len(n.By) <= 1
	}
	f := d.first
	return f != nil && len(n.By) == 2 && n.By[0] == f.Who && n.By[1] != f.Who && n.By[1] != "" && same(*f, n.Number, n.Prizes, n.Extract)
}

// entered checks what one of two people has entered.
func (c *checker) entered(e journal.Entered) {
	d := c.of(e.Draw, "a number by one of two people", "sealed")
	switch {
	case d == nil:
	case !d.opened.Two || d.number != nil || e.Who == "":
		c.finding("enters a number for draw %s by %q, which does not wait for two people", d.ID, e.Who)
	case !d.complete(e.Number, e.Prizes):
		c.finding("enters %d numbers for draw %s, whose game is %s", max(len(e.Prizes), 1), d.ID, d.opened.Game.Game())
	case d.first == nil || d.first.Who == e.Who:
		d.first = &e
	case same(*d.first, e.Number, e.Prizes, e.Extract):
		c.finding("enters the same number for draw %s as %s did before, and has no effect", d.ID, d.first.Who)
	default:
		d.first = nil // the two differ, and neither counts
	}
}

// complete reports whether the numbers are those that the draw's game needs: the winning one, or all twenty.
func (d *drawn) complete(n quiniela.Number, prizes []quiniela.Number) bool {
	if d.opened.Game == nil {
		return prizes == nil
	}
	return len(prizes) == quiniela.PrizeCount && prizes[0] == n && slices.Max(prizes) <= quiniela.MaxNumber
}

func same(e journal.Entered, n quiniela.Number, prizes []quiniela.Number, extract []byte) bool {
	return e.Number == n && slices.Equal(e.Prizes, prizes) && bytes.Equal(e.Extract, extract)
}

// act checks that a registry's changes were recorded in their order.
func (c *checker) act(a journal.Act) {
	if a.Registry == "" {
		return
	}
	if last := c.changes[a.Registry]; a.Change <= last {
		c.finding("records change %d of registry %s, and change %d was recorded before", a.Change, a.Registry, last)
	}
	c.changes[a.Registry] = a.Change
}

func (c *checker) result(r journal.Result) {
	d := c.of(r.Draw, "the result", "sealed")
	if d == nil {
		return
	}
	d.State = "drawn"
	switch {
	case d.number == nil || *d.number != r.Number:
		c.finding("is a result of draw %s for the number %04d, which is not its number", d.ID, r.Number)
	case d.opened.Game != nil: // what is paid is counted when the bets are read again
	case d.tally[r.Number] != r.Winners:
		c.finding("is a result of draw %s with %d winners, and %d bets are on %04d", d.ID, r.Winners, d.tally[r.Number], r.Number)
	}
	d.result, d.resultAt, d.winners = &r, c.at, map[quiniela.Agency][]byte{}
}

func (c *checker) forget(f journal.Forget) {
	if d := c.of(f.Draw, "the end", "drawn"); d != nil {
		d.State = "forgotten"
	}
}

// winners reads the bets a second time, now that every draw's number is known, and checks who won. Where a cap was exceeded it reads them
// a third time: what each is paid follows from all prizes together.
func (c *checker) winners(ctx context.Context, j journal.Journal) error {
	if err := c.again(ctx, j, func(d *drawn) bool { return true }, c.win); err != nil {
		return err
	}
	capped := false
	for _, d := range c.draws {
		if d.result != nil && d.opened.Game != nil {
			d.pool = draw.Pool(d.opened.Game, new(big.Int).SetUint64(d.staked), &d.due)
			capped = capped || d.capped()
		}
	}
	if capped {
		if err := c.again(ctx, j, (*drawn).capped, c.pay); err != nil {
			return err
		}
	}
	for n := uint64(1); c.draws[n] != nil; n++ {
		if d := c.draws[n]; d.result != nil {
			c.at = d.resultAt
			c.won(d)
		}
	}
	return nil
}

// again calls f with the batches of some of the draws that have their result.
func (c *checker) again(ctx context.Context, j journal.Journal, of func(*drawn) bool, f func(*drawn, *journal.Batch)) error {
	for e, err := range j.Entries(ctx, 1) {
		if err != nil {
			return err
		}
		v, err := journal.Decode(e.Data)
		b, ok := v.(*journal.Batch)
		if err != nil || !ok {
			continue
		}
		if d := c.draws[b.Draw]; d != nil && d.result != nil && of(d) {
			f(d, b)
		}
	}
	return nil
}

// capped reports whether the prizes come to more than the draw's terms let be paid.
func (d *drawn) capped() bool { return d.pool != nil && d.pool.Cmp(&d.due) < 0 }

// playsOf yields what the bets of a batch are on, each with its line from 1. Whether a bet is valid was found when it was read before.
func (d *drawn) playsOf(b *journal.Batch) iter.Seq2[int, quiniela.Play] {
	return func(yield func(int, quiniela.Play) bool) {
		game, plays := d.opened.Game, b.Plays
		if plays == nil {
			plays, _ = game.PackPlays(nil, b.Lines)
		}
		for line, size := 1, game.PlaySize(); len(plays) >= size; line, plays = line+1, plays[size:] {
			if p, err := game.UnpackPlay(plays[:size]); err == nil && !yield(line, p) {
				return
			}
		}
	}
}

// win adds the winning bets of a batch.
func (c *checker) win(d *drawn, b *journal.Batch) {
	var prizes []byte
	for line, p := range d.playsOf(b) {
		if d.opened.Game == nil {
			if p.Number == d.result.Number {
				d.winners[b.Agency] = journal.AppendWinner(d.winners[b.Agency], b.Agency, b.Batch, line)
			}
			continue
		}
		if hits := len(draw.Hits(d.prizes, p)); hits > 0 {
			due := draw.Prize(d.opened.Game, p, hits)
			prizes = journal.AppendPrize(prizes, line, hits, due.Uint64())
			d.due.Add(&d.due, due)
			d.wins++
		}
	}
	if prizes != nil {
		d.winners[b.Agency] = journal.AppendBatchDigest(d.winners[b.Agency], b.Agency, b.Batch, prizes)
	}
}

// pay adds what the winning bets of a batch are paid at their share.
func (c *checker) pay(d *drawn, b *journal.Batch) {
	for _, p := range d.playsOf(b) {
		if hits := len(draw.Hits(d.prizes, p)); hits > 0 {
			d.paid.Add(&d.paid, draw.Paid(draw.Prize(d.opened.Game, p, hits), d.pool, &d.due))
		}
	}
}

// won compares a draw's result with what its bets have won.
func (c *checker) won(d *drawn) {
	r := d.result
	if d.opened.Game != nil {
		paid := &d.due
		if d.capped() {
			paid = &d.paid
		}
		if d.wins != r.Winners || !is(&d.due, r.Due) || !is(paid, r.Paid) {
			c.finding("is a result of draw %s with %d winners who are paid %d of %d cents, and by the bets %d are paid %s of %s", d.ID, r.Winners, r.Paid, r.Due, d.wins, paid, &d.due)
		}
	}
	if !bytes.Equal(d.digest(), r.Digest) {
		c.finding("is a result of draw %s whose winners are not those of the bets", d.ID)
	}
}

func is(n *big.Int, want uint64) bool { return n.IsUint64() && n.Uint64() == want }

// digest is the SHA-256 over where the winning bets are, by agency and then in stored order.
func (d *drawn) digest() []byte {
	h := sha256.New()
	for _, a := range slices.Sorted(maps.Keys(d.winners)) {
		_, _ = h.Write(d.winners[a]) // never fails
	}
	return h.Sum(nil)
}
