// Package sample makes agency files that look like real ones, for demonstrations, tests and benchmarks. It is no
// source of randomness for anything that counts: the same seed gives the same bytes, for ever.
package sample

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"quiniela/internal/durable"
)

// Write writes an agency's file of bets to w: lines `first_name,last_name,document,birthdate,number` that end in CRLF,
// in UTF-8, like the files agencies send. An agency's bytes depend on the seed, its number and nothing else, and a
// longer file begins with a shorter one.
func Write(w io.Writer, seed uint64, agency, bets int) error {
	r := source{rand.NewPCG(seed, uint64(agency))}
	out := bufio.NewWriterSize(w, 64<<10)
	line := make([]byte, 0, 128)
	for range bets {
		line = r.appendBet(line[:0])
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("write the bets of agency %d: %w", agency, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the bets of agency %d: %w", agency, err)
	}
	return nil
}

// source draws from PCG, whose output is fixed by its definition, where the methods of rand.Rand may change.
type source struct{ pcg *rand.PCG }

// below returns a number under n. The bias of a remainder of 64 bits is far below what a sample could show.
func (s source) below(n int) int { return int(s.pcg.Uint64() % uint64(n)) }

func (s source) appendBet(dst []byte) []byte {
	dst = append(dst, firstNames[s.below(len(firstNames))]...)
	if s.below(5) < 3 {
		dst = append(append(dst, ' '), firstNames[s.below(len(firstNames))]...)
	}
	dst = append(append(dst, ','), lastNames[s.below(len(lastNames))]...)
	dst = strconv.AppendInt(append(dst, ','), int64(s.document()), 10)
	dst = s.appendBirthdate(append(dst, ','))
	dst = strconv.AppendInt(append(dst, ','), int64(s.below(10000)), 10)
	return append(dst, '\r', '\n')
}

// document is mostly of those born since the seventies, with some older ones of seven digits.
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

// Files makes the files of agencies 1..agencies in dir, which it makes too, and returns their paths. A file that is
// there with the same bytes is left; one with others is an error, and is not touched.
func Files(dir string, agencies, bets int, seed uint64) ([]string, error) {
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	var paths []string
	for a := 1; a <= agencies; a++ {
		path := filepath.Join(dir, Name(a))
		if err := file(path, seed, a, bets); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func file(path string, seed uint64, agency, bets int) error {
	if old, err := os.Open(path); err == nil {
		same := comparer{want: bufio.NewReaderSize(old, 64<<10)}
		err := Write(&same, seed, agency, bets)
		_, rest := same.want.ReadByte()
		_ = old.Close()
		if err == nil && rest == io.EOF {
			return nil
		}
		return fmt.Errorf("%s is already there with other bets: move it away, or choose another folder", path)
	}
	f, err := durable.Create(path, 0o644)
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if err := Write(f, seed, agency, bets); err != nil {
		return fmt.Errorf("make %s: %w", path, errors.Join(err, f.Discard()))
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	return nil
}

// comparer is a writer that fails where what is written is not what it reads.
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
