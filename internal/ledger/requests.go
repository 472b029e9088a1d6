package ledger

import (
	"context"
	"crypto/rand"
	"fmt"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/wire"
)

// The methods below take a draw by its ordinal, Draw.Seq. 0 is the current draw: of the open draws the one that was opened
// first; where none is open, the one that was opened last.

// Submit queues a batch whose lines have been validated, and blocks while too much waits for the committer. Where it
// returns nil, Wait must be called; batches of one caller are decided in the order in which it submits them.
func (l *Ledger) Submit(s *Submission) error {
	s.entry = journal.Batch{
		Agency: s.Agency, Count: uint32(s.count()), Received: s.Received, Hash: s.Hash, Secret: s.Secret, Lines: s.lines(),
	}
	if d, _ := l.state.draw(s.Draw); d.Public {
		if err := s.hash(); err != nil {
			return err
		}
	}
	s.begin = journal.PutBatch(s.Buffer, s.Start, &s.entry)
	done := s.request.done
	if done == nil {
		done = make(chan struct{}, 1)
	}
	s.request = request{batch: s, done: done}
	return l.queue.put(&s.request)
}

// hash gives the batch its root in the public log. It takes most of what a bet costs, so it is done by whoever submits.
func (s *Submission) hash() error {
	if s.Secret == nil {
		_, _ = rand.Read(s.secret[:]) // never fails
		s.entry.Secret = &s.secret
	}
	err := s.hashing.Reset(s.entry.Secret, play)
	if err == nil {
		err = s.hashing.AddLines(s.entry.Lines)
	}
	if err != nil {
		return quiniela.Refuse(quiniela.Invalid, "%v", err)
	}
	s.root = s.hashing.Root()
	s.entry.Root = (*[journal.HashSize]byte)(&s.root)
	return nil
}

// Wait returns once the batch is durable, with the number of bets stored, or was refused with a *quiniela.Error, or
// the ledger has failed.
func (s *Submission) Wait() (bets int, err error) {
	<-s.request.done
	return s.request.stored, s.request.err
}

// do queues a request and waits for its decision.
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
// is refused while one of the agency's batches 1..batches is missing. The last expected agency's finish seals the
// draw in the same commit.
func (l *Ledger) Finish(ctx context.Context, draw uint64, agency quiniela.Agency, batches uint64) error {
	return l.do(ctx, &request{finish: &finishRequest{draw, agency, batches}})
}

// Resume returns what is durably stored of an agency, by whichever server.
func (l *Ledger) Resume(draw uint64, agency quiniela.Agency) (wire.Resume, error) {
	if err := l.fresh(context.Background()); err != nil {
		return wire.Resume{}, err
	}
	d, ok := l.state.draw(draw)
	if !ok {
		return wire.Resume{}, errNoDraw
	}
	if err := checkAgency(d, agency, false); err != nil {
		return wire.Resume{}, err
	}
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	c, ok := l.state.cursors[cursorKey{d.Seq, agency}]
	if !ok {
		c.next = 1
	}
	return wire.Resume{Next: c.next, Bets: c.bets, LastBets: uint64(c.lastBets), LastHash: c.lastHash}, nil
}

// Drawn returns a channel that is closed when a draw has its result, or nil where there is no such draw.
func (l *Ledger) Drawn(draw uint64) <-chan struct{} {
	d, _ := l.state.draw(draw)
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	return l.state.drawn[d.Seq]
}

// Winners returns the documents of an agency's winning bets in the order in which they were stored, and false while
// the draw has no result.
func (l *Ledger) Winners(draw uint64, agency quiniela.Agency) (documents []string, drawn bool, err error) {
	d, ok := l.state.draw(draw)
	if (!ok || d.Result == nil) && l.shared != nil {
		if err := l.fresh(context.Background()); err != nil {
			return nil, false, err
		}
		d, ok = l.state.draw(draw)
	}
	if !ok {
		return nil, false, errNoDraw
	}
	if err := checkAgency(d, agency, false); err != nil || d.Result == nil {
		return nil, false, err
	}
	if err := d.forgotten(); err != nil {
		return nil, false, err
	}
	err = l.state.scan(agencyKey(nil, keyWinner, d.Seq, agency), func(_, v []byte) error {
		documents = append(documents, string(v))
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("read the winners of agency %d: %w", agency, err)
	}
	return documents, true, nil
}
