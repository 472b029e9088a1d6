// Package sample makes agency files that look like real ones, for demonstrations, tests and benchmarks. Nothing secret may be
// drawn from it: the same seed gives the same bytes in every version.
package sample

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"quiniela"
	"quiniela/internal/durable"
)

// Write writes an agency's file of bets of the specification's game to w, as agencies send them: lines
// `first_name,last_name,document,birthdate,number` that end in CRLF, in UTF-8. The bytes depend on the seed and the agency's number alone: a
// file of more bets begins with those of a shorter one.
func Write(w io.Writer, seed uint64, agency, bets int) error {
	return WriteGame(w, quiniela.GameSpecified, seed, agency, bets)
}

// WriteGame is Write for a game by its name. The lines of the game quiniela are `…,number,stake[,from-to]`.
func WriteGame(w io.Writer, game string, seed uint64, agency, bets int) error {
	r := source{rand.NewPCG(seed, uint64(agency))}
	appendPlay := r.appendNumber
	if game == quiniela.GameQuiniela {
		appendPlay = r.appendPlay
	}
	out := bufio.NewWriterSize(w, 64<<10)
	line := make([]byte, 0, 128)
	for range bets {
		line = append(appendPlay(r.appendPerson(line[:0])), '\r', '\n')
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("write the bets of agency %d: %w", agency, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the bets of agency %d: %w", agency, err)
	}
	return nil
}

// source draws from PCG itself, whose output is fixed by its definition. What rand.Rand makes of it may change with Go.
type source struct{ pcg *rand.PCG }

// below returns a number from 0 to n-1. The remainder favours small numbers by less than one part in 10^11.
func (s source) below(n int) int { return int(s.pcg.Uint64() % uint64(n)) }

// appendPerson appends who bets, with a comma at the end.
func (s source) appendPerson(dst []byte) []byte {
	dst = append(dst, firstNames[s.below(len(firstNames))]...)
	if s.below(5) < 3 {
		dst = append(append(dst, ' '), firstNames[s.below(len(firstNames))]...)
	}
	dst = append(append(dst, ','), lastNames[s.below(len(lastNames))]...)
	dst = strconv.AppendInt(append(dst, ','), int64(s.document()), 10)
	return append(s.appendBirthdate(append(dst, ',')), ',')
}

// appendNumber appends what a bet of the specification's game is on.
func (s source) appendNumber(dst []byte) []byte {
	return strconv.AppendInt(dst, int64(s.below(10000)), 10)
}

// document returns a number of 8 digits, as people born since the seventies have, or of 7 or 8 for one in twenty.
func (s source) document() int {
	if s.below(20) == 0 {
		return 4000000 + s.below(16000000)
	}
	return 20000000 + s.below(20000000)
}

func (s source) appendBirthdate(dst []byte) []byte {
	month, day := 1+s.below(12), 1+s.below(28)
	dst = strconv.AppendInt(dst, int64(1940+s.below(66)), 10)
	dst = append(dst, '-', byte('0'+month/10), byte('0'+month%10))
	return append(dst, '-', byte('0'+day/10), byte('0'+day%10))
}

// Name returns the name of an agency's file.
func Name(agency int) string { return fmt.Sprintf("agency-%d.csv", agency) }

// Files makes the files of agencies 1..agencies in dir, with bets of the specification's game, and dir itself, and returns their paths. A
// file that is there with the same bytes is left alone. A file with other bytes is an error, and is not touched. progress is called now
// and then with how many bets have been written, or compared with those of a file that is there.
func Files(dir string, agencies, bets int, seed uint64, progress func(bets int)) ([]string, error) {
	return GameFiles(dir, quiniela.GameSpecified, agencies, bets, seed, progress)
}

// GameFiles is Files for a game by its name.
func GameFiles(dir, game string, agencies, bets int, seed uint64, progress func(bets int)) ([]string, error) {
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	var paths []string
	for a := 1; a <= agencies; a++ {
		path := filepath.Join(dir, Name(a))
		done := (a - 1) * bets
		if err := file(path, game, seed, a, bets, func(bets int) { progress(done + bets) }); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// file makes one file, unless it is there with the same bytes.
func file(path, game string, seed uint64, agency, bets int, progress func(bets int)) error {
	same, err := holds(path, game, seed, agency, bets, progress)
	if err == nil && same {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s is already there with other bets: move it away, or choose another folder", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look whether %s is there: %w", path, err)
	}
	f, err := durable.Create(path, 0o644)
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if err := WriteGame(&counter{w: f, progress: progress}, game, seed, agency, bets); err != nil {
		return fmt.Errorf("make %s: %w", path, errors.Join(err, f.Discard()))
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	return nil
}

// holds reports whether a file has exactly the bytes that Write would write.
func holds(path, game string, seed uint64, agency, bets int, progress func(bets int)) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	c := comparer{want: bufio.NewReaderSize(f, 64<<10)}
	if WriteGame(&counter{w: &c, progress: progress}, game, seed, agency, bets) != nil {
		return false, nil
	}
	_, err = c.want.ReadByte()
	return errors.Is(err, io.EOF), nil
}

// counter is a writer that tells how many lines have been written.
type counter struct {
	w        io.Writer
	lines    int
	progress func(lines int)
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.lines += bytes.Count(p[:n], []byte("\n"))
	c.progress(c.lines)
	return n, err
}

// comparer is a writer that fails if what is written differs from what want has.
type comparer struct {
	want *bufio.Reader
	buf  []byte
}

var errDiffers = errors.New("the bytes differ")

func (c *comparer) Write(p []byte) (int, error) {
	c.buf = append(c.buf[:0], p...)
	if n, err := io.ReadFull(c.want, c.buf); err != nil || !bytes.Equal(c.buf, p) {
		return n, errDiffers
	}
	return len(p), nil
}
