package quiniela

// Nearly every bet line is written in one way: names of Latin letters, no blank space around it, a number of at most four digits. scanLine takes such a line apart in one pass, at more than twice ParseLine's rate. It gives up on anything else, bad
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
func (t *Terms) scanLine(s []byte, today Day, b *Bet) (end int, ok bool) {
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
	if at += date + 1; t == nil {
		return scanNumber(s, at, b)
	}
	return t.scanPlay(s, at, b)
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

// scanNumber reads the 1 to 4 digits at at, which end a line of the specification's game.
func scanNumber(s []byte, at int, b *Bet) (end int, ok bool) {
	n := Number(0)
	for i := at; ; i++ {
		if i == len(s) || s[i] == '\n' {
			b.Play = Play{Digits: MaxDigits, From: 1, To: 1, Number: n}
			return i, i > at
		}
		c := s[i] - '0'
		if c > 9 || i == at+MaxDigits {
			return 0, false
		}
		n = n*10 + Number(c)
	}
}

// scanPlay reads what a bet of the game quiniela is on, from at to the end of the line.
func (t *Terms) scanPlay(s []byte, at int, b *Bet) (end int, ok bool) {
	n, end := scanDigits(s, at, MaxDigits)
	if end == at {
		return 0, false
	}
	p := Play{Digits: uint8(end - at), From: 1, To: 1, Number: Number(n)}
	if at = end + 1; at >= len(s) || s[end] != ',' {
		return 0, false
	}
	if p.Stake, end = scanCents(s, at); end == at || t.checkStake(p.Stake) != "" {
		return 0, false
	}
	if end < len(s) && s[end] == ',' {
		if end = scanRange(s, end+1, &p); end == 0 {
			return 0, false
		}
	}
	b.Play = p
	return end, end == len(s) || s[end] == '\n'
}

// scanDigits reads digits from at on, at most as many as are asked for. end is behind the last of them.
func scanDigits(s []byte, at, most int) (n uint32, end int) {
	for end = at; end < len(s) && end < at+most; end++ {
		c := s[end] - '0'
		if c > 9 {
			break
		}
		n = n*10 + uint32(c)
	}
	return n, end
}

// scanCents reads an amount below ten million pesos. It returns at as the end where it gives up.
func scanCents(s []byte, at int) (cents uint64, end int) {
	n, end := scanDigits(s, at, 7)
	if end == at || s[at] == '0' {
		return 0, at
	}
	cents = uint64(n) * 100
	if end == len(s) || s[end] != '.' {
		return cents, end
	}
	n, decimals := scanDigits(s, end+1, 2)
	if decimals != end+3 {
		return 0, at
	}
	return cents + uint64(n), decimals
}

// scanRange reads the prizes that the bet is at. end is 0 where it gives up.
func scanRange(s []byte, at int, p *Play) (end int) {
	from, end := scanDigits(s, at, 2)
	if end == at || end == len(s) || s[end] != '-' || s[at] == '0' {
		return 0
	}
	at = end + 1
	to, end := scanDigits(s, at, 2)
	if end == at || s[at] == '0' || from > to || to > PrizeCount {
		return 0
	}
	p.From, p.To = uint8(from), uint8(to)
	return end
}
