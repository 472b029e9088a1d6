package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"quiniela"
	"quiniela/internal/journal"
)

// This file lists winning bets, in pieces, so that a list takes little memory however long it is.

// Winners are an agency's winning bets in a drawn draw, in the order in which they were stored.
type Winners struct {
	Count  uint32
	state  *state
	draw   Draw
	agency quiniela.Agency
}

// Prize is a winning bet.
type Prize struct {
	Agency   quiniela.Agency
	Batch    uint64
	Line     int // in its batch, from 1
	Play     quiniela.Play
	Hits     int
	Due      uint64 // in cents; 0 in the specification's game, which has no money
	Paid     uint64 // Due, or less where the draw's cap is exceeded
	Document string // as the bet line has it
}

// Winners returns an agency's winners, and false while the draw has no result. ctx ends the wait for a shared journal.
func (l *Ledger) Winners(ctx context.Context, draw uint64, agency quiniela.Agency) (w Winners, drawn bool, err error) {
	return l.winners(ctx, draw, agency, false)
}

// OperatorsWinners is Winners for those who run the lottery: they may also ask for the winners of the bets that name no agency, which are
// those of quiniela.Unattributed.
func (l *Ledger) OperatorsWinners(ctx context.Context, draw uint64, agency quiniela.Agency) (w Winners, drawn bool, err error) {
	return l.winners(ctx, draw, agency, true)
}

func (l *Ledger) winners(ctx context.Context, draw uint64, agency quiniela.Agency, unattributed bool) (w Winners, drawn bool, err error) {
	d, ok := l.state.draw(draw)
	if (!ok || d.Result == nil) && l.shared != nil {
		if err := l.fresh(ctx); err != nil {
			return w, false, err
		}
		d, ok = l.state.draw(draw)
	}
	if !ok {
		return w, false, errNoDraw
	}
	if err := checkAgency(d, agency, unattributed); err != nil || d.Result == nil {
		return w, false, err
	}
	if err := d.forgotten(); err != nil {
		return w, false, err
	}
	w = Winners{state: l.state, draw: d, agency: agency}
	if w.Count, err = w.count(); err != nil {
		return w, false, fmt.Errorf("count the winners of agency %d: %w", agency, err)
	}
	return w, true, nil
}

// count looks at one row: a list of a million is not read to know its length.
func (w Winners) count() (n uint32, err error) {
	if w.draw.Game != nil {
		won, err := w.state.won(w.draw.Seq, w.agency)
		return uint32(won.bets), err
	}
	prefix := agencyKey(nil, keyWinner, w.draw.Seq, w.agency)
	it, err := w.state.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, err
	}
	if it.Last() {
		n = binary.BigEndian.Uint32(it.Key()[len(prefix):]) + 1
	}
	return n, errors.Join(it.Error(), it.Close())
}

// Append appends the winning bets from index from on to dst, each as line appends it, until dst has some bytes or the list ends, and returns
// the index that comes next.
func (w Winners) Append(ctx context.Context, dst []byte, from uint32, bytes int, line func(dst []byte, p *Prize) []byte) (lines []byte, next uint32, err error) {
	err = w.each(ctx, from, func(p *Prize) bool {
		dst = line(dst, p)
		from++
		return len(dst) < bytes
	})
	return dst, from, err
}

// Documents returns the documents from an index on, most of them at most, which is 1 or more.
func (w Winners) Documents(ctx context.Context, from uint32, most int) (documents []string, err error) {
	err = w.each(ctx, from, func(p *Prize) bool {
		documents = append(documents, p.Document)
		return len(documents) < most
	})
	return documents, err
}

// Prizes returns the winning bets from an index on, most of them at most, which is 1 or more.
func (w Winners) Prizes(ctx context.Context, from uint32, most int) (prizes []Prize, err error) {
	err = w.each(ctx, from, func(p *Prize) bool {
		prizes = append(prizes, *p)
		return len(prizes) < most
	})
	return prizes, err
}

// each calls f with the winning bets from an index on, until it returns false. A bet is valid during its call.
func (w Winners) each(ctx context.Context, from uint32, f func(*Prize) (more bool)) error {
	if w.draw.Game != nil {
		return w.eachPrize(ctx, from, f)
	}
	return w.eachStored(from, f)
}

// eachStored is each in the specification's game, where each winner has a row.
func (w Winners) eachStored(from uint32, f func(*Prize) (more bool)) (err error) {
	prefix := agencyKey(nil, keyWinner, w.draw.Seq, w.agency)
	it, err := w.state.db.NewIter(&pebble.IterOptions{LowerBound: binary.BigEndian.AppendUint32(agencyKey(nil, keyWinner, w.draw.Seq, w.agency), from), UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	number, _ := w.draw.winning()
	p := Prize{Agency: w.agency, Play: quiniela.SpecifiedPlay(number), Hits: 1} // one for all calls: a list may have millions
	for ok := it.First(); ok; ok = it.Next() {
		row, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		p.Batch, p.Line, p.Document = winnerOf(row)
		if !f(&p) {
			return nil
		}
	}
	return it.Error()
}

// winnerOf reads a winner's row, see keyWinner.
func winnerOf(row []byte) (batch uint64, line int, document string) {
	return binary.BigEndian.Uint64(row), int(binary.BigEndian.Uint32(row[8:])), string(row[12:])
}

// errListed ends a list.
var errListed = errors.New("enough")

// eachPrize is each in the game quiniela, where the winning bets are found again: from the last mark on in the packed plays, and in the
// journal, which has the documents.
func (w Winners) eachPrize(ctx context.Context, from uint32, f func(*Prize) (more bool)) error {
	at, err := w.state.markBefore(w.draw.Seq, w.agency, from)
	if err != nil || at.batch == 0 {
		return err
	}
	w.state.mu.RLock()
	next := w.state.cursors[cursorKey{w.draw.Seq, w.agency}].next
	w.state.mu.RUnlock()
	index, found := at.index, w.draw.prizeFinder()
	var prizes []Prize
	err = w.state.eachRow(ctx, w.draw.Seq, span{w.agency, at.batch, next}, func(batch uint64, row []byte) error {
		prizes = found.prizes(prizes[:0], w.agency, batch, row[batchRow:])
		before := min(from-min(index, from), uint32(len(prizes))) // of them, which are not asked for
		index += uint32(len(prizes))
		if prizes = prizes[before:]; len(prizes) == 0 {
			return nil
		}
		if err := w.state.nameWinners(ctx, binary.BigEndian.Uint64(row), prizes); err != nil {
			return err
		}
		for i := range prizes {
			if !f(&prizes[i]) {
				return errListed
			}
		}
		return nil
	})
	if errors.Is(err, errListed) {
		return nil
	}
	return err
}

// nameWinners sets the documents of winning bets of the batch at a journal position.
func (s *state) nameWinners(ctx context.Context, position uint64, prizes []Prize) error {
	return s.batchAt(ctx, position, func(b *journal.Batch) error {
		if b.Plays != nil {
			return quiniela.Refuse(quiniela.Absent, "who bet was forgotten meanwhile")
		}
		line := 0
		for text := range quiniela.StoredLines(b.Lines) {
			if line++; len(prizes) > 0 && prizes[0].Line == line {
				prizes[0].Document = string(quiniela.DocumentOf(text))
				prizes = prizes[1:]
			}
		}
		return nil
	})
}

// markBefore returns the last mark of an agency's winning bets at or before an index; its batch is 0 where there is none.
func (s *state) markBefore(d uint64, a quiniela.Agency, index uint32) (m mark, err error) {
	prefix := agencyKey(nil, keyMark, d, a)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return m, err
	}
	if it.SeekLT(after(binary.BigEndian.AppendUint32(agencyKey(nil, keyMark, d, a), index))) {
		m.index = binary.BigEndian.Uint32(it.Key()[len(prefix):])
		if row, err := it.ValueAndErr(); err == nil {
			m.batch = binary.BigEndian.Uint64(row)
		}
	}
	return m, errors.Join(it.Error(), it.Close())
}

// countPrizes is CountWinners of a draw of the game quiniela.
func (s *state) countPrizes(d uint64, from quiniela.Agency, most int) (counts []AgencyCount, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: agencyKey(nil, keyPaid, d, from), UpperBound: after(binary.BigEndian.AppendUint64([]byte{keyPaid}, d))})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok && len(counts) < most; ok = it.Next() {
		row, err := it.ValueAndErr()
		if err != nil {
			return nil, err
		}
		w := readWinnings(row)
		counts = append(counts, AgencyCount{quiniela.Agency(binary.BigEndian.Uint32(it.Key()[1+8:])), uint32(w.bets), w.due, w.paid})
	}
	return counts, it.Error()
}

// readWinnings reads a row of what an agency's bets win, see keyPaid.
func readWinnings(row []byte) winnings {
	return winnings{binary.BigEndian.Uint64(row), binary.BigEndian.Uint64(row[8:]), binary.BigEndian.Uint64(row[16:])}
}

// won returns what an agency's bets win in a drawn draw of the game quiniela.
func (s *state) won(d uint64, a quiniela.Agency) (w winnings, err error) {
	row, done, err := s.db.Get(agencyKey(nil, keyPaid, d, a))
	if errors.Is(err, pebble.ErrNotFound) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	w = readWinnings(row)
	return w, done.Close()
}

// prizeFinder finds the winning bets among packed plays of a draw that has its result.
type prizeFinder struct {
	draw   Draw
	table  *hits // of the game quiniela
	part   share
	number quiniela.Number
	lines  []int
}

func (d Draw) prizeFinder() *prizeFinder {
	if d.Game == nil {
		number, _ := d.winning()
		return &prizeFinder{draw: d, number: number}
	}
	return &prizeFinder{draw: d, table: newHits(d.Prizes()), part: shareOf(d.Game, d.Staked, d.Result.Due)}
}

// prizes appends the winning bets of a batch, without their documents.
func (f *prizeFinder) prizes(dst []Prize, agency quiniela.Agency, batch uint64, plays []byte) []Prize {
	if f.draw.Game == nil {
		f.lines = matches(f.lines[:0], plays, f.number)
		for _, i := range f.lines {
			dst = append(dst, Prize{Agency: agency, Batch: batch, Line: i + 1, Play: quiniela.SpecifiedPlay(f.number), Hits: 1})
		}
		return dst
	}
	for line := 1; len(plays) >= quiniela.PlaySize; line++ {
		if n := f.table.of(plays); n > 0 {
			play, _ := quiniela.ParsePlay((*[quiniela.PlaySize]byte)(plays)) // it was checked when it was accepted
			cents := due(f.draw.Game, plays, n)
			dst = append(dst, Prize{Agency: agency, Batch: batch, Line: line, Play: play, Hits: n, Due: cents, Paid: f.part.of(cents)})
		}
		plays = plays[quiniela.PlaySize:]
	}
	return dst
}

// EachPrize calls f with the winning bets of a drawn draw, by agency and then in stored order, without documents: also where who bet is
// forgotten. Before the draw has its result there are none, and no error.
func (l *Ledger) EachPrize(ctx context.Context, id string, f func(Prize) error) error {
	d, err := l.FindDraw(ctx, id)
	if err != nil || d.Result == nil {
		return err
	}
	found := d.prizeFinder()
	var prizes []Prize
	for _, sp := range l.state.spans(d) {
		err := l.state.eachRow(ctx, d.Seq, sp, func(batch uint64, row []byte) error {
			prizes = found.prizes(prizes[:0], sp.agency, batch, row[batchRow:])
			for _, p := range prizes {
				if err := f(p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// AgencyPayout is what an agency brought to a draw of the game quiniela, and what its bets are paid, in cents.
type AgencyPayout struct {
	Agency        quiniela.Agency
	Batches, Bets uint64
	Staked        uint64
	Winners       uint64
	Due, Paid     uint64 // once the draw has its result
}

// Payouts returns what the agencies of a draw of the game quiniela brought and are paid, in order, from one on, most of them at most, and
// without those that have no bet.
func (l *Ledger) Payouts(ctx context.Context, id string, from quiniela.Agency, most int) (all []AgencyPayout, err error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil {
		return nil, err
	}
	for a := uint64(from); a <= uint64(d.Agencies) && len(all) < most; a++ {
		n := quiniela.Agency(a)
		l.state.mu.RLock()
		c := l.state.cursors[cursorKey{d.Seq, n}]
		l.state.mu.RUnlock()
		if c.bets == 0 {
			continue
		}
		won, err := l.state.won(d.Seq, n)
		if err != nil {
			return nil, err
		}
		all = append(all, AgencyPayout{n, c.next - 1, c.bets, c.stake, won.bets, won.due, won.paid})
	}
	return all, nil
}
