package quiniela

// Nearly every bet line is written in one way: names of Latin letters, no blank space around it, a number without leading
// zeros. scanLine takes such a line apart in one pass, at more than twice ParseLine's rate. It gives up on anything else, bad
// or merely unusual, and leaves it to ParseLine, which knows what to say: the two never disagree (FuzzCheckLines).

// Classes of a name's bytes.
const (
	nameOther = iota // ends the scan
	namePlain        // printable ASCII that a name may have
	nameLatin        // the first byte of U+00C0 to U+00FF, which are all printable
)

var nameClass = func() (class [256]uint8) {
	for c := ' '; c < 0x7f; c++ {
		if c != ',' && c != '|' && c != '~' {
			class[c] = namePlain
		}
	}
	class[0xc3] = nameLatin
	return class
}()

// scanLine reads the bet line at the beginning of s into b. end is where its text ends: at '\n', or at the end of s.
func scanLine(s []byte, today Day, b *Bet) (end int, ok bool) {
	first := scanName(s)
	if first == 0 {
		return 0, false
	}
	last := scanName(s[first:])
	if last == 0 {
		return 0, false
	}
	at := first + last
	document := scanDocument(s[at:], b)
	if document == 0 {
		return 0, false
	}
	at += document
	// birthdate, comma and at least one digit
	const date = len("YYYY-MM-DD")
	if len(s) < at+date+2 || s[at+date] != ',' {
		return 0, false
	}
	born, real := ParseDay(s[at : at+date])
	if !real || born >= today {
		return 0, false
	}
	b.FirstName, b.LastName, b.Born = s[:first-1], s[first:first+last-1], born
	return scanNumber(s, at+date+1, b)
}

// scanName returns how long the name at the beginning of s is, with the comma behind it, or 0.
func scanName(s []byte) int {
	for i := 0; i < len(s); i++ {
		switch nameClass[s[i]] {
		case namePlain:
		case nameLatin:
			if i++; i == len(s) || s[i]&0xc0 != 0x80 {
				return 0
			}
		default:
			// In bytes, which are at least the characters; ParseLine counts where it matters.
			if s[i] != ',' || i == 0 || i > MaxNameRunes || s[0] == ' ' {
				return 0
			}
			return i + 1
		}
	}
	return 0
}

// scanDocument reads the document at the beginning of s, and returns how long it is with the comma behind it, or 0.
func scanDocument(s []byte, b *Bet) int {
	var n uint32
	for i := 0; i < len(s) && i <= MaxDocumentDigits; i++ {
		c := s[i] - '0'
		if c > 9 {
			if s[i] == ',' && i > 0 {
				b.Document, b.Digits = n, uint8(i)
				return i + 1
			}
			return 0
		}
		n = n*10 + uint32(c) // of ten digits too many for 32 bits: it is not used then
	}
	return 0
}

// scanNumber reads the 1 to 4 digits at at, which end the line.
func scanNumber(s []byte, at int, b *Bet) (end int, ok bool) {
	b.Number = 0
	for i := at; ; i++ {
		if i == len(s) || s[i] == '\n' {
			return i, i > at
		}
		c := s[i] - '0'
		if c > 9 || i == at+4 {
			return 0, false
		}
		b.Number = b.Number*10 + Number(c)
	}
}
