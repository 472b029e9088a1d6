package quiniela

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// CheckLines validates the bet lines of a batch and leaves each, trimmed of blank space and ended by one '\n', in the lines
// that it returns. They alias body, in which they move to the left; only a last line without a line end can make it grow, by
// one byte. Blank lines after the last bet are dropped. Anywhere else they are an error. What the bets are on is appended to plays,
// packed. most is the most bets.
//
// each, which may be nil, is called with each bet in order, in the same pass; the bet is valid during the call. Its error ends
// the check, and is refused as one of the line.
//
// After an error body must not be used: a part of it may have been rewritten.
func (t *Terms) CheckLines(body []byte, today Day, most int, plays []byte, each func(Bet) error) (lines, packed []byte, err error) {
	body = bytes.TrimRight(body, blanks)
	if len(body) == 0 {
		return nil, plays, Refuse(Invalid, "the batch has no bet")
	}
	size := 0 // of the finished lines, at the beginning of body
	var bet Bet
	for n, at := 1, 0; at < len(body); n++ {
		if n > most {
			return nil, plays, Refuse(TooLarge, "more than %d bets in a batch", most)
		}
		length, usual := t.scanLine(body[at:], today, &bet)
		line := place{at, at + length, at + length + 1}
		if !usual {
			var bad *LineError
			if line, bet, bad = t.parseLineAt(body, at, today); bad != nil {
				bad.Line = n
				return nil, plays, &Error{Code: Invalid, Detail: bad.Error()}
			}
		}
		at = line.next
		if t == nil { // here, as a call for two bytes takes as long as reading the number
			plays = binary.BigEndian.AppendUint16(plays, uint16(bet.Play.Number))
		} else {
			plays = t.appendPacked(plays, bet.Play)
		}
		if each != nil {
			if err := each(bet); err != nil {
				return nil, plays, Refuse(Invalid, "line %d: %v", n, err)
			}
		}
		if line.start != size {
			copy(body[size:], body[line.start:line.end])
		}
		size += line.end - line.start
		if size < len(body) {
			body[size] = '\n'
		} else {
			body = append(body, '\n') // after the last line, whose own line end was trimmed or missing
		}
		size++
	}
	return body[:size], plays, nil
}

// place is where a line lies in a body.
type place struct {
	start, end int // of its text, without the blank space around it
	next       int // the beginning of the line after it; past the end of the body if there is none
}

// parseLineAt validates the line of body that begins at at, however it is written.
func (t *Terms) parseLineAt(body []byte, at int, today Day) (place, Bet, *LineError) {
	end := len(body)
	if i := bytes.IndexByte(body[at:], '\n'); i >= 0 {
		end = at + i
	}
	line := bytes.TrimLeft(body[at:end], blanks)
	start := end - len(line)
	line = TrimLine(line)
	bet, bad := t.CheckLine(line, today)
	return place{start, start + len(line), end + 1}, bet, bad
}

// TrimLine removes the blank space around a line: spaces, tabs and line ends.
func TrimLine(line []byte) []byte {
	// Nearly every line has none, and this is four times as fast as bytes.Trim.
	for len(line) > 0 && isBlank(line[0]) {
		line = line[1:]
	}
	for len(line) > 0 && isBlank(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}

const blanks = " \t\r\n"

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// StoredLines yields the bet lines of a stored batch, without their '\n'. The lines alias stored.
func StoredLines(stored []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(stored) > 0 {
			end := bytes.IndexByte(stored, '\n')
			if end < 0 {
				yield(stored)
				return
			}
			if !yield(stored[:end]) {
				return
			}
			stored = stored[end+1:]
		}
	}
}

// DocumentOf returns the document of a stored, validated bet line. It aliases line.
func DocumentOf(line []byte) []byte {
	for range 2 {
		line = line[bytes.IndexByte(line, ',')+1:]
	}
	if end := bytes.IndexByte(line, ','); end >= 0 {
		line = line[:end]
	}
	return line
}
