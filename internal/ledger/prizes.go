package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"runtime"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/sync/errgroup"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/receipt"
)

// This file finds what the bets of a draw of the game quiniela are paid. The result has the sums and a digest. The winning bets themselves
// are no rows: some three bets in a hundred win something, and each is found again when somebody asks for it.

// checkGame returns an error where no draw can have the terms of a game with a source of its number.
func checkGame(game *quiniela.Terms, source draw.Source) error {
	if err := game.Check(); err != nil {
		return fmt.Errorf("the terms: %w", err)
	}
	if game != nil && source == quiniela.SourceFixed {
		return fmt.Errorf("the source %q gives one number, and the game %s needs %d: take notary or beacon", source, game.Game(), quiniela.PrizeCount)
	}
	return nil
}

// checkEntered returns an error where a person has not entered what a draw's game needs: the winning number, or all twenty.
func checkEntered(d Draw, number quiniela.Number, prizes []quiniela.Number) error {
	if d.Game == nil && prizes != nil || d.Game != nil && (len(prizes) != quiniela.PrizeCount || prizes[0] != number) {
		return fmt.Errorf("%d numbers are entered for draw %s, whose game is %s", max(len(prizes), 1), d.ID, d.Game.Game())
	}
	for _, n := range append(prizes[:len(prizes):len(prizes)], number) {
		if n > quiniela.MaxNumber {
			return fmt.Errorf("the number %d of draw %s, over %d", n, d.ID, quiniela.MaxNumber)
		}
	}
	return nil
}

// payout returns what the public log says of a result in the game quiniela.
func (d Draw) payout() *receipt.Payout {
	s := shareOf(d.Game, d.Staked, d.Result.Due)
	return &receipt.Payout{Staked: d.Staked, Due: d.Result.Due, Pool: s.pool, Paid: d.Result.Paid}
}

// Payout returns what the bets of a drawn draw of the game quiniela are paid, all together; nil in another game, or before it has its result.
func (d Draw) Payout() *receipt.Payout {
	if d.Game == nil || d.Result == nil {
		return nil
	}
	return d.payout()
}

// Pays returns how often a play hits in a drawn draw, and what it is paid, in cents; in the specification's game, which has no money, 0.
// Before the draw has its result it returns zeros.
func (d Draw) Pays(p quiniela.Play) (hits int, paid uint64) {
	switch {
	case d.Result == nil:
		return 0, 0
	case d.Game == nil:
		if p.Number == d.Result.Number {
			hits = 1
		}
		return hits, 0
	}
	var play [quiniela.PlaySize]byte
	p.Put(&play)
	if hits = newHits(d.Prizes()).of(play[:]); hits == 0 {
		return 0, 0
	}
	return hits, shareOf(d.Game, d.Staked, d.Result.Due).of(due(d.Game, play[:], hits))
}

// winnings are what some bets win, in cents.
type winnings struct {
	bets      uint64 // that win something
	due, paid uint64
}

func (w *winnings) add(o winnings) {
	w.bets += o.bets
	w.due += o.due
	w.paid += o.paid
}

// mark says which batch has the winning bet with an index as its first one, so that a list can be read from its middle.
type mark struct {
	index uint32
	batch uint64
}

// markEvery is about how many winning bets there are from mark to mark.
const markEvery = 4096

// spanPrizes are what the batches of a span win.
type spanPrizes struct {
	winnings
	digests []byte // see journal.AppendBatchDigest; nil once they are hashed
	marks   []mark // their indexes count from the span's first winning bet
}

// ordered hashes the digests of spans in the spans' order, in whichever order they are found. It keeps only those whose turn has not come:
// all of them together would be 60 MB in a draw of 100 M bets.
type ordered struct {
	mu    sync.Mutex
	hash  hash.Hash
	found []spanPrizes
	done  []bool
	next  int      // the first span that is not hashed
	free  [][]byte // room of digests that are hashed, for others: to grow it takes longer than to find what is won
}

// digestSize is about how many bytes the digest of a batch has.
const digestSize = 80

// room returns empty room for the digests of a span.
func (o *ordered) room(sp span) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := len(o.free) - 1
	if last < 0 {
		return make([]byte, 0, (sp.to-sp.from)*digestSize)
	}
	room := o.free[last]
	o.free = o.free[:last]
	return room
}

// add hashes the digests of a span that has been found, if it is its turn, and those that waited for it.
func (o *ordered) add(span int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done[span] = true
	for ; o.next < len(o.done) && o.done[o.next]; o.next++ {
		_, _ = o.hash.Write(o.found[o.next].digests) // never fails
		o.free = append(o.free, o.found[o.next].digests[:0])
		o.found[o.next].digests = nil
	}
}

// findPrizes finds what the bets of a draw are paid, on all cores, from the packed plays of every batch. Where the cap is exceeded, what each
// bet is paid follows from what all are due, so the plays are read once more.
func (s *state) findPrizes(ctx context.Context, d Draw) (*winners, error) {
	table, spans := newHits(d.Prizes()), s.spans(d)
	found := make([]spanPrizes, len(spans))
	digest := &ordered{hash: sha256.New(), found: found, done: make([]bool, len(spans))}
	err := eachSpan(ctx, spans, func(ctx context.Context, i int) (err error) {
		if found[i], err = s.findSpanPrizes(ctx, d, spans[i], table, digest.room(spans[i])); err == nil {
			digest.add(i)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the prizes of draw %s: %w", d.ID, err)
	}
	var all winnings
	for i := range found {
		all.add(found[i].winnings)
	}
	if part := shareOf(d.Game, d.Staked, all.due); !part.whole() {
		if err := s.applyShare(ctx, d, spans, found, table, part); err != nil {
			return nil, fmt.Errorf("find what is paid in draw %s: %w", d.ID, err)
		}
	}
	w := &winners{sum: digest.hash.Sum(nil)}
	for i := range found {
		w.addPrizes(spans[i].agency, &found[i])
	}
	return w, nil
}

// applyShare works out what is paid where each prize is paid at a share.
func (s *state) applyShare(ctx context.Context, d Draw, spans []span, found []spanPrizes, table *hits, part share) error {
	return eachSpan(ctx, spans, func(ctx context.Context, i int) error {
		found[i].paid = 0
		return s.eachRow(ctx, d.Seq, spans[i], func(_ uint64, row []byte) error {
			for plays := row[batchRow:]; len(plays) > 0; plays = plays[quiniela.PlaySize:] {
				if n := table.of(plays); n > 0 {
					found[i].paid += part.of(due(d.Game, plays, n))
				}
			}
			return nil
		})
	})
}

// eachSpan calls f with the index of each span, on all cores.
func eachSpan(ctx context.Context, spans []span, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range spans {
		g.Go(func() error { return f(ctx, i) })
	}
	return g.Wait()
}

// eachRow calls f with the number and the row of each batch of a span, in order. The row is valid during the call.
func (s *state) eachRow(ctx context.Context, d uint64, sp span, f func(batch uint64, row []byte) error) (err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: batchKey(nil, d, sp.agency, sp.from), UpperBound: batchKey(nil, d, sp.agency, sp.to),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := f(binary.BigEndian.Uint64(it.Key()[1+8+4:]), row); err != nil {
			return err
		}
	}
	return it.Error()
}

// findSpanPrizes finds what the batches of a span win. room is for their digests.
func (s *state) findSpanPrizes(ctx context.Context, d Draw, sp span, table *hits, room []byte) (found spanPrizes, err error) {
	found.digests = room
	var prizes []byte
	marked := uint64(0)
	err = s.eachRow(ctx, d.Seq, sp, func(batch uint64, row []byte) error {
		before := found.bets
		prizes = prizes[:0]
		plays := row[batchRow:]
		for line := 1; len(plays) > 0; line++ {
			if n := table.of(plays); n > 0 {
				cents := due(d.Game, plays, n)
				found.bets++
				found.due += cents
				prizes = journal.AppendPrize(prizes, line, n, cents)
			}
			plays = plays[quiniela.PlaySize:]
		}
		if len(prizes) == 0 {
			return nil
		}
		found.digests = journal.AppendBatchDigest(found.digests, sp.agency, batch, prizes)
		if before == 0 || before-marked >= markEvery {
			found.marks = append(found.marks, mark{uint32(before), batch})
			marked = before
		}
		return nil
	})
	found.paid = found.due
	return found, err
}

// addPrizes appends what a span wins; the agencies come in order.
func (w *winners) addPrizes(agency quiniela.Agency, found *spanPrizes) {
	if found.bets == 0 {
		return
	}
	w.total += found.bets
	w.due += found.due
	w.paid += found.paid
	if n := len(w.agencies); n == 0 || w.agencies[n-1].agency != agency {
		w.agencies = append(w.agencies, agencyWinners{agency: agency})
	}
	a := &w.agencies[len(w.agencies)-1]
	for _, m := range found.marks {
		a.marks = append(a.marks, mark{uint32(a.won.bets) + m.index, m.batch})
	}
	a.won.add(found.winnings)
}

// putPrizes writes what each agency's bets win, and where its list of them can be begun.
func (t *transaction) putPrizes(draw uint64, w *winners) error {
	for _, a := range w.agencies {
		row := binary.BigEndian.AppendUint64(nil, a.won.bets)
		row = binary.BigEndian.AppendUint64(row, a.won.due)
		row = binary.BigEndian.AppendUint64(row, a.won.paid)
		if err := t.batch.Set(agencyKey(nil, keyPaid, draw, a.agency), row, nil); err != nil {
			return err
		}
		for _, m := range a.marks {
			t.key = binary.BigEndian.AppendUint32(agencyKey(t.key[:0], keyMark, draw, a.agency), m.index)
			if err := t.batch.Set(t.key, binary.BigEndian.AppendUint64(nil, m.batch), nil); err != nil {
				return err
			}
		}
	}
	return nil
}
