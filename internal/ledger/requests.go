package ledger

import (
	"context"
	"crypto/sha256"

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
		if b.Plays != nil { // it was forgotten a moment ago
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
