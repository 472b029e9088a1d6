package console_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"quiniela/internal/console"
)

// Wherever a text is cut into writes, the output is the same. A character of several bytes is shown whole, and CRLF stays.
func TestAPrinterTakesTextInAnyPieces(t *testing.T) {
	text := "Peña,\t€ 彩\r\nESC \x1b \u202e CR \r. \xff\xe2\x82\n\U000e0041\r"
	const want = "Peña,\t€ 彩\r\nESC \\u001b \\u202e CR \\u000d. \\xff\\xe2\\x82\n\\udb40\\udc41\\u000d"
	for i := range text {
		for j := i; j <= len(text); j++ {
			var out bytes.Buffer
			p := &console.Printer{Out: &out}
			for _, part := range []string{text[:i], text[i:j], text[j:]} {
				if n, err := p.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatalf("%q: %d, %v", part, n, err)
				}
			}
			p.End()
			if out.String() != want {
				t.Fatalf("cut at %d and %d: %q, want %q", i, j, out.String(), want)
			}
		}
	}
}

func TestErrorsHaveLinesOfTheirOwn(t *testing.T) {
	path := &fs.PathError{Op: "open", Path: "a\nok", Err: fs.ErrNotExist}
	two := errors.Join(path, errors.New("second\n"))
	for _, row := range []struct {
		err  error
		want string
	}{
		{path, `open a\u000aok: file does not exist`},
		{two, `open a\u000aok: file does not exist/second\u000a`},
		{console.Usage(two), `open a\u000aok: file does not exist/second\u000a`},
		{fmt.Errorf("read: %w; try again", two), `read: open a\u000aok: file does not exist/second\u000a; try again`},
		{fmt.Errorf("%w, and %w", two, path), `open a\u000aok: file does not exist\u000asecond\u000a, and open a\u000aok: file does not exist`},
	} {
		if got := strings.Join(console.ErrorLines(row.err), "/"); got != row.want {
			t.Errorf("%q is told as %s, want %s", row.err, got, row.want)
		}
	}
}
