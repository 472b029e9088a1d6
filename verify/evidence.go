package verify

import (
	"errors"
	"fmt"

	"quiniela/receipt"
	"quiniela/tlog"
)

// checkEvidence says whether two signed statements exclude each other. It needs nothing but the policy.
func (c *checker) checkEvidence() {
	e, err := receipt.ParseEvidence(c.Evidence)
	if !c.step(PartEvidence, StepFormat, err, textEvidence) {
		c.skip(PartEvidence, textUnproven, StepCheckpoint, StepSecond, StepExclude)
		return
	}
	first, failed := c.policy.VerifyCheckpoint([]byte(e.First.Checkpoint))
	c.signed(PartEvidence, StepCheckpoint, first, failed)
	second, err := c.policy.VerifyCheckpoint([]byte(e.Second.Checkpoint))
	c.signed(PartEvidence, StepSecond, second, err)
	if failed != nil || err != nil {
		c.skip(PartEvidence, textUnproven, StepExclude)
		return
	}
	text, args := textTwoLogs, []any{e.Size, first.Origin}
	if e.Kind == receipt.LateBatch {
		text, args = textLateBatch, []any{e.Batch.Index, e.Seal.Index}
	}
	if c.step(PartEvidence, StepExclude, excludes(e, first, second), text, args...) {
		c.convicted = e
	}
}

// excludes returns an error where the statements of evidence could both be true of one log.
func excludes(e *receipt.Evidence, first, second *tlog.VerifiedCheckpoint) error {
	if first.Origin != second.Origin {
		return fmt.Errorf("they are of two logs, %s and %s, and may differ", first.Origin, second.Origin)
	}
	if e.Kind == receipt.LateBatch {
		return lateBatch(*e.Seal, first, *e.Batch, second)
	}
	one, err := rootAt(e.Size, first, e.First)
	if err != nil {
		return fmt.Errorf("the first: %w", err)
	}
	other, err := rootAt(e.Size, second, e.Second)
	if err != nil {
		return fmt.Errorf("the second: %w", err)
	}
	if one == other {
		return errors.New("both are of the same log: nothing is wrong with them")
	}
	return nil
}

// rootAt returns the root of the first entries of a checkpoint's log, by the proof in the evidence.
func rootAt(size uint64, in *tlog.VerifiedCheckpoint, shown receipt.Shown) (root tlog.Hash, err error) {
	n := int64(size)
	switch {
	case n == in.Size:
		return in.Root, nil
	case n < 1 || n > in.Size:
		return root, fmt.Errorf("a log of %d entries does not show %d", in.Size, size)
	case len(shown.Leaf) != tlog.HashSize:
		return root, fmt.Errorf("a leaf of %d bytes, want %d", len(shown.Leaf), tlog.HashSize)
	}
	leaf := tlog.Hash(shown.Leaf)
	if err := tlog.CheckInclusion(shown.Proof, in.Size, in.Root, n-1, leaf); err != nil {
		return root, fmt.Errorf("the proof does not show the log's entry %d: %w", n-1, err)
	}
	return tlog.RootAfter(shown.Proof, in.Size, n-1, leaf), nil
}

// lateBatch returns an error where a batch does not come after the seal of its draw.
func lateBatch(seal receipt.Logged, sealed *tlog.VerifiedCheckpoint, batch receipt.Logged, in *tlog.VerifiedCheckpoint) error {
	s, err := receipt.ParseSeal(seal.Entry)
	if err != nil {
		return err
	}
	b, err := receipt.ParseBatchEntry(batch.Entry)
	if err != nil {
		return err
	}
	if err := errors.Join(seal.In(sealed), batch.In(in)); err != nil {
		return err
	}
	if s.Draw != b.Draw || batch.Index <= seal.Index {
		return fmt.Errorf("the batch, entry %d, is of draw %d, and the seal, entry %d, of draw %d: both may be", batch.Index, b.Draw, seal.Index, s.Draw)
	}
	return nil
}
