package quiniela

// Number is the number a bettor plays, and the number a draw yields: 0..9999.
type Number uint16

// MaxNumber is the highest number that can be played.
const MaxNumber Number = 9999

// NumberSize is the size of one packed number, in bytes (big-endian).
const NumberSize = 2

// maxNumberDigits bounds how many leading zeros a number may have in the specification's game.
const maxNumberDigits = 9

// ParseNumber reads the number field of a bet line of the specification's game: 1 to 9 digits, of a value up to MaxNumber.
func ParseNumber(s []byte) (Number, bool) {
	if len(s) == 0 || len(s) > maxNumberDigits {
		return 0, false
	}
	n, ok := decimal(s)
	if !ok || n > uint32(MaxNumber) {
		return 0, false
	}
	return Number(n), true
}
