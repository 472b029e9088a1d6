package sample

import "strconv"

// This file draws what a bet of the game quiniela is on. Like the names it is part of what a seed means: a change of a table changes every
// sample. All numbers of as many digits are as likely.
//
//	digits  two 52 %, three 30 %, four 12 %, one 6 %
//	prizes  the head, as an absent field, 70 %; 1-10 10 %, 1-5 and 1-20 8 % each; some other range, such as 2-2 or 6-20, 4 %
//	stake   as stakes says; one in 200 is great: 10,000 to 50,000

// choice is a value that is drawn parts times in 100.
type choice[T any] struct {
	parts int
	value T
}

var digits = []choice[int]{{52, 2}, {30, 3}, {12, 4}, {6, 1}}

// other stands for a range that has none of the usual names.
const other = "other"

var ranges = []choice[string]{{70, ""}, {10, "1-10"}, {8, "1-5"}, {8, "1-20"}, {4, other}}

var stakes = []choice[string]{
	{22, "100"}, {20, "200"}, {20, "500"}, {14, "1000"}, {5, "2000"}, {4, "300"}, {4, "50.50"}, {3, "50"}, {3, "150"}, {2, "5000"}, {1, "20"},
	{1, "1.00"}, {1, "33.34"},
}

// draw draws one of some choices, whose parts are 100 together.
func draw[T any](s source, from []choice[T]) T {
	left := s.below(100)
	for _, c := range from {
		if left -= c.parts; left < 0 {
			return c.value
		}
	}
	return from[len(from)-1].value
}

// appendPlay appends what a bet of the game quiniela is on, its number with its zeros.
func (s source) appendPlay(dst []byte) []byte {
	count, power := draw(s, digits), 1
	for range count {
		power *= 10
	}
	number := s.below(power)
	for power /= 10; power > 0; power /= 10 {
		dst = append(dst, byte('0'+number/power%10))
	}
	dst = s.appendStake(append(dst, ','))
	switch prizes := draw(s, ranges); prizes {
	case "":
		return dst
	case other:
		return s.appendRange(append(dst, ','))
	default:
		return append(append(dst, ','), prizes...)
	}
}

func (s source) appendStake(dst []byte) []byte {
	if s.below(200) == 0 {
		return strconv.AppendInt(dst, int64(10+s.below(41))*1000, 10)
	}
	return append(dst, draw(s, stakes)...)
}

// appendRange appends two prizes, the lower one first.
func (s source) appendRange(dst []byte) []byte {
	from := 1 + s.below(20)
	to := from + s.below(21-from)
	dst = strconv.AppendInt(dst, int64(from), 10)
	return strconv.AppendInt(append(dst, '-'), int64(to), 10)
}
