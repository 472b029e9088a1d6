package verify

import (
	"quiniela/receipt"
	"quiniela/tlog"
)

// Bet is a bet that a receipt has proven.
type Bet struct {
	Receipt    *receipt.Receipt
	Record     receipt.Record
	Batch      receipt.BatchEntry
	Checkpoint *tlog.VerifiedCheckpoint
}

// Receipt verifies a receipt's JSON by itself: that its bet is in the log of its own checkpoint, which a log of the policy has signed.
// No witness is asked for, since a receipt may be made at any time; what counts is the draw's seal. It always returns the same steps in
// the same order; a step that an earlier failure makes impossible is skipped. The bet is nil unless every step passed.
func Receipt(data []byte, policy *tlog.Policy) (found Findings, bet *Bet) {
	r, err := receipt.ParseReceipt(data)
	if !found.step(PartReceipt, StepFormat, err, textReceipt) {
		found.skip(PartReceipt, textUnproven, StepRecord, StepCommitment, StepBatch, StepBatchProof, StepCheckpoint, StepLogProof)
		return found, nil
	}
	b := &Bet{Receipt: r}
	found.record(b)
	found.batch(b)
	b.Checkpoint, err = policy.VerifyCheckpoint([]byte(r.Checkpoint))
	if !found.signed(PartReceipt, StepCheckpoint, b.Checkpoint, err) {
		found.skip(PartReceipt, textUnproven, StepLogProof)
	} else {
		found.step(PartReceipt, StepLogProof, r.Batch.In(b.Checkpoint), textLogProof, r.Batch.Index, b.Checkpoint.Size)
	}
	if !found.Passed() {
		return found, nil
	}
	return found, b
}

// record checks the public record, and that it commits to the person in the receipt.
func (f *Findings) record(b *Bet) {
	r := b.Receipt
	record, err := r.Record()
	if !f.step(PartReceipt, StepRecord, err, textRecord, played{record.Play}) {
		f.skip(PartReceipt, textUnproven, StepCommitment)
		return
	}
	b.Record = record
	f.step(PartReceipt, StepCommitment, r.CheckPerson(record), textCommitment, r.FirstName, r.LastName, r.Document, r.Birthdate)
}

// batch checks the entry of the bet's batch, and that the bet's page is in the batch.
func (f *Findings) batch(b *Bet) {
	r := b.Receipt
	entry, err := receipt.ParseBatchEntry(r.Batch.Entry)
	if !f.step(PartReceipt, StepBatch, err, textBatch, entry.Batch, entry.Agency, entry.Count) {
		f.skip(PartReceipt, textUnproven, StepBatchProof)
		return
	}
	b.Batch = entry
	f.step(PartReceipt, StepBatchProof, r.CheckPage(entry), textBatchProof, r.Index+1, entry.Count)
}

// signed records whether a log of the policy has signed a checkpoint.
func (f *Findings) signed(part, step string, c *tlog.VerifiedCheckpoint, err error) bool {
	if err != nil {
		return f.step(part, step, err, textNone)
	}
	return f.step(part, step, nil, textSigned, c.Origin, c.Size)
}
