package client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"quiniela"
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

// keepWinners writes the agency's winning bets to Options.Winners: the rows of its own file that are on the winning number. They have to
// be those that the server has named, all of them and in the same order.
func (s *session) keepWinners() error {
	a := s.a
	number, err := s.number()
	if err != nil {
		return err
	}
	file, err := durable.Create(a.Winners, 0o600)
	if err != nil {
		return a.winnersFile(err)
	}
	if err := a.writeWinners(file, number); err != nil {
		return errors.Join(err, file.Discard())
	}
	if err := file.Commit(); err != nil {
		return a.winnersFile(err)
	}
	a.log.Info("winners", "result", "success", "cantidad", len(a.report.Documents), "number", number, "file", a.Winners)
	return nil
}

// number asks for the number that won.
func (s *session) number() (quiniela.Number, error) {
	p, err := s.progress()
	switch {
	case err != nil:
		return 0, err
	case p.State != wire.Drawn:
		return 0, fmt.Errorf("%w: the winners of draw %s without its number", wire.ErrReply, p.Draw)
	}
	return p.Number, nil
}

// writeWinners writes the file's rows on a number, each ended by '\n'.
func (a *agency) writeWinners(out io.Writer, number quiniela.Number) error {
	lines, named, rows := a.file.lines(), a.report.Documents, bufio.NewWriter(out)
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the agency's bets again: %w", err)
		}
		if p, err := quiniela.Specified.PlayOf(line); err != nil || p.Number != number {
			continue
		}
		document := string(quiniela.DocumentOf(line))
		switch {
		case len(named) == 0:
			return a.otherWinners("the bet in line %d of %s is on %d, and the server does not name its document %s", lines.line, a.File, number, a.shown(document))
		case named[0] != document:
			return a.otherWinners("the server names the document %s where the bet in line %d of %s, which is on %d too, has %s",
				a.shown(named[0]), lines.line, a.File, number, a.shown(document))
		}
		named = named[1:]
		_, _ = rows.Write(line)
		_ = rows.WriteByte('\n') // an error stays until the Flush
	}
	if len(named) > 0 {
		return a.otherWinners("the server names the document %s, of which %s has no such bet on %d", a.shown(named[0]), a.File, number)
	}
	if err := rows.Flush(); err != nil {
		return a.winnersFile(err)
	}
	return nil
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
