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

// session is one framed connection. It belongs to one goroutine. When the run's context ends, a call of context.AfterFunc,
// which stop cancels, makes every read and write fail.
type session struct {
	a       *agency
	conn    net.Conn
	r       *bufio.Reader
	w       *bufio.Writer
	stop    func() bool
	frame   []byte       // the last request, whose storage the next one uses
	waiting []unanswered // oldest first, as the replies come in the order of the requests
}

// unanswered is a batch whose reply has not been read.
type unanswered struct {
	number uint64
	bets   int
}

// answerTimeout is the longest wait for a reply that does not depend on the draw, and for a write. A server that works
// answers or closes the connection long before.
const answerTimeout = 60 * time.Second

// open begins a session on a connection, which the session's close closes.
func (a *agency) open(conn net.Conn) *session {
	s := &session{a: a, conn: conn, r: bufio.NewReaderSize(conn, 16<<10), w: bufio.NewWriterSize(conn, 64<<10)}
	s.stop = context.AfterFunc(a.ctx, func() { _ = conn.SetDeadline(time.Now()) })
	return s
}

func (s *session) close() {
	s.stop()
	s.a.closed("connection", s.conn.Close(), "server_address", s.a.Address)
}

// retries is what sendSession knows of the connections before.
type retries struct {
	next      uint64 // the batch that the server wanted when the last conflicting connection began
	conflicts int    // connections in a row that ended in a conflict and began at that batch
	warned    bool   // the log has said that the server refuses for now
}

// sendSession sends the file over framed sessions, one after the other, until the winners are known.
func (a *agency) sendSession() error {
	var before retries
	for {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		s := a.open(conn)
		next, err := s.converse()
		s.close()
		if err == nil || a.ctx.Err() != nil {
			return err
		}
		if err := a.waitToRetry(&before, next, err); err != nil {
			return err
		}
	}
}

// Batches of an earlier connection of this agency may still be on their way into the journal. Until they are there, a new
// connection can meet a conflict, which conflictTries and conflictWait give the time to pass.
const (
	conflictTries = 5
	conflictWait  = 200 * time.Millisecond
)

// waitToRetry pauses, for as long as suits the error that ended a connection, and returns nil: send again over a new one.
// If another connection cannot help, it returns cause. next is the batch that the server wanted when the connection began.
func (a *agency) waitToRetry(before *retries, next uint64, cause error) error {
	code := quiniela.CodeOf(cause)
	switch {
	case code == quiniela.Conflict || code == quiniela.Gap:
		if next != before.next {
			before.next, before.conflicts = next, 0
		}
		before.conflicts++
		if before.conflicts > conflictTries {
			return cause
		}
		return sleep(a.ctx, conflictWait)
	case temporary(cause):
		if !before.warned {
			a.log.Warn("send", "result", "in_progress", "error", cause)
			before.warned = true
		}
		a.stalled(cause)
		a.backoff.turn++ // another server may accept
		return sleep(a.ctx, longestWait)
	case lost(cause) || code == quiniela.Internal: // a server that has failed is about to stop
		a.log.Debug("connect", "result", "in_progress", "server_address", a.Address, "error", cause)
		a.stalled(cause)
		return a.pause(cause)
	}
	return cause
}

// converse does on one connection everything that is left to do. next is the batch that the server wanted when it began.
func (s *session) converse() (next uint64, err error) {
	a := s.a
	resume, err := s.hello()
	if err != nil {
		return 0, err
	}
	a.backoff.alive()
	if err := a.play(resume); err != nil {
		return resume.Next, err
	}
	last := resume.Next - 1
	// Once the agency has finished and all bets are stored, the file is not read again: it may change, or go.
	if !a.finished || resume.Bets != uint64(a.file.bets) {
		if last, err = s.sendFile(resume); err != nil {
			return resume.Next, err
		}
	}
	if err := s.request(wire.AppendFinish(nil, a.Agency, last), answerTimeout); err != nil {
		return resume.Next, err
	}
	if err := wire.ReadFinishReply(s.r); err != nil {
		return resume.Next, fmt.Errorf("say that agency %d has finished: %w", a.Agency, err)
	}
	a.finished, a.file.sent, a.report.Bets, a.report.Batches = true, true, a.file.bets, int(last)
	a.backoff.alive()
	if err := s.proven(); err != nil {
		return resume.Next, err
	}
	if err := s.winners(); err != nil {
		return resume.Next, err
	}
	if a.Winners != "" {
		if err := s.keepWinners(); err != nil {
			return resume.Next, err
		}
	}
	return resume.Next, s.proven() // once more: from now on they lead to the draw's sealed checkpoint
}

// proven keeps the proofs, where they are asked for.
func (s *session) proven() error {
	if s.a.Proofs == "" {
		return nil
	}
	return s.keepProofs()
}

// request sends a request, and all that is buffered before it. Its reply must arrive within the given time.
func (s *session) request(body []byte, within time.Duration) error {
	if err := s.deadline(within); err != nil {
		return err
	}
	if err := s.write(body); err != nil {
		return err
	}
	return s.w.Flush()
}

// write puts a framed request into the buffer, which is sent when it is full.
func (s *session) write(body []byte) error {
	s.frame = wire.AppendFrame(s.frame[:0], body)
	_, err := s.w.Write(s.frame)
	return err
}

// deadline gives the next reads and writes that much time.
func (s *session) deadline(within time.Duration) error {
	if err := s.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	return s.a.ctx.Err() // if it ended just now, the line above has overwritten the deadline that ends the session
}

// hello says which agency this is, and returns what the server has of it.
func (s *session) hello() (wire.Resume, error) {
	if err := s.request(wire.AppendHello(nil, s.a.Agency, s.a.Token, s.a.Draw), answerTimeout); err != nil {
		return wire.Resume{}, err
	}
	resume, err := wire.ReadResume(s.r)
	if err != nil {
		return resume, fmt.Errorf("ask where agency %d goes on: %w", s.a.Agency, err)
	}
	s.a.Draw = resume.Draw // later connections name the draw, so that all bets of a run are in the same one
	return resume, nil
}

// sendFile sends the bets that are not stored yet, and returns the last batch's number. It is an error if the file changed
// before its last bet was acknowledged.
func (s *session) sendFile(resume wire.Resume) (last uint64, err error) {
	lines, err := s.a.skipStored(resume)
	if err != nil {
		return 0, err
	}
	if last, err = s.send(resume, lines); err != nil {
		return 0, err
	}
	return last, s.a.file.unchanged()
}

// skipStored reads past the bets that are stored. The last stored batch must have the hash of this file's bets at its place.
func (a *agency) skipStored(stored wire.Resume) (*lineReader, error) {
	if stored.Bets > uint64(a.file.bets) {
		return nil, a.otherFile(fmt.Sprintf("%d bets are stored and the file has %d", stored.Bets, a.file.bets))
	}
	firstHashed := stored.Bets - min(stored.LastBets, stored.Bets)
	lines, hash := a.file.lines(), sha256.New()
	for i := range stored.Bets {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			err = errors.New("the file was cut while it was sent")
		}
		if err != nil {
			return nil, fmt.Errorf("read the agency's bets again: %w", err)
		}
		if i >= firstHashed {
			hash.Write(line)
			hash.Write([]byte{'\n'})
		}
	}
	if stored.Bets > 0 && wire.Hash(hash.Sum(nil)) != stored.LastHash {
		return nil, a.otherFile(fmt.Sprintf("its bets %d to %d differ from those stored", firstHashed+1, stored.Bets))
	}
	return lines, nil
}

func (a *agency) otherFile(why string) error {
	return fmt.Errorf("%s is not the file whose beginning agency %d has sent: %s; send the file it began with", a.File, a.Agency, why)
}

// send sends the rest of the file in numbered batches, at most Window of them unanswered. It returns the last one's number
// once every batch is acknowledged.
func (s *session) send(stored wire.Resume, lines *lineReader) (last uint64, err error) {
	a := s.a
	a.resumed, a.report.Bets, a.report.Batches = true, int(stored.Bets), int(stored.Next-1)
	a.progress("send", a.report.Bets)
	cut := batcher{lines: lines, bets: a.BatchBets, bytes: maxBody}
	var body []byte
	number := stored.Next
	for ; ; number++ {
		body = wire.AppendBatchHeader(body[:0], a.Agency, number)
		bets := 0
		if body, bets, err = cut.next(body); err != nil {
			return 0, err
		}
		if bets == 0 {
			break
		}
		if err := s.deadline(answerTimeout); err != nil {
			return 0, err
		}
		if err := s.write(body); err != nil {
			return 0, s.reasonFor(err)
		}
		s.waiting = append(s.waiting, unanswered{number, bets})
		if len(s.waiting) >= a.Window {
			if err := s.readReply(); err != nil {
				return 0, err
			}
		}
	}
	for len(s.waiting) > 0 {
		if err := s.readReply(); err != nil {
			return 0, err
		}
	}
	return number - 1, nil
}

// readReply reads the reply to the oldest unanswered batch. If it has not arrived yet, what is buffered is sent first.
func (s *session) readReply() error {
	if s.r.Buffered() == 0 {
		if err := s.deadline(answerTimeout); err != nil {
			return err
		}
		if err := s.w.Flush(); err != nil {
			return err
		}
	}
	a, batch := s.a, s.waiting[0]
	bets, err := wire.ReadBatchReply(s.r)
	if err != nil {
		return a.batchError(batch, err)
	}
	if bets != batch.bets {
		return a.batchError(batch, fmt.Errorf("the server acknowledged %d bets of %d", bets, batch.bets))
	}
	s.waiting = s.waiting[1:]
	a.log.Debug("apuesta_enviada", "result", "success", "batch", batch.number, "cantidad", bets)
	a.report.Bets += bets
	a.report.Batches++
	a.backoff.alive()
	a.progress("send", a.report.Bets)
	return nil
}

// reasonFor returns why the connection takes no more: the refusal that the server sent before it closed the connection, or
// err if there is none.
func (s *session) reasonFor(err error) error {
	for _, batch := range s.waiting {
		_, reply := wire.ReadBatchReply(s.r)
		if quiniela.CodeOf(reply) != "" {
			return s.a.batchError(batch, reply)
		}
		if reply != nil {
			break
		}
	}
	return err
}

func (a *agency) batchError(batch unanswered, err error) error {
	return fmt.Errorf("batch %d of agency %d: %w", batch.number, a.Agency, err)
}

const (
	askEvery = time.Second     // between two query_winners
	pollTime = 2 * time.Minute // for the reply to wait_winners, which the server gives before, drawn or not
)

// winners waits for the draw, or asks for its winners Tries times.
func (s *session) winners() error {
	a := s.a
	a.progress("wait", a.file.bets)
	wait := a.Tries == 0
	for try := 1; ; try++ {
		if err := s.request(wire.AppendQuery(nil, a.Agency, wait), pollTime); err != nil {
			return err
		}
		documents, drawn, err := wire.ReadWinnersReply(s.r)
		if err != nil {
			return fmt.Errorf("ask for the winners of agency %d: %w", a.Agency, err)
		}
		a.backoff.alive()
		if drawn {
			a.report.Documents = documents
			return nil
		}
		if wait {
			continue
		}
		if err := a.pauseAsking(try); err != nil {
			return err
		}
	}
}

// pauseAsking waits after a question that came before the draw. After the last of Tries questions it returns an error.
func (a *agency) pauseAsking(try int) error {
	a.log.Debug("consulta_ganadores", "result", "in_progress", "try", try)
	if a.Tries > 0 && try >= a.Tries {
		return fmt.Errorf("the draw was not done after %d questions, a second apart: have all agencies finished? "+
			"All %d bets of agency %d are stored; run it again to ask again", try, a.report.Bets, a.Agency)
	}
	return sleep(a.ctx, askEvery)
}
