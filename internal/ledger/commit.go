package ledger

import (
	"context"
	"errors"
	"slices"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/logline"
)

// group is what one commit makes durable together.
type group struct {
	l        *Ledger
	requests []*request
	t        *transaction
	entries  [][]byte
	// appended are the batches among entries, for repeats that came in the same group.
	appended map[batchID][journal.HashSize]byte
	full     bool // the last append found no room
	stale    bool // others may have appended what this server has not seen
}

type batchID struct {
	cursorKey
	number uint64
}

// commit is the committer: it decides what waits in the order in which it came, makes that durable, and only then
// answers.
func (l *Ledger) commit() {
	g := &group{l: l, appended: map[batchID][journal.HashSize]byte{}}
	for {
		g.requests = l.queue.take(g.requests[:0], groupBytes)
		g.stale = l.shared != nil && slices.ContainsFunc(g.requests, func(r *request) bool { return r.refresh })
		if len(g.requests) == 0 {
			return
		}
		began := time.Now()
		err := l.Err()
		if err == nil {
			err = g.run()
		}
		l.metrics.committed(g.requests, began)
		if err != nil {
			l.fail(err)
		}
		g.answer(err)
	}
}

// answer logs what was decided, and then lets everybody know; err is why the ledger failed.
func (g *group) answer(err error) {
	for _, r := range g.requests {
		if err != nil {
			r.err = err
		}
		if r.batch != nil && r.batch.Decided != nil {
			r.batch.Decided(r.stored, r.err)
		}
	}
	logline.Flush(g.l.log)
	for i, r := range g.requests {
		g.requests[i] = nil
		r.done <- struct{}{}
	}
}

// run decides and commits the group. On an error nothing of it may be acknowledged, nor anything after it.
func (g *group) run() error {
	ctx := context.Background() // a commit under way is finished, also while the ledger closes
	for {
		if g.stale {
			if err := g.catchUp(ctx); err != nil {
				return err
			}
		}
		g.reset()
		if err := g.sealPast(ctx); err != nil {
			return err
		}
		for _, r := range g.requests {
			if err := g.decide(ctx, r); err != nil {
				return err
			}
		}
		if len(g.entries) == 0 {
			// An append that succeeds shows that nobody was before us. Refusals alone show nothing: they may rest on
			// what others have changed.
			if g.l.shared != nil && !g.stale {
				g.stale = true
				continue
			}
			return g.t.commit()
		}
		head, err := g.l.journal.Append(ctx, g.t.s.head, g.entries)
		switch {
		case err == nil:
			g.t.head = head
			g.announce()
			if err := g.t.commit(); err != nil {
				return err
			}
			g.follow()
			g.logFull(nil)
			return nil
		case errors.Is(err, journal.ErrMoved):
			// Another server has appended. What it wrote may change the decisions, so they are taken anew.
			g.stale = true
		case errors.Is(err, journal.ErrFull):
			g.refuseAll(err)
			g.logFull(err)
			return nil
		case errors.Is(err, journal.ErrOtherHistory):
			return g.l.state.otherHistory()
		default:
			return err
		}
	}
}

// announce logs the draws whose result has become durable, before anybody can ask for their winners.
func (g *group) announce() {
	for _, r := range g.requests {
		if r.result != nil && r.err == nil {
			g.l.log.Info("sorteo", "result", "success")
		}
	}
}

// catchUp applies what others have appended, and runs a draw that they have sealed.
func (g *group) catchUp(ctx context.Context) error {
	if err := g.l.state.catchUp(ctx); err != nil {
		return err
	}
	for _, n := range g.l.state.where(Draw.due) {
		g.l.startDraw(n)
	}
	return nil
}

func (g *group) reset() {
	g.t = g.l.state.begin()
	clear(g.entries)
	g.entries = g.entries[:0]
	clear(g.appended)
}

// refuseAll takes back every acceptance of the group: none of it was stored.
func (g *group) refuseAll(cause error) {
	for _, r := range g.requests {
		if r.err == nil {
			r.err = quiniela.Refuse(quiniela.Storage, "%v; nothing of this was stored, send it again later", cause)
		}
	}
}

// logFull tells the operator once that there is no room for bets, and once that there is again.
func (g *group) logFull(err error) {
	if full := err != nil; full == g.full {
		return
	} else if g.full = full; full {
		g.l.log.Error("append", "result", "fail", "error", err, "bets", "refused until there is room")
	} else {
		g.l.log.Info("append", "result", "success", "bets", "taken again")
	}
}

// follow starts what a sealed draw calls for.
func (g *group) follow() {
	for n, d := range g.t.draws {
		if d.due() {
			g.l.startDraw(n)
		}
	}
}

// decide answers r, and appends to the group the entries that make the answer true. An error is the ledger's, not
// the request's.
func (g *group) decide(ctx context.Context, r *request) error {
	r.err, r.stored, r.fresh = nil, 0, false
	switch {
	case r.batch != nil:
		return g.decideBatch(ctx, r, r.batch)
	case r.finish != nil:
		return g.decideFinish(ctx, r, r.finish)
	case r.open != nil:
		return g.decideOpen(ctx, r, *r.open)
	case r.close != nil:
		return g.decideClose(ctx, r, r.close)
	case r.enter != nil:
		return g.decideNumber(ctx, r, *r.enter)
	case r.refresh:
		return nil // the state is as fresh as was asked for
	default:
		return g.decideResult(ctx, r, r.result)
	}
}

// add appends an entry to the group, and to what the next decision sees.
func (g *group) add(ctx context.Context, entry []byte, v any, numbers []byte, w *winners) error {
	g.entries = append(g.entries, entry)
	return g.t.add(ctx, v, numbers, w)
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
		return g.decideRepeat(ctx, r, batchID{k, s.Batch}, c)
	}
	switch {
	case c.finished:
		r.err = quiniela.Refuse(quiniela.Finished, "agency %d has finished: it can send no more bets in draw %s", s.Agency, d.ID)
	case d.Sealed:
		r.err = quiniela.Refuse(quiniela.Closed, "draw %s is closed", d.ID)
	case s.Batch > c.next:
		r.err = &quiniela.Error{Code: quiniela.Gap, Detail: uitoa(c.next)}
	}
	if r.err != nil {
		return nil
	}
	if d.Public && s.entry.Root == nil { // the draw was opened after the batch was submitted
		if r.err = s.hash(); r.err != nil {
			return nil
		}
		s.begin = journal.PutBatch(s.Frame, s.Start, &s.entry)
	}
	r.stored, r.fresh = int(s.entry.Count), true
	s.entry.Draw, s.entry.Batch = d.Seq, c.next
	entry := s.Frame[s.begin:]
	journal.Place(entry, d.Seq, c.next)
	g.appended[batchID{k, c.next}] = s.entry.Hash
	return g.add(ctx, entry, &s.entry, s.numbers, nil)
}

// decideRepeat answers a batch whose number is taken: as before where the content is the same, else with a refusal.
func (g *group) decideRepeat(ctx context.Context, r *request, id batchID, c cursor) error {
	hash, stored := c.lastHash, int(c.lastBets)
	if id.number != c.next-1 {
		var err error
		if hash, stored, err = g.find(ctx, id); err != nil {
			return err
		}
	}
	if hash != r.batch.entry.Hash {
		r.err = quiniela.Refuse(quiniela.Conflict, "batch %d of agency %d is stored with other content (%d bets); ask hello where to go on",
			id.number, id.agency, stored)
		return nil
	}
	r.stored = stored
	return nil
}

// find returns the content hash and bets of a batch that is stored, or about to be in this group.
func (g *group) find(ctx context.Context, id batchID) (hash [journal.HashSize]byte, bets int, err error) {
	if hash, ok := g.appended[id]; ok {
		for _, r := range g.requests {
			if s := r.batch; s != nil && s.entry.Batch == id.number && s.Agency == id.agency && s.entry.Hash == hash {
				return hash, int(s.entry.Count), nil
			}
		}
	}
	s := g.l.state
	position, bets, err := s.position(id.draw, id.agency, id.number)
	if err != nil {
		return hash, 0, err
	}
	err = s.batchAt(ctx, position, func(b *journal.Batch) error {
		hash = b.Hash
		return nil
	})
	return hash, bets, err
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
	if d, _ = g.t.draw(d.Seq); d.Finished < d.Agencies {
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
	for _, n := range g.t.s.open {
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
	if n := g.t.named(o.ID); n != 0 || o.Draw <= g.t.last() {
		r.err = quiniela.Refuse(quiniela.NoDraw, "draw %s is already there: names are used once", o.ID)
		return nil
	}
	if err := g.add(ctx, journal.Encode(o), o, nil, nil); err != nil {
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
	switch {
	case !ok || d.ID != c.id:
		r.err = noDraw(c.id)
	case d.Sealed:
		r.err = quiniela.Refuse(quiniela.Closed, "draw %s is closed already", d.ID)
	default:
		return g.seal(ctx, d, journal.SealedByOperator, c.note, g.l.now().UnixMicro())
	}
	return nil
}

func (g *group) decideNumber(ctx context.Context, r *request, e enterRequest) error {
	d, ok := g.t.draw(g.t.named(e.id))
	switch {
	case !ok || d.ID != e.id:
		r.err = noDraw(e.id)
	case d.Rule.Source == draw.Fixed:
		r.err = quiniela.Refuse(quiniela.Invalid, "the number of draw %s is not entered: its source is %q", d.ID, d.Rule.Source)
	case e.signature == nil && d.Rule.Source == draw.FromBeacon && g.l.now().Before(g.l.state.chain.TimeOf(d.Rule.Round).Add(Patience)):
		r.err = quiniela.Refuse(quiniela.Invalid, "draw %s takes its number from round %d of the beacon; a notary may enter it from %s on, if the round has not come",
			d.ID, d.Rule.Round, g.l.state.chain.TimeOf(d.Rule.Round).Add(Patience).Format(time.RFC3339))
	case !d.Sealed:
		r.err = quiniela.Refuse(quiniela.Invalid, "draw %s is still open: its number can be entered once it is closed", d.ID)
	case d.Entered != nil:
		r.err = quiniela.Refuse(quiniela.Conflict, "draw %s has its number already: %04d", d.ID, *d.Entered)
	default:
		n := journal.Number{Draw: d.Seq, Number: e.number, Signature: e.signature, Extract: e.extract, At: g.l.now().UnixMicro()}
		return g.add(ctx, journal.Encode(n), n, nil, nil)
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

// checkAgency refuses an agency that the draw does not have.
func checkAgency(d Draw, a quiniela.Agency, unattributed bool) error {
	if a == quiniela.Unattributed && unattributed || a != quiniela.Unattributed && uint32(a) <= d.Agencies {
		return nil
	}
	if d.Agencies == 0 {
		return quiniela.Refuse(quiniela.NoAgency, "there is no agency %d: draw %s expects none", a, d.ID)
	}
	return quiniela.Refuse(quiniela.NoAgency, "there is no agency %d: draw %s has 1 to %d", a, d.ID, d.Agencies)
}
