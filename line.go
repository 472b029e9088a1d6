package quiniela

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Bet is one bet line taken apart. The slices alias the line.
type Bet struct {
	FirstName, LastName, Document, Birthdate []byte
	Number                                   Number
}

// LineError says which field of a bet line is wrong, and how. Line counts from 1 within what was parsed; 0 means
// that the caller parsed one line only.
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

// ParseLine takes apart and validates one bet line, `first_name,last_name,document,birthdate,number`, already
// trimmed and without its line end. today is the first day that is not in the past. It allocates only to report
// an error.
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

// CheckLine validates a line as ParseLine does, and is faster where only its number is wanted.
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
		return Bet{}, &LineError{Field: "document", Reason: fmt.Sprintf("%q is not 1 to %d digits", clip(b.Document), MaxDocumentDigits)}
	}
	day, ok := parseDay(b.Birthdate)
	if !ok {
		return Bet{}, &LineError{Field: "birthdate", Reason: fmt.Sprintf("%q is not a real date YYYY-MM-DD", clip(b.Birthdate))}
	}
	if day >= today {
		return Bet{}, &LineError{Field: "birthdate", Reason: fmt.Sprintf("%s is not in the past", b.Birthdate)}
	}
	n, ok := parseNumber(f[4])
	if !ok {
		return Bet{}, &LineError{Field: "number", Reason: fmt.Sprintf("%q is not a number from 0 to %d", clip(f[4]), MaxNumber)}
	}
	b.Number = n
	return b, nil
}

// checkName returns what is wrong with a name, or "". The separators of every request form are refused, so that a
// stored name can be written back in any of them.
func checkName(name []byte) string {
	runes, blank := 0, true // blank: nothing in it can be seen
	for i := 0; i < len(name); {
		c := name[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(name[i:])
			if r == utf8.RuneError && size <= 1 {
				return "is not UTF-8"
			}
			if reason := checkRune(r); reason != "" {
				return reason
			}
			i += size
			runes++
			blank = blank && unicode.Is(unicode.M, r)
			continue
		}
		if c < ' ' || c == 0x7f || c == '|' || c == '~' || c == ',' {
			return fmt.Sprintf("has the character %q, which a name cannot have", c)
		}
		blank = blank && c == ' '
		i++
		runes++
	}
	if blank && len(bytes.Trim(name, " ")) > 0 {
		return "has no letter, only marks"
	}
	if blank {
		return "is empty"
	}
	if len(name) > MaxNameBytes {
		return fmt.Sprintf("has %d bytes, over %d", len(name), MaxNameBytes)
	}
	if runes > MaxNameRunes {
		return fmt.Sprintf("has %d characters, over %d", runes, MaxNameRunes)
	}
	return ""
}

// checkRune returns what is wrong with a character of a name that is not ASCII, or "".
func checkRune(r rune) string {
	switch {
	case r == utf8.RuneError:
		return "has U+FFFD, which stands for a letter that was lost: write the name again, in UTF-8"
	case !unicode.IsPrint(r):
		return fmt.Sprintf("has the unprintable character %U", r)
	case invisible(r):
		return fmt.Sprintf("has the invisible character %U", r)
	}
	return ""
}

// invisible reports whether r is shown as nothing or as blank space, though it is printable. Marks that only change how
// a neighbour is shown belong to names, such as U+034F.
func invisible(r rune) bool {
	switch r {
	case '\u2800', '\U00013441', '\U00013442', '\U0001D159': // the blank ones of Braille, hieroglyphs and music
		return true
	}
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && !unicode.Is(unicode.M, r) // fillers
}

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

var daysIn = [13]uint8{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func parseDay(s []byte) (Day, bool) {
	if len(s) != len("YYYY-MM-DD") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	y, ok1 := decimal(s[:4])
	m, ok2 := decimal(s[5:7])
	d, ok3 := decimal(s[8:])
	if !ok1 || !ok2 || !ok3 || y < 1 || m < 1 || m > 12 || d < 1 || d > uint32(daysIn[m]) {
		return 0, false
	}
	if m == 2 && d == 29 && (y%4 != 0 || y%100 == 0 && y%400 != 0) {
		return 0, false
	}
	return Day(y*10000 + m*100 + d), true
}

// decimal reads a run of digits short enough not to overflow.
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

// maxNumberDigits bounds how many leading zeros a number may bring.
const maxNumberDigits = 9

func parseNumber(s []byte) (Number, bool) {
	if len(s) == 0 || len(s) > maxNumberDigits {
		return 0, false
	}
	n, ok := decimal(s)
	if !ok || n > uint32(MaxNumber) {
		return 0, false
	}
	return Number(n), true
}
