package client

import (
	"bytes"
	"unicode"

	"quiniela"
)

// Reasons for lines as spreadsheets and other programs write them. Each says what to do.
const (
	quotedCell = "a cell is in quotes, which would be stored with it: write the cells without quotes, as in Ana,Paz,1,1990-01-01,7"
	markFirst  = "the file begins with a byte order mark, as a spreadsheet writes it: save it as UTF-8 without one (“without BOM”)"
	wideText   = "the file is UTF-16: save it as UTF-8, without a byte order mark"
	semicolons = "the cells are separated by semicolons: separate them by commas (in a spreadsheet, export as CSV with the separator “,”)"
	tabs       = "the cells are separated by tabs: separate them by commas (in a spreadsheet, export as CSV with the separator “,”)"
	header     = "it looks like a header: delete this line, the file has bets only"
)

// check returns what is wrong with a trimmed line of a game that is not blank, or nil. first says that it is the file's first line. It
// refuses what the server refuses, and quoted cells as well, which the server would store with their quotes.
func check(line []byte, game *quiniela.Terms, today quiniela.Day, first bool) *quiniela.LineError {
	if first {
		switch {
		case bytes.HasPrefix(line, []byte("\xef\xbb\xbf")):
			return &quiniela.LineError{Reason: markFirst}
		case bytes.HasPrefix(line, []byte("\xff\xfe")), bytes.HasPrefix(line, []byte("\xfe\xff")):
			return &quiniela.LineError{Reason: wideText}
		}
	}
	if bytes.IndexByte(line, '"') >= 0 && quoted(line) {
		return &quiniela.LineError{Reason: quotedCell}
	}
	_, bad := game.CheckLine(line, today)
	if bad == nil {
		return nil
	}
	cells := bytes.Split(line, []byte{','})
	switch {
	case len(cells) < quiniela.Fields && bytes.Count(line, []byte{';'}) >= quiniela.Fields-1:
		return &quiniela.LineError{Reason: semicolons}
	case len(cells) < quiniela.Fields && bytes.Count(line, []byte{'\t'}) >= quiniela.Fields-1:
		return &quiniela.LineError{Reason: tabs}
	case first && len(cells) >= quiniela.Fields && isWord(cells[2]) && isWord(cells[4]):
		return &quiniela.LineError{Reason: header}
	}
	return bad
}

// quoted reports whether a cell of the line begins with a quote.
func quoted(line []byte) bool {
	for cell := range bytes.SplitSeq(line, []byte{','}) {
		if bytes.HasPrefix(bytes.TrimLeft(cell, " \t"), []byte{'"'}) {
			return true
		}
	}
	return false
}

// isWord reports whether a cell that should be a number has no digit at all.
func isWord(cell []byte) bool {
	return len(cell) > 0 && bytes.IndexFunc(cell, unicode.IsDigit) < 0
}
