package client

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"quiniela"
	"quiniela/internal/wire"
)

// session is one framed connection.
type session struct {
	a    *agency
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
	stop func() bool
}

// answerTimeout is the longest that an answer may take that does not wait for the draw. The server itself gives up on
// a silent peer, and long before that it answers or ends the connection.
const answerTimeout = 60 * time.Second

func (a *agency) open(conn net.Conn) *session {
	s := &session{a: a, conn: conn, r: bufio.NewReaderSize(conn, 16<<10), w: bufio.NewWriterSize(conn, 64<<10)}
	s.stop = context.AfterFunc(a.ctx, func() { _ = conn.SetDeadline(time.Now()) })
	return s
}

func (s *session) close() {
	s.stop()
	s.a.closed("connection", s.conn.Close(), "server_address", s.a.Address)
}

// conflictTries and conflictWait bound how long batches of an earlier connection of ours may still be on their way
// into the journal.
const (
	conflictTries = 5
	conflictWait  = 200 * time.Millisecond
)

// sendSession sends the file over framed sessions, one after the other, until the winners are known.
func (a *agency) sendSession() error {
	b := newBackoff()
	behind, lastNext, warned := 0, uint64(0), false
	for {
		conn, err := dial(a.ctx, &a.Options, b, a.log)
		if err != nil {
			return err
		}
		s := a.open(conn)
		next, err := s.converse(b)
		s.close()
		code := quiniela.CodeOf(err)
		switch {
		case err == nil || a.ctx.Err() != nil:
			return err
		case code == quiniela.Conflict || code == quiniela.Gap:
			if next != lastNext {
				behind, lastNext = 0, next
			}
			if behind++; behind > conflictTries {
				return err
			}
			err = sleep(a.ctx, conflictWait)
		case later(err):
			if !warned {
				a.log.Warn("send", "result", "in_progress", "error", err)
				warned = true
			}
			b.turn++ // another server may have room
			err = sleep(a.ctx, longestWait)
		case lost(err), code == quiniela.Internal: // a server that has failed is about to go
			a.log.Debug("connect", "result", "in_progress", "server_address", a.Address, "error", err)
			err = b.pause(a.ctx, &a.Options, err)
		default:
			return err
		}
		if err != nil {
			return err
		}
	}
}

// converse does on one connection all that is left to do. next is the batch that the server wanted when it began.
func (s *session) converse(b *backoff) (next uint64, err error) {
	resume, err := s.hello()
	if err != nil {
		return 0, err
	}
	b.alive()
	last := resume.Next - 1
	if !s.a.finished || resume.Bets != uint64(s.a.file.bets) { // otherwise the file is needed no more, and may change
		if last, err = s.sendFile(resume, b); err != nil {
			return resume.Next, err
		}
	}
	s.w.Write(wire.AppendFrame(nil, wire.AppendFinish(nil, s.a.Agency, last)))
	if err := s.ask(answerTimeout); err != nil {
		return resume.Next, err
	}
	if err := wire.ReadFinishReply(s.r); err != nil {
		return resume.Next, fmt.Errorf("say that agency %d has finished: %w", s.a.Agency, err)
	}
	s.a.finished, s.a.report.Bets, s.a.report.Batches = true, s.a.file.bets, int(last)
	b.alive()
	return resume.Next, s.winners(b)
}

// sendFile sends what is not stored yet, and returns the last batch's number. It returns an error if the file changed until
// its last bet was acknowledged.
func (s *session) sendFile(resume wire.Resume, b *backoff) (last uint64, err error) {
	lines, err := s.a.skipStored(resume)
	if err != nil {
		return 0, err
	}
	if last, err = s.send(resume, lines, b); err != nil {
		return 0, err
	}
	return last, s.a.file.unchanged()
}

// ask sends what is buffered and sets when its answer must be there.
func (s *session) ask(within time.Duration) error {
	if err := s.deadline(within); err != nil {
		return err
	}
	return s.w.Flush()
}

func (s *session) deadline(within time.Duration) error {
	if err := s.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	return s.a.ctx.Err() // where it ended in between, its deadline was overwritten
}

func (s *session) hello() (wire.Resume, error) {
	_, _ = s.w.Write(wire.AppendFrame(nil, wire.AppendHello(nil, s.a.Agency, s.a.Token, s.a.Draw))) // Flush tells
	if err := s.ask(answerTimeout); err != nil {
		return wire.Resume{}, err
	}
	r, err := wire.ReadResume(s.r)
	if err != nil {
		return r, fmt.Errorf("ask where agency %d goes on: %w", s.a.Agency, err)
	}
	s.a.Draw = r.Draw // a run's bets are all of one draw, also where another opens meanwhile
	return r, nil
}

// skipStored reads past the bets that are stored, and checks by the last batch of them that they are this file's.
func (a *agency) skipStored(r wire.Resume) (*lineReader, error) {
	wrong := func(why string) error {
		return fmt.Errorf("%s is not the file whose beginning agency %d has sent: %s; send the file it began with", a.File, a.Agency, why)
	}
	if r.Bets > uint64(a.file.bets) {
		return nil, wrong(fmt.Sprintf("%d bets are stored and the file has %d", r.Bets, a.file.bets))
	}
	lines, hash := a.file.lines(), sha256.New()
	for i := range r.Bets {
		line, err := lines.next()
		if err != nil {
			return nil, fmt.Errorf("read the agency's bets again: %w", unexpected(err))
		}
		if i >= r.Bets-min(r.LastBets, r.Bets) {
			hash.Write(line)
			hash.Write([]byte{'\n'})
		}
	}
	if r.Bets > 0 && wire.Hash(hash.Sum(nil)) != r.LastHash {
		return nil, wrong(fmt.Sprintf("its bets %d to %d differ from those stored", r.Bets-r.LastBets+1, r.Bets))
	}
	return lines, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file was cut while it was sent")
	}
	return err
}

// sent is a batch that waits for its reply.
type sent struct {
	number uint64
	bets   int
}

// send sends the rest of the file in numbered batches, at most Window of them unanswered, and returns the last one's
// number. It returns once every one is acknowledged.
func (s *session) send(r wire.Resume, lines *lineReader, b *backoff) (last uint64, err error) {
	cut := batcher{lines: lines, bets: s.a.BatchBets, bytes: maxBody}
	s.a.resumed, s.a.report.Bets, s.a.report.Batches = true, int(r.Bets), int(r.Next-1)
	s.a.progress("send", s.a.report.Bets)
	var waiting []sent
	var body, frame []byte
	for number := r.Next; ; number++ {
		var bets int
		body = wire.AppendBatchHeader(body[:0], s.a.Agency, number)
		if body, bets, err = cut.next(body); err != nil {
			return 0, err
		}
		if bets > 0 {
			frame = wire.AppendFrame(frame[:0], body)
			if err := s.deadline(answerTimeout); err != nil {
				return 0, err
			}
			if _, err := s.w.Write(frame); err != nil {
				return 0, s.refusalBehind(err, waiting)
			}
			waiting = append(waiting, sent{number, bets})
		}
		for len(waiting) > 0 && (bets == 0 || len(waiting) >= s.a.Window) {
			if err := s.answer(waiting[0]); err != nil {
				return 0, err
			}
			s.a.report.Bets += waiting[0].bets
			s.a.report.Batches++
			waiting = waiting[1:]
			b.alive()
			s.a.progress("send", s.a.report.Bets)
			if bets > 0 && s.r.Buffered() == 0 {
				break
			}
		}
		if bets == 0 {
			return number - 1, nil
		}
	}
}

// answer reads the reply to a batch, having sent what is buffered if it is not there yet.
func (s *session) answer(batch sent) error {
	if s.r.Buffered() == 0 {
		if err := s.ask(answerTimeout); err != nil {
			return err
		}
	}
	n, err := wire.ReadBatchReply(s.r)
	if err != nil {
		return fmt.Errorf("batch %d of agency %d: %w", batch.number, s.a.Agency, err)
	}
	if n != batch.bets {
		return fmt.Errorf("batch %d of agency %d: the server acknowledged %d bets of %d", batch.number, s.a.Agency, n, batch.bets)
	}
	s.a.log.Debug("apuesta_enviada", "result", "success", "batch", batch.number, "cantidad", n)
	return nil
}

// refusalBehind looks for the reason of a connection that takes no more: the server may have said it before it closed.
func (s *session) refusalBehind(err error, waiting []sent) error {
	for _, w := range waiting {
		_, refused := wire.ReadBatchReply(s.r)
		if quiniela.CodeOf(refused) != "" {
			return fmt.Errorf("batch %d of agency %d: %w", w.number, s.a.Agency, refused)
		}
		if refused != nil {
			break
		}
	}
	return err
}

const (
	askEvery = time.Second // between two query_winners
	pollTime = 2 * time.Minute
)

// winners waits for the draw, or asks Tries times.
func (s *session) winners(b *backoff) error {
	s.a.progress("wait", s.a.file.bets)
	for try := 1; ; try++ {
		_, _ = s.w.Write(wire.AppendFrame(nil, wire.AppendQuery(nil, s.a.Agency, s.a.Tries == 0)))
		if err := s.ask(pollTime); err != nil {
			return err
		}
		documents, drawn, err := wire.ReadWinnersReply(s.r)
		if err != nil {
			return fmt.Errorf("ask for the winners of agency %d: %w", s.a.Agency, err)
		}
		b.alive()
		if drawn {
			s.a.report.Documents = documents
			return nil
		}
		if s.a.Tries == 0 {
			continue
		}
		if err := s.a.asked(try); err != nil {
			return err
		}
	}
}

// asked pauses after a try that came before the draw, or gives up after the last, if there is one.
func (a *agency) asked(try int) error {
	a.log.Debug("consulta_ganadores", "result", "in_progress", "try", try)
	if a.Tries > 0 && try >= a.Tries {
		return fmt.Errorf("the draw was not done after %d questions, a second apart: have all agencies finished? "+
			"All %d bets of agency %d are stored; run it again to ask again", try, a.report.Bets, a.Agency)
	}
	return sleep(a.ctx, askEvery)
}
