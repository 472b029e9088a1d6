package web

import (
	"cmp"
	"slices"

	"quiniela"
	"quiniela/internal/ledger"
)

// chart is the picture of how the bets of a draw are spread over the numbers.
type chart struct {
	Buckets []bucket
	Highest uint64 // the bets of the highest bar
	Axis    []uint16
}

// bucket is a hundred numbers in a row.
type bucket struct {
	From, To     uint16
	Bets         uint64
	X, Y, Height float64 // of its bar, in the picture's units
}

// played is a number and how many bets are on it.
type played struct {
	Number uint16
	Bets   uint64
}

// Sizes of the picture, in its own units, and how many of the numbers played most are listed.
const (
	buckets     = 100
	pictureHigh = 100
	mostPlayed  = 10
)

// axis are the numbers under the picture, at equal distances.
var axis = []uint16{0, 2000, 4000, 6000, 8000, uint16(quiniela.MaxNumber)}

// distribution returns the picture, and the numbers played most, the one with most bets first.
func distribution(tally *ledger.Tally) (c chart, most []played) {
	const each = (int(quiniela.MaxNumber) + 1) / buckets
	c.Axis = axis
	for i := range buckets {
		first := i * each
		b := bucket{From: uint16(first), To: uint16(first + each - 1), X: float64(i * 10)}
		for n := first; n < first+each; n++ {
			b.Bets += tally.On(quiniela.MaxDigits, quiniela.Number(n))
		}
		c.Highest = max(c.Highest, b.Bets)
		c.Buckets = append(c.Buckets, b)
	}
	for i := range c.Buckets {
		b := &c.Buckets[i]
		b.Height = pictureHigh * float64(b.Bets) / float64(max(c.Highest, 1))
		b.Y = pictureHigh - b.Height
	}
	tally.Each(func(_ uint8, n quiniela.Number, bets uint64) { most = append(most, played{uint16(n), bets}) })
	slices.SortStableFunc(most, func(a, b played) int { return cmp.Compare(b.Bets, a.Bets) })
	return c, most[:min(len(most), mostPlayed)]
}
