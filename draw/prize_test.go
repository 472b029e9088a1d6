package draw_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"quiniela"
	"quiniela/draw"
)

// extract is that of the worked examples in docs/QUINIELA.md.
var extract = numbers("4563 4290 8068 2532 9658 0562 1642 7613 3376 7481 4062 3284 7888 0013 4533 5321 2662 6884 5828 7511")

func numbers(text string) (all []quiniela.Number) {
	for word := range strings.FieldsSeq(text) {
		n, _ := quiniela.ParseNumber([]byte(word))
		all = append(all, n)
	}
	return all
}

func TestTheWorkedExamples(t *testing.T) {
	terms := quiniela.DefaultTerms()
	for play, want := range map[string]struct {
		hits []int
		paid string
	}{
		"4563,100":      {[]int{1}, "350000.00"},
		"563,100":       {[]int{1}, "60000.00"},
		"63,100":        {[]int{1}, "7000.00"},
		"62,100,1-20":   {[]int{6, 11, 17}, "1050.00"},
		"62,100,1-5":    {nil, "0.00"},
		"58,100,1-5":    {[]int{5}, "1400.00"},
		"13,100,1-10":   {[]int{8}, "700.00"},
		"0562,100,1-10": {[]int{6}, "35000.00"},
		"63,33.34":      {[]int{1}, "2333.80"},
		"062,100,1-20":  {[]int{11}, "3000.00"},
		"1,100,20-20":   {[]int{20}, "700.00"},
		"2,1,1-20":      {[]int{4, 6, 7, 11, 17}, "1.75"},
		"562,33.33,1-7": {[]int{6}, "2856.85"}, // 2856.857…
		"3,0.05,1-20":   {[]int{1, 8, 14, 15}, "0.07"},
	} {
		terms.MinStake = 1
		p, err := terms.PlayOf([]byte("Ana,Paz,1,1990-01-01," + play))
		if err != nil {
			t.Fatal(err)
		}
		hits := draw.Hits(extract, p)
		if paid := draw.Prize(&terms, p, len(hits)); !slices.Equal(hits, want.hits) || quiniela.FormatCents(paid.Uint64()) != want.paid {
			t.Errorf("%s hits at %v and is paid %s, want %v and %s", play, hits, paid, want.hits, want.paid)
		}
	}
}

// A published case of Tucumán: 130,308.00 staked, 586,909.00 due, and a cap of 4.
func TestTheCap(t *testing.T) {
	terms := quiniela.DefaultTerms()
	terms.Cap = 4
	staked, due := big.NewInt(13030800), big.NewInt(58690900)
	pool := draw.Pool(&terms, staked, due)
	if pool.Int64() != 52123200 {
		t.Errorf("the pool is %s", pool)
	}
	if thousandths := draw.Paid(big.NewInt(1000), pool, due); thousandths.Int64() != 888 {
		t.Errorf("the share is 0.%s, want 0.888", thousandths)
	}
	for _, cap := range []uint32{0, 5, 6} { // none, and two that are not exceeded
		terms.Cap = cap
		if pool := draw.Pool(&terms, staked, due); pool != due || draw.Paid(big.NewInt(7), pool, due).Int64() != 7 {
			t.Errorf("with a cap of %d: %s", cap, pool)
		}
	}
}
