package quiniela

import (
	"bytes"
	"fmt"
)

// Bet is one bet line taken apart. The slices alias the line.
type Bet struct {
	FirstName, LastName, Document, Birthdate []byte
	Number                                   Number
}

// LineError says which field of a bet line is wrong, and how. Field is empty if the number of fields is wrong. Line counts from
// 1 within what was parsed; 0 means that the caller parsed one line only.
type LineError struct {
	Line   int
	Field  string
	Reason string
}

func (e *LineError) Error() string {
	s := e.Reason
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Line > 0 {
		s = fmt.Sprintf("line %d: %s", e.Line, s)
	}
	return s
}

// ParseLine takes apart and validates one bet line, `first_name,last_name,document,birthdate,number`, already trimmed and
// without its line end. A birthdate must be before today. It allocates only to report an error.
func ParseLine(line []byte, today Day) (Bet, *LineError) {
	var f [Fields][]byte
	rest := line
	for i := range Fields - 1 {
		comma := bytes.IndexByte(rest, ',')
		if comma < 0 {
			return Bet{}, wrongFieldCount(line)
		}
		f[i], rest = rest[:comma], rest[comma+1:]
	}
	if bytes.IndexByte(rest, ',') >= 0 {
		return Bet{}, wrongFieldCount(line)
	}
	f[Fields-1] = rest
	return CheckFields(f, today)
}

// CheckLine validates a line exactly as ParseLine does and returns its number alone, which is twice as fast.
func CheckLine(line []byte, today Day) (Number, *LineError) {
	if end, n, ok := scanLine(line, today); ok && end == len(line) {
		return n, nil
	}
	b, err := ParseLine(line, today)
	return b.Number, err
}

func wrongFieldCount(line []byte) *LineError {
	return &LineError{Reason: fmt.Sprintf("%d fields, want %d: first_name,last_name,document,birthdate,number",
		bytes.Count(line, []byte{','})+1, Fields)}
}

// CheckFields validates the five fields of a bet in the order of a bet line.
func CheckFields(f [Fields][]byte, today Day) (Bet, *LineError) {
	b := Bet{FirstName: f[0], LastName: f[1], Document: f[2], Birthdate: f[3]}
	if reason := checkName(b.FirstName); reason != "" {
		return Bet{}, &LineError{Field: "first_name", Reason: reason}
	}
	if reason := checkName(b.LastName); reason != "" {
		return Bet{}, &LineError{Field: "last_name", Reason: reason}
	}
	if !digits(b.Document, MaxDocumentDigits) {
		return Bet{}, &LineError{Field: "document", Reason: fmt.Sprintf("%q is not 1 to %d digits", Clip(b.Document), MaxDocumentDigits)}
	}
	day, ok := parseDay(b.Birthdate)
	if !ok {
		return Bet{}, &LineError{Field: "birthdate", Reason: fmt.Sprintf("%q is not a real date YYYY-MM-DD", Clip(b.Birthdate))}
	}
	if day >= today {
		return Bet{}, &LineError{Field: "birthdate", Reason: fmt.Sprintf("%s is not in the past", b.Birthdate)}
	}
	n, ok := ParseNumber(f[4])
	if !ok {
		return Bet{}, &LineError{Field: "number", Reason: fmt.Sprintf("%q is not a number from 0 to %d", Clip(f[4]), MaxNumber)}
	}
	b.Number = n
	return b, nil
}

// digits reports whether s is 1 to most decimal digits.
func digits(s []byte, most int) bool {
	if len(s) == 0 || len(s) > most {
		return false
	}
	for _, c := range s {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}
