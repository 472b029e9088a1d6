package proof

import (
	"fmt"
	"slices"
	"time"

	"quiniela"
)

// Step is one thing that was checked: Name is short and never changes; Text says in plain words what was found.
type Step struct {
	Name string
	OK   bool
	Text string
}

// Passed reports whether there are steps and all of them passed.
func Passed(steps []Step) bool {
	return len(steps) > 0 && !slices.ContainsFunc(steps, func(s Step) bool { return !s.OK })
}

// report collects steps.
type report struct{ steps []Step }

// step records a check that passed where err is nil, with what to say of it then.
func (r *report) step(name string, err error, format string, args ...any) bool {
	s := Step{Name: name, OK: err == nil, Text: fmt.Sprintf(format, args...)}
	if err != nil {
		s.Text = err.Error()
	}
	r.steps = append(r.steps, s)
	return s.OK
}

// skip records the checks that cannot be made since an earlier one failed.
func (r *report) skip(after string, names ...string) {
	for _, name := range names {
		r.steps = append(r.steps, Step{Name: name, Text: fmt.Sprintf("not checked, since %q failed", after)})
	}
}

// The names of Verify's steps, in order.
const (
	StepFormat     = "format"          // the receipt is well-formed
	StepRecord     = "bet"             // the public record is a bet's
	StepCommitment = "commitment"      // the record commits to the person in the receipt
	StepBatch      = "batch"           // the batch's entry is well-formed and has as many bets
	StepBatchPath  = "bet in batch"    // the record is in the batch
	StepCheckpoint = "checkpoint"      // a log that the policy knows has signed the checkpoint
	StepWitnesses  = "witnesses"       // the policy's quorum has cosigned it
	StepLogPath    = "batch in log"    // the batch is in the log of the checkpoint
	StepOpen       = "draw-open entry" // the entry is well-formed and in the log
	StepSeal       = "seal"            // likewise, and of the same draw
	StepBefore     = "before the seal" // the bet's batch is between the two
	StepResult     = "result"          // the result entry is well-formed, in the log after the seal, and of the same draw
	StepNumber     = "number"          // the number follows from what was fixed when the draw opened
)

// Verified is what a receipt or a draw's proof says. Believe it only where all steps passed; fields that could not be read
// are nil or zero.
type Verified struct {
	Receipt *Receipt
	Record  Record
	Batch   BatchEntry
	Open    *DrawOpen
	Seal    *Seal
	Result  *Result
	At      *Opened // the checkpoint
}

// Verify checks a receipt's JSON against a policy. It always returns the same steps in the same order; a step that an
// earlier failure makes impossible has failed. The bet is proven where Passed(steps).
func Verify(data []byte, policy *Policy) ([]Step, Verified) {
	var r report
	var v Verified
	receipt, err := ParseReceipt(data)
	if !r.step(StepFormat, err, "the receipt is complete and well-formed") {
		r.skip(StepFormat, StepRecord, StepCommitment, StepBatch, StepBatchPath, StepCheckpoint, StepWitnesses, StepLogPath)
		return r.steps, v
	}
	v.Receipt = receipt
	r.bet(receipt, &v)
	r.checkpoint(receipt.Checkpoint, policy, &v)
	if v.At == nil {
		r.skip(StepCheckpoint, StepLogPath)
	} else {
		r.step(StepLogPath, receipt.Batch.in(v.At), "the batch is entry %d of the %d in the log", receipt.Batch.Index, v.At.Size)
	}
	return r.steps, v
}

// bet checks what a receipt says of its bet, up to the batch's entry.
func (r *report) bet(receipt *Receipt, v *Verified) {
	record, err := ParseRecord(receipt.Record)
	if r.step(StepRecord, err, "number %04d, stake %d, game %d%s", record.Number, record.Stake, record.Game, at(record.Time)) {
		v.Record = record
		r.step(StepCommitment, checkCommitment(receipt, record), "the bet was made by %s %s, document %s, born %s",
			receipt.FirstName, receipt.LastName, receipt.Document, receipt.Birthdate)
	} else {
		r.skip(StepRecord, StepCommitment)
	}
	entry, err := ParseBatchEntry(receipt.Batch.Entry)
	if err == nil && entry.Count != receipt.Count {
		err = fmt.Errorf("the receipt says %d bets in the batch, its entry says %d", receipt.Count, entry.Count)
	}
	if !r.step(StepBatch, err, "draw %d, agency %d, batch %d of %d bets", entry.Draw, entry.Agency, entry.Batch, entry.Count) {
		r.skip(StepBatch, StepBatchPath)
		return
	}
	v.Batch = entry
	// Any bytes are fine to hash here: whether they are a record is a step of its own.
	err = CheckInclusion(receipt.Path, int64(entry.Count), entry.Root, int64(receipt.Index), LeafHash(receipt.Record))
	if err != nil {
		err = fmt.Errorf("the bet is not bet %d of the batch: %w", receipt.Index, err)
	}
	r.step(StepBatchPath, err, "the bet is number %d of the batch, counted from 0", receipt.Index)
}

func at(ms uint64) string {
	if ms == 0 {
		return ""
	}
	return ", made at " + time.UnixMilli(int64(ms)).UTC().Format("2006-01-02 15:04:05 UTC")
}

func checkCommitment(receipt *Receipt, record Record) error {
	if len(receipt.Salt) != SaltSize {
		return fmt.Errorf("a salt of %d bytes, want %d", len(receipt.Salt), SaltSize)
	}
	commit, err := receipt.Person().Commit([SaltSize]byte(receipt.Salt))
	if err != nil {
		return err
	}
	if commit != record.Commit {
		return fmt.Errorf("the bet was not made by %.64q %.64q, or the salt is not its own", receipt.FirstName, receipt.LastName)
	}
	return nil
}

// checkpoint opens a signed checkpoint into v.At.
func (r *report) checkpoint(signed string, policy *Policy, v *Verified) {
	opened, err := policy.Open([]byte(signed))
	if err != nil {
		r.step(StepCheckpoint, err, "")
		r.skip(StepCheckpoint, StepWitnesses)
		return
	}
	v.At = opened
	r.step(StepCheckpoint, nil, "signed by the log %s, %d entries", opened.Origin, opened.Size)
	text := "the policy asks for no witness"
	if policy.NeedsWitnesses() {
		text = fmt.Sprintf("cosigned by %d witnesses: nobody is shown another log", len(opened.Cosigned))
	}
	r.step(StepWitnesses, policy.Quorum(opened), "%s", text)
}

// in returns an error where the entry is not in the log of a checkpoint.
func (l Logged) in(o *Opened) error {
	if l.Index >= uint64(o.Size) {
		return fmt.Errorf("entry %d is past the checkpoint, which has %d entries", l.Index, o.Size)
	}
	if err := CheckInclusion(l.Path, o.Size, o.Root, int64(l.Index), LeafHash(l.Entry)); err != nil {
		return fmt.Errorf("it is not entry %d of the log: %w", l.Index, err)
	}
	return nil
}

// Deriver returns the numbers that a beacon's signature gives a draw, the winning one first, having verified that it is
// the signature of the round that the draw named. binding is the leaf hash of the draw-open entry. Package draw has all
// it takes; it is handed in since this package knows no beacon.
type Deriver func(open DrawOpen, binding Hash, signature []byte) ([]quiniela.Number, error)
