package draw

import (
	"math/big"

	"quiniela"
)

// This file is the arithmetic of the game quiniela, as plainly as its rules are written: for whoever checks a draw. The ledger, which pays,
// has its own, and a test compares the two.

// modulus is 10 to the power of a count of digits.
var modulus = [quiniela.MaxDigits + 1]quiniela.Number{1, 10, 100, 1000, 10000}

// Hits returns at which prizes of an extract a play hits, from 1: those of its range whose last digits are its number. A play hits more
// than once where several prizes end in it.
func Hits(extract []quiniela.Number, p quiniela.Play) (prizes []int) {
	for i := int(p.From); i <= int(p.To) && i <= len(extract); i++ {
		if extract[i-1]%modulus[p.Digits] == p.Number {
			prizes = append(prizes, i)
		}
	}
	return prizes
}

// Prize returns what a play is due in a draw, in cents and before the cap: stake × multiplier × hits ÷ how many prizes it is at, truncated
// once.
func Prize(t *quiniela.Terms, p quiniela.Play, hits int) *big.Int {
	n := new(big.Int).SetUint64(p.Stake)
	n.Mul(n, big.NewInt(int64(t.Multipliers[p.Digits-1])))
	n.Mul(n, big.NewInt(int64(hits)))
	return n.Div(n, big.NewInt(int64(p.To)-int64(p.From)+1))
}

// Pool returns how much the prizes of a draw may come to, all together: what is due, or the cap times what was staked where that is less.
func Pool(t *quiniela.Terms, staked, due *big.Int) *big.Int {
	most := new(big.Int).Mul(staked, big.NewInt(int64(t.Cap)))
	if t.Cap == 0 || most.Cmp(due) >= 0 {
		return due
	}
	return most
}

// Paid returns what is paid of a prize where pool is paid of all that is due: prize × pool ÷ due, truncated to the cent.
func Paid(prize, pool, due *big.Int) *big.Int {
	if pool.Cmp(due) >= 0 {
		return prize
	}
	n := new(big.Int).Mul(prize, pool)
	return n.Div(n, due)
}
