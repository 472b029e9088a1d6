package server

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
	"quiniela/internal/wire"
)

// This file is what a session reads from the ledger in pieces, so that it takes little memory however much is asked for.

// listing is a list that is read in pieces.
type listing struct {
	count uint32 // lines
	// append appends lines to dst, from the one with an index on, until dst has some bytes or the list ends, and returns the index that
	// comes next.
	append func(ctx context.Context, dst []byte, from uint32, bytes int) (lines []byte, next uint32, err error)
}

// proofList answers with the operator's proofs of an agency's batches. Who has a batch's secret can prove who bet, so a server without a
// registry, where anyone may speak for any agency, gives none.
func (s *session) proofList(out *bufio.Writer, j *job) (l listing, err error) {
	if s.proofs == nil {
		return l, quiniela.Refuse(quiniela.Absent, "this server keeps no public log, and has no proofs")
	}
	if !s.Server.guarded() {
		return l, quiniela.Refuse(quiniela.Absent, "this server is open to all, and proofs are for the agency alone: the operator registers the agencies "+
			"with `quiniela agency add N`, and each then gets its own with its token")
	}
	// The registry may have been made since authorize let the request in.
	if err := s.config.Guard.Allow(&s.conn.identity, j.request.Agency); err != nil {
		return l, err
	}
	if err := out.Flush(); err != nil { // the replies to earlier requests: the batches may have to wait for a checkpoint
		return l, err
	}
	proofs, err := s.proofs(s.ctx, s.draw, j.request.Agency)
	if err != nil {
		return l, err
	}
	j.reply = wire.AppendListHead(j.reply, proofs.Count())
	return listing{proofs.Count(), proofs.AppendLines}, nil
}

// winners answers query_winners and query_prizes at once and wait_winners when the draw is done, or after Options.Poll. It makes the reply's first line
// and returns the list that follows it.
func (s *session) winners(out *bufio.Writer, j *job) (l listing, err error) {
	r := j.request
	w, drawn, err := s.ledger.Winners(s.ctx, s.draw, r.Agency)
	if err == nil && !drawn && r.Verb == wire.Wait {
		if err := out.Flush(); err != nil { // the replies to earlier requests
			return l, err
		}
		s.waitForDraw()
		if err = s.authorize(r, true); err == nil { // the agency may have been revoked meanwhile
			w, drawn, err = s.ledger.Winners(s.ctx, s.draw, r.Agency)
		}
	}
	switch {
	case err != nil:
		return l, err
	case drawn:
		j.reply = wire.AppendListHead(j.reply, w.Count)
		line := appendDocument
		if r.Verb == wire.Prizes {
			line = appendPrize
		}
		return listing{w.Count, func(ctx context.Context, dst []byte, from uint32, bytes int) ([]byte, uint32, error) {
			return w.Append(ctx, dst, from, bytes, line)
		}}, nil
	default:
		j.reply = wire.AppendInProgress(j.reply)
	}
	return l, nil
}

func appendDocument(dst []byte, p *ledger.Prize) []byte {
	return append(append(dst, p.Document...), '\n')
}

func appendPrize(dst []byte, p *ledger.Prize) []byte {
	return wire.AppendPrize(dst, wire.Prize{Batch: p.Batch, Line: p.Line, Document: p.Document, Hits: p.Hits, Cents: p.Paid})
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

// sendList sends the lines of a list, page by page, in the job's buffer. Its error is the connection's end: the reply cannot be taken
// back.
func (s *session) sendList(out *bufio.Writer, j *job, l listing) error {
	for from := uint32(0); from < l.count; {
		next, err := s.page(j, l, from)
		if err == nil && next == from {
			err = fmt.Errorf("%d of %d lines are there", from, l.count)
		}
		if err != nil {
			if s.ctx.Err() == nil {
				s.log.Error("send_list", "result", "fail", "agency", uint32(j.request.Agency), "error", err)
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
func (s *session) page(j *job, l listing, from uint32) (next uint32, err error) {
	if err := s.beginReading(); err != nil {
		return from, err
	}
	defer s.endReading()
	j.reply, next, err = l.append(s.ctx, j.reply[:0], from, page)
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
