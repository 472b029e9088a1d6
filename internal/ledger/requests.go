package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"quiniela"
	"quiniela/internal/journal"
)

// The methods below take a draw by its ordinal, Draw.Seq. 0 is the current draw: of the open draws the one that was opened
// first; where none is open, the one that was opened last.

// do queues a request and waits for its decision. When ctx ends first, the request is decided all the same.
func (l *Ledger) do(ctx context.Context, r *request) error {
	r.done = make(chan struct{}, 1)
	if err := l.queue.put(r); err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Finish records durably that an agency has sent all its bets; saying so again is no error. Where batches is not 0, it
// is refused while one of the agency's batches 1..batches is missing, or may be another than the sequence's, which may be nil. The
// last expected agency's finish seals the draw in the same commit.
func (l *Ledger) Finish(ctx context.Context, draw uint64, agency quiniela.Agency, batches uint64, sequence *Sequence) error {
	return l.do(ctx, &request{finish: &finishRequest{draw, agency, batches, sequence}})
}

// Resume is where an agency goes on in a draw.
type Resume struct {
	Next     uint64            // the number of its next batch, from 1
	Bets     uint64            // stored
	LastBets uint64            // of its last batch
	LastHash [sha256.Size]byte // SHA-256 of its last batch's lines; zeros before the first
}

// Resume returns where an agency goes on after what is durably stored of it, by whichever server. Its last batch is read for its
// hash: none is stored. The error has the code Absent where that batch is forgotten. ctx ends the
// wait for a shared journal.
func (l *Ledger) Resume(ctx context.Context, draw uint64, agency quiniela.Agency) (Resume, error) {
	if err := l.fresh(ctx); err != nil {
		return Resume{}, err
	}
	d, ok := l.state.draw(draw)
	if !ok {
		return Resume{}, errNoDraw
	}
	if err := checkAgency(d, agency, false); err != nil {
		return Resume{}, err
	}
	k := cursorKey{d.Seq, agency}
	l.state.mu.RLock()
	c, ok := l.state.cursors[k]
	l.state.mu.RUnlock()
	if !ok || c.next == 1 {
		return Resume{Next: 1}, nil
	}
	if err := d.forgotten(); err != nil {
		return Resume{}, err
	}
	at := Resume{Next: c.next, Bets: c.bets, LastBets: uint64(c.last.bets)}
	err := l.state.batch(ctx, batchID{k, c.next - 1}, func(b *journal.Batch) error {
		if b.Numbers != nil { // it was forgotten a moment ago
			return quiniela.Refuse(quiniela.Absent, "who bet in draw %s was forgotten", d.ID)
		}
		at.LastHash = sha256.Sum256(b.Lines)
		return nil
	})
	return at, err
}

// Drawn returns a channel that is closed when a draw has its result, or nil where there is no such draw.
func (l *Ledger) Drawn(draw uint64) <-chan struct{} {
	d, _ := l.state.draw(draw)
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	return l.state.drawn[d.Seq]
}

// Winners are an agency's winning bets in a drawn draw, in the order in which they were stored.
type Winners struct {
	Count  uint32
	state  *state
	prefix []byte // of their rows
}

// Winners returns an agency's winners, and false while the draw has no result. ctx ends the wait for a shared journal.
func (l *Ledger) Winners(ctx context.Context, draw uint64, agency quiniela.Agency) (w Winners, drawn bool, err error) {
	d, ok := l.state.draw(draw)
	if (!ok || d.Result == nil) && l.shared != nil {
		if err := l.fresh(ctx); err != nil {
			return w, false, err
		}
		d, ok = l.state.draw(draw)
	}
	if !ok {
		return w, false, errNoDraw
	}
	if err := checkAgency(d, agency, false); err != nil || d.Result == nil {
		return w, false, err
	}
	if err := d.forgotten(); err != nil {
		return w, false, err
	}
	w = Winners{state: l.state, prefix: agencyKey(nil, keyWinner, d.Seq, agency)}
	if w.Count, err = w.count(); err != nil {
		return w, false, fmt.Errorf("count the winners of agency %d: %w", agency, err)
	}
	return w, true, nil
}

// count looks at the last winner's row alone: a list of a million is not read to know its length.
func (w Winners) count() (n uint32, err error) {
	it, err := w.state.db.NewIter(&pebble.IterOptions{LowerBound: w.prefix, UpperBound: after(w.prefix)})
	if err != nil {
		return 0, err
	}
	if it.Last() {
		n = binary.BigEndian.Uint32(it.Key()[len(w.prefix):]) + 1
	}
	return n, errors.Join(it.Error(), it.Close())
}

// AppendLines appends the documents from index from on to dst, one a line, until dst has some bytes or the list ends, and returns
// the index that comes next.
func (w Winners) AppendLines(dst []byte, from uint32, bytes int) (lines []byte, next uint32, err error) {
	err = w.each(from, func(document []byte) bool {
		dst = append(append(dst, document...), '\n')
		from++
		return len(dst) < bytes
	})
	return dst, from, err
}

// Documents returns the documents from an index on, most of them at most, which is 1 or more.
func (w Winners) Documents(from uint32, most int) (documents []string, err error) {
	err = w.each(from, func(document []byte) bool {
		documents = append(documents, string(document))
		return len(documents) < most
	})
	return documents, err
}

// each calls f with the documents from an index on, until it returns false.
func (w Winners) each(from uint32, f func(document []byte) (more bool)) (err error) {
	it, err := w.state.db.NewIter(&pebble.IterOptions{
		LowerBound: binary.BigEndian.AppendUint32(slices.Clone(w.prefix), from), UpperBound: after(w.prefix),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if !f(v) {
			return nil
		}
	}
	return it.Error()
}
