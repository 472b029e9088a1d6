package audit

import (
	"bytes"
	"iter"
	"slices"

	"quiniela/internal/journal"
	"quiniela/receipt"
)

// private goes through the operator's journal beside the log.
type private struct {
	a       *auditor
	pull    func() (journal.Entry, error, bool)
	stop    func()
	draws   map[uint64]uint64 // the log's number by the journal's, of the draws in the log
	opened  uint64            // public draws so far
	began   *journal.NewLog   // what the log begins with, or nil
	beganAt uint64            // its position in the journal
	lost    bool              // the log and the journal differ; the first difference is reported, and nothing after it
	check   *Check
}

func newPrivate(a *auditor) *private {
	p := &private{a: a, draws: map[uint64]uint64{}, check: a.books}
	p.pull, p.stop = iter.Pull2(a.Journal.Entries(a.ctx, 1))
	return p
}

// next compares the log's next entry with the journal's next one that belongs into the log. One that is held back is passed over.
func (p *private) next(index uint64, entry []byte) {
	if p.lost {
		return
	}
	if c, err := receipt.ParseContinues(entry); err == nil && index == 0 {
		p.begin(c)
		return
	}
	for {
		e, err, ok := p.pull()
		if err != nil || !ok {
			p.lost = true
			p.check.finding("entry %d of the log has nothing in the journal (%v)", index, err)
			return
		}
		v, err := journal.Decode(e.Data)
		if err != nil {
			p.lost = true
			p.check.finding("journal entry %d: %v", e.Position, err)
			return
		}
		if p.compare(index, entry, e.Position, v) {
			return
		}
	}
}

// begin finds the journal's entry that began the log: its last one of this kind.
func (p *private) begin(c receipt.Continues) {
	for e, err := range p.a.Journal.Entries(p.a.ctx, 1) {
		if err != nil {
			p.lost = true
			p.check.finding("read the journal for the log's beginning: %v", err)
			return
		}
		if len(e.Data) == 0 || journal.Kind(e.Data[0]) != journal.KindNewLog {
			continue
		}
		v, err := journal.Decode(e.Data)
		if n, ok := v.(journal.NewLog); err == nil && ok {
			p.began, p.beganAt = &n, e.Position
		}
	}
	n := p.began
	if n == nil || n.OldKey != c.Log || n.OldSize != c.Size || !bytes.Equal(n.OldRoot, c.Root[:]) || n.Opened != c.Draws || uint64(n.At) != c.Began {
		p.lost = true
		p.check.finding("entry 0 of the log, which names an older one, is not what the journal has")
		return
	}
	p.check.Checked++
}

// drawnBefore reports whether a draw that the journal opens at a position was drawn in the older log.
func (p *private) drawnBefore(draw, position uint64) bool {
	return p.began != nil && position < p.beganAt && !slices.Contains(p.began.Again, draw)
}

// compare reports whether a journal entry belongs into the log; it is then compared with the log's entry.
func (p *private) compare(index uint64, entry []byte, position uint64, v any) bool {
	wrong := func(what string) {
		if entry == nil {
			return // it is held back
		}
		p.lost = true
		p.check.finding("entry %d of the log is not journal entry %d, %s", index, position, what)
	}
	switch v := v.(type) {
	case journal.Open:
		if !v.Public {
			return false
		}
		p.opened++
		if p.drawnBefore(v.Draw, position) {
			return false
		}
		p.draws[v.Draw] = p.opened
		if o, err := receipt.ParseDrawOpen(entry); err != nil || o.ID != v.ID || o.Draw != p.draws[v.Draw] || o.Agencies != v.Agencies || o.Opened != uint64(v.At) || o.Source != v.Source {
			wrong("which opens draw " + v.ID)
		}
	case *journal.Batch:
		if p.draws[v.Draw] == 0 {
			return false
		}
		p.batch(index, entry, v, wrong)
	case journal.Seal:
		if p.draws[v.Draw] == 0 {
			return false
		}
		if s, err := receipt.ParseSeal(entry); err != nil || s.Draw != p.draws[v.Draw] || s.Batches != v.Batches || s.Bets != v.Bets || s.By != v.By || s.Note != v.Note || s.Missing != v.Missing || s.Sealed != uint64(v.At) {
			wrong("a seal")
		}
	case journal.Result:
		if p.draws[v.Draw] == 0 {
			return false
		}
		if r, err := receipt.ParseResult(entry); err != nil || r.Draw != p.draws[v.Draw] || r.Number != v.Number || r.Winners != v.Winners || r.Drawn != uint64(v.At) {
			wrong("a result")
		}
	default:
		return false
	}
	if entry != nil {
		p.check.Checked++
	}
	return true
}

func (p *private) batch(index uint64, entry []byte, b *journal.Batch, wrong func(string)) {
	e, err := receipt.ParseBatchEntry(entry)
	if err != nil || e.Draw != p.draws[b.Draw] || e.Agency != b.Agency || e.Batch != b.Batch || e.Count != b.Count || e.Received != uint64(b.Received) {
		wrong("a batch")
		return
	}
	root := b.Root
	if b.Secret != nil {
		tree, err := receipt.Root(b.Secret, b.Lines)
		if err != nil {
			p.check.finding("entry %d: the journal's batch: %v", index, err)
			return
		}
		computed := [32]byte(tree)
		root = &computed
	}
	if root == nil || *root != e.Root {
		p.check.finding("entry %d (agency %d, batch %d): the journal's bets have another root than the log", index, b.Agency, b.Batch)
	}
}

// end stops reading the journal, which may have entries that are newer than the checkpoint.
func (p *private) end() {
	p.stop()
	if p.a.held >= 0 {
		p.check.Not = "where the log's entries are held back"
	}
}
