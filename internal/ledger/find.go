package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/cockroachdb/pebble/v2"

	"quiniela"
	"quiniela/internal/journal"
)

// FoundBet is a person's bet, and where it is.
type FoundBet struct {
	Draw     Draw
	Agency   quiniela.Agency
	Batch    uint64
	Line     int    // in the batch, from 1
	Text     string // the bet line
	Play     quiniela.Play
	Received int64 // µs since the Unix epoch
}

// Won reports whether the bet has won.
func (b FoundBet) Won() bool {
	hits, _ := b.Draw.Pays(b.Play)
	return hits > 0
}

// errAllFound ends a search.
var errAllFound = errors.New("enough")

// FindBets returns the bets of a person's document, most of them at most, in a draw or, where id is "", in all of them that are not
// forgotten, in the journal's order. It reads every batch of them, which takes a second for some ten million bets.
func (l *Ledger) FindBets(ctx context.Context, id string, document uint32, most int) (found []FoundBet, err error) {
	from, only := uint64(1), uint64(0)
	if id != "" {
		d, err := l.FindDraw(ctx, id)
		if err == nil {
			err = d.forgotten()
		}
		if err != nil {
			return nil, err
		}
		if only = d.Seq; d.Batches == 0 {
			return nil, nil
		}
		if from, err = l.state.firstBatch(d); err != nil {
			return nil, err
		}
	}
	search := finder{l: l, only: only, document: document, needle: strconv.AppendUint(nil, uint64(document), 10), most: most}
	search.needle = append(search.needle, ',')
	for e, err := range l.journal.Entries(ctx, from) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = search.entry(e)
		}
		if errors.Is(err, errAllFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("find a person's bets: %w", err)
		}
	}
	return search.found, nil
}

// firstBatch returns the lowest position of a draw's batches.
func (s *state) firstBatch(d Draw) (uint64, error) {
	first := uint64(0)
	for a := range quiniela.Agency(d.Agencies) + 1 {
		v, closer, err := s.db.Get(batchKey(nil, d.Seq, a, 1))
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if at := binary.BigEndian.Uint64(v); first == 0 || at < first {
			first = at
		}
		if err := closer.Close(); err != nil {
			return 0, err
		}
	}
	return first, nil
}

// finder looks for a document in the journal.
type finder struct {
	l        *Ledger
	only     uint64 // draw; 0: all
	document uint32
	needle   []byte // what every line with the document contains
	most     int
	batches  uint64 // of the only draw, that were read
	found    []FoundBet
}

func (f *finder) entry(e journal.Entry) error {
	if len(e.Data) == 0 || journal.Kind(e.Data[0]) != journal.KindBatch {
		return nil
	}
	v, err := journal.Decode(e.Data)
	if err != nil {
		return fmt.Errorf("journal entry %d: %w", e.Position, err)
	}
	b := v.(*journal.Batch)
	if f.only != 0 && b.Draw != f.only {
		return nil
	}
	d, _ := f.l.state.draw(b.Draw)
	if bytes.Contains(b.Lines, f.needle) {
		if err := f.lines(d, b); err != nil {
			return fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
	}
	if f.batches++; f.only != 0 && f.batches == d.Batches {
		return errAllFound
	}
	return nil
}

func (f *finder) lines(d Draw, b *journal.Batch) error {
	n := 0
	for line := range quiniela.StoredLines(b.Lines) {
		n++
		bet, err := d.Game.StoredBet(line)
		if err != nil {
			return err
		}
		if bet.Document != f.document {
			continue
		}
		if f.found = append(f.found, FoundBet{d, b.Agency, b.Batch, n, string(line), bet.Play, b.Received}); len(f.found) == f.most {
			return errAllFound
		}
	}
	return nil
}
