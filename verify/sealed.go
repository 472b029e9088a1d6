package verify

import (
	"errors"
	"fmt"
	"io/fs"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/receipt"
	"quiniela/tlog"
)

// statement is a checkpoint that the log has signed, as it was signed.
type statement struct {
	note []byte
	*tlog.VerifiedCheckpoint
}

// published is the log as it is published, under its newest checkpoint. Each tile is compared with that before it is believed.
type published struct {
	statement
	hashes sumdb.HashReader
}

// contradiction is the error of two signed statements that exclude each other.
type contradiction struct{ evidence *receipt.Evidence }

func (contradiction) Error() string {
	return "the log has signed two things that exclude each other: different people are shown different things; keep both and publish them"
}

// openLog reads the newest checkpoint of the published log.
func (c *checker) openLog() {
	if c.Log == nil {
		return
	}
	note, err := c.Log("checkpoint")
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("there is no published log: no file checkpoint")
	}
	var newest *tlog.VerifiedCheckpoint
	if err == nil {
		newest, err = c.policy.VerifyCheckpoint(note)
	}
	if !c.signed(PartLog, StepCheckpoint, newest, err) {
		return
	}
	c.log = &published{
		statement: statement{note, newest},
		hashes:    sumdb.TileHashReader(sumdb.Tree{N: newest.Size, Hash: newest.Root}, tlog.NewTileReader(c.readTile)),
	}
}

// readTile reads a tile of the published log. Where a partial one is not there, the full one begins with it.
func (c *checker) readTile(path string) ([]byte, error) {
	data, err := c.Log(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	tile, bad := tlog.ParseTilePath(path)
	if bad != nil || tile.W == tlog.TileWidth {
		return nil, err
	}
	want := tile.W * tlog.HashSize
	tile.W = tlog.TileWidth
	full, err := c.Log(tlog.TilePath(tile))
	if err == nil && len(full) >= want {
		full = full[:want]
	}
	return full, err
}

// begins returns an error where the published log does not begin with the log of a statement: a contradiction where both were
// signed. The statement must be of the same log, by its name.
func (p *published) begins(s statement) error {
	switch {
	case s.Origin != p.Origin:
		return fmt.Errorf("it is of the log %s, and the published log is %s", s.Origin, p.Origin)
	case s.Size > p.Size:
		return fmt.Errorf("it has %d entries, and the log that is published here only %d: it is an older copy, or entries were removed", s.Size, p.Size)
	case s.Size == 0:
		return nil
	}
	root, err := sumdb.TreeHash(s.Size, p.hashes)
	if err != nil {
		return fmt.Errorf("read the published log: %w", err)
	}
	if root == s.Root {
		return nil
	}
	leaf, proof, err := p.prove(s.Size - 1)
	if err != nil {
		return fmt.Errorf("read the published log: %w", err)
	}
	return contradict(s.itself(), view{p.statement, s.Size, root, &leaf, proof})
}

// prove returns the leaf hash of an entry and its inclusion proof.
func (p *published) prove(index int64) (leaf tlog.Hash, proof []tlog.Hash, err error) {
	leaves, err := p.hashes.ReadHashes([]int64{sumdb.StoredHashIndex(0, index)})
	if err != nil {
		return leaf, nil, err
	}
	proof, err = tlog.ProveInclusion(p.Size, index, p.hashes)
	return leaves[0], proof, err
}

// view is what a statement shows of its log's first entries.
type view struct {
	statement
	size  int64 // how many they are
	root  tlog.Hash
	leaf  *tlog.Hash // of the last one of them; nil where they are all that the statement is of
	proof []tlog.Hash
}

// itself returns what a statement says of all its log.
func (s statement) itself() view { return view{s, s.Size, s.Root, nil, nil} }

// until returns what a statement shows of its log as it ended with an entry, whose inclusion is proven.
func (s statement) until(e receipt.Logged) view {
	leaf := tlog.LeafHash(e.Entry)
	return view{s, int64(e.Index) + 1, tlog.RootAfter(e.Proof, s.Size, int64(e.Index), leaf), &leaf, e.Proof}
}

func (v view) shown() receipt.Shown {
	shown := receipt.Shown{Checkpoint: string(v.note), Leaf: receipt.Hex{}, Proof: v.proof}
	if v.leaf != nil {
		shown.Leaf = v.leaf[:]
	}
	return shown
}

func contradict(a, b view) error {
	return contradiction{receipt.NewTwoLogs(uint64(a.size), a.shown(), b.shown())}
}

// compare compares two lists of views wherever both show the log at one size, and returns the largest of those sizes, 0 where there is
// none. Its error is a contradiction, or says that they are of two logs.
func compare(some, others []view) (size int64, err error) {
	for _, a := range some {
		for _, b := range others {
			if a.Origin != b.Origin {
				return 0, fmt.Errorf("it is of the log %s, and not of %s", a.Origin, b.Origin)
			}
			if a.size != b.size {
				continue
			}
			if a.root != b.root {
				return 0, contradict(a, b)
			}
			size = max(size, a.size)
		}
	}
	return size, nil
}

func (b *Bet) statement() statement { return statement{[]byte(b.Receipt.Checkpoint), b.Checkpoint} }

func (b *Bet) views() []view {
	s := b.statement()
	return []view{s.itself(), s.until(b.Receipt.Batch)}
}

// statements returns the draw's two checkpoints: the one that was sealed, and the one with the result.
func (d *Draw) statements() (sealed, last statement) {
	return statement{[]byte(d.Outcome.Sealed), d.Sealed}, statement{[]byte(d.Outcome.Checkpoint), d.Checkpoint}
}

func (d *Draw) views() []view {
	sealed, last := d.statements()
	o := d.Outcome
	return []view{sealed.itself(), sealed.until(o.InSealed()), last.itself(), last.until(o.Open), last.until(o.Seal), last.until(o.Result)}
}

// checkSealed ties the bet to the log that ends with the draw's seal: to the book as it was closed, and not only to what was shown
// when the receipt was made.
func (c *checker) checkSealed() {
	if c.bet == nil || c.draw == nil {
		c.skip(PartOutcome, textUnproven, StepBefore, StepInSealed)
		return
	}
	bet, seal := c.bet.Receipt.Batch.Index, c.draw.Outcome.Seal.Index
	before := c.step(PartOutcome, StepBefore, c.draw.includes(c.bet), textBefore, bet, seal)
	size, err := compare(c.bet.views(), c.draw.views())
	compared := size > int64(bet)
	if err == nil && !compared && c.log != nil {
		compared = true
		err = c.publishes()
	}
	switch {
	case err == nil && !before:
		c.skip(PartOutcome, textUnproven, StepInSealed)
	case err == nil && !compared:
		c.skip(PartOutcome, textNeedsLog, StepInSealed)
	default:
		c.step(PartOutcome, StepInSealed, err, textInSealed)
	}
}

// publishes returns an error where the published log does not begin with all that is proven of the log.
func (c *checker) publishes() error {
	var all []statement
	if c.bet != nil {
		all = append(all, c.bet.statement())
	}
	if c.draw != nil {
		sealed, last := c.draw.statements()
		all = append(all, sealed, last)
	}
	for _, s := range all {
		if err := c.log.begins(s); err != nil {
			return err
		}
	}
	return nil
}

// checkPublished compares the published log with what the documents show of it, so that its reader knows that it is theirs.
func (c *checker) checkPublished() {
	if c.log == nil {
		return
	}
	if c.bet == nil && c.draw == nil {
		c.skip(PartLog, textUnproven, StepSameLog)
		return
	}
	c.step(PartLog, StepSameLog, c.publishes(), textSameLog)
}

// checkCheckpoint compares a checkpoint that somebody kept with those of the documents, and with the published log.
func (c *checker) checkCheckpoint() {
	if c.Checkpoint == nil {
		return
	}
	verified, err := c.policy.VerifyCheckpoint(c.Checkpoint)
	if !c.signed(PartCheckpoint, StepCheckpoint, verified, err) {
		c.skip(PartCheckpoint, textUnproven, StepSameLog)
		return
	}
	kept := statement{c.Checkpoint, verified}
	compared, err := c.compareKept(kept)
	if compared || err != nil {
		c.step(PartCheckpoint, StepSameLog, err, textSameLog)
		return
	}
	c.waive(PartCheckpoint, textOtherSize, StepSameLog, kept.Size)
	c.note(c.words.NotCompared)
}

// compareKept compares a checkpoint with all that is proven of the log.
func (c *checker) compareKept(kept statement) (compared bool, err error) {
	var known []view
	if c.bet != nil {
		known = append(known, c.bet.views()...)
	}
	if c.draw != nil {
		known = append(known, c.draw.views()...)
	}
	size, err := compare([]view{kept.itself()}, known)
	if err == nil && c.log != nil {
		return true, c.log.begins(kept)
	}
	return size > 0, err
}
