package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/receipt"
	"quiniela/tlog"
)

// This file is what the publisher reads: the public log's entries in their order, and the batches that they stand for.

// Each calls f with the entries from..to-1, in order, and the hashes that each added to the tree: its leaf, and then the root of each
// subtree that it completed. The slices are valid during the call. An error of f ends it.
func (g Log) Each(from, to int64, f func(index int64, entry, hashes []byte) error) (err error) {
	it, err := g.db.NewIter(&pebble.IterOptions{LowerBound: logKey(nil, from), UpperBound: logKey(nil, to)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	next := from
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		at := len(v) - hashesOf(next)*tlog.HashSize
		if index := int64(binary.BigEndian.Uint64(it.Key()[1:])); index != next || at <= 0 {
			return fmt.Errorf("entry %d of the public log is missing or spoiled", next)
		}
		if err := f(next, v[:at], v[at:]); err != nil {
			return err
		}
		next++
	}
	if err := it.Error(); err != nil {
		return err
	}
	if next != to {
		return fmt.Errorf("entry %d of the public log is missing", next)
	}
	return nil
}

// Logged is a batch of a public draw with its place in the log.
type Logged struct {
	Batch *journal.Batch // it has its lines and its secret
	Entry []byte         // of the log; a receipt.BatchEntry
	Index uint64         // of Entry

	position uint64 // of the batch in the journal
}

// errEnough ends a walk through the log.
var errEnough = errors.New("enough")

// Batches calls f with the batches of a public draw from an entry of the log on, in the log's order and most of them at most, and returns
// which entry comes next. It reads no entry behind the draw's seal, nor one that the log had not when it was called. What f gets is
// valid during the call. The error is quiniela.Absent where who bet is forgotten.
func (l *Ledger) Batches(ctx context.Context, d Draw, from uint64, most int, f func(Logged) error) (next uint64, err error) {
	log := l.Log()
	end := log.Size
	if d.Sealed {
		end = min(end, int64(d.SealIndex))
	}
	next = max(from, d.OpenIndex+1)
	if int64(next) >= end {
		return next, nil
	}
	var found []Logged
	err = log.Each(int64(next), end, func(index int64, entry, _ []byte) error {
		if len(found) == most {
			return errEnough
		}
		next = uint64(index) + 1
		if e, err := receipt.ParseBatchEntry(entry); err == nil && e.Draw == d.LogSeq {
			found = append(found, Logged{Index: uint64(index), Entry: append([]byte(nil), entry...)})
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return next, err
	}
	for i := range found {
		e, err := receipt.ParseBatchEntry(found[i].Entry)
		if err != nil {
			return next, err
		}
		if found[i].position, _, err = l.state.place(batchID{cursorKey{d.Seq, e.Agency}, e.Batch}); err != nil {
			return next, err
		}
	}
	return next, l.state.eachBatch(ctx, found, d, f)
}

// AgencyBatches calls f with an agency's batches in a public draw from number first on, in their order and most of them at most, and
// returns which number comes next. The rest is as in Batches.
func (l *Ledger) AgencyBatches(ctx context.Context, d Draw, a quiniela.Agency, first uint64, most int, f func(Logged) error) (next uint64, err error) {
	if !d.Logged() {
		return first, quiniela.Refuse(quiniela.Absent, "draw %s is not in the public log", d.ID)
	}
	log := l.Log()
	var found []Logged
	for next = first; len(found) < most; next++ {
		position, index, err := l.state.place(batchID{cursorKey{d.Seq, a}, next})
		if errors.Is(err, pebble.ErrNotFound) {
			break
		}
		if err != nil {
			return next, err
		}
		entry, err := log.Entry(int64(index))
		if err != nil {
			return next, err
		}
		found = append(found, Logged{Index: index, Entry: entry, position: position})
	}
	return next, l.state.eachBatch(ctx, found, d, f)
}

// CountBatches returns how many batches an agency has in a draw, and the log's index of the last one.
func (l *Ledger) CountBatches(d Draw, a quiniela.Agency) (batches, last uint64, err error) {
	k := cursorKey{d.Seq, a}
	l.state.mu.RLock()
	c := l.state.cursors[k]
	l.state.mu.RUnlock()
	if c.next <= 1 {
		return 0, 0, nil
	}
	_, last, err = l.state.place(batchID{k, c.next - 1})
	return c.next - 1, last, err
}

// place returns where a stored batch is in the journal and in the public log.
func (s *state) place(id batchID) (position, index uint64, err error) {
	row, done, err := s.db.Get(batchKey(nil, id.draw, id.agency, id.number))
	if err != nil {
		return 0, 0, fmt.Errorf("find batch %d of agency %d: %w", id.number, id.agency, err)
	}
	position, index = binary.BigEndian.Uint64(row), binary.BigEndian.Uint64(row[8:])
	return position, index, done.Close()
}

// nearby is how many entries of the journal are read over to the next one that is wanted, rather than looked up.
const nearby = 64

// eachBatch calls f with some batches, whose positions ascend, after it has read each from the journal.
func (s *state) eachBatch(ctx context.Context, batches []Logged, d Draw, f func(Logged) error) error {
	for i := 0; i < len(batches); {
		n := i
		for e, err := range s.journal.Entries(ctx, batches[i].position) {
			if err != nil {
				return err
			}
			if e.Position < batches[n].position {
				continue
			}
			if err := batches[n].read(e, d, f); err != nil {
				return err
			}
			if n++; n == len(batches) || batches[n].position > e.Position+nearby {
				break
			}
		}
		if n == i {
			return fmt.Errorf("journal entry %d is missing", batches[i].position)
		}
		i = n
	}
	return nil
}

// read takes the batch from its journal entry, and calls f.
func (b Logged) read(e journal.Entry, d Draw, f func(Logged) error) error {
	v, err := journal.Decode(e.Data)
	if err != nil {
		return fmt.Errorf("journal entry %d: %w", e.Position, err)
	}
	batch, ok := v.(*journal.Batch)
	if !ok || e.Position != b.position || batch.Draw != d.Seq {
		return fmt.Errorf("journal entry %d is no batch of draw %s: the state does not belong to this journal", e.Position, d.ID)
	}
	if batch.Secret == nil || batch.Root == nil {
		return quiniela.Refuse(quiniela.Absent, "who bet in draw %s was forgotten", d.ID)
	}
	b.Batch = batch
	return f(b)
}
