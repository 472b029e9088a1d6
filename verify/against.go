package verify

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"quiniela/draw"
	"quiniela/proof"
)

// beacon compares the round that the result has with what another place says of it.
func (c *checker) beacon() {
	if c.Beacon == nil {
		return
	}
	if c.draw == nil {
		c.skip(PartBeacon, StepBeacon, c.words.Earlier)
		return
	}
	err := c.compareBeacon()
	c.step(PartBeacon, StepBeacon, err, c.words.SameBeacon)
}

func (c *checker) compareBeacon() error {
	b, err := draw.ParseBeacon(c.Beacon)
	if err != nil {
		return err
	}
	open, result := c.draw.Open, c.draw.Result
	chain := c.chain(*open)
	switch {
	case open.Beacon == nil:
		return fmt.Errorf("the draw was opened with the source %q, and names no round", open.Source)
	case chain == nil:
		return fmt.Errorf("the draw names the beacon %x, which is not known here", open.Beacon.Chain)
	}
	if _, err := chain.Check(b, open.Beacon.Round); err != nil {
		return err
	}
	if result.Source != proof.SourceBeacon {
		return fmt.Errorf("round %d has this signature, and the number was entered by a notary instead", b.Round)
	}
	if !bytes.Equal(b.Signature[:], result.Evidence) {
		return fmt.Errorf("round %d has another signature in the result", b.Round)
	}
	return nil
}

// checkpoint compares a checkpoint that somebody kept with those of the documents.
func (c *checker) checkpoint() {
	if c.Checkpoint == nil {
		return
	}
	kept, err := c.policy.Open(c.Checkpoint)
	if err != nil {
		c.step(PartCheckpoint, proof.StepCheckpoint, err, "")
		return
	}
	c.step(PartCheckpoint, proof.StepCheckpoint, nil, fmt.Sprintf(c.words.Signed, kept.Origin, kept.Size))
	compared, err := c.compare(kept)
	switch {
	case err == nil && compared == 0 && c.bet == nil && c.draw == nil:
		c.skip(PartCheckpoint, StepSameLog, c.words.Earlier)
	case err == nil && compared == 0:
		c.skip(PartCheckpoint, StepSameLog, fmt.Sprintf(c.words.OtherSize, kept.Size))
		c.note(c.words.NotCompared)
	default:
		c.step(PartCheckpoint, StepSameLog, err, c.words.SameLog)
	}
	if c.draw != nil && c.draw.Result.Source == proof.SourceBeacon && uint64(kept.Size) == c.outcome.Seal.Index+1 && compared > 0 {
		c.inTime(kept)
	}
}

// compare counts in how many places a checkpoint says the same as the documents do, which are proven.
func (c *checker) compare(kept *proof.Opened) (compared int, err error) {
	against := func(at *proof.Opened, logged ...proof.Logged) {
		if at.Origin != kept.Origin {
			err = errors.Join(err, fmt.Errorf("it is of the log %s, and not of %s", kept.Origin, at.Origin))
			return
		}
		roots := []proof.Checkpoint{at.Checkpoint}
		for _, l := range logged {
			roots = append(roots, proof.Checkpoint{Size: int64(l.Index) + 1, Root: rootThrough(l, at.Size)})
		}
		for _, r := range roots {
			if r.Size != kept.Size {
				continue
			}
			compared++
			if r.Root != kept.Root {
				err = errors.New("two logs of one size differ: different people are shown different things; keep both files and publish them")
			}
		}
	}
	if c.bet != nil {
		against(c.bet.At, c.bet.Receipt.Batch)
	}
	if c.draw != nil {
		against(c.draw.At, c.outcome.Open, c.outcome.Seal, c.outcome.Result)
	}
	return compared, err
}

// rootThrough returns the root that the log had when an entry was its last one. The entry's path, which has been checked
// against a log of size entries, has all it takes: what is on the left of the entry.
func rootThrough(l proof.Logged, size int64) proof.Hash {
	return leftRoot(l.Path, 0, size, int64(l.Index), proof.LeafHash(l.Entry))
}

func leftRoot(path []proof.Hash, from, to, index int64, leaf proof.Hash) proof.Hash {
	if to-from == 1 {
		return leaf
	}
	half := int64(1)
	for half*2 < to-from {
		half *= 2
	}
	last := len(path) - 1
	if index < from+half {
		return leftRoot(path[:last], from, from+half, index, leaf)
	}
	return tlog.NodeHash(path[last], leftRoot(path[:last], from+half, to, index, leaf))
}

// inTime checks, for the checkpoint that ends with the seal, that the quorum had seen it before the round was public.
func (c *checker) inTime(kept *proof.Opened) {
	if !c.policy.NeedsWitnesses() {
		c.skip(PartCheckpoint, StepInTime, c.words.NoWitnesses)
		return
	}
	at := c.chain(*c.draw.Open).TimeOf(c.draw.Open.Beacon.Round)
	err := c.policy.Quorum(kept.Before(at))
	if err != nil {
		err = fmt.Errorf("before %s, when the round was public: %w", clock(at), err)
	}
	c.step(PartCheckpoint, StepInTime, err, fmt.Sprintf(c.words.InTime, clock(at)))
}

func micros(t uint64) time.Time { return time.UnixMicro(int64(t)) }

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
