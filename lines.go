package quiniela

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
)

// NumberSize is the size of one packed number, in bytes (big-endian).
const NumberSize = 2

// CheckLines validates the bet lines of a batch where they lie. Each line is trimmed of blank space and ends in one
// '\n' in the lines it returns, which alias body: lines moves to the left within it, and only a last line without
// a line end may make it grow by one byte. Blank lines after the last bet are dropped; anywhere else they are an
// error. The numbers of the bets are appended to numbers, packed. most bounds the bets.
//
// On an error nothing of body should be used: it may have been rewritten in part.
func CheckLines(body []byte, today Day, most int, numbers []byte) (lines, packed []byte, err error) {
	body = bytes.TrimRight(body, blanks)
	if len(body) == 0 {
		return nil, numbers, Refuse(Invalid, "the batch has no bet")
	}
	size := 0 // of the lines that are done
	for n, at := 1, 0; at < len(body); n++ {
		if n > most {
			return nil, numbers, Refuse(TooLarge, "more than %d bets in a batch", most)
		}
		start := at
		end, number, ok := scanLine(body[at:], today)
		if end += at; !ok {
			var bad *LineError
			if start, end, at, number, bad = parseNext(body, at, today); bad != nil {
				bad.Line = n
				return nil, numbers, &Error{Code: Invalid, Detail: bad.Error()}
			}
		} else {
			at = end + 1
		}
		numbers = binary.BigEndian.AppendUint16(numbers, uint16(number))
		if start != size {
			copy(body[size:], body[start:end])
		}
		size += end - start
		if at <= len(body) {
			body[size] = '\n'
		} else {
			body = append(body[:size], '\n') // the last line, which may have none
		}
		size++
	}
	return body[:size], numbers, nil
}

// parseNext takes apart the line of body that begins at at, however it is written. It returns where the line lies when
// trimmed, and where the next begins, which is past the end of body after the last.
func parseNext(body []byte, at int, today Day) (start, end, next int, number Number, bad *LineError) {
	end = len(body)
	if i := bytes.IndexByte(body[at:], '\n'); i >= 0 {
		end = at + i
	}
	next = end + 1
	line := bytes.TrimLeft(body[at:end], blanks)
	start = end - len(line)
	line = TrimLine(line)
	number, bad = CheckLine(line, today)
	return start, start + len(line), next, number, bad
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

// PackNumbers appends the packed numbers of stored, validated bet lines to dst. It trusts the rest of the lines:
// whether a bet was valid was decided, once, when it was accepted.
func PackNumbers(dst, stored []byte) ([]byte, error) {
	for line := range StoredLines(stored) {
		n, ok := NumberOf(line)
		if !ok {
			return dst, fmt.Errorf("stored bet line %q has no number", clip(line))
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	}
	return dst, nil
}

// NumberOf returns the number of a stored, validated bet line.
func NumberOf(line []byte) (Number, bool) {
	return parseNumber(line[bytes.LastIndexByte(line, ',')+1:])
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
