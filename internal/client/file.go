package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"quiniela"
)

// BadLine is a line of the file that is no bet.
type BadLine struct {
	Line   int // from 1
	Field  string
	Reason string
}

func (b BadLine) String() string {
	e := quiniela.LineError{Field: b.Field, Reason: b.Reason}
	return fmt.Sprintf("%d: %v", b.Line, &e)
}

// maxLine is the most bytes of a line that is looked at. A longer one is no bet.
const maxLine = 64 << 10

// mostBad is how many bad lines are remembered.
const mostBad = 1000

// checked is an open file whose every line has been checked. It is read again for sending. Its bets do not stay in memory: a
// hash of each block shows that what is sent is what was checked.
type checked struct {
	*blocks
	skip  bool // leave bad lines out
	empty bool // the file may have no bet
	// game is that of the first line that is a bet: nil is the specification's. Its terms are the loosest, until under says which ones hold.
	game  *quiniela.Terms
	today quiniela.Day
	bets  int
	bad   []BadLine // the first mostBad
	worse int       // how many more there are
}

// openChecked opens a file of bets and checks it to its end; the caller closes it. A line that is no bet is an error that
// names it, unless skip is set. A file without a bet is an error, unless allowEmpty is set.
func openChecked(ctx context.Context, name string, skip, allowEmpty bool, progress func(bets int)) (*checked, error) {
	file, err := openBlocks(name)
	if err != nil {
		return nil, err
	}
	f := &checked{blocks: file, skip: skip, empty: allowEmpty, today: quiniela.DayOf(time.Now())}
	if err = f.tellGame(ctx); err == nil {
		err = f.readThrough(ctx, progress)
	}
	if err == nil {
		err = f.accept()
	}
	if err != nil {
		_ = file.Close() // it was only read
		return nil, err
	}
	return f, nil
}

// readThrough is the first reading: it counts the bets and collects the bad lines.
func (f *checked) readThrough(ctx context.Context, progress func(bets int)) error {
	r := f.lines()
	for {
		_, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		f.bets++
		if f.bets%1024 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			progress(f.bets)
		}
	}
	f.bad, f.worse = r.bad, r.worse
	if err := f.unchanged(); err != nil {
		return err
	}
	f.readOnce = true
	return nil
}

// accept returns an error where the file, which was read through, is not to be sent.
func (f *checked) accept() error {
	switch {
	case len(f.bad) > 0 && !f.skip:
		return f.refusal()
	case f.bets == 0 && !f.empty:
		return fmt.Errorf("%s has no bet; nothing was sent, and the agency has not finished: if it is right that this agency has none, "+
			"say so with --allow-empty", f.Name())
	}
	return nil
}

// loosest are terms that every bet of the game quiniela has.
var loosest = quiniela.Terms{Multipliers: [quiniela.MaxDigits]uint32{1, 1, 1, 1}, MinStake: 1}

// tellGame finds the first line that is a bet of either game, and sets the file's game. No line is a bet of both. A bad line tells nothing:
// it may have a field too many. A file without a bet is one of the specification's game.
func (f *checked) tellGame(ctx context.Context) error {
	r := f.lines()
	for n := 0; ; n++ {
		line, tooLong, err := r.raw()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && n%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if line = quiniela.TrimLine(line); tooLong || len(line) == 0 {
			continue
		}
		for _, game := range []*quiniela.Terms{quiniela.Specified, &loosest} {
			if _, bad := game.CheckLine(line, f.today); bad == nil {
				f.game = game
				return nil
			}
		}
	}
}

// under checks that the bets are of a draw's game, and within its terms, before any is sent. The file is read again where a bet may not be.
func (f *checked) under(ctx context.Context, draw string, game *quiniela.Terms) error {
	if f.game.Equal(game) || f.bets == 0 {
		f.game = game
		return nil
	}
	if f.game.Game() != game.Game() {
		return fmt.Errorf("draw %s is of the game %s, whose bet lines are %s, and %s has bets of the game %s; nothing was sent: name another draw with --draw, or another file",
			draw, game.Game(), game.Header(), f.Name(), f.game.Game())
	}
	f.game, f.bets = game, 0
	if err := f.readThrough(ctx, func(int) {}); err != nil {
		return err
	}
	return f.accept()
}

// mostTold is how many bad lines a refusal names.
const mostTold = 20

// refusal returns errors that name the bad lines, one each, and say what to do.
func (f *checked) refusal() error {
	var lines []error
	for _, bad := range f.bad[:min(len(f.bad), mostTold)] {
		lines = append(lines, fmt.Errorf("%s:%v", f.Name(), bad))
	}
	all := len(f.bad) + f.worse
	if more := all - len(lines); more > 0 {
		lines = append(lines, fmt.Errorf("and %d more", more))
	}
	if all > 1 {
		lines = append(lines, fmt.Errorf("%d lines are wrong", all))
	}
	last := &lines[len(lines)-1]
	*last = fmt.Errorf("%w; nothing was sent: mend the file, or send the good lines with --skip-bad-lines", *last)
	return errors.Join(lines...)
}

// lineReader yields the good lines of a file, trimmed, and collects the bad ones.
type lineReader struct {
	f     *checked
	br    *bufio.Reader
	line  int       // the number of the line that was read last
	blank int       // the number of the first of the blank lines just before it; 0 if there are none
	bad   []BadLine // the first mostBad
	worse int       // how many more there are
}

// lines reads the file from its beginning.
func (f *checked) lines() *lineReader {
	return &lineReader{f: f, br: bufio.NewReaderSize(f.reader(), maxLine)}
}

// next returns the next good line, without its line end. It is valid until the next call. At the end of the file the error is
// io.EOF. Blank lines at the end of the file are neither good nor bad.
func (r *lineReader) next() ([]byte, error) {
	for {
		line, tooLong, err := r.raw()
		if err != nil {
			return nil, err
		}
		r.line++
		if tooLong {
			r.reject(BadLine{r.line, "", fmt.Sprintf("the line is longer than %d bytes", maxLine)})
			continue
		}
		line = quiniela.TrimLine(line)
		if len(line) == 0 {
			if r.blank == 0 {
				r.blank = r.line
			}
			continue
		}
		if r.blank > 0 {
			r.reject(BadLine{r.blank, "", "the line is blank"})
			r.blank = 0
		}
		if bad := check(line, r.f.game, r.f.today, r.line == 1); bad != nil {
			r.reject(BadLine{r.line, bad.Field, bad.Reason})
			continue
		}
		return line, nil
	}
}

func (r *lineReader) reject(b BadLine) {
	if len(r.bad) < mostBad {
		r.bad = append(r.bad, b)
	} else {
		r.worse++
	}
}

// raw reads the next line. One that does not fit the buffer is read to its end and is tooLong; its text is then not valid.
func (r *lineReader) raw() (line []byte, tooLong bool, err error) {
	line, err = r.br.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		tooLong = true
		_, err = r.br.ReadSlice('\n')
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil // the last line of the file, without a line end
	}
	return line, tooLong, err
}

// batcher cuts the lines into batches.
type batcher struct {
	lines *lineReader
	bets  int    // the most in a batch
	bytes int    // the most in a body, unless one line alone is longer
	held  []byte // a line that was read and did not fit; the next batch begins with it
	ended bool   // the file has no more lines
}

// maxBody is the most bytes a batch's body has: the specification's packet.
const maxBody = 8192

// next appends the next batch's lines to body, which may have a header, and returns how many there are: 0 at the end of the
// file.
func (b *batcher) next(body []byte) (_ []byte, bets int, err error) {
	if len(b.held) > 0 {
		body, bets = append(body, b.held...), 1
		b.held = b.held[:0]
	}
	for bets < b.bets && !b.ended {
		line, err := b.lines.next()
		if errors.Is(err, io.EOF) {
			b.ended = true
			break
		}
		if err != nil {
			return body, bets, err
		}
		if bets > 0 && len(body)+len(line)+1 > b.bytes {
			b.held = append(append(b.held, line...), '\n')
			break
		}
		body = append(append(body, line...), '\n')
		bets++
	}
	return body, bets, nil
}
