package quiniela

import "fmt"

// Play is what a bet is on: how many digits of a number, at which prizes of the extract, and for how much.
type Play struct {
	Digits   uint8  // 1 to 4: how many of a prize's last digits have to be the number's
	From, To uint8  // prizes, 1 to PrizeCount
	Number   Number // below 10 to the power of Digits
	Stake    uint64 // in cents, up to MaxStake
}

// MaxStake is the highest stake of a bet, in cents: 48 bits.
const MaxStake uint64 = 1<<48 - 1

// Play returns what a bet of the specification's game is on: four digits at the first prize, without a stake. Its rule compares
// the whole number, so 7, 007 and 0007 are the same.
func (b Bet) Play() Play { return Play{Digits: 4, From: 1, To: 1, Number: b.Number} }

// powers are those of 10 that bound a number of 0 to 4 digits.
var powers = [...]Number{1, 10, 100, 1000, 10000}

// Check returns an error where no bet can be on the play.
func (p Play) Check() error {
	switch {
	case p.Digits < 1 || int(p.Digits) >= len(powers):
		return fmt.Errorf("%d digits, want 1 to %d", p.Digits, len(powers)-1)
	case p.Number >= powers[p.Digits]:
		return fmt.Errorf("the number %d has more than %d digits", p.Number, p.Digits)
	case p.From < 1 || p.From > p.To || p.To > PrizeCount:
		return fmt.Errorf("the prizes %d to %d, want some of 1 to %d", p.From, p.To, PrizeCount)
	case p.Stake > MaxStake:
		return fmt.Errorf("a stake of %d cents, over %d", p.Stake, MaxStake)
	}
	return nil
}
