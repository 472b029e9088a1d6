package quiniela

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// checkName returns what is wrong with a first or last name, or "". It refuses the separators of every form of request, so that
// a stored name can be written in any of them.
func checkName(name []byte) string {
	runes, blank := 0, true // blank: so far only spaces, and marks without a letter to stand on
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

// invisible reports whether r is shown as nothing or as blank space, although unicode.IsPrint holds. Marks that change how the
// character before them is shown are not meant, such as U+034F: names have them.
func invisible(r rune) bool {
	switch r {
	case '\u2800', '\U00013441', '\U00013442', '\U0001D159': // the blank ones of Braille, hieroglyphs and music
		return true
	}
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && !unicode.Is(unicode.M, r) // such as U+3164, the filler
}
