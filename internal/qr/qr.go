// Package qr draws QR codes for pages and for paper, as a path of SVG. It chooses how a text is written so that long runs of digits at its
// end take little room; the codes themselves are the library's.
package qr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	goqr "github.com/piglig/go-qr"
)

// ErrTooLong says that no QR code holds a text.
var ErrTooLong = errors.New("too long for a QR code")

// quiet is the width of the empty border that a reader needs, in modules.
const quiet = 4

// Code is a QR code. A module is one of its squares.
type Code struct {
	Side int    // with its empty border, in modules: the side of its picture
	Path string // of SVG: lines of width 1 where the dark modules are, in modules from the picture's corner
}

// Encode returns the code of a text. Where it costs no room, the code can lose more of its modules and still be read. The error wraps
// ErrTooLong where no code holds the text.
func Encode(text string) (Code, error) {
	head := strings.TrimRight(text, "0123456789")
	var parts []*goqr.QrSegment
	if head != "" {
		part, err := goqr.MakeBytes([]byte(head))
		if err != nil {
			return Code{}, fmt.Errorf("make a QR code: %w", err)
		}
		parts = append(parts, part)
	}
	if digits := text[len(head):]; digits != "" {
		part, err := goqr.MakeNumeric(digits)
		if err != nil {
			return Code{}, fmt.Errorf("make a QR code: %w", err)
		}
		parts = append(parts, part)
	}
	code, err := goqr.EncodeStandardSegments(parts, goqr.Low)
	if errors.Is(err, goqr.ErrDataTooLong) {
		return Code{}, fmt.Errorf("%w: %d characters, %d of them digits at the end", ErrTooLong, len(text), len(text)-len(head))
	}
	if err != nil {
		return Code{}, fmt.Errorf("make a QR code: %w", err)
	}
	return Code{Side: code.Size() + 2*quiet, Path: path(code)}, nil
}

// path draws each run of dark modules in a row as one line.
func path(code *goqr.QrCode) string {
	var p strings.Builder
	for y := range code.Size() {
		for x := 0; x < code.Size(); x++ {
			run := 0
			for x+run < code.Size() && code.Module(x+run, y) {
				run++
			}
			if run == 0 {
				continue
			}
			p.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + ".5h" + strconv.Itoa(run))
			x += run
		}
	}
	return p.String()
}
