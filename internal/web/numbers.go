package web

import (
	"cmp"
	"fmt"
	"slices"

	"quiniela"
	"quiniela/internal/ledger"
)

// chart is the picture of how the bets of a draw are spread over the numbers.
type chart struct {
	Buckets []bucket
	Highest uint64 // the bets of the highest bar
	Left    uint64 // bets that are in no bar
	Axis    []string
}

// bucket is a hundred numbers in a row, or in the game quiniela the numbers with the same last two digits.
type bucket struct {
	Numbers      string
	Bets         uint64
	X, Y, Height float64 // of its bar, in the picture's units
}

// played is a number with its digits as they were typed, and how many bets are on it.
type played struct {
	Number string
	Bets   uint64
}

// Sizes of the picture, in its own units, and how many of the numbers played most are listed.
const (
	buckets     = 100
	pictureHigh = 100
	mostPlayed  = 10
)

// distribution returns the picture, and the numbers played most, the one with most bets first.
func distribution(game *quiniela.Terms, tally *ledger.Tally) (c chart, most []played) {
	if game == nil {
		c = hundreds(tally)
	} else {
		c = endings(tally)
	}
	for i := range c.Buckets {
		c.Highest = max(c.Highest, c.Buckets[i].Bets)
	}
	for i := range c.Buckets {
		b := &c.Buckets[i]
		b.X = float64(i * 10)
		b.Height = pictureHigh * float64(b.Bets) / float64(max(c.Highest, 1))
		b.Y = pictureHigh - b.Height
	}
	tally.Each(func(digits uint8, n quiniela.Number, bets uint64) {
		most = append(most, played{fmt.Sprintf("%0*d", digits, n), bets})
	})
	slices.SortStableFunc(most, func(a, b played) int { return cmp.Compare(b.Bets, a.Bets) })
	return c, most[:min(len(most), mostPlayed)]
}

// hundreds has a bar for each hundred numbers in a row. The numbers under the picture are at equal distances.
func hundreds(tally *ledger.Tally) chart {
	const each = (int(quiniela.MaxNumber) + 1) / buckets
	c := chart{Axis: []string{"0000", "2000", "4000", "6000", "8000", "9999"}}
	for i := range buckets {
		first := i * each
		b := bucket{Numbers: fmt.Sprintf("%04d–%04d", first, first+each-1)}
		for n := first; n < first+each; n++ {
			b.Bets += tally.On(quiniela.MaxDigits, quiniela.Number(n))
		}
		c.Buckets = append(c.Buckets, b)
	}
	return c
}

// endings has a bar for each two last digits, which 62, 562 and 4562 have alike. A bet on one digit has no place there.
func endings(tally *ledger.Tally) chart {
	c := chart{Axis: []string{"00", "20", "40", "60", "80", "99"}}
	for i := range buckets {
		c.Buckets = append(c.Buckets, bucket{Numbers: fmt.Sprintf("%02d", i)})
	}
	tally.Each(func(digits uint8, n quiniela.Number, bets uint64) {
		if digits == 1 {
			c.Left += bets
			return
		}
		c.Buckets[n%buckets].Bets += bets
	})
	return c
}
