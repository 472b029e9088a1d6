package server

import (
	"bufio"
	"fmt"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
	"quiniela/internal/wire"
)

// This file is what a session reads from the ledger in pieces, so that it takes little memory however much is asked for.

// winners answers query_winners at once and wait_winners when the draw is done, or after Options.Poll. It makes the reply's first line
// and returns the list that follows it.
func (s *session) winners(out *bufio.Writer, j *job) (w ledger.Winners, err error) {
	r := j.request
	w, drawn, err := s.ledger.Winners(s.ctx, s.draw, r.Agency)
	if err == nil && !drawn && r.Verb == wire.Wait {
		if err := out.Flush(); err != nil { // the replies to earlier requests
			return w, err
		}
		s.waitForDraw()
		if err = s.authorize(r, true); err == nil { // the agency may have been revoked meanwhile
			w, drawn, err = s.ledger.Winners(s.ctx, s.draw, r.Agency)
		}
	}
	switch {
	case err != nil:
		return w, err
	case drawn:
		j.reply = wire.AppendListHead(j.reply, w.Count)
	default:
		j.reply = wire.AppendInProgress(j.reply)
	}
	return w, nil
}

func (s *session) waitForDraw() {
	poll := time.NewTimer(s.config.Poll)
	defer poll.Stop()
	select {
	case <-s.ledger.Drawn(s.draw):
	case <-poll.C:
	case <-s.ctx.Done():
	case <-s.running.Done():
	case <-s.ledger.Failed():
	}
}

const (
	// page is about how many bytes of a list are in memory at once, however long it is.
	page = 16 << 10
	// mostReading is how many pages of lists, and last batches, are read at once, for all connections.
	mostReading = 32
)

// list sends the lines of a list, page by page, in the job's buffer. Its error is the connection's end: the reply cannot be taken back.
func (s *session) list(out *bufio.Writer, j *job, w ledger.Winners) error {
	for from := uint32(0); from < w.Count; {
		next, err := s.page(j, w, from)
		if err == nil && next == from {
			err = fmt.Errorf("%d of %d winners are there", from, w.Count)
		}
		if err != nil {
			if s.ctx.Err() == nil {
				s.log.Error("send_winners", "result", "fail", "agency", uint32(j.request.Agency), "error", err)
			}
			return err
		}
		if err := s.conn.quota.wait(s.ctx, 0, len(j.reply)); err != nil {
			return err
		}
		if _, err := out.Write(j.reply); err != nil {
			return err
		}
		from = next
	}
	return nil
}

// beginReading waits until another page or batch may be read. Where it returns nil, endReading must be called.
func (s *session) beginReading() error {
	select {
	case s.reading <- struct{}{}:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

func (s *session) endReading() { <-s.reading }

// page reads a page of a list into the job's buffer.
func (s *session) page(j *job, w ledger.Winners, from uint32) (next uint32, err error) {
	if err := s.beginReading(); err != nil {
		return from, err
	}
	defer s.endReading()
	j.reply, next, err = w.AppendLines(j.reply[:0], from, page)
	return next, err
}

// resume reads where an agency goes on. Its last batch, which may be a megabyte, is read for that.
func (s *session) resume(draw uint64, n quiniela.Agency) (at ledger.Resume, err error) {
	if err := s.beginReading(); err != nil {
		return at, err
	}
	defer s.endReading()
	return s.ledger.Resume(s.ctx, draw, n)
}
