package ledger

import (
	"encoding/binary"
	"math/bits"

	"quiniela"
)

// This file is the arithmetic of the game quiniela, as fast as the plays can be read. audit and verify have their own.

// hits says at which prizes of an extract a number of 1 to 4 digits hits: bit i for prize i+1. One table for each count of digits, one
// behind the other: 44 kB, which stay in a core's cache.
type hits [10 + 100 + 1000 + 10000]uint32

// hitsAt is where the table of a count of digits begins, and hitsEnd how many numbers it has.
var (
	hitsAt  = [quiniela.MaxDigits + 1]uint16{0, 0, 10, 110, 1110}
	hitsEnd = [quiniela.MaxDigits + 1]uint16{1, 10, 100, 1000, 10000}
)

func newHits(extract []quiniela.Number) *hits {
	h := new(hits)
	for place, number := range extract {
		for digits := 1; digits <= quiniela.MaxDigits; digits++ {
			h[hitsAt[digits]+uint16(number)%hitsEnd[digits]] |= 1 << place
		}
	}
	return h
}

// of returns how often a packed play, which was checked when it was accepted, hits.
func (h *hits) of(play []byte) int {
	_ = play[quiniela.PlaySize-1]
	mask := h[hitsAt[play[2]]+binary.BigEndian.Uint16(play[5:])]
	if mask == 0 {
		return 0
	}
	from, to := play[3], play[4]
	return bits.OnesCount32(mask >> (from - 1) << (from - 1) & (1<<to - 1))
}

// due returns what a play that hits some times is paid where there is no cap: its stake times its multiplier times its hits through its
// prizes, truncated once. Nothing overflows: the stake is at most Terms.MostStaked, and a play hits at most at each of its prizes.
func due(t *quiniela.Terms, play []byte, hits int) uint64 {
	single := binary.BigEndian.Uint64(play[8:]) * uint64(t.Multipliers[play[2]-1])
	hi, lo := bits.Mul64(single, uint64(hits))
	cents, _ := bits.Div64(hi, lo, uint64(play[4]-play[3])+1)
	return cents
}

// share is which part of it each prize is paid: pool of due, which is all where due is not over pool. It follows from the draw's terms
// and its bets.
type share struct{ pool, due uint64 }

// shareOf returns the share of a draw's prizes, which come to due together.
func shareOf(t *quiniela.Terms, staked, due uint64) share {
	if t.Cap == 0 {
		return share{due, due}
	}
	return share{min(uint64(t.Cap)*staked, due), due} // no overflow: staked is at most Terms.MostStaked
}

// whole reports whether prizes are paid as they are.
func (s share) whole() bool { return s.pool >= s.due }

// of returns what is paid of a prize, truncated to the cent.
func (s share) of(prize uint64) uint64 {
	if s.whole() {
		return prize
	}
	hi, lo := bits.Mul64(prize, s.pool)
	cents, _ := bits.Div64(hi, lo, s.due)
	return cents
}
