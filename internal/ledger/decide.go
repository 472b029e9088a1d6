package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/receipt"
)

// This file has the rules: what the committer decides of each kind of request. A decision sees the state, and the decisions
// before it in the same group.

// decide answers r, and appends to the group the entries that make the answer true. A refusal is in r.err; the error that is
// returned is the ledger's, which cannot go on.
func (g *group) decide(ctx context.Context, r *request) error {
	r.err, r.stored, r.fresh = nil, 0, false
	switch {
	case r.batch != nil:
		err := g.decideBatch(ctx, r, r.batch)
		r.batch.Sequence.decided(r.batch.Batch, r.err)
		return err
	case r.finish != nil:
		return g.decideFinish(ctx, r, r.finish)
	case r.open != nil:
		return g.decideOpen(ctx, r, *r.open)
	case r.close != nil:
		return g.decideClose(ctx, r, r.close)
	case r.enter != nil:
		return g.decideNumber(ctx, r, *r.enter)
	case r.acts != nil:
		return g.decideActs(ctx, r.acts)
	case r.refresh:
		return nil // the state is as fresh as was asked for
	default:
		return g.decideResult(ctx, r, r.result)
	}
}

// add appends an entry to the group, and to what the next decision sees.
func (g *group) add(ctx context.Context, entry []byte, v any, plays []byte, w *winners) error {
	g.entries = append(g.entries, entry)
	return g.t.add(ctx, v, plays, w)
}

func (g *group) decideBatch(ctx context.Context, r *request, s *Submission) error {
	d, ok := g.t.draw(s.Draw)
	if !ok {
		r.err = errNoDraw
		return nil
	}
	if r.err = checkAgency(d, s.Agency, s.Unattributed); r.err != nil {
		return nil
	}
	k := cursorKey{d.Seq, s.Agency}
	c := g.t.cursor(k)
	if s.Batch != 0 && s.Batch < c.next {
		return g.decideRepeat(ctx, r, d, batchID{k, s.Batch}, c)
	}
	if r.err = checkNext(d, s, c); r.err != nil {
		return nil
	}
	if r.err = s.fit(d); r.err != nil {
		return nil
	}
	if d.Staked+s.stake > d.Game.MostStaked() {
		_, err := d.Game.StakedWith(d.Staked, s.plays)
		r.err = quiniela.Refuse(quiniela.TooLarge, "%v", err)
		return nil
	}
	s.entry.Draw, s.entry.Batch = d.Seq, c.next
	entry := s.Frame[s.begin:]
	journal.Place(entry, d.Seq, c.next)
	r.stored = int(s.entry.Count)
	r.fresh = true
	g.appended[batchID{k, c.next}] = contentOf(&s.entry)
	return g.add(ctx, entry, &s.entry, s.plays, nil)
}

// checkNext refuses a new batch of an agency that can send none, or not this one.
func checkNext(d Draw, s *Submission, c cursor) error {
	switch {
	case c.finished:
		return quiniela.Refuse(quiniela.Finished, "agency %d has finished: it can send no more bets in draw %s", s.Agency, d.ID)
	case d.Sealed:
		return quiniela.Refuse(quiniela.Closed, "draw %s is closed", d.ID)
	case s.Batch > c.next:
		return gap(c.next)
	}
	if number := s.Sequence.lacks(s.Batch); number != 0 {
		return gap(number)
	}
	return nil
}

func gap(next uint64) error {
	return &quiniela.Error{Code: quiniela.Gap, Detail: strconv.FormatUint(next, 10)}
}

// content is what a repeat of a batch is compared with. It has zeros for the secret and the identity of a batch that is forgotten.
type content struct {
	bets     uint32
	secret   [journal.SecretSize]byte
	identity [journal.HashSize]byte // the root, or the MAC where the draw is not in the public log
}

func contentOf(b *journal.Batch) content {
	c := content{bets: b.Count}
	if b.Secret == nil {
		return c
	}
	c.secret, c.identity = *b.Secret, b.MAC
	if b.Root != nil {
		c.identity = *b.Root
	}
	return c
}

// has reports whether the content is that of some lines of a draw.
func (c *content) has(lines []byte, d Draw) bool {
	if !d.Public {
		return c.identity == journal.MAC(&c.secret, lines)
	}
	root, err := receipt.Root(d.Game, &c.secret, lines)
	return err == nil && root == c.identity
}

// decideRepeat answers a batch whose number is taken: as before where the content is the same, else with a refusal. c is the
// agency's cursor, which knows its last batch.
func (g *group) decideRepeat(ctx context.Context, r *request, d Draw, id batchID, c cursor) error {
	if r.err = d.forgotten(); r.err != nil {
		return nil
	}
	before := c.last
	if id.number != c.next-1 {
		var err error
		if before, err = g.find(ctx, id); err != nil {
			return err
		}
	}
	if !before.has(r.batch.entry.Lines, d) {
		r.err = quiniela.Refuse(quiniela.Conflict, "batch %d of agency %d is stored with other content (%d bets); ask hello where to go on",
			id.number, id.agency, before.bets)
		return nil
	}
	r.stored = int(before.bets)
	return nil
}

// find returns the content of a batch that is stored, or about to be in this group.
func (g *group) find(ctx context.Context, id batchID) (content, error) {
	if c, ok := g.appended[id]; ok {
		return c, nil
	}
	var c content
	err := g.l.state.batch(ctx, id, func(b *journal.Batch) error {
		c = contentOf(b)
		return nil
	})
	return c, err
}

func (g *group) decideFinish(ctx context.Context, r *request, f *finishRequest) error {
	d, ok := g.t.draw(f.draw)
	if !ok {
		r.err = errNoDraw
		return nil
	}
	if r.err = checkAgency(d, f.agency, false); r.err != nil {
		return nil
	}
	k := cursorKey{d.Seq, f.agency}
	c := g.t.cursor(k)
	if f.batches >= c.next {
		r.err = quiniela.Refuse(quiniela.Missing, "batch %d of %d has not arrived", c.next, f.batches)
		return nil
	}
	if number := f.sequence.lacks(f.batches + 1); number != 0 {
		r.err = quiniela.Refuse(quiniela.Missing, "batch %d of %d was not stored for this connection; ask hello where to go on", number, f.batches)
		return nil
	}
	if c.finished {
		return nil
	}
	if d.Sealed {
		r.err = quiniela.Refuse(quiniela.Closed, "draw %s was closed before agency %d had finished", d.ID, f.agency)
		return nil
	}
	now := g.l.now().UnixMicro()
	finish := journal.Finish{Draw: d.Seq, Agency: f.agency, Batches: c.next - 1, At: now}
	if err := g.add(ctx, journal.Encode(finish), finish, nil, nil); err != nil {
		return err
	}
	d, _ = g.t.draw(d.Seq) // with this finish
	if d.Finished < d.Agencies {
		return nil
	}
	// In the same commit as the last finish, so that no bet can come between.
	return g.seal(ctx, d, journal.SealedByAgencies, "", now)
}

// seal closes a draw for ever.
func (g *group) seal(ctx context.Context, d Draw, by, note string, now int64) error {
	seal := journal.Seal{
		Draw: d.Seq, Batches: d.Batches, Bets: d.Bets, By: by, Note: note, Missing: d.Agencies - d.Finished, At: now,
	}
	return g.add(ctx, journal.Encode(seal), seal, nil, nil)
}

// sealPast closes the draws whose time has come, before anything of the group is decided: so no bet that is decided
// after the closing time is taken, also where the server was down when it came.
func (g *group) sealPast(ctx context.Context) error {
	now := g.l.now()
	for _, n := range g.t.s.undrawn {
		if d := g.t.s.draws[n]; d.past(now) {
			if err := g.seal(ctx, d, journal.SealedByTime, "", now.UnixMicro()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *group) decideOpen(ctx context.Context, r *request, o journal.Open) error {
	if o.Draw == 0 {
		o.Draw = g.t.last() + 1
	}
	if g.t.named(o.ID) != 0 || o.Draw <= g.t.last() {
		r.err = quiniela.Refuse(quiniela.NoDraw, "draw %s is already there: names are used once", o.ID)
		return nil
	}
	if waiting := len(g.t.s.undrawn) + int(g.t.last()-g.t.s.last()); waiting >= MaxUndrawn {
		r.err = quiniela.Refuse(quiniela.Busy, "%d draws have no result yet, the most at once: close some, and enter the numbers that they wait for", waiting)
		return nil
	}
	if err := g.add(ctx, journal.Encode(o), o, nil, nil); err != nil {
		return err
	}
	if err := g.act(ctx, r.by, journal.Act{What: journal.ActOpen, Draw: o.ID}); err != nil {
		return err
	}
	if o.Agencies > 0 {
		return nil
	}
	// Nobody is expected, so nobody will finish it.
	d, _ := g.t.draw(o.Draw)
	return g.seal(ctx, d, journal.SealedByAgencies, "", o.At)
}

func (g *group) decideClose(ctx context.Context, r *request, c *closeRequest) error {
	d, ok := g.t.draw(g.t.named(c.id))
	if !ok || d.ID != c.id {
		r.err = noDraw(c.id)
		return nil
	}
	if d.Sealed {
		r.err = quiniela.Refuse(quiniela.Closed, "draw %s is closed already", d.ID)
		return nil
	}
	if err := g.seal(ctx, d, journal.SealedByOperator, c.note, g.l.now().UnixMicro()); err != nil {
		return err
	}
	return g.act(ctx, r.by, journal.Act{What: journal.ActClose, Draw: d.ID, Note: c.note})
}

func (g *group) decideNumber(ctx context.Context, r *request, e enterRequest) error {
	d, ok := g.t.draw(g.t.named(e.id))
	if !ok || d.ID != e.id {
		r.err = noDraw(e.id)
		return nil
	}
	if r.err = checkNumber(d, e); r.err != nil {
		return nil
	}
	if d.Two {
		return g.decideOneOfTwo(ctx, r, d, e)
	}
	n := journal.Number{Draw: d.Seq, Number: e.number, Prizes: e.prizes, Signature: e.signature, Extract: e.extract, At: g.l.now().UnixMicro()}
	if r.by.Name != "" {
		n.By = []string{r.by.Name}
	}
	return g.enter(ctx, r, d, n)
}

// enter records a draw's number, and who entered it.
func (g *group) enter(ctx context.Context, r *request, d Draw, n journal.Number) error {
	if err := g.add(ctx, journal.Encode(n), n, nil, nil); err != nil {
		return err
	}
	return g.act(ctx, r.by, journal.Act{What: journal.ActEnter, Draw: d.ID, Note: entered(n)})
}

// entered is what the audit trail says of a draw's number: it, or all twenty.
func entered(n journal.Number) string {
	if n.Prizes == nil {
		return fmt.Sprintf("%04d", n.Number)
	}
	return strings.Trim(fmt.Sprintf("%04d", n.Prizes), "[]")
}

// checkNumber refuses a number that a draw does not wait for.
func checkNumber(d Draw, e enterRequest) error {
	if d.Rule.Source == quiniela.SourceFixed {
		return quiniela.Refuse(quiniela.Invalid, "the number of draw %s is not entered: its source is %q", d.ID, d.Rule.Source)
	}
	if byHand := e.signature == nil; byHand && d.Rule.Source == quiniela.SourceBeacon {
		return quiniela.Refuse(quiniela.Invalid, "draw %s takes its number from round %d of the beacon, and from nobody: once it is signed, "+
			"every relay keeps it; a server that reaches none is given the round's file", d.ID, d.Rule.Round)
	}
	if !d.Sealed {
		return quiniela.Refuse(quiniela.Invalid, "draw %s is still open: its number can be entered once it is closed", d.ID)
	}
	if d.Game == nil && e.prizes != nil {
		return quiniela.Refuse(quiniela.Invalid, "draw %s takes one number, and %d were entered: its game is %s", d.ID, len(e.prizes), d.Game.Game())
	}
	if d.Game != nil && e.prizes == nil {
		return quiniela.Refuse(quiniela.Invalid, "draw %s takes the %d numbers of the extract, and one was entered: its game is %s", d.ID, quiniela.PrizeCount, d.Game.Game())
	}
	if d.Entered != nil {
		return quiniela.Refuse(quiniela.Conflict, "draw %s has its number already: %04d", d.ID, *d.Entered)
	}
	return nil
}

func (g *group) decideResult(ctx context.Context, r *request, res *resultRequest) error {
	d, ok := g.t.draw(res.entry.Draw)
	if !ok || !d.due() {
		r.err = errDrawn // another server was faster
		return nil
	}
	return g.add(ctx, journal.Encode(res.entry), res.entry, nil, res.winners)
}

var (
	errNoDraw = &quiniela.Error{Code: quiniela.NoDraw, Detail: "no draw is open"}
	errDrawn  = errors.New("the draw has its result")
)

func noDraw(id string) error {
	return quiniela.Refuse(quiniela.NoDraw, "there is no draw %q; `quiniela draw list` shows those there are", id)
}

// checkAgency refuses an agency that the draw does not have. With unattributed, bets that name no agency are taken as well.
func checkAgency(d Draw, a quiniela.Agency, unattributed bool) error {
	if a == quiniela.Unattributed && unattributed {
		return nil
	}
	if a != quiniela.Unattributed && uint32(a) <= d.Agencies {
		return nil
	}
	if d.Agencies == 0 {
		return quiniela.Refuse(quiniela.NoAgency, "there is no agency %d: draw %s expects none", a, d.ID)
	}
	return quiniela.Refuse(quiniela.NoAgency, "there is no agency %d: draw %s has 1 to %d", a, d.ID, d.Agencies)
}
