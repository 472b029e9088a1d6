package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"quiniela"
	"quiniela/internal/journal"
)

// winners are the winning bets of a draw.
type winners struct {
	total     uint64
	agencies  []agencyWinners // in agency order, without those that have none
	due, paid uint64          // of the game quiniela: their prizes, and what is paid of them, in cents
	sum       []byte          // of the game quiniela: the digest
}

type agencyWinners struct {
	agency quiniela.Agency
	bets   []winner // in stored order; none in the game quiniela, which has the rest
	won    winnings
	marks  []mark
}

// winner is a winning bet.
type winner struct {
	batch    uint64
	line     int    // in its batch, from 1
	document string // empty where who bet is forgotten
}

// digest is what a result has of its winners, so that servers agree on them: it tells where the winning bets are, and not who made
// them.
func (w *winners) digest() []byte {
	if w.sum != nil {
		return w.sum
	}
	h := sha256.New()
	var line []byte
	for _, a := range w.agencies {
		for _, b := range a.bets {
			line = journal.AppendWinner(line[:0], a.agency, b.batch, b.line)
			_, _ = h.Write(line) // never fails
		}
	}
	return h.Sum(nil)
}

// span is a run of an agency's batches, from..to-1: what one core looks through at a time.
type span struct {
	agency   quiniela.Agency
	from, to uint64
}

const spanBatches = 8192

// spans cuts a draw's batches up, in the order of agencies and batches.
func (s *state) spans(d Draw) (all []span) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for a := range d.Agencies + 1 {
		next := s.cursors[cursorKey{d.Seq, quiniela.Agency(a)}].next
		for from := uint64(1); from < next; from += spanBatches {
			all = append(all, span{quiniela.Agency(a), from, min(from+spanBatches, next)})
		}
	}
	return all
}

// findWinners finds the winning bets of a draw whose number is known, on all cores. It reads the packed plays of every batch, and in the
// specification's game then the batches that have a winner.
func (s *state) findWinners(ctx context.Context, d Draw) (*winners, error) {
	if d.Game != nil {
		return s.findPrizes(ctx, d)
	}
	number, _ := d.winning()
	spans := s.spans(d)
	found := make([][]winner, len(spans))
	err := eachSpan(ctx, spans, func(ctx context.Context, i int) (err error) {
		found[i], err = s.findSpan(ctx, d.Seq, spans[i], number)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the winners of draw %s: %w", d.ID, err)
	}
	w := new(winners)
	for i, bets := range found {
		w.add(spans[i].agency, bets)
	}
	return w, nil
}

// add appends winners; the agencies come in order.
func (w *winners) add(agency quiniela.Agency, bets []winner) {
	if len(bets) == 0 {
		return
	}
	w.total += uint64(len(bets))
	if n := len(w.agencies); n > 0 && w.agencies[n-1].agency == agency {
		w.agencies[n-1].bets = append(w.agencies[n-1].bets, bets...)
		return
	}
	w.agencies = append(w.agencies, agencyWinners{agency: agency, bets: bets})
}

func (s *state) findSpan(ctx context.Context, d uint64, sp span, number quiniela.Number) (found []winner, err error) {
	var lines []int
	err = s.eachRow(ctx, d, sp, func(_ uint64, row []byte) (err error) {
		if lines = matches(lines[:0], row[batchRow:], number); len(lines) > 0 {
			found, err = s.winners(ctx, found, binary.BigEndian.Uint64(row), lines)
		}
		return err
	})
	return found, err
}

// matches appends the indexes of number among packed numbers.
func matches(dst []int, packed []byte, number quiniela.Number) []int {
	const size = 4 * quiniela.NumberSize // a word's worth
	const low, high = 0x0001_0001_0001_0001, 0x8000_8000_8000_8000
	pattern := uint64(number) * low
	i := 0
	for ; i+size <= len(packed); i += size {
		// A lane that is zero borrows from its highest bit; at most a lane next to one does so too.
		x := binary.BigEndian.Uint64(packed[i:]) ^ pattern
		if (x-low)&^x&high != 0 {
			dst = match(dst, packed[i:i+size], i/quiniela.NumberSize, number)
		}
	}
	return match(dst, packed[i:], i/quiniela.NumberSize, number)
}

// match is matches one by one, of numbers whose first has the index first.
func match(dst []int, packed []byte, first int, number quiniela.Number) []int {
	for i := 0; i+1 < len(packed); i += quiniela.NumberSize {
		if binary.BigEndian.Uint16(packed[i:]) == uint16(number) {
			dst = append(dst, first+i/quiniela.NumberSize)
		}
	}
	return dst
}

// winners appends the bets of some lines, counted from 0, of the batch at a journal position.
func (s *state) winners(ctx context.Context, dst []winner, position uint64, lines []int) ([]winner, error) {
	err := s.batchAt(ctx, position, func(b *journal.Batch) error {
		if b.Plays != nil { // nobody knows whose they were
			for _, i := range lines {
				dst = append(dst, winner{batch: b.Batch, line: i + 1})
			}
			return nil
		}
		i := 0
		for line := range quiniela.StoredLines(b.Lines) {
			if len(lines) > 0 && lines[0] == i {
				dst, lines = append(dst, winner{b.Batch, i + 1, string(quiniela.DocumentOf(line))}), lines[1:]
			}
			i++
		}
		return nil
	})
	return dst, err
}

// drawRetry is how long a draw waits before it tries again to record its result on a full disk.
const drawRetry = time.Second

// runDraw finds the winners of a sealed draw and records the result, once: whoever records it first, in whatever
// process, is the one that counts. It is a goroutine of its own for each draw (startDraw) and ends with the ledger; a failed search
// fails the ledger.
func (l *Ledger) runDraw(n uint64) {
	d, _ := l.state.draw(n)
	number, known := d.winning()
	if !known {
		l.running.Delete(n) // another server's number, of which this one has not heard
		return
	}
	w, err := l.state.findWinners(l.ctx, d)
	if err != nil {
		if l.ctx.Err() == nil {
			l.fail(err)
		}
		return
	}
	for {
		entry := journal.Result{Draw: n, Number: number, Winners: w.total, Due: w.due, Paid: w.paid, Digest: w.digest(), At: l.now().UnixMicro()}
		err := l.do(l.ctx, &request{result: &resultRequest{entry, w}})
		if err == nil {
			return // the committer has logged it
		}
		if quiniela.CodeOf(err) != quiniela.Storage {
			return // recorded by another server, or the ledger is closing or has failed
		}
		l.log.Error("sorteo", "result", "fail", "error", err)
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(drawRetry):
		}
	}
}
