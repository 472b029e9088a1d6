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
	Play                Play // what it is on
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

// ParseLine takes apart and validates one bet line, already trimmed and without its line end: `first_name,last_name,document,birthdate,number`,
// and in the game quiniela `…,number,stake[,from-to]`. A birthdate must be before today. It allocates only to report an error.
func (t *Terms) ParseLine(line []byte, today Day) (Bet, *LineError) {
	var f [MostFields][]byte
	n, rest := 0, line
	for {
		comma := bytes.IndexByte(rest, ',')
		if comma < 0 {
			break
		}
		if n == MostFields-1 {
			return Bet{}, t.wrongFieldCount(line)
		}
		f[n], rest = rest[:comma], rest[comma+1:]
		n++
	}
	f[n] = rest
	if n++; !t.hasFields(n) {
		return Bet{}, t.wrongFieldCount(line)
	}
	return t.CheckFields(f[:n], today)
}

// hasFields reports whether a bet line can have n fields.
func (t *Terms) hasFields(n int) bool {
	if t == nil {
		return n == Fields
	}
	return n == Fields+1 || n == MostFields
}

// CheckLine does what ParseLine does, at twice the speed where the line is written as nearly all are.
func (t *Terms) CheckLine(line []byte, today Day) (b Bet, err *LineError) {
	if end, ok := t.scanLine(line, today, &b); ok && end == len(line) {
		return b, nil
	}
	return t.ParseLine(line, today)
}

// StoredBet takes a stored line apart, which was validated when it was accepted: a birthdate may be any.
func (t *Terms) StoredBet(line []byte) (Bet, error) {
	b, bad := t.CheckLine(line, lastDay)
	if bad != nil {
		return b, bad
	}
	return b, nil
}

func (t *Terms) wrongFieldCount(line []byte) *LineError {
	have := bytes.Count(line, []byte{','}) + 1
	if t == nil {
		return &LineError{Reason: fmt.Sprintf("%d fields, want %d: %s", have, Fields, t.Header())}
	}
	return &LineError{Reason: fmt.Sprintf("%d fields, want %d or %d: %s (the draw's game is %s)", have, Fields+1, MostFields, t.Header(), GameQuiniela)}
}

// Names of a bet line's fields, as errors and headings have them.
const (
	fieldNumber = "number"
	fieldStake  = "stake"
	fieldRange  = "from-to"
)

// Header names the fields of the game's bet lines; those in brackets may be left out.
func (t *Terms) Header() string {
	if t == nil {
		return "first_name,last_name,document,birthdate,number"
	}
	return "first_name,last_name,document,birthdate,number,stake[,from-to]"
}

// CheckFields validates the fields of a bet in the order of a bet line: Fields of them, and in the game quiniela one or two more.
func (t *Terms) CheckFields(f [][]byte, today Day) (Bet, *LineError) {
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
	var bad *LineError
	if b.Play, bad = t.parsePlay(f[4:]); bad != nil {
		return Bet{}, bad
	}
	return b, nil
}

// parsePlay validates the fields of a bet line that say what it is on: the number, and in the game quiniela the stake and perhaps the prizes.
func (t *Terms) parsePlay(f [][]byte) (Play, *LineError) {
	if t == nil {
		n, ok := ParseNumber(f[0])
		if !ok {
			return Play{}, &LineError{Field: fieldNumber, Reason: fmt.Sprintf("%q is not a number from 0 to %d", Clip(f[0]), MaxNumber)}
		}
		return SpecifiedPlay(n), nil
	}
	p := Play{Digits: uint8(min(len(f[0]), MaxDigits+1)), From: 1, To: 1}
	n, ok := decimal(f[0][:min(len(f[0]), MaxDigits)])
	if !ok || p.Digits < 1 || p.Digits > MaxDigits {
		return Play{}, &LineError{Field: fieldNumber, Reason: fmt.Sprintf("%q is not 1 to %d digits", Clip(f[0]), MaxDigits)}
	}
	p.Number = Number(n)
	if p.Stake, ok = parseCents(f[1]); !ok {
		return Play{}, &LineError{Field: fieldStake, Reason: fmt.Sprintf("%q is not an amount in pesos such as 100 or 100.50", Clip(f[1]))}
	}
	if reason := t.checkStake(p.Stake); reason != "" {
		return Play{}, &LineError{Field: fieldStake, Reason: reason}
	}
	if len(f) > 2 {
		if p.From, p.To, ok = parseRange(f[2]); !ok {
			return Play{}, &LineError{Field: fieldRange, Reason: fmt.Sprintf("%q is not 1, or two of the prizes 1 to %d such as 1-5", Clip(f[2]), PrizeCount)}
		}
	}
	return p, nil
}

// parseRange reads the prizes that a bet is at: 1, or two of 1 to PrizeCount with a '-' between them, the lower one first.
func parseRange(s []byte) (from, to uint8, ok bool) {
	if len(s) == 1 && s[0] == '1' {
		return 1, 1, true
	}
	first, last, ok := bytes.Cut(s, []byte{'-'})
	from, to = parsePrize(first), parsePrize(last)
	return from, to, ok && from > 0 && from <= to
}

// parsePrize reads the place of a prize, without leading zeros. It returns 0 for what is none.
func parsePrize(s []byte) uint8 {
	if len(s) < 1 || len(s) > 2 || s[0] == '0' {
		return 0
	}
	n, ok := decimal(s)
	if !ok || n > PrizeCount {
		return 0
	}
	return uint8(n)
}

// PlayOf returns what a stored, validated bet line is on.
func (t *Terms) PlayOf(line []byte) (Play, error) {
	if t == nil {
		line = line[bytes.LastIndexByte(line, ',')+1:]
	} else {
		for range Fields - 1 {
			line = line[bytes.IndexByte(line, ',')+1:]
		}
	}
	var f [MostFields - Fields + 1][]byte
	n := 0
	for ; n < len(f)-1; n++ {
		comma := bytes.IndexByte(line, ',')
		if comma < 0 {
			break
		}
		f[n], line = line[:comma], line[comma+1:]
	}
	f[n] = line
	if n++; !t.hasFields(n + Fields - 1) {
		return Play{}, fmt.Errorf("%d fields from the number on", n)
	}
	p, bad := t.parsePlay(f[:n])
	if bad != nil {
		return Play{}, bad
	}
	return p, nil
}

// parseDocument reads the document field of a bet line: 1 to MaxDocumentDigits digits.
func parseDocument(s []byte) (uint32, bool) {
	if len(s) == 0 || len(s) > MaxDocumentDigits {
		return 0, false
	}
	return decimal(s)
}
