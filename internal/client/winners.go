package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/durable"
	"quiniela/internal/logline"
	"quiniela/internal/wire"
)

// ErrWinners is wrapped by every error that says that the winners that the server names are not those of the agency's file.
var ErrWinners = errors.New("the server's winners are not those of this file")

// tryFiles returns an error where Options.Winners or Options.Proofs cannot be written, so that this is known before a bet is sent, and not
// after the draw. The files themselves stay as they are.
func (a *agency) tryFiles() error {
	if err := a.tryFile(a.Winners); err != nil {
		return a.winnersFile(err)
	}
	if err := a.tryFile(a.Proofs); err != nil {
		return fmt.Errorf("keep the proofs in %s: %v; nothing was sent: name a file with --proofs, in a folder that the client's user may write to, "+
			"and run it again", a.Proofs, err)
	}
	return nil
}

// tryFile begins to write a file, as it will be written later, and discards it. "" is none.
func (a *agency) tryFile(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Lstat(path)
	switch {
	case err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0:
		return fmt.Errorf("%s is not a regular file", path)
	case err == nil && sameFile(info, a.File):
		return errors.New("it is the agency's file of bets")
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := durable.Create(path, 0o600)
	if err != nil {
		return err
	}
	return file.Discard()
}

func sameFile(info fs.FileInfo, path string) bool {
	other, err := os.Stat(path)
	return err == nil && os.SameFile(info, other)
}

// winnersFile says that the file of winners cannot be written.
func (a *agency) winnersFile(err error) error {
	sent := "nothing was sent"
	if a.finished {
		sent = "all bets are stored, and the draw is done"
	}
	return fmt.Errorf("write the winning bets to %s: %v; %s: name a file with --winners, in a folder that the client's user may write to, and run it again",
		a.Winners, err, sent)
}

// keepWinners writes the agency's winning bets to Options.Winners: the rows of its own file that won, by the numbers that the server gives.
// They have to be those that the server has named, all of them and in the same order. In the game quiniela each row has nine cells: the seven
// of a bet, of which the range may be empty, how often it hits and what it is paid, which have to be what the draw's terms give.
func (s *session) keepWinners() error {
	a := s.a
	drawn, err := s.drawn()
	if err != nil {
		return err
	}
	named := prizesOf(a.report.Documents)
	if a.game != nil {
		if named, err = s.prizes(); err != nil {
			return err
		}
	}
	file, err := durable.Create(a.Winners, 0o600)
	if err != nil {
		return a.winnersFile(err)
	}
	if err := a.writeWinners(file, drawn, named); err != nil {
		return errors.Join(err, file.Discard())
	}
	if err := file.Commit(); err != nil {
		return a.winnersFile(err)
	}
	a.log.Info("winners", "result", "success", "cantidad", len(named), "number", drawn.Number, "file", a.Winners)
	return nil
}

// drawn asks for the numbers of the draw, which is done.
func (s *session) drawn() (wire.Progress, error) {
	p, err := s.progress()
	switch {
	case err != nil:
		return p, err
	case p.State != wire.Drawn:
		return p, fmt.Errorf("%w: the winners of draw %s without its number", wire.ErrReply, p.Draw)
	case (p.Prizes != nil) != (s.a.game != nil):
		return p, fmt.Errorf("%w: draw %s is of the game %s, and has %d numbers", wire.ErrReply, p.Draw, s.a.game.Game(), max(len(p.Prizes), 1))
	}
	return p, nil
}

// prizesOf are the winners of the specification's game, which have a document and no money.
func prizesOf(documents []string) []wire.Prize {
	all := make([]wire.Prize, len(documents))
	for i, document := range documents {
		all[i] = wire.Prize{Document: document, Hits: 1}
	}
	return all
}

// prizes returns what the agency's bets are paid.
func (s *session) prizes() (all []wire.Prize, err error) {
	err = s.eachPrize(func(p wire.Prize) { all = append(all, p) })
	return all, err
}

// eachPrize asks for what the agency's bets are paid, and calls f with each that won.
func (s *session) eachPrize(f func(wire.Prize)) error {
	if err := s.request(wire.AppendPrizes(nil, s.a.Agency), answerTimeout); err != nil {
		return err
	}
	drawn, err := wire.ReadPrizesReply(s.r, func(p wire.Prize) error {
		f(p)
		return s.deadline(answerTimeout)
	})
	if err == nil && !drawn {
		err = fmt.Errorf("%w: no prizes of a draw that is done", wire.ErrReply)
	}
	if err != nil {
		return fmt.Errorf("ask for the prizes of agency %d: %w", s.a.Agency, err)
	}
	return nil
}

// won returns how often a bet hits in a draw, and what it is paid in cents.
func (a *agency) won(p quiniela.Play, drawn wire.Progress) (hits int, cents uint64) {
	if a.game == nil {
		if p.Number == drawn.Number {
			hits = 1
		}
		return hits, 0
	}
	if hits = len(draw.Hits(drawn.Prizes, p)); hits == 0 {
		return 0, 0
	}
	paid := draw.Paid(draw.Prize(a.game, p, hits), new(big.Int).SetUint64(drawn.Pool), new(big.Int).SetUint64(drawn.Due))
	return hits, paid.Uint64()
}

// writeWinners writes the file's winning rows, each ended by '\n'.
func (a *agency) writeWinners(out io.Writer, drawn wire.Progress, named []wire.Prize) error {
	lines, rows := a.file.lines(), bufio.NewWriter(out)
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the agency's bets again: %w", err)
		}
		play, err := a.game.PlayOf(line)
		if err != nil {
			return fmt.Errorf("line %d of %s: %w", lines.line, a.File, err)
		}
		hits, cents := a.won(play, drawn)
		if hits == 0 {
			continue
		}
		document := string(quiniela.DocumentOf(line))
		switch {
		case len(named) == 0:
			return a.otherWinners("the bet in line %d of %s is on %s, and the server does not name its document %s", lines.line, a.File, a.number(play), a.shown(document))
		case named[0].Document != document:
			return a.otherWinners("the server names the document %s where the bet in line %d of %s, which is on %s too, has %s",
				a.shown(named[0].Document), lines.line, a.File, a.number(play), a.shown(document))
		case named[0].Hits != hits || named[0].Cents != cents:
			return a.otherWinners("the server says that the bet in line %d of %s hits %d times and is paid %s, and by the draw's numbers and terms it hits %d times and is paid %s",
				lines.line, a.File, named[0].Hits, quiniela.FormatCents(named[0].Cents), hits, quiniela.FormatCents(cents))
		}
		named = named[1:]
		_, _ = rows.Write(line)
		if a.game != nil {
			if bytes.Count(line, []byte(",")) < quiniela.MostFields-1 {
				_ = rows.WriteByte(',') // a row without a range has its place all the same: the columns are those of the other rows
			}
			_, _ = fmt.Fprintf(rows, ",%d,%s", hits, quiniela.FormatCents(cents))
		}
		_ = rows.WriteByte('\n') // an error stays until the Flush
	}
	if len(named) > 0 {
		what := "that wins"
		if a.game == nil {
			what = fmt.Sprintf("on %d", drawn.Number)
		}
		return a.otherWinners("the server names the document %s, of which %s has no such bet %s", a.shown(named[0].Document), a.File, what)
	}
	if err := rows.Flush(); err != nil {
		return a.winnersFile(err)
	}
	return nil
}

// number is what messages say that a bet is on: as before in the specification's game, and with its digits in the other.
func (a *agency) number(p quiniela.Play) string {
	if a.game == nil {
		return fmt.Sprint(p.Number)
	}
	return p.Appearance()
}

func (a *agency) otherWinners(format string, args ...any) error {
	return fmt.Errorf("%w: %s; %s was not written: keep the file of bets and this message, and ask the operator",
		ErrWinners, fmt.Sprintf(format, args...), a.Winners)
}

// shown is what the log shows of a document.
func (a *agency) shown(document string) string {
	if a.MaskDNI {
		return logline.Mask(document)
	}
	return document
}
