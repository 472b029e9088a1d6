package quiniela

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Number is the number a bettor plays, and the number a draw yields: 0..9999.
type Number uint16

// MaxNumber is the highest number that can be played.
const MaxNumber Number = 9999

// NumberSize is the size of one packed number, in bytes (big-endian).
const NumberSize = 2

// maxNumberDigits bounds how many leading zeros a number may have.
const maxNumberDigits = 9

// ParseNumber reads the number field of a bet line: 1 to 9 digits, of a value up to MaxNumber.
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

// PackNumbers appends the packed numbers of stored bet lines to dst. It does not look at the rest of the lines: they were
// validated when they were accepted.
func PackNumbers(dst, stored []byte) ([]byte, error) {
	for line := range StoredLines(stored) {
		n, ok := NumberOf(line)
		if !ok {
			return dst, fmt.Errorf("stored bet line %q has no number", Clip(line))
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	}
	return dst, nil
}

// NumberOf returns the number of a stored, validated bet line.
func NumberOf(line []byte) (Number, bool) {
	return ParseNumber(line[bytes.LastIndexByte(line, ',')+1:])
}
