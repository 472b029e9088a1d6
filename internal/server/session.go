package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"quiniela"
	"quiniela/internal/agencies"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/wire"
)

// session is one connection of the lottery. Its reader takes requests apart and submits them; its writer sends the
// replies in the order of the requests. So a connection may have many batches on their way to the disk at once.
//
// The reader is the connection's goroutine. It starts the writer before it waits for a second request. Once it has read the last one it
// closes replies and waits for the writer, or writes itself. The writer waits for every submission: when run returns, nothing of the
// connection is with the ledger.
//
// A reply that may be long or late (a list of winners, the proofs of batches) is made by the writer, piece by piece, when its turn has come. The
// reader takes no further request until it has left: a connection has one of them in hand at most.
type session struct {
	*Server
	conn     *conn
	ctx      context.Context // ends when nobody is there to take an answer, or the server waits no longer
	end      func()          // ends it
	asked    <-chan struct{} // closed once the reply that the writer makes has left; nil: there is none. The reader's
	reader   *wire.Reader
	draw     uint64           // that hello chose; 0: the current draw
	known    bool             // the connection has shown who it is; on an open server: it has sent a well-formed request
	guarded  bool             // it has to
	held     room             // for the request that is being read
	greeted  quiniela.Agency  // whose the last hello was
	sequence *ledger.Sequence // of its batches since then
	strikes  int              // requests that were refused before that, or for want of it
	replies  chan *job        // to the writer, in request order
	writing  bool             // the writer has a goroutine of its own. The reader's
	written  chan struct{}    // gets a value when the writer is done; has room for it
	out      *bufio.Writer    // the writer's
}

// job is one request in hand, and its reply. It belongs to the reader until it is in replies, and then to the writer, which
// releases it. Meanwhile the committer may call decided, which reads it.
type job struct {
	session    *session
	submission ledger.Submission
	request    wire.Request    // aliases buffer
	buffer     []byte          // that the request was read into; a batch's entry is made in it
	number     quiniela.Number // of a single bet
	submitted  bool            // the reply waits for the submission
	held       room            // for the body
	answered   chan struct{}   // closed once the reply has left, where the writer makes it; else nil
	bare       bool            // and then the connection ends
	stranger   bool            // the request was refused to a connection that had to show who it is, and had not
	guessed    quiniela.Agency // whose token was wrong; 0: none
	reply      []byte
	bets       int // of a batch, as received
	err        error
}

var jobs = sync.Pool{New: func() any {
	j := new(job)
	j.submission.Decided = j.decided
	return j
}}

// keepBuffer is the largest buffer that goes back to the pool: a few large batches must not pin memory for ever.
const keepBuffer = 512 << 10

// release gives the job back to the pool, with its buffers.
func (j *job) release() {
	if cap(j.buffer) > keepBuffer {
		j.buffer = nil
	}
	j.submission.Frame = nil // it lies in buffer, or is a single bet's
	j.held.release()
	j.session, j.answered = nil, nil
	j.request = wire.Request{}
	j.submitted, j.stranger, j.bare, j.held, j.guessed = false, false, false, room{}, 0
	j.reply = j.reply[:0]
	j.bets = 0
	j.err = nil
	jobs.Put(j)
}

// newSession makes a session that has its buffers, and no connection yet.
func (s *Server) newSession() *session {
	return &session{Server: s, reader: wire.NewReader(nil), out: bufio.NewWriterSize(nil, 4<<10), written: make(chan struct{}, 1)}
}

func (s *Server) serveLottery(c *conn) {
	ss := s.spare.Get().(*session)
	ss.run(c)
	ss.release()
}

// release gives the session back, with its buffers and nothing else of its connection.
func (s *session) release() {
	s.reader.Reset(nil)
	s.out.Reset(nil)
	*s = session{Server: s.Server, reader: s.reader, out: s.out, written: s.written}
	s.spare.Put(s)
}

// run serves a connection until nothing more is to be read from it, and every reply has been sent.
func (s *session) run(c *conn) {
	s.conn, s.replies = c, make(chan *job, s.config.Window)
	s.reader.Reset(c)
	s.out.Reset(deadlineWriter{c})
	s.guarded = s.Server.guarded()
	s.known = c.identity != (agencies.Identity{})
	s.reader.Limits = s.config.Limits
	if s.guarded && !s.known {
		s.reader.Limits.BareBody, s.reader.Limits.FramedBody = strangersBody, strangersBody
	}
	s.reader.OnPhase = c.phase
	s.reader.Reserve = s.reserve
	s.reader.Settle = s.config.Settle > 0
	s.ctx, s.end = context.WithCancel(s.working)
	defer s.end()
	s.read()
	close(s.replies)
	if !s.writing { // the reader has nothing else to do
		s.write()
	}
	<-s.written
}

// read serves requests until the connection ends, breaks the framing, or the server drains.
func (s *session) read() {
	for s.await() == nil {
		j := jobs.Get().(*job)
		j.session = s
		var body []byte
		var framed bool
		j.buffer, body, framed, j.err = s.reader.Next(j.buffer)
		j.held, s.held = s.held, room{}
		j.bare = !framed
		if j.err != nil {
			j.err = framingError(j.err)
			if j.err == nil {
				j.release()
			} else {
				j.stranger = s.guarded && !s.known
				s.replies <- j
			}
			return
		}
		s.serve(j, body, framed)
		s.replies <- j
		if s.strikes >= mostStrikes {
			return
		}
		if !framed && s.asked == nil {
			return
		}
		s.startWriter()
		if !framed {
			_ = s.await() // for the answer, or until the connection breaks; nothing more is read
			return
		}
	}
}

func (s *session) startWriter() {
	if !s.writing {
		s.writing = true
		s.crew.run(s.write)
	}
}

// await waits until a request begins, and no reply is in hand that the writer makes. Meanwhile it sees the connection break, and then
// ends the work on that reply. A peer that has only said that it sends no more may still wait for it.
func (s *session) await() error {
	err := s.reader.Await()
	silent := errors.Is(err, os.ErrDeadlineExceeded)
	switch {
	case err != nil && !silent && !errors.Is(err, io.EOF):
		s.end()
	case s.asked != nil:
		<-s.asked
		s.asked = nil
		if silent { // since it waited for us
			return s.reader.Await()
		}
	}
	return err
}

// framingError returns what to tell a peer whose request did not arrive whole, or nil where nobody is there to read it.
func framingError(err error) error {
	switch {
	case quiniela.CodeOf(err) != "":
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return quiniela.Refuse(quiniela.BadFrame, "the connection ended inside the body")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return quiniela.Refuse(quiniela.BadFrame, "the rest of the request did not come in time")
	}
	return nil
}

// serve answers one request in the job, or submits it to the ledger; the writer sends the reply. framed tells in which form the
// request came.
func (s *session) serve(j *job, body []byte, framed bool) {
	r, err := wire.Parse(body)
	j.request = r
	if lines := bytes.TrimSpace(r.Lines); len(lines) > 0 {
		j.bets = bytes.Count(lines, []byte{'\n'}) + 1
	}
	if err == nil {
		err = s.authorize(r, framed)
	}
	if err == nil {
		err = s.welcome(r.Agency)
	}
	if err != nil {
		s.sequence.Refuse() // it may have been a batch
		j.err = err
		s.strike(j)
		return
	}
	switch r.Verb {
	case wire.Batch:
		j.err = s.batch(j)
	case wire.Bet:
		j.err = s.bet(j)
	case wire.Finish:
		j.err = s.finish(j, r)
	case wire.Hello:
		j.err = s.hello(j, r)
	case wire.Status:
		j.err = s.progress(j, r)
	case wire.Query, wire.Wait, wire.Prizes, wire.Proofs:
		j.answered = make(chan struct{})
		s.asked = j.answered
	}
	if errors.Is(j.err, context.Canceled) {
		j.err = errStopping
	}
}

// errStopping is the answer to what could not be finished while the server stopped.
var errStopping = quiniela.Refuse(quiniela.Stopping, "the server is going down; ask again when it is back")

// strangersBody is the largest body, in bytes, of a request of a connection that has to show who it is, and has not.
const strangersBody = 1 << 10

const (
	// mostStrikes is how many requests of a connection may be refused before it has shown who it is, or for want of it: it is closed
	// then.
	mostStrikes = 5
	// firstStrike is how long the answer to the connection's first wrong token waits, and twice as long each time.
	firstStrike = 100 * time.Millisecond
)

// strike notes that a request was refused. Who guesses tokens waits for each answer, and keeps a connection meanwhile: the limits on
// connections bound what all guesses together cost, and no agency waits for another's.
func (s *session) strike(j *job) {
	denied := quiniela.CodeOf(j.err) == quiniela.Denied
	if s.known && !denied {
		return
	}
	s.strikes++
	j.stranger = s.guarded && !s.known
	if !denied || j.request.Verb != wire.Hello || j.request.Token == "" {
		return
	}
	j.guessed = j.request.Agency
	select {
	case <-time.After(firstStrike << (s.strikes - 1)):
	case <-s.running.Done():
	}
}

// welcome notes that the connection has shown who it is.
func (s *session) welcome(n quiniela.Agency) error {
	guarded := s.Server.guarded() // by now, which may be since the connection was made
	if guarded {
		if err := s.join(s.conn, n); err != nil {
			return err
		}
	}
	if s.known {
		return nil
	}
	s.known = true
	s.met(s.conn)
	s.reader.Limits = s.config.Limits
	if guarded {
		s.log.Info("accept_connections", "result", "success", "ip", s.conn.ip, "agency", uint32(n))
	}
	return nil
}

// reserve takes what a request needs of the agency's quota, and room for its body, and waits for both. The time that the request may
// take to arrive begins after it.
func (s *session) reserve(bytes int) (err error) {
	if err = s.conn.quota.wait(s.ctx, 1, bytes); err == nil {
		s.held, err = s.bodies.reserve(s.running, s.config.Request, s.conn.quota, int64(bytes))
	}
	if err != nil {
		return quiniela.Refuse(quiniela.Busy, "the requests in hand take all the memory that is set aside for them; try again later")
	}
	s.conn.restart()
	return nil
}

func (s *session) finish(j *job, r wire.Request) error {
	if err := s.ledger.Finish(s.ctx, s.draw, r.Agency, r.Batches, s.order(r.Agency)); err != nil {
		return err
	}
	j.reply = wire.AppendFinishOK(j.reply)
	return nil
}

// hello says where an agency goes on, and keeps the connection to the draw it names, or to the current draw: a
// draw that opens or closes meanwhile must not turn its bets aside.
func (s *session) hello(j *job, r wire.Request) error {
	d, err := s.ledger.FindDraw(s.ctx, r.Draw)
	if err != nil {
		return err
	}
	at, err := s.resume(d.Seq, r.Agency)
	if err != nil {
		return err
	}
	s.draw = d.Seq
	s.greeted, s.sequence = r.Agency, ledger.NewSequence(at.Next)
	resume := wire.Resume{Next: at.Next, Bets: at.Bets, LastBets: at.LastBets, LastHash: at.LastHash}
	if r.Named {
		resume.Draw, resume.Game = d.ID, d.Game
	}
	j.reply = wire.AppendResume(j.reply, resume)
	return nil
}

// progress says where an agency stands in the connection's draw. Batches whose replies have not been sent may be in it or not.
func (s *session) progress(j *job, r wire.Request) error {
	d, err := s.ledger.DrawBySeq(s.draw)
	if err != nil {
		return err
	}
	all, err := s.ledger.Progress(s.ctx, d.ID, r.Agency, 1)
	if err != nil {
		return err
	}
	w, drawn, err := s.ledger.Winners(s.ctx, d.Seq, r.Agency) // which also refuses an agency that the draw does not have
	if err != nil {
		return err
	}
	if d, err = s.ledger.DrawBySeq(d.Seq); err != nil { // as it is by now
		return err
	}
	p := wire.Progress{Draw: d.ID, State: wire.Open, Closes: d.Closes}
	for _, a := range all {
		p.Batches, p.Bets, p.Finished = a.Batches, a.Bets, a.Finished
	}
	switch {
	case drawn:
		p.State, p.Number, p.Winners = wire.Drawn, d.Result.Number, w.Count
		if paid := d.Payout(); paid != nil {
			p.Prizes, p.Due, p.Pool = d.Prizes(), paid.Due, paid.Pool
		}
	case d.Sealed:
		p.State = wire.Sealed
	}
	j.reply = wire.AppendProgress(j.reply, p)
	return nil
}

// authorize refuses a request of an agency that this connection may not speak for. A hello, with its token, is where the connection
// shows that it may.
func (s *session) authorize(r wire.Request, framed bool) (err error) {
	if r.Verb == wire.Hello && !framed {
		return quiniela.Refuse(quiniela.BadFrame, "hello must be framed: <length>;hello|agency")
	}
	if r.Headless && framed {
		return quiniela.Refuse(quiniela.Unknown, "a framed batch begins with agency_ID|agency; without that line a batch comes bare")
	}
	if s.config.Guard == nil {
		return nil
	}
	if r.Verb == wire.Hello {
		s.conn.identity, err = s.config.Guard.Login(s.conn.identity, r.Agency, r.Token)
		return err
	}
	return s.config.Guard.Allow(&s.conn.identity, r.Agency)
}

// The room that a wire.Reader leaves in front of a body is enough for the ledger, so that no batch is copied. This does not
// compile otherwise.
const _ = uint(wire.Headroom - ledger.Headroom)

// batch submits a batch where it lies in the buffer.
func (s *session) batch(j *job) error {
	return s.submit(j, j.buffer, len(j.buffer)-len(j.request.Lines))
}

// bet submits a single bet as a batch of one line. It is checked here for its number, and since a refusal of it names no line.
func (s *session) bet(j *job) error {
	f := j.request.Fields
	bet, bad := quiniela.Specified.CheckFields(f[:], quiniela.DayOf(time.Now()))
	if bad != nil {
		return &quiniela.Error{Code: quiniela.Invalid, Detail: bad.Error()}
	}
	j.number = bet.Play.Number
	// The fields alias the buffer, and the reply still needs them: the line is a copy.
	return s.submit(j, append(bytes.Join(f[:], []byte{','}), '\n'), 0)
}

// submit hands the lines that are in frame from start on to the ledger.
func (s *session) submit(j *job, frame []byte, start int) error {
	sub := &j.submission
	sub.Draw, sub.Agency, sub.Batch = s.draw, j.request.Agency, j.request.Batch
	sub.Sequence = s.order(sub.Agency)
	sub.Unattributed = j.request.Verb == wire.Bet || j.request.Headless
	sub.Frame, sub.Start, sub.MaxBets = frame, start, s.config.Limits.BatchBets
	err := s.ledger.Submit(sub)
	j.submitted = err == nil
	return err
}

// order returns the sequence of the agency's batches on this connection: where its last hello was the agency's.
func (s *session) order(a quiniela.Agency) *ledger.Sequence {
	if a != s.greeted {
		return nil
	}
	return s.sequence
}

// write sends the replies, in order. When the peer takes none, it closes the connection and goes on without sending: every
// submission is waited for.
func (s *session) write() {
	for j := range s.replies {
		err := s.answer(s.out, j)
		if err == nil && len(s.replies) == 0 {
			err = s.out.Flush()
		}
		if err != nil {
			s.end()
			_ = s.conn.Close() // the reader notices
		}
		if j.answered != nil {
			if j.bare {
				s.conn.drain() // the reader waits for nothing but this reply, or a break
			}
			close(j.answered)
		}
		j.release()
	}
	_ = s.out.Flush()
	s.written <- struct{}{}
}

// answer makes and writes a reply.
func (s *session) answer(out *bufio.Writer, j *job) error {
	var l listing
	if j.answered != nil {
		if j.request.Verb == wire.Proofs {
			l, j.err = s.proofList(out, j)
		} else {
			l, j.err = s.winners(out, j)
		}
		if err := s.ctx.Err(); err != nil {
			return err // nobody takes it any more
		}
	}
	s.complete(j)
	if _, err := out.Write(j.reply); err != nil {
		return err
	}
	return s.sendList(out, j, l)
}

type deadlineWriter struct{ c *conn }

func (w deadlineWriter) Write(p []byte) (int, error) {
	if err := w.c.SetWriteDeadline(time.Now().Add(w.c.config.Read)); err != nil {
		return 0, err
	}
	return w.c.Write(p)
}

// complete waits for a submission, and makes the reply. What the specification wants logged is in the log by then.
func (s *session) complete(j *job) {
	stored := 0
	if j.submitted {
		stored, j.err = j.submission.Wait()
	} else if !j.stranger {
		s.record(s.log, j, 0, j.err)
	}
	r := j.request
	if r.Verb == wire.Bet {
		j.err = refusedBet(j.err)
	}
	switch {
	case j.err != nil:
		s.refuse(j)
		s.log.Debug("refuse", "result", "fail", "ip", s.conn.ip, "error", j.err)
		j.reply = wire.AppendError(j.reply, r, j.err)
	case r.Verb == wire.Batch:
		j.reply = wire.AppendBatchOK(j.reply, stored)
	case r.Verb == wire.Bet:
		j.reply = wire.AppendBetOK(j.reply, r.Fields[2], j.number)
	}
}

// refusedBet returns the refusal of a single bet. The form has the fields of the specification's game and no others, so a bet of another game has
// to come in a batch: the ledger's refusal names the fields, in line 1 of what was no line.
func refusedBet(err error) error {
	var e *quiniela.Error
	if !errors.As(err, &e) {
		return err
	}
	if detail, ok := strings.CutPrefix(e.Detail, "line 1: "); ok {
		return quiniela.Refuse(e.Code, "%s: send it as a bet line, in a batch", detail)
	}
	return err
}

// wrongToken is what a refusal of a wrong token is counted as. Other requests are denied by mistake.
const wrongToken = "token"

// refuse counts a refusal. One of a stranger is in the log as well, but for the question of `quiniela health`, a hello without a token.
func (s *session) refuse(j *job) {
	why := code(j.err)
	if j.guessed != 0 {
		why = wrongToken
	}
	asked := why == string(quiniela.Denied) && j.request.Verb == wire.Hello
	if j.stranger && !asked {
		s.refused.Add(s.conn.ip, why, j.guessed)
		return
	}
	s.refused.Counter.WithLabelValues(why).Inc()
}

// decided is called by the committer, which writes the lines of a whole group at once before any of them is answered.
func (j *job) decided(stored int, err error) { j.session.record(j.session.group, j, stored, err) }

// record logs what the specification wants logged of a request.
func (s *session) record(log *slog.Logger, j *job, stored int, err error) {
	r := j.request
	switch {
	case r.Verb == wire.Batch && err == nil:
		log.Info("apuesta_recibida", "result", "success", "cantidad", stored)
	case r.Verb == wire.Batch:
		log.Info("apuesta_recibida", "result", "fail", "cantidad", j.bets, "agency", uint32(r.Agency), "error", code(err))
	case r.Verb == wire.Bet && err == nil:
		log.Info("apuesta_almacenada", "result", "success", "dni", s.dni(r.Fields[2]), "numero", int(j.number))
	case r.Verb == wire.Bet:
		log.Info("apuesta_almacenada", "result", "fail", "agency", uint32(r.Agency), "error", code(err))
	case r.Verb == wire.Hello && quiniela.CodeOf(err) == quiniela.NoDraw:
		// Clients that wait for a draw ask this every second, and health checks. Nothing has failed.
	case err != nil:
		log.Info("receive_message", "result", "fail", "ip", s.conn.ip, "error", code(err))
	}
}

// dni is what the log shows of a document: with MaskDNI its last three digits.
func (s *session) dni(document []byte) string {
	if !s.config.MaskDNI {
		return string(document)
	}
	return logline.Mask(string(document))
}

// code is what an INFO line says of an error: its detail may quote a bettor's data.
func code(err error) string {
	if code := quiniela.CodeOf(err); code != "" {
		return string(code)
	}
	return string(quiniela.Internal)
}
