package quiniela

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ParseUint reads a whole number that a person typed and that fits in so many bits: decimal digits and nothing else, so
// 0042 is 42. What other programs read in another base (0x1f, 0b1, 1_000), signs, spaces and fractions are refused.
func ParseUint(s string, bits int) (uint64, error) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a whole number: write it with the digits 0 to 9 only, such as 42", clip(s))
	}
	n, err := strconv.ParseUint(s, 10, bits)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is too large: want at most %d", clip(s), uint64(1)<<(bits-1)-1+uint64(1)<<(bits-1))
	}
	return n, err
}

// ParseInt is ParseUint for numbers that may be negative: digits, with a '-' before them.
func ParseInt(s string, bits int) (int64, error) {
	digits, negative := strings.CutPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a whole number: write it with the digits 0 to 9 only, such as 42", clip(s))
	}
	n, err := strconv.ParseInt(s, 10, bits)
	if errors.Is(err, strconv.ErrRange) && negative {
		return 0, fmt.Errorf("%q is too small: want at least %d", clip(s), int64(-1)<<(bits-1))
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is too large: want at most %d", clip(s), uint64(1)<<(bits-1)-1)
	}
	return n, err
}
