package quiniela

import (
	"bytes"
	"fmt"
)

// Bet is one bet line taken apart.
type Bet struct {
	FirstName, LastName []byte // they alias the line
	Document            uint32
	Digits              uint8 // how many the document was written with, 1 to MaxDocumentDigits: 00000042 has 8
	Born                Day
	Number              Number
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

// CheckLine does what ParseLine does, at twice the speed where the line is written as nearly all are.
func CheckLine(line []byte, today Day) (b Bet, err *LineError) {
	if end, ok := scanLine(line, today, &b); ok && end == len(line) {
		return b, nil
	}
	return ParseLine(line, today)
}

// StoredBet takes a stored line apart, which was validated when it was accepted: a birthdate may be any.
func StoredBet(line []byte) (Bet, error) {
	b, bad := CheckLine(line, lastDay)
	if bad != nil {
		return b, bad
	}
	return b, nil
}

func wrongFieldCount(line []byte) *LineError {
	return &LineError{Reason: fmt.Sprintf("%d fields, want %d: first_name,last_name,document,birthdate,number",
		bytes.Count(line, []byte{','})+1, Fields)}
}

// CheckFields validates the five fields of a bet in the order of a bet line.
func CheckFields(f [Fields][]byte, today Day) (Bet, *LineError) {
	b := Bet{FirstName: f[0], LastName: f[1], Digits: uint8(len(f[2]))}
	if reason := checkName(b.FirstName); reason != "" {
		return Bet{}, &LineError{Field: "first_name", Reason: reason}
	}
	if reason := checkName(b.LastName); reason != "" {
		return Bet{}, &LineError{Field: "last_name", Reason: reason}
	}
	var ok bool
	if b.Document, ok = parseDocument(f[2]); !ok {
		return Bet{}, &LineError{Field: "document", Reason: fmt.Sprintf("%q is not 1 to %d digits", Clip(f[2]), MaxDocumentDigits)}
	}
	if b.Born, ok = ParseDay(f[3]); !ok {
		return Bet{}, &LineError{Field: "birthdate", Reason: fmt.Sprintf("%q is not a real date YYYY-MM-DD", Clip(f[3]))}
	}
	if b.Born >= today {
		return Bet{}, &LineError{Field: "birthdate", Reason: fmt.Sprintf("%s is not in the past", f[3])}
	}
	if b.Number, ok = ParseNumber(f[4]); !ok {
		return Bet{}, &LineError{Field: "number", Reason: fmt.Sprintf("%q is not a number from 0 to %d", Clip(f[4]), MaxNumber)}
	}
	return b, nil
}

// parseDocument reads the document field of a bet line: 1 to MaxDocumentDigits digits.
func parseDocument(s []byte) (uint32, bool) {
	if len(s) == 0 || len(s) > MaxDocumentDigits {
		return 0, false
	}
	return decimal(s)
}
