package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/store"
	"quiniela/receipt"
	"quiniela/tlog"
)

// The public log is derived from the journal: an entry of the log for each Open, Batch, Seal and Result entry of a public
// draw, in the journal's order. Whoever has the journal, now or after a rebuild, has the same log. A journal that has lost entries which
// the log had goes on with another log: see newlog.go.
//
// Its rows are 'l' u64 index -> the entry, and behind it the hashes that it added to the tree: its leaf, and each subtree
// that it completes.
const keyLog = 'l'

// unlogged is in a batch's row in the place of its index in the log.
const unlogged = math.MaxUint64

func logKey(dst []byte, index int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, keyLog), uint64(index))
}

// hashesOf returns how many hashes the row of an entry has.
func hashesOf(index int64) int { return 1 + bits.TrailingZeros64(^uint64(index)) }

// log appends an entry to the public log and returns its index and leaf.
func (t *transaction) log(entry []byte) (uint64, tlog.Hash, error) {
	index := t.tree.Size()
	leaf := tlog.LeafHash(entry)
	t.hashes = t.tree.Append(t.hashes[:0], leaf)
	op := t.batch.SetDeferred(9, len(entry)+len(t.hashes)*tlog.HashSize)
	logKey(op.Key[:0], index)
	value := append(op.Value[:0], entry...)
	for i := range t.hashes {
		value = append(value, t.hashes[i][:]...)
	}
	return uint64(index), leaf, op.Finish()
}

// logBatch appends a batch of a public draw, which stakes so many cents; c is the agency's cursor after it.
func (t *transaction) logBatch(d Draw, b *journal.Batch, staked uint64, c cursor) (uint64, error) {
	if !d.Logged() {
		return unlogged, nil
	}
	if b.Root == nil {
		return 0, fmt.Errorf("batch %d of agency %d has no root, and draw %s is in the public log", b.Batch, b.Agency, d.ID)
	}
	entry := receipt.BatchEntry{
		Draw: d.LogSeq, Agency: b.Agency, Batch: b.Batch, Count: b.Count, Stake: staked,
		CumulativeBets: c.bets, CumulativeStake: c.stake, Received: uint64(b.Received), Root: *b.Root,
	}
	bytes := entry.Encode()
	index, _, err := t.log(bytes[:])
	return index, err
}

// logOpen appends the opening of a public draw, and keeps in d where it is.
func (t *transaction) logOpen(d *Draw) error {
	if !d.Public {
		return nil
	}
	d.LogSeq = t.lastLogged() + 1
	o := receipt.DrawOpen{
		Draw: d.LogSeq, ID: d.ID, Game: d.Game, Agencies: d.Agencies, Opened: uint64(d.Opened.UnixMicro()),
		Source: string(d.Rule.Source), Number: d.Rule.Fixed,
	}
	if !d.Closes.IsZero() {
		o.Close = uint64(d.Closes.UnixMicro())
	}
	if d.Rule.Source == quiniela.SourceBeacon {
		o.Beacon = &receipt.BeaconTerms{Chain: d.Rule.Chain, Round: d.Rule.Round}
	}
	entry, err := o.Encode()
	if err != nil {
		return err
	}
	if !d.Logged() {
		d.Binding = tlog.LeafHash(entry)
		return nil
	}
	d.OpenIndex, d.Binding, err = t.log(entry)
	return err
}

// lastLogged returns the log's number of the draw that was logged last.
func (t *transaction) lastLogged() (last uint64) {
	for n := range t.last() {
		d, _ := t.draw(n + 1)
		last = max(last, d.LogSeq)
	}
	return last
}

// logSeal appends the seal of a public draw.
func (t *transaction) logSeal(d *Draw) error {
	if !d.Logged() {
		return nil
	}
	totals := t.totals(*d)
	entry, err := receipt.Seal{
		Draw: d.LogSeq, Open: d.OpenIndex, Batches: d.Batches, Bets: d.Bets, Stake: d.Staked,
		Agencies: uint32(len(totals)), Totals: receipt.RootOfTotals(totals), Missing: d.Agencies - d.Finished,
		By: d.SealedBy, Note: d.Note, Sealed: uint64(d.SealedAt.UnixMicro()),
	}.Encode()
	if err != nil {
		return err
	}
	d.SealIndex, _, err = t.log(entry)
	return err
}

// totals returns what each agency brought to a draw, and which were missing.
func (t *transaction) totals(d Draw) (totals []receipt.Total) {
	for a := range quiniela.Agency(d.Agencies) + 1 {
		if total := total(a, t.cursor(cursorKey{d.Seq, a})); total.Batches > 0 || total.Missing {
			totals = append(totals, total)
		}
	}
	return totals
}

// total is what an agency brought to a draw that is closed.
func total(a quiniela.Agency, c cursor) receipt.Total {
	return receipt.Total{Agency: a, Batches: max(c.next, 1) - 1, Bets: c.bets, Stake: c.stake, Missing: a != quiniela.Unattributed && !c.finished}
}

// logResult appends the result of a public draw.
func (t *transaction) logResult(d *Draw) error {
	if !d.Logged() {
		return nil
	}
	r := receipt.Result{
		Draw: d.LogSeq, Open: d.OpenIndex, Seal: d.SealIndex, Source: string(d.Rule.Source), Number: d.Result.Number,
		Winners: d.Result.Winners, Drawn: uint64(d.Result.At),
	}
	switch {
	case d.Signature != nil:
		r.Prizes, r.Evidence = d.Prizes(), d.Signature
	case d.Rule.Source == quiniela.SourceNotary:
		r.Prizes, r.Evidence = d.Extracted, d.Extract
	}
	if d.Game != nil {
		r.Payout = d.payout()
	}
	entry, err := r.Encode()
	if err != nil {
		return err
	}
	d.ResultIndex, _, err = t.log(entry)
	return err
}

// Log is the public log as it was at one moment: its first Size entries. Reading it takes no lock.
type Log struct {
	Size int64
	Root tlog.Hash
	db   *store.DB
}

// Log returns the public log as it is now.
func (l *Ledger) Log() Log {
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	return Log{l.state.tree.Size(), l.state.tree.Root(), l.state.db}
}

// At returns the log as it was when it had size entries and the given root.
func (g Log) At(size int64, root tlog.Hash) Log { return Log{size, root, g.db} }

// row calls f with an entry of the log, whose bytes are valid during the call, and its hashes.
func (g Log) row(index int64, f func(entry, hashes []byte)) error {
	value, done, err := g.db.Get(logKey(nil, index))
	if err != nil {
		return fmt.Errorf("entry %d of the public log: %w", index, err)
	}
	at := len(value) - hashesOf(index)*tlog.HashSize
	if at <= 0 {
		return errors.Join(fmt.Errorf("entry %d of the public log has %d bytes", index, len(value)), done.Close())
	}
	f(value[:at], value[at:])
	return done.Close()
}

// Entry returns a copy of an entry.
func (g Log) Entry(index int64) (entry []byte, err error) {
	err = g.row(index, func(e, _ []byte) { entry = append([]byte(nil), e...) })
	return entry, err
}

// ReadHashes implements sumdb.HashReader.
func (g Log) ReadHashes(indexes []int64) ([]sumdb.Hash, error) {
	found := make([]sumdb.Hash, len(indexes))
	for i, at := range indexes {
		level, n := sumdb.SplitStoredHashIndex(at)
		index := (n+1)<<level - 1 // the entry that completed the subtree
		err := g.row(index, func(_, hashes []byte) { copy(found[i][:], hashes[level*tlog.HashSize:]) })
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
