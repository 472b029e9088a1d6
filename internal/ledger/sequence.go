package ledger

import "sync"

// Sequence is what one connection sends of an agency's numbered batches. An agency may have two connections at once: one whose
// client has gone, with batches that are still on their way, and the one on which it went on after that. Where the two have cut
// the bets differently, batch 7 of one connection is refused because the other's batch 7 is stored, and batch 8 of it would be next:
// some of its bets are in the other's batch 7, and would be stored twice. So after a refusal a connection's batches are new ones
// only in order, from the refused one on.
//
// A nil *Sequence is of a sender who waits for each answer before the next batch. The session and the committer may use one at once.
type Sequence struct {
	mu  sync.Mutex
	due uint64 // no new batch of the connection may have a higher number; 0: none was refused
}

// Refuse notes that a batch with this number was refused, before Submit or by it.
func (s *Sequence) Refuse(number uint64) {
	if s == nil || number == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == 0 || number < s.due {
		s.due = number
	}
}

// stored notes that the batch with this number is stored.
func (s *Sequence) stored(number uint64) {
	if s == nil || number == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == number {
		s.due++
	}
}

// lacks returns the refused batch that has to come before the one with this number, or 0.
func (s *Sequence) lacks(number uint64) uint64 {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == 0 || number <= s.due {
		return 0
	}
	return s.due
}

// decided notes what was decided of a batch; where that is decided once more, the last decision counts.
func (s *Sequence) decided(number uint64, refusal error) {
	if refusal != nil {
		s.Refuse(number)
	} else {
		s.stored(number)
	}
}
