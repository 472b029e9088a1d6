package publish

import (
	"context"
	"slices"

	"quiniela/internal/ledger"
	"quiniela/receipt"
	"quiniela/tlog"
)

// entries is how far the log's entries are published, in bundles of 256 as other programs read them. A bundle is shown once every draw in
// it is drawn: a batch's entry says how much its agency sells, which is nobody's business while its draw is open.
type entries struct {
	folder  *folder
	next    int64           // the first bundle that was not looked at
	waiting []bundle        // full ones that were looked at, and are not published
	drawn   map[uint64]bool // by the log's number of the draw
	partial int64           // the log's size when the last partial bundle was published
	buffer  []byte
}

// bundle is one that waits for some of its draws.
type bundle struct {
	n     int64
	draws []uint64 // by the log's number
}

// publishEntries publishes the bundles whose draws are all drawn.
func (p *Publisher) publishEntries(ctx context.Context) error {
	log := p.signed.Load().log
	e := &p.entries
	if err := p.lookAtDraws(ctx); err != nil {
		return err
	}
	for ; (e.next+1)*tlog.TileWidth <= log.Size && ctx.Err() == nil; e.next++ {
		if e.folder.has(tlog.BundlePath(e.next, tlog.TileWidth)) {
			continue
		}
		draws, _, err := e.read(log, e.next, tlog.TileWidth)
		if err != nil {
			return err
		}
		e.waiting = append(e.waiting, bundle{e.next, draws})
	}
	still := e.waiting[:0:0]
	for i, b := range e.waiting {
		if ctx.Err() != nil || !e.shown(b.draws) {
			still = append(still, b)
			continue
		}
		if err := e.put(log, b.n, tlog.TileWidth); err != nil {
			e.waiting = append(still, e.waiting[i:]...)
			return err
		}
	}
	e.waiting = still
	if err := e.putPartial(log); err != nil {
		return err
	}
	return e.folder.flush()
}

// lookAtDraws notes which draws are drawn.
func (p *Publisher) lookAtDraws(ctx context.Context) error {
	draws, err := p.Ledger.Draws(ctx)
	p.entries.drawn = map[uint64]bool{}
	for _, d := range draws {
		if d.Logged() && d.Result != nil {
			p.entries.drawn[d.LogSeq] = true
		}
	}
	return err
}

// shown reports whether all of some draws are drawn.
func (e *entries) shown(draws []uint64) bool {
	return !slices.ContainsFunc(draws, func(n uint64) bool { return !e.drawn[n] })
}

// putPartial publishes the last bundle, which is not full.
func (e *entries) putPartial(log ledger.Log) error {
	rest := int(log.Size % tlog.TileWidth)
	if rest == 0 || e.partial == log.Size {
		return nil
	}
	n := log.Size / tlog.TileWidth
	draws, _, err := e.read(log, n, rest)
	if err != nil || !e.shown(draws) {
		return err
	}
	e.partial = log.Size
	return e.put(log, n, rest)
}

func (e *entries) put(log ledger.Log, n int64, width int) error {
	_, data, err := e.read(log, n, width)
	if err != nil {
		return err
	}
	return e.folder.put(tlog.BundlePath(n, width), data)
}

// read returns a bundle as it is published, valid until the next call, and the draws that its entries are of.
func (e *entries) read(log ledger.Log, n int64, width int) (draws []uint64, data []byte, err error) {
	e.buffer = e.buffer[:0]
	first := n * tlog.TileWidth
	err = log.Each(first, first+int64(width), func(_ int64, entry, _ []byte) error {
		draw, err := receipt.DrawOf(entry)
		if err != nil {
			return err
		}
		if draw != 0 && !slices.Contains(draws, draw) {
			draws = append(draws, draw)
		}
		e.buffer, err = tlog.AppendEntry(e.buffer, entry)
		return err
	})
	return draws, e.buffer, err
}
