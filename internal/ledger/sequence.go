package ledger

import "sync/atomic"

// Sequence is the order of an agency's numbered batches on one connection, since the hello that said where to go on. An agency may
// have two connections for a moment: one whose client was stopped, with batches that are still on their way, and the one on which it
// went on after that. Where the two have cut the bets differently, batch 7 of the new connection is refused because the old one's
// batch 7 was stored, and batch 8 of the new one would be next, with bets that are stored in the old batch 7. So after a refusal
// new batches are taken in order only, each behind one that this connection knows to be stored.
//
// A nil *Sequence is of a connection without a hello, whose client does not go on after another one.
type Sequence struct {
	refused atomic.Bool // a batch was
	// The committer's. known is the highest number that hello or an answer has said to be stored, by the decisions so far, and
	// before what it was before the group under way.
	known, before uint64
}

// NewSequence returns the sequence of a connection which was told that next is the number of its next batch.
func NewSequence(next uint64) *Sequence { return &Sequence{known: next - 1, before: next - 1} }

// Refuse notes that a batch was refused before it was submitted.
func (s *Sequence) Refuse() {
	if s != nil {
		s.refused.Store(true)
	}
}

// lacks returns the number that has to be stored, on this connection, before a new batch with a higher number than it; 0: none.
func (s *Sequence) lacks(number uint64) uint64 {
	if s == nil || !s.refused.Load() || number <= s.known+1 {
		return 0
	}
	return s.known + 1
}

// decided notes what was decided of the batch with this number.
func (s *Sequence) decided(number uint64, refusal error) {
	switch {
	case s == nil || number == 0: // a batch without a number has no place in the order
	case refusal != nil:
		s.refused.Store(true)
	case number == s.known+1 || !s.refused.Load():
		s.known = max(s.known, number)
	}
}

// undo takes back what was decided in the group under way.
func (s *Sequence) undo() {
	if s != nil {
		s.known = s.before
	}
}

// keep makes what was decided in the group the past.
func (s *Sequence) keep() {
	if s != nil {
		s.before = s.known
	}
}
