package audit

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"quiniela"
	"quiniela/receipt"
	"quiniela/tlog"
)

// The log's leaves are public at once, and its entries later: those of a draw with the draw, once it is drawn, and in bundles for other
// programs once all draws in one are drawn. So this file finds what stands behind each leaf, wherever it is published: in the bundles of
// tile/entries, among the batches of its draw, or as a draw's opening, seal or result. A leaf without any is held back: it must be of a draw
// that is not published whole.

// known is what is known of a leaf.
type known struct {
	entry  []byte           // nil: it is held back
	batch  *receipt.Bundled // from its draw's batches, with its bets; or nil
	draw   *stream          // of batch
	public receipt.Public   // what its records come to
	won    winnings         // what they win
	err    error            // what is wrong with the records
}

// stream reads the batches of a draw that is published whole, in the log's order.
type stream struct {
	dir     string
	game    *quiniela.Terms // of its draw
	result  *receipt.Result // that is published: what winners are counted for
	next    int             // the file that comes next
	batches []receipt.Bundled
	spoiled bool // a file could not be read; the finding is made
}

// readTexts reads the openings, seals and results of all draws that are listed.
func (a *auditor) readTexts() error {
	list, err := a.read("draws.txt")
	if err != nil {
		return err
	}
	a.texts, a.opens, a.numbered = map[tlog.Hash][]byte{}, map[tlog.Hash]string{}, map[string]uint64{}
	if err := a.readBeginning(); err != nil {
		return err
	}
	n, last := 0, uint64(0)
	for line := range bytes.Lines(list) {
		n++
		number, id, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		seq, err := strconv.ParseUint(number, 10, 64)
		if !ok || err != nil || strconv.FormatUint(seq, 10) != number || seq <= last || quiniela.CheckDrawID(id) != nil || !bytes.HasSuffix(line, []byte("\n")) {
			a.files.finding("draws.txt: line %d is not the number of a draw, above the one before, and its name", n)
			return nil
		}
		last = seq
		a.listed, a.numbered[id] = append(a.listed, id), seq
		for _, name := range []string{"open", "seal", "result"} {
			entry, err := a.peek("draws/" + id + "/" + name)
			if err != nil {
				return err
			}
			if entry == nil {
				continue
			}
			leaf := tlog.LeafHash(entry)
			a.texts[leaf] = entry
			if name == "open" {
				a.opens[leaf] = id
			}
		}
	}
	return nil
}

// peek is read without noting that the log accounts for the file: that is for whoever compares it.
func (a *auditor) peek(name string) ([]byte, error) {
	if a.names == nil {
		return a.read(name)
	}
	seen, there := a.names[name]
	data, err := a.read(name)
	if there {
		a.names[name] = seen
	}
	return data, err
}

// find returns what is known of some leaves, the first of which has an index.
func (a *auditor) find(first int64, leaves []tlog.Hash) (found []known, err error) {
	found = make([]known, len(leaves))
	entries, err := a.bundle(first/tlog.TileWidth, leaves)
	if err != nil {
		return nil, err
	}
	for i, leaf := range leaves {
		k := &found[i]
		if i < len(entries) {
			k.entry = entries[i]
		}
		if text := a.texts[leaf]; k.entry == nil && text != nil {
			k.entry = text
		}
		if id, opens := a.opens[leaf]; opens {
			if err := a.openStream(id, leaf); err != nil {
				return nil, err
			}
		}
		if err := a.fromStreams(uint64(first)+uint64(i), leaf, k); err != nil {
			return nil, err
		}
	}
	if len(entries) < len(leaves) {
		a.unbundled(tlog.BundlePath(first/tlog.TileWidth, len(leaves)), found)
	}
	return found, a.checkRecords(found)
}

// missing is a bundle of entries that is not there, though what stands behind its leaves is known, and the draws in it.
type missing struct {
	name  string
	draws []uint64
}

// unbundled notes a bundle that is not there.
func (a *auditor) unbundled(name string, found []known) {
	m := missing{name: name}
	for _, k := range found {
		if k.entry == nil {
			return // it waits for this one
		}
		if n, err := receipt.DrawOf(k.entry); err == nil && n != 0 && !slices.Contains(m.draws, n) {
			m.draws = append(m.draws, n)
		}
	}
	a.missing = append(a.missing, m)
}

// checkBundles says which bundles of entries should be there: those whose draws were all published whole long enough ago.
func (a *auditor) checkBundles() {
	for _, m := range a.missing {
		whole, recent := true, false
		for _, n := range m.draws {
			d := a.draws[n]
			whole = whole && d != nil && d.whole && d.result != nil
			recent = recent || whole && a.recent(d.result.Drawn)
		}
		switch {
		case whole && recent:
			a.wait("%s is not published yet", m.name)
		case whole:
			a.files.finding("%s is missing", m.name)
		}
	}
}

// openStream begins to read the batches of a draw, where it is published whole.
func (a *auditor) openStream(id string, leaf tlog.Hash) error {
	dir := "draws/" + id + "/"
	whole, result, err := a.folder(dir)
	if err != nil || !whole {
		return err
	}
	s := &stream{dir: dir, result: result}
	if o, err := receipt.ParseDrawOpen(a.texts[leaf]); err == nil {
		s.game = o.Game
	}
	a.streams = append(a.streams, s)
	return nil
}

// fromStreams takes the batch with an index from the draw that has it.
func (a *auditor) fromStreams(index uint64, leaf tlog.Hash, k *known) error {
	for _, s := range a.streams {
		if err := a.fill(s); err != nil {
			return err
		}
		if len(s.batches) == 0 || s.batches[0].Index > index {
			continue
		}
		b := s.batches[0]
		s.batches = s.batches[1:]
		if b.Index < index || tlog.LeafHash(b.Bytes) != leaf {
			a.bets.finding("%sbatches/%d: what it has as entry %d is not the leaf of the tree, or not in order", s.dir, s.next-1, b.Index)
			s.spoiled, s.batches = true, nil
			continue
		}
		k.entry, k.batch, k.draw = b.Bytes, &b, s
	}
	return nil
}

// fill reads the next file of a draw's batches, where all of the last one have been taken.
func (a *auditor) fill(s *stream) error {
	if len(s.batches) > 0 || s.spoiled {
		return nil
	}
	name := s.dir + "batches/" + strconv.Itoa(s.next)
	data, err := a.read(name)
	if err != nil || data == nil {
		return err // it had the last one; whether all are there, the seal says
	}
	s.next++
	err = receipt.ReadBundle(data, func(b receipt.Bundled) error {
		s.batches = append(s.batches, b)
		return nil
	})
	if err == nil && len(s.batches) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		a.bets.finding("%s: %v", name, err)
		s.spoiled = true
	}
	return nil
}

// checkRecords compares the records of some batches with their entries, several at a time, and counts their winners.
func (a *auditor) checkRecords(found []known) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range found {
		k := &found[i]
		if k.batch == nil {
			continue
		}
		g.Go(func() error {
			k.count()
			return nil
		})
	}
	_ = g.Wait() // each keeps its error
	for i := range found {
		k := &found[i]
		if k.batch == nil {
			continue
		}
		a.bets.Checked += uint64(k.batch.Entry.Count)
		if k.err != nil {
			a.bets.finding("%sbatches (entry %d): %v", k.draw.dir, k.batch.Index, k.err)
		}
		a.won(k.batch.Entry, &k.won)
	}
	return nil
}

// count reads the records of a batch.
func (k *known) count() {
	var foreign error
	k.public, k.err = receipt.ReadRecords(k.batch.Records, func(r receipt.Record) {
		if err := k.draw.game.CheckPlay(r.Play); err != nil {
			foreign = err
		} else if k.draw.result != nil {
			k.won.add(k.draw.game, k.draw.result, r.Play)
		}
	})
	if k.err == nil {
		k.err = k.public.Check(k.batch.Entry)
	}
	if k.err == nil {
		k.err = foreign
	}
}

// hidden notes a leaf whose entry is held back.
func (a *auditor) hidden(index int64) {
	if a.held < 0 {
		a.held = index
	}
	a.unknown++
	a.lastHidden = index
}

// heldBack says why some entries are not there.
func (a *auditor) heldBack() {
	if a.unknown == 0 {
		return
	}
	why := fmt.Sprintf("%d entries of the log, %d to %d, are held back until their draws are drawn and published", a.unknown, a.held, a.lastHidden)
	for _, c := range []*Check{a.entries, a.order, a.seals, a.numbers, a.bets, a.winners} {
		c.Not = why
	}
	if a.lastHidden < a.lastShown && !a.anyWaits() {
		a.entries.finding("entry %d is shown nowhere, and all draws that the log opens are published whole", a.held)
		return
	}
	a.wait("%s", why)
}

// anyWaits reports whether there is a draw that is listed and not published whole.
func (a *auditor) anyWaits() bool {
	for _, id := range a.listed {
		if s := a.folders["draws/"+id+"/"]; !s.whole {
			return true
		}
	}
	return false
}
