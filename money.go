package quiniela

import (
	"fmt"
	"strconv"
)

// Money is whole cents everywhere, never a fraction of one.

// maxPesoDigits bounds an amount that is read: with two decimals it fits in 63 bits.
const maxPesoDigits = 16

// parseCents reads an amount in pesos: digits without leading zeros, and perhaps a point and one or two decimals. 100, 100.5 and 100.50
// are amounts.
func parseCents(s []byte) (cents uint64, ok bool) {
	i := 0
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		if i == maxPesoDigits {
			return 0, false
		}
		cents = cents*10 + uint64(s[i]-'0')
	}
	if i == 0 || i > 1 && s[0] == '0' {
		return 0, false
	}
	cents *= 100
	switch rest := s[i:]; {
	case len(rest) == 0:
		return cents, true
	case rest[0] != '.' || len(rest) < 2 || len(rest) > 3:
		return 0, false
	default:
		unit := uint64(10)
		for _, c := range rest[1:] {
			if c-'0' > 9 {
				return 0, false
			}
			cents += uint64(c-'0') * unit
			unit /= 10
		}
		return cents, true
	}
}

// ParseCents reads an amount in pesos that a person typed, such as 100 or 100.50, and returns it in cents.
func ParseCents(s string) (uint64, error) {
	cents, ok := parseCents([]byte(s))
	if !ok {
		return 0, fmt.Errorf("%q is not an amount in pesos such as 100 or 100.50: digits, and at most two decimals after a point", Clip(s))
	}
	return cents, nil
}

// FormatCents returns an amount in pesos with two decimals: 10050 cents are 100.50.
func FormatCents(cents uint64) string { return string(AppendCents(nil, cents)) }

// AppendCents appends what FormatCents returns.
func AppendCents(dst []byte, cents uint64) []byte {
	dst = strconv.AppendUint(dst, cents/100, 10)
	return append(dst, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}
