package quiniela

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseUint reads a whole number that a person typed and that fits in bits, 1 to 64. It takes decimal digits and nothing else:
// 0042 is 42, and 0x1f, 0b1, 1_000, signs, spaces and fractions are errors.
func ParseUint(s string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, bits)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is too large: want at most %d", Clip(s), uint64(math.MaxUint64)>>(64-bits))
	}
	return 0, notWhole(s)
}

// ParseInt is ParseUint for numbers that may be negative: digits, perhaps with a '-' before them.
func ParseInt(s string, bits int) (int64, error) {
	if strings.HasPrefix(s, "+") {
		return 0, notWhole(s) // strconv would take it
	}
	n, err := strconv.ParseInt(s, 10, bits)
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, strconv.ErrRange) {
		return 0, notWhole(s)
	}
	if strings.HasPrefix(s, "-") {
		return 0, fmt.Errorf("%q is too small: want at least %d", Clip(s), int64(math.MinInt64)>>(64-bits))
	}
	return 0, fmt.Errorf("%q is too large: want at most %d", Clip(s), int64(math.MaxInt64)>>(64-bits))
}

func notWhole(s string) error {
	return fmt.Errorf("%q is not a whole number: write it with the digits 0 to 9 only, such as 42", Clip(s))
}

// decimal reads digits that are few enough not to overflow, at most 9.
func decimal(s []byte) (uint32, bool) {
	var n uint32
	for _, c := range s {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, true
}
