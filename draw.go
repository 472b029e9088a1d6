package quiniela

// MaxDrawID is the most characters of a draw's name.
const MaxDrawID = 64

// CheckDrawID refuses a draw's name that is not 1 to MaxDrawID of the characters a-z, A-Z, 0-9, '.', '_' and '-', or
// that begins with '.' or '-': names are parts of protocol lines, URLs, file names and commands, and '-' alone is no name in the log.
func CheckDrawID(id string) error {
	ok := len(id) >= 1 && len(id) <= MaxDrawID && id[0] != '.' && id[0] != '-'
	for i := 0; ok && i < len(id); i++ {
		ok = isDrawIDByte(id[i])
	}
	if !ok {
		return Refuse(Invalid, "the draw's name %q: want 1 to %d letters, digits, '.', '_' or '-', such as 2026-11-24-evening", Clip(id), MaxDrawID)
	}
	return nil
}

func isDrawIDByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '.' || c == '_' || c == '-'
}
