package quiniela

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable returns s as one line that a terminal shows and does not obey. What does not print is written as JSON writes it: line ends,
// tabs and escapes (\u001b), and what reorders text or is no text (\u202e). A byte that is not UTF-8 becomes \xff.
//
// The names of files, and texts that a stranger may have written, go through it before they are shown.
func Printable(s string) string { return string(AppendPrintable(nil, []byte(s))) }

// Cell is Printable for a field of a table that a spreadsheet may read: one that it would run as a formula begins with an apostrophe.
func Cell(s string) string {
	if start := strings.TrimLeft(s, " "); start != "" && strings.IndexByte("=+-@", start[0]) >= 0 {
		s = "'" + s
	}
	return Printable(s)
}

// AppendPrintable appends to dst what Printable makes of s.
func AppendPrintable(dst, s []byte) []byte {
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = fmt.Appendf(dst, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			dst = append(dst, s[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
		s = s[size:]
	}
	return dst
}
