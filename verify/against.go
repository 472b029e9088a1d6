package verify

import (
	"bytes"
	"errors"
	"fmt"

	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/tlog"
)

// checkBeacon compares the round that the result has with what another source says of it.
func (c *checker) checkBeacon() {
	if c.Beacon == nil {
		return
	}
	if c.draw == nil {
		c.skip(PartBeacon, textUnproven, StepBeacon)
		return
	}
	c.step(PartBeacon, StepBeacon, c.compareBeacon(), textSameBeacon)
}

func (c *checker) compareBeacon() error {
	b, err := draw.ParseBeacon(c.Beacon)
	if err != nil {
		return err
	}
	chain, err := c.draw.chain(c.Chains)
	if err != nil {
		return err
	}
	if _, err := chain.Check(b, c.draw.Open.Beacon.Round); err != nil {
		return err
	}
	if !c.draw.fromBeacon() {
		return fmt.Errorf("round %d has this signature, and the number was entered by a notary instead", b.Round)
	}
	if !bytes.Equal(b.Signature[:], c.draw.Result.Evidence) {
		return fmt.Errorf("round %d has another signature in the result", b.Round)
	}
	return nil
}

// checkCheckpoint compares a checkpoint that somebody kept with those of the documents.
func (c *checker) checkCheckpoint() {
	if c.Checkpoint == nil {
		return
	}
	kept, err := c.policy.VerifyCheckpoint(c.Checkpoint)
	if err != nil {
		c.step(PartCheckpoint, StepCheckpoint, err, textNone)
		return
	}
	c.step(PartCheckpoint, StepCheckpoint, nil, textSigned, kept.Origin, kept.Size)
	compared, err := c.compareCheckpoint(kept)
	switch {
	case err == nil && compared == 0 && c.bet == nil && c.draw == nil:
		c.skip(PartCheckpoint, textUnproven, StepSameLog)
	case err == nil && compared == 0:
		c.Findings = append(c.Findings, Finding{Part: PartCheckpoint, Step: StepSameLog, State: Skipped, text: textOtherSize, args: []any{kept.Size}})
		c.note(c.words.NotCompared)
	default:
		c.step(PartCheckpoint, StepSameLog, err, textSameLog)
	}
	endsWithSeal := c.draw != nil && uint64(kept.Size) == c.draw.Outcome.Seal.Index+1
	if endsWithSeal && c.draw.fromBeacon() && compared > 0 {
		c.checkInTime(kept)
	}
}

// compareCheckpoint compares a checkpoint with what the documents, which are proven, show of the log at its size. It returns
// how many comparisons that were.
func (c *checker) compareCheckpoint(kept *tlog.VerifiedCheckpoint) (compared int, err error) {
	compare := func(in *tlog.VerifiedCheckpoint, entries ...receipt.Logged) {
		if in.Origin != kept.Origin {
			err = errors.Join(err, fmt.Errorf("it is of the log %s, and not of %s", kept.Origin, in.Origin))
			return
		}
		roots := []tlog.Checkpoint{in.Checkpoint}
		for _, e := range entries {
			root := tlog.RootAfter(e.Proof, in.Size, int64(e.Index), tlog.LeafHash(e.Entry))
			roots = append(roots, tlog.Checkpoint{Size: int64(e.Index) + 1, Root: root})
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
		compare(c.bet.Checkpoint, c.bet.Receipt.Batch)
	}
	if c.draw != nil {
		compare(c.draw.Checkpoint, c.draw.Outcome.Open, c.draw.Outcome.Seal, c.draw.Outcome.Result)
	}
	return compared, err
}

// checkInTime checks that the quorum had cosigned the checkpoint that ends with the seal before the round was public.
func (c *checker) checkInTime(kept *tlog.VerifiedCheckpoint) {
	if !c.policy.NeedsWitnesses() {
		c.skip(PartCheckpoint, textNoWitnesses, StepInTime)
		return
	}
	chain, err := c.draw.chain(c.Chains)
	if err != nil {
		c.step(PartCheckpoint, StepInTime, err, textNone)
		return
	}
	public := chain.TimeOf(c.draw.Open.Beacon.Round)
	if err = c.policy.Quorum(kept.Before(public)); err != nil {
		err = fmt.Errorf("before %s, when the round was public: %w", clock(public), err)
	}
	c.step(PartCheckpoint, StepInTime, err, textInTime, clock(public))
}
