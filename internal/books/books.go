// Package books compares an operator's private journal with the public log that an audit goes through: each entry of the log that follows
// from one of the journal must be as the journal has it.
package books

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/receipt"
)

// Books are a private journal for one audit. They implement audit.Books.
type Books struct {
	journal journal.Journal
	ctx     context.Context
	finding func(format string, args ...any)
	pull    func() (journal.Entry, error, bool)
	stop    func()
	draws   map[uint64]uint64          // the log's number by the journal's, of the draws in the log
	games   map[uint64]*quiniela.Terms // by the journal's number
	opened  uint64                     // public draws so far
	began   *journal.NewLog            // what the log begins with, or nil
	beganAt uint64                     // its position in the journal
	lost    bool                       // the log and the journal differ; the first difference is reported, and nothing after it
}

// Of returns the books of a journal, which the caller closes after the audit.
func Of(j journal.Journal) *Books {
	return &Books{journal: j, draws: map[uint64]uint64{}, games: map[uint64]*quiniela.Terms{}}
}

// Begin implements audit.Books.
func (b *Books) Begin(ctx context.Context, finding func(format string, args ...any)) {
	b.ctx, b.finding = ctx, finding
	b.pull, b.stop = iter.Pull2(b.journal.Entries(ctx, 1))
}

// End implements audit.Books. The journal may have entries that are newer than the checkpoint.
func (b *Books) End() {
	if b.stop != nil {
		b.stop()
	}
}

// Next implements audit.Books: it compares the log's next entry with the journal's next one that belongs into the log.
func (b *Books) Next(index uint64, entry []byte) (compared bool) {
	if b.lost {
		return false
	}
	if c, err := receipt.ParseContinues(entry); err == nil && index == 0 {
		return b.begin(c)
	}
	for {
		e, err, ok := b.pull()
		if err != nil || !ok {
			b.lost = true
			b.finding("entry %d of the log has nothing in the journal (%v)", index, err)
			return false
		}
		v, err := journal.Decode(e.Data)
		if err != nil {
			b.lost = true
			b.finding("journal entry %d: %v", e.Position, err)
			return false
		}
		if b.compare(index, entry, e.Position, v) {
			return entry != nil && !b.lost
		}
	}
}

// begin finds the journal's entry that began the log: its last one of this kind.
func (b *Books) begin(c receipt.Continues) bool {
	for e, err := range b.journal.Entries(b.ctx, 1) {
		if err != nil {
			b.lost = true
			b.finding("read the journal for the log's beginning: %v", err)
			return false
		}
		if len(e.Data) == 0 || journal.Kind(e.Data[0]) != journal.KindNewLog {
			continue
		}
		v, err := journal.Decode(e.Data)
		if n, ok := v.(journal.NewLog); err == nil && ok {
			b.began, b.beganAt = &n, e.Position
		}
	}
	n := b.began
	if n == nil || n.OldKey != c.Log || n.OldSize != c.Size || !bytes.Equal(n.OldRoot, c.Root[:]) || n.Opened != c.Draws || uint64(n.At) != c.Began {
		b.lost = true
		b.finding("entry 0 of the log, which names an older one, is not what the journal has")
		return false
	}
	return true
}

// drawnBefore reports whether a draw that the journal opens at a position was drawn in the older log.
func (b *Books) drawnBefore(draw, position uint64) bool {
	return b.began != nil && position < b.beganAt && !slices.Contains(b.began.Again, draw)
}

// compare reports whether a journal entry belongs into the log; it is then compared with the log's entry.
func (b *Books) compare(index uint64, entry []byte, position uint64, v any) bool {
	wrong := func(what string) {
		if entry == nil {
			return // it is held back
		}
		b.lost = true
		b.finding("entry %d of the log is not journal entry %d, %s", index, position, what)
	}
	switch v := v.(type) {
	case journal.Open:
		if !v.Public {
			return false
		}
		b.opened++
		if b.drawnBefore(v.Draw, position) {
			return false
		}
		b.draws[v.Draw], b.games[v.Draw] = b.opened, v.Game
		if o, err := receipt.ParseDrawOpen(entry); err != nil || o.ID != v.ID || o.Draw != b.draws[v.Draw] || o.Agencies != v.Agencies || o.Opened != uint64(v.At) || o.Source != v.Source || !o.Game.Equal(v.Game) {
			wrong("which opens draw " + v.ID)
		}
	case *journal.Batch:
		if b.draws[v.Draw] == 0 {
			return false
		}
		b.batch(index, entry, v, wrong)
	case journal.Seal:
		if b.draws[v.Draw] == 0 {
			return false
		}
		if s, err := receipt.ParseSeal(entry); err != nil || s.Draw != b.draws[v.Draw] || s.Batches != v.Batches || s.Bets != v.Bets || s.By != v.By || s.Note != v.Note || s.Missing != v.Missing || s.Sealed != uint64(v.At) {
			wrong("a seal")
		}
	case journal.Result:
		if b.draws[v.Draw] == 0 {
			return false
		}
		if r, err := receipt.ParseResult(entry); err != nil || r.Draw != b.draws[v.Draw] || r.Number != v.Number || r.Winners != v.Winners || !samePayout(r.Payout, v) || r.Drawn != uint64(v.At) {
			wrong("a result")
		}
	default:
		return false
	}
	return true
}

// samePayout reports whether the log says of a result's prizes what the journal does.
func samePayout(p *receipt.Payout, r journal.Result) bool {
	if p == nil {
		p = new(receipt.Payout) // the specification's game has no prizes
	}
	return p.Due == r.Due && p.Paid == r.Paid
}

func (b *Books) batch(index uint64, entry []byte, v *journal.Batch, wrong func(string)) {
	e, err := receipt.ParseBatchEntry(entry)
	if err != nil || e.Draw != b.draws[v.Draw] || e.Agency != v.Agency || e.Batch != v.Batch || e.Count != v.Count || e.Received != uint64(v.Received) {
		wrong("a batch")
		return
	}
	root := v.Root
	if v.Secret != nil {
		var tree receipt.BatchHasher
		err := tree.Reset(v.Secret)
		if err == nil {
			err = tree.AddLines(b.games[v.Draw], v.Lines)
		}
		if err != nil {
			b.finding("entry %d: the journal's batch: %v", index, err)
			return
		}
		if tree.Stake() != e.Stake {
			b.finding("entry %d (agency %d, batch %d): the journal's bets stake %d cents, and the log has %d", index, v.Agency, v.Batch, tree.Stake(), e.Stake)
		}
		computed := [32]byte(tree.Root())
		root = &computed
	}
	if root == nil || *root != e.Root {
		b.finding("entry %d (agency %d, batch %d): the journal's bets have another root than the log", index, v.Agency, v.Batch)
	}
}
