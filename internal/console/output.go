// Package console is how this module's programs speak to the person who runs them: what they write, how they end, and which version they
// are. It knows no command.
package console

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"quiniela"
)

// Printer is an output of the program that no text in it can take over: whatever is neither text, a tab nor a line end is escaped, as
// quiniela.Printable does it. So no name of a file, no answer of a server and no name in a stranger's file moves the terminal's cursor.
//
// It cannot tell a line end of the program's from one in a name: Printf and ErrorLines do.
type Printer struct {
	Out io.Writer

	mu   sync.Mutex // protects what follows
	rest []byte     // of the last write: the beginning of a character, or a CR
	buf  []byte
}

// Write implements io.Writer. One write is one write of the output.
func (p *Printer) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := text
	if len(p.rest) > 0 {
		all = append(p.rest, text...)
	}
	whole := len(all) - cut(all)
	p.rest = bytes.Clone(all[whole:])
	if _, err := p.Out.Write(p.clean(all[:whole])); err != nil {
		return 0, err
	}
	return len(text), nil
}

// End writes what a last write has left over. The output stays open.
func (p *Printer) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rest) > 0 {
		_, _ = p.Out.Write(p.clean(p.rest))
		p.rest = nil
	}
}

// cut returns how many bytes at the end of text can only be judged with what follows them.
func cut(text []byte) int {
	if bytes.HasSuffix(text, []byte{'\r'}) {
		return 1
	}
	for i := 1; i <= min(len(text), utf8.UTFMax); i++ {
		if last := text[len(text)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return i
			}
			return 0
		}
	}
	return 0
}

// clean returns text with all of it printable. The result may be text itself; it is valid until the next call.
func (p *Printer) clean(text []byte) []byte {
	if !bytes.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && (r < ' ' || r > '~') }) {
		return text
	}
	p.buf = p.buf[:0]
	for len(text) > 0 {
		at := bytes.IndexAny(text, "\n\t")
		if at < 0 {
			at = len(text)
		}
		line := text[:at]
		crlf := at < len(text) && text[at] == '\n' && bytes.HasSuffix(line, []byte{'\r'})
		if crlf {
			line = line[:len(line)-1]
		}
		p.buf = quiniela.AppendPrintable(p.buf, line)
		if crlf {
			p.buf = append(p.buf, '\r')
		}
		if at < len(text) {
			p.buf = append(p.buf, text[at])
			at++
		}
		text = text[at:]
	}
	return p.buf
}

// Printf is fmt.Fprintf where no argument that is a string or an error can begin a line of its own.
func Printf(out io.Writer, format string, args ...any) (int, error) {
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			args[i] = quiniela.Printable(v)
		case error:
			args[i] = strings.Join(ErrorLines(v), "\n")
		}
	}
	return fmt.Fprintf(out, format, args...)
}

// ErrorLines returns an error's text in lines: one for each of several errors. Other line ends in it, such as those of a file's name, are
// escaped.
func ErrorLines(err error) []string {
	text := err.Error()
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		if text == errors.Join(e.Unwrap()...).Error() {
			var lines []string
			for _, one := range e.Unwrap() {
				lines = append(lines, ErrorLines(one)...)
			}
			return lines
		}
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		if inner == nil {
			break
		}
		if before, after, ok := strings.Cut(text, inner.Error()); ok {
			lines := ErrorLines(inner)
			lines[0] = quiniela.Printable(before) + lines[0]
			lines[len(lines)-1] += quiniela.Printable(after)
			return lines
		}
	}
	return []string{quiniela.Printable(text)}
}
