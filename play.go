package quiniela

import (
	"encoding/binary"
	"fmt"
)

// Play is what a bet is on: how many digits of a number, at which prizes of the extract, and for how much.
type Play struct {
	Kind     uint8  // KindDirect; the kinds after it are for later
	Digits   uint8  // 1 to MaxDigits: how many of a prize's last digits have to be the number's
	From, To uint8  // prizes, 1 to PrizeCount
	Number   Number // below 10 to the power of Digits
	Stake    uint64 // in cents, up to MaxStake
}

// KindDirect is a bet on one number.
const KindDirect = 0

// MaxDigits is the most digits of a number that a bet can be on.
const MaxDigits = 4

// MaxStake is the highest stake of a bet, in cents: 48 bits.
const MaxStake uint64 = 1<<48 - 1

// PlaySize is the size of a play's bytes, in the public record and wherever plays are packed.
const PlaySize = 16

// playVersion is a play's first byte; another one is refused.
const playVersion = 2

// SpecifiedPlay returns what a bet of the specification's game is on: four digits at the first prize, without a stake. Its rule
// compares the whole number, so 7, 007 and 0007 are the same.
func SpecifiedPlay(n Number) Play { return Play{Digits: MaxDigits, From: 1, To: 1, Number: n} }

// powers are those of 10 that bound a number of 0 to MaxDigits digits.
var powers = [...]Number{1, 10, 100, 1000, 10000}

// Check returns an error where no bet can be on the play.
func (p Play) Check() error {
	switch {
	case p.Kind != KindDirect:
		return fmt.Errorf("a bet of kind %d, which this program does not know", p.Kind)
	case p.Digits < 1 || p.Digits > MaxDigits:
		return fmt.Errorf("%d digits, want 1 to %d", p.Digits, MaxDigits)
	case p.Number >= powers[p.Digits]:
		return fmt.Errorf("the number %d has more than %d digits", p.Number, p.Digits)
	case p.From < 1 || p.From > p.To || p.To > PrizeCount:
		return fmt.Errorf("the prizes %d to %d, want some of 1 to %d", p.From, p.To, PrizeCount)
	case p.Stake > MaxStake:
		return fmt.Errorf("a stake of %d cents, over %d", p.Stake, MaxStake)
	}
	return nil
}

// Put writes the play's bytes into b: u8 version, u8 kind, u8 digits, u8 from, u8 to, u16be number, three bytes that are zero in this
// kind, and u48be stake. The play must be one that Check accepts.
func (p Play) Put(b *[PlaySize]byte) {
	binary.BigEndian.PutUint64(b[8:], p.Stake) // its upper 16 bits are zero, the last two of the three bytes
	b[0], b[1], b[2], b[3], b[4] = playVersion, p.Kind, p.Digits, p.From, p.To
	binary.BigEndian.PutUint16(b[5:], uint16(p.Number))
	b[7] = 0
}

// ParsePlay reads a play's bytes. What Put would not write is refused.
func ParsePlay(b *[PlaySize]byte) (Play, error) {
	if b[0] != playVersion {
		return Play{}, fmt.Errorf("version %d of a bet's bytes; this program reads version %d", b[0], playVersion)
	}
	if b[1] != KindDirect || b[7] != 0 || b[8] != 0 || b[9] != 0 {
		return Play{}, fmt.Errorf("a bet of kind %d, which this program does not know", b[1])
	}
	p := Play{
		Digits: b[2], From: b[3], To: b[4],
		Number: Number(binary.BigEndian.Uint16(b[5:])),
		Stake:  binary.BigEndian.Uint64(b[8:]),
	}
	return p, p.Check()
}

// Appearance returns the play's number as it was typed: with its digits, 07 where there are two.
func (p Play) Appearance() string { return fmt.Sprintf("%0*d", p.Digits, p.Number) }

// Range returns the prizes that the play is at, as a bet line has them: 1-20.
func (p Play) Range() string { return fmt.Sprintf("%d-%d", p.From, p.To) }

// appendPacked appends a bet's play to packed ones: the number alone in the specification's game.
func (t *Terms) appendPacked(dst []byte, p Play) []byte {
	if t == nil {
		return binary.BigEndian.AppendUint16(dst, uint16(p.Number))
	}
	var b [PlaySize]byte
	p.Put(&b)
	return append(dst, b[:]...)
}

// Staked returns the sum of the stakes of packed plays, in cents. Its error says at which line they are too much for any draw.
func (t *Terms) Staked(plays []byte) (sum uint64, err error) { return t.StakedWith(0, plays) }

// StakedWith is Staked where other bets of the draw have staked some cents already, which its error counts and its sum does not.
func (t *Terms) StakedWith(others uint64, plays []byte) (sum uint64, err error) {
	if t == nil {
		return 0, nil
	}
	most := t.MostStaked()
	left := most - min(others, most)
	for line := 1; len(plays) >= PlaySize; line++ {
		stake := binary.BigEndian.Uint64(plays[8:])
		if stake > left {
			return 0, &LineError{Line: line, Field: fieldStake, Reason: fmt.Sprintf("%s is over %s, which is left of the %s that all bets of the draw can stake together",
				FormatCents(stake), FormatCents(left), FormatCents(most))}
		}
		left -= stake
		sum += stake
		plays = plays[PlaySize:]
	}
	return sum, nil
}

// UnpackPlay returns the play that some bytes are packed from, PlaySize of them.
func (t *Terms) UnpackPlay(b []byte) (Play, error) {
	if t != nil {
		return ParsePlay((*[PlaySize]byte)(b))
	}
	p := SpecifiedPlay(t.NumberIn(b))
	return p, p.Check()
}

// NumberIn returns the number of the first of packed plays.
func (t *Terms) NumberIn(plays []byte) Number {
	if t == nil {
		return Number(binary.BigEndian.Uint16(plays))
	}
	return Number(binary.BigEndian.Uint16(plays[5:]))
}

// PackPlays appends the packed plays of stored bet lines to dst. It does not look at the people in the lines: they were validated when
// they were accepted.
func (t *Terms) PackPlays(dst, stored []byte) ([]byte, error) {
	for line := range StoredLines(stored) {
		p, bad := t.PlayOf(line)
		if bad != nil {
			return dst, fmt.Errorf("stored bet line %q: %w", Clip(line), bad)
		}
		dst = t.appendPacked(dst, p)
	}
	return dst, nil
}
