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

// scanLine reads the bet line at the beginning of s. end is where its text ends: at '\n', or at the end of s.
func scanLine(s []byte, today Day) (end int, n Number, ok bool) {
	at := scanName(s)
	if at == 0 {
		return 0, 0, false
	}
	i := scanName(s[at:])
	if i == 0 {
		return 0, 0, false
	}
	at += i
	if i = scanDigits(s[at:], MaxDocumentDigits); i == 0 {
		return 0, 0, false
	}
	at += i
	// birthdate, comma and at least one digit
	const date = len("YYYY-MM-DD")
	if len(s) < at+date+2 || s[at+date] != ',' {
		return 0, 0, false
	}
	day, real := parseDay(s[at : at+date])
	if !real || day >= today {
		return 0, 0, false
	}
	return scanNumber(s, at+date+1)
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

// scanDigits returns how long the 1 to most digits at the beginning of s are, with the comma behind them, or 0.
func scanDigits(s []byte, most int) int {
	for i := 0; i < len(s) && i <= most; i++ {
		if s[i]-'0' > 9 {
			if s[i] == ',' && i > 0 {
				return i + 1
			}
			return 0
		}
	}
	return 0
}

// scanNumber reads the 1 to 4 digits at at, which end the line.
func scanNumber(s []byte, at int) (end int, n Number, ok bool) {
	for i := at; ; i++ {
		if i == len(s) || s[i] == '\n' {
			return i, n, i > at
		}
		c := s[i] - '0'
		if c > 9 || i == at+4 {
			return 0, 0, false
		}
		n = n*10 + Number(c)
	}
}
