package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/tlog"
)

// transaction applies journal entries on top of the state, unseen by readers until commit. The same code serves a
// group that is about to be appended and a journal that is replayed. It belongs to one goroutine, the committer's or that of
// Open, and there is one at a time. One that is not committed has changed nothing; it is dropped.
type transaction struct {
	s       *state
	batch   *pebble.Batch // the rows
	next    uint64        // the position of the next entry
	head    journal.Head  // of the last entry that is in it and in the journal; the caller sets it before commit
	draws   map[uint64]Draw
	cursors map[cursorKey]cursor
	changes map[string]uint64
	key     []byte
	plays   []byte // of a batch that is replayed

	tree   tlog.CompactRange // of the public log
	hashes []tlog.Hash
}

func (s *state) begin() *transaction {
	return &transaction{
		s: s, batch: s.db.NewBatch(), next: s.head.Position + 1, head: s.head, tree: s.tree,
		draws: map[uint64]Draw{}, cursors: map[cursorKey]cursor{}, changes: map[string]uint64{},
	}
}

// draw returns the draw with an ordinal; 0 is the current draw.
func (t *transaction) draw(n uint64) (Draw, bool) {
	if n == 0 {
		n = t.current()
	}
	if d, ok := t.draws[n]; ok {
		return d, true
	}
	d, ok := t.s.draws[n]
	return d, ok
}

// last is state.last with what the transaction has opened.
func (t *transaction) last() uint64 {
	last := t.s.last()
	for n := range t.draws {
		last = max(last, n)
	}
	return last
}

// current is state.current after what the transaction has opened and sealed.
func (t *transaction) current() uint64 {
	for _, n := range t.s.undrawn {
		if d, _ := t.draw(n); !d.Sealed {
			return n
		}
	}
	last := t.last()
	for n := t.s.last() + 1; n <= last; n++ {
		if !t.draws[n].Sealed {
			return n
		}
	}
	return last
}

// named returns the number of the draw with a name, 0 where there is none.
func (t *transaction) named(id string) uint64 {
	for n, d := range t.draws {
		if d.ID == id {
			return n
		}
	}
	return t.s.ids[id]
}

// cursor returns where an agency stands; one that has sent nothing stands at its first batch.
func (t *transaction) cursor(k cursorKey) cursor {
	c, ok := t.cursors[k]
	if !ok {
		c, ok = t.s.cursors[k]
	}
	if !ok {
		c.next = 1
	}
	return c
}

// add applies the next entry. plays are a batch's packed plays and w a result's winners, where the caller has them
// already; where not, they are worked out here. An error means that the entry cannot follow what is there: the
// journal was not written by this state machine, and nothing may go on.
func (t *transaction) add(ctx context.Context, v any, plays []byte, w *winners) error {
	if err := t.apply(ctx, v, plays, w); err != nil {
		return err
	}
	t.next++
	return nil
}

func (t *transaction) apply(ctx context.Context, v any, plays []byte, w *winners) error {
	switch v := v.(type) {
	case *journal.Batch:
		return t.addBatch(v, plays)
	case journal.Open:
		return t.addOpen(v)
	case journal.Finish:
		return t.addFinish(v)
	case journal.Seal:
		return t.addSeal(v)
	case journal.Number:
		return t.addNumber(v)
	case journal.Result:
		return t.addResult(ctx, v, w)
	case journal.Forget:
		return t.addForget(v)
	case journal.NewLog:
		return t.addNewLog(v)
	case journal.Entered:
		return t.addEntered(v)
	case journal.Act:
		return t.addAct(v)
	}
	return fmt.Errorf("no rule for a %T", v)
}

func (t *transaction) openDraw(n uint64) (Draw, error) {
	d, ok := t.draw(n)
	if !ok {
		return d, fmt.Errorf("draw %d was never opened", n)
	}
	if d.Sealed {
		return d, fmt.Errorf("draw %d is sealed", n)
	}
	return d, nil
}

func (t *transaction) addBatch(b *journal.Batch, plays []byte) error {
	d, err := t.openDraw(b.Draw)
	if err != nil {
		return err
	}
	k := cursorKey{b.Draw, b.Agency}
	c := t.cursor(k)
	if b.Batch != c.next || c.finished {
		return fmt.Errorf("batch %d of agency %d, where %d is next and finished is %t", b.Batch, b.Agency, c.next, c.finished)
	}
	if plays, err = t.playsOf(d, b, plays); err != nil {
		return err
	}
	staked, err := d.Game.Staked(plays)
	if err != nil || d.Staked+staked > d.Game.MostStaked() {
		return fmt.Errorf("batch %d of agency %d stakes %d on top of %d, more than draw %d can have", b.Batch, b.Agency, staked, d.Staked, b.Draw)
	}
	c.next++
	c.bets += uint64(b.Count)
	c.stake += staked
	c.last = contentOf(b)
	c.seen = b.Received
	index, err := t.logBatch(d, b, staked, c)
	if err != nil {
		return err
	}
	if err := t.putBatch(b, index, plays); err != nil {
		return err
	}
	t.cursors[k] = c
	d.Batches++
	d.Bets += uint64(b.Count)
	d.Staked += staked
	if b.Plays != nil {
		d.Gone = true
	}
	t.draws[b.Draw] = d
	return nil
}

// putBatch writes a batch's row: where its entry is in the journal and in the public log, and its packed plays.
func (t *transaction) putBatch(b *journal.Batch, index uint64, plays []byte) error {
	// They are copied straight into the row, which is most of what the state writes.
	op := t.batch.SetDeferred(1+8+4+8, batchRow+len(plays))
	batchKey(op.Key[:0], b.Draw, b.Agency, b.Batch)
	row := binary.BigEndian.AppendUint64(op.Value[:0], t.next)
	row = binary.BigEndian.AppendUint64(row, index)
	_ = append(row, plays...)
	return op.Finish()
}

// playsOf returns a batch's packed plays: the caller's, what is left of a forgotten batch, or those of its lines, until the next call.
func (t *transaction) playsOf(d Draw, b *journal.Batch, plays []byte) (_ []byte, err error) {
	switch {
	case plays != nil:
	case b.Plays != nil:
		plays = b.Plays
	default:
		if t.plays, err = d.Game.PackPlays(t.plays[:0], b.Lines); err != nil {
			return nil, err
		}
		plays = t.plays
	}
	if len(plays) != int(b.Count)*d.Game.PlaySize() {
		return nil, fmt.Errorf("batch %d of agency %d says %d bets and has %d", b.Batch, b.Agency, b.Count, len(plays)/d.Game.PlaySize())
	}
	return plays, nil
}

func (t *transaction) addOpen(o journal.Open) error {
	if o.Draw != t.last()+1 || t.named(o.ID) != 0 {
		return fmt.Errorf("draw %d (%s) is opened, where the next is %d and names are used once", o.Draw, o.ID, t.last()+1)
	}
	rule := draw.Rule{Source: draw.Source(o.Source), Fixed: o.Number, Round: o.Round}
	if copy(rule.Chain[:], o.Chain) != len(o.Chain) {
		return fmt.Errorf("draw %d names a beacon's chain of %d bytes", o.Draw, len(o.Chain))
	}
	if err := rule.Check(); err != nil {
		return err
	}
	if rule.Source == quiniela.SourceBeacon && !o.Public {
		return fmt.Errorf("draw %d takes its number from a beacon, and is not in the public log", o.Draw)
	}
	if o.Two && rule.Source != quiniela.SourceNotary {
		return fmt.Errorf("draw %d needs two people for its number, and its source is %q", o.Draw, o.Source)
	}
	if err := checkGame(o.Game, rule.Source); err != nil {
		return fmt.Errorf("draw %d: %w", o.Draw, err)
	}
	d := Draw{
		Seq: o.Draw, ID: o.ID, Agencies: o.Agencies, Rule: rule, Game: o.Game, Opened: instant(o.At), Closes: instant(o.Closes), Public: o.Public, Two: o.Two,
		InOlderLog: o.Public && t.s.inOlderLog(o.Draw, t.next),
	}
	if err := t.logOpen(&d); err != nil {
		return err
	}
	t.draws[o.Draw] = d
	return nil
}

func (t *transaction) addFinish(f journal.Finish) error {
	d, err := t.openDraw(f.Draw)
	if err != nil {
		return err
	}
	k := cursorKey{f.Draw, f.Agency}
	c := t.cursor(k)
	if c.finished || f.Batches != c.next-1 {
		return fmt.Errorf("agency %d finishes after %d batches, where %d are stored and finished is %t", f.Agency, f.Batches, c.next-1, c.finished)
	}
	c.finished = true
	c.seen = f.At
	t.cursors[k] = c
	d.Finished++
	t.draws[f.Draw] = d
	return nil
}

func (t *transaction) addSeal(s journal.Seal) error {
	d, err := t.openDraw(s.Draw)
	if err != nil {
		return err
	}
	if s.Batches != d.Batches || s.Bets != d.Bets {
		return fmt.Errorf("the seal of draw %d counts %d batches and %d bets, and there are %d and %d", s.Draw, s.Batches, s.Bets, d.Batches, d.Bets)
	}
	d.Sealed = true
	d.SealedAt = instant(s.At)
	d.SealedBy = s.By
	d.Note = s.Note
	if err := t.logSeal(&d); err != nil {
		return err
	}
	t.draws[s.Draw] = d
	return nil
}

func (t *transaction) addNumber(n journal.Number) error {
	d, ok := t.draw(n.Draw)
	if !ok || !d.Sealed || d.Entered != nil || d.Rule.Source == quiniela.SourceFixed {
		return fmt.Errorf("a number of draw %d, which does not wait for one", n.Draw)
	}
	if n.Signature == nil && d.Rule.Source == quiniela.SourceBeacon {
		return fmt.Errorf("the number of draw %d was entered by hand, and its source is the beacon", n.Draw)
	}
	if n.Signature != nil {
		derived, err := t.s.derive(d, n.Signature)
		if err != nil {
			return fmt.Errorf("the number of draw %d from its beacon: %w", n.Draw, err)
		}
		if derived[0] != n.Number || d.Game != nil && !slices.Equal(n.Prizes, derived) {
			return fmt.Errorf("the numbers of draw %d are %04d, and its beacon gives %04d", n.Draw, append([]quiniela.Number{n.Number}, n.Prizes...), derived)
		}
	}
	if err := checkEntered(d, n.Number, n.Prizes); err != nil {
		return err
	}
	if err := d.checkPeople(n); err != nil {
		return err
	}
	d.First, d.EnteredBy = nil, n.By
	d.Entered = &n.Number
	d.Extracted = n.Prizes
	d.Signature = n.Signature
	d.Extract = n.Extract
	t.draws[n.Draw] = d
	return nil
}

func (t *transaction) addResult(ctx context.Context, r journal.Result, w *winners) error {
	d, ok := t.draw(r.Draw)
	if !ok || !d.due() {
		return fmt.Errorf("a result of draw %d, which does not wait for one", r.Draw)
	}
	if number, _ := d.winning(); number != r.Number {
		return fmt.Errorf("the result of draw %d is for the number %d, and its number is %d", r.Draw, r.Number, number)
	}
	if w == nil {
		var err error
		if w, err = t.findWinnersAgain(ctx, r); err != nil {
			return err
		}
	}
	if w.total != r.Winners {
		return fmt.Errorf("the result of draw %d has %d winners, and the bets give %d", r.Draw, r.Winners, w.total)
	}
	if w.due != r.Due || w.paid != r.Paid {
		return fmt.Errorf("the result of draw %d pays %d of %d cents, and the bets give %d of %d", r.Draw, r.Paid, r.Due, w.paid, w.due)
	}
	if !bytes.Equal(w.digest(), r.Digest) {
		return fmt.Errorf("the result of draw %d has other winners than the bets give", r.Draw)
	}
	if d.Game != nil {
		if err := t.putPrizes(r.Draw, w); err != nil {
			return err
		}
	} else if !d.Gone { // of forgotten bets nobody knows whose they were
		if err := t.putWinners(r.Draw, w); err != nil {
			return err
		}
	}
	d.Result = &r
	if err := t.logResult(&d); err != nil {
		return err
	}
	t.draws[r.Draw] = d
	return nil
}

// putWinners writes a row for each winner.
func (t *transaction) putWinners(draw uint64, w *winners) error {
	for _, a := range w.agencies {
		for i, w := range a.bets {
			t.key = binary.BigEndian.AppendUint32(agencyKey(t.key[:0], keyWinner, draw, a.agency), uint32(i))
			row := binary.BigEndian.AppendUint64(nil, w.batch)
			row = append(binary.BigEndian.AppendUint32(row, uint32(w.line)), w.document...)
			if err := t.batch.Set(t.key, row, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// addForget deletes who won, and the secrets of the agencies' last batches. The batches themselves are the journal's.
func (t *transaction) addForget(f journal.Forget) error {
	d, ok := t.draw(f.Draw)
	if !ok || d.Result == nil || !d.Forgotten.IsZero() {
		return fmt.Errorf("draw %d is forgotten, which has no result, or was forgotten before", f.Draw)
	}
	d.Forgotten = instant(f.At)
	t.draws[f.Draw] = d
	for a := range quiniela.Agency(d.Agencies) + 1 {
		k := cursorKey{f.Draw, a}
		if c := t.cursor(k); c.next > 1 {
			c.last = content{bets: c.last.bets}
			t.cursors[k] = c
		}
	}
	prefix := binary.BigEndian.AppendUint64([]byte{keyWinner}, f.Draw)
	return t.batch.DeleteRange(prefix, after(prefix), nil)
}

// findWinnersAgain finds the winners of a result that is replayed; the committer brings them along. The search reads the
// database, so what the transaction holds, all that is before the result, is committed first and the transaction begins anew.
// The journal has those entries, so committing them early is harmless.
func (t *transaction) findWinnersAgain(ctx context.Context, r journal.Result) (*winners, error) {
	if err := t.commit(); err != nil {
		return nil, err
	}
	*t = *t.s.begin()
	return t.s.findWinners(ctx, t.s.draws[r.Draw])
}

// commit writes the transaction to the database, unsynced, and shows it to readers. The journal must hold its entries durably
// before. After an error the database fails every later commit, and the ledger stops.
func (t *transaction) commit() error {
	if t.next == t.s.head.Position+1 {
		return t.batch.Close()
	}
	for k, c := range t.cursors {
		t.key = agencyKey(t.key[:0], keyCursor, k.draw, k.agency)
		if err := t.batch.Set(t.key, c.append(nil), nil); err != nil {
			return err
		}
	}
	for id, change := range t.changes {
		if err := t.batch.Set(changeKey(id), binary.BigEndian.AppendUint64(nil, change), nil); err != nil {
			return err
		}
	}
	for n, d := range t.draws {
		row, err := json.Marshal(d)
		if err != nil {
			return err
		}
		if err := t.batch.Set(drawKey(n), row, nil); err != nil {
			return err
		}
	}
	if t.head.Position != t.next-1 {
		return fmt.Errorf("the ledger's state would be of entry %d, and the journal is at %d", t.next-1, t.head.Position)
	}
	if err := t.batch.Set([]byte{keyApplied}, appliedRow(t.head), nil); err != nil {
		return err
	}
	if err := t.s.db.Commit(t.batch, false); err != nil {
		return fmt.Errorf("write the ledger's state: %w", err)
	}
	t.show()
	return t.batch.Close()
}

// show changes the state's memory, which readers see from now on.
func (t *transaction) show() {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.s.head = t.head
	t.s.tree = t.tree
	for k, c := range t.cursors {
		t.s.cursors[k] = c
	}
	for id, change := range t.changes {
		t.s.changes[id] = change
	}
	for _, d := range t.draws {
		t.s.put(d)
	}
}
