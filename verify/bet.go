package verify

import (
	"fmt"

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

// Receipt verifies a receipt's JSON against a policy. It always returns the same steps in the same order; a step that an
// earlier failure makes impossible is skipped. The bet is nil unless every step passed.
func Receipt(data []byte, policy *tlog.Policy) (found Findings, bet *Bet) {
	r, err := receipt.ParseReceipt(data)
	if !found.step(PartReceipt, StepFormat, err, textReceipt) {
		found.skip(PartReceipt, textUnproven, StepRecord, StepCommitment, StepBatch, StepBatchProof, StepCheckpoint, StepWitnesses, StepLogProof)
		return found, nil
	}
	b := &Bet{Receipt: r}
	found.record(b)
	found.batch(b)
	b.Checkpoint = found.checkpoint(PartReceipt, r.Checkpoint, policy)
	if b.Checkpoint == nil {
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
	record, err := receipt.ParseRecord(b.Receipt.Record)
	text, args := textRecord, []any{record.Number, record.Stake, record.Game}
	if record.Time != 0 {
		text, args = textRecordWithTime, append(args, clock(micros(1000*record.Time)))
	}
	if !f.step(PartReceipt, StepRecord, err, text, args...) {
		f.skip(PartReceipt, textUnproven, StepCommitment)
		return
	}
	b.Record = record
	r := b.Receipt
	f.step(PartReceipt, StepCommitment, r.CheckPerson(record), textCommitment, r.FirstName, r.LastName, r.Document, r.Birthdate)
}

// batch checks the entry of the bet's batch, and that the record is in the batch.
func (f *Findings) batch(b *Bet) {
	r := b.Receipt
	entry, err := receipt.ParseBatchEntry(r.Batch.Entry)
	if err == nil && entry.Count != r.Count {
		err = fmt.Errorf("the receipt says %d bets in the batch, its entry says %d", r.Count, entry.Count)
	}
	if !f.step(PartReceipt, StepBatch, err, textBatch, entry.Draw, entry.Agency, entry.Batch, entry.Count) {
		f.skip(PartReceipt, textUnproven, StepBatchProof)
		return
	}
	b.Batch = entry
	// Any bytes may be hashed here: whether they are a record is a step of its own.
	err = tlog.CheckInclusion(r.Proof, int64(entry.Count), entry.Root, int64(r.Index), tlog.LeafHash(r.Record))
	if err != nil {
		err = fmt.Errorf("the bet is not bet %d of the batch: %w", r.Index, err)
	}
	f.step(PartReceipt, StepBatchProof, err, textBatchProof, r.Index)
}

// checkpoint verifies a document's signed checkpoint. It returns nil where no log of the policy has signed it.
func (f *Findings) checkpoint(part, signed string, policy *tlog.Policy) *tlog.VerifiedCheckpoint {
	c, err := policy.VerifyCheckpoint([]byte(signed))
	if err != nil {
		f.step(part, StepCheckpoint, err, textNone)
		f.skip(part, textUnproven, StepWitnesses)
		return nil
	}
	f.step(part, StepCheckpoint, nil, textSigned, c.Origin, c.Size)
	if policy.NeedsWitnesses() {
		f.step(part, StepWitnesses, policy.Quorum(c), textWitnesses, len(c.Cosigned))
	} else {
		f.step(part, StepWitnesses, nil, textNoWitnessNeeded)
	}
	return c
}
