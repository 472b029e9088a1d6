package proof

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"quiniela"
)

// outcomeFormat is the first field of an outcome.
const outcomeFormat = "quiniela/v1/outcome"

// Outcome proves how a draw went: that it was opened, sealed and had its result, in this order, in one log. It is public.
type Outcome struct {
	Format     string `json:"format"`
	Open       Logged `json:"open"`
	Seal       Logged `json:"seal"`
	Result     Logged `json:"result"`
	Checkpoint string `json:"checkpoint"` // a signed note
}

// NewOutcome returns the outcome of a draw's three entries, each with its way to the root of one signed checkpoint.
func NewOutcome(open, seal, result Logged, checkpoint []byte) *Outcome {
	return &Outcome{outcomeFormat, open, seal, result, string(checkpoint)}
}

// Encode returns the outcome's JSON, ended by a line end.
func (o *Outcome) Encode() ([]byte, error) { return encodeJSON(o) }

// ParseOutcome reads an outcome's JSON as strictly as ParseReceipt. It checks no proof: VerifyOutcome does.
func ParseOutcome(data []byte) (*Outcome, error) {
	o := new(Outcome)
	if err := decodeJSON(data, o); err != nil {
		return nil, fmt.Errorf("parse outcome: %w", err)
	}
	if o.Format != outcomeFormat {
		return nil, fmt.Errorf("parse outcome: the format is %.40q, and this program reads %q", o.Format, outcomeFormat)
	}
	return o, nil
}

// VerifyOutcome checks an outcome's JSON against a policy and derives its number again. bet, which may be nil, is what a
// receipt said that Verify passed: its batch must then lie between the draw's opening and its seal. derive may be nil where
// no beacon is known, and a beacon's number then fails. Like Verify it always returns the same steps, but for StepBefore
// without a bet.
func VerifyOutcome(data []byte, policy *Policy, bet *Verified, derive Deriver) ([]Step, Verified) {
	var r report
	var v Verified
	o, err := ParseOutcome(data)
	if !r.step(StepFormat, err, "the draw's proof is complete and well-formed") {
		r.skip(StepFormat, outcomeSteps(bet)...)
		return r.steps, v
	}
	r.checkpoint(o.Checkpoint, policy, &v)
	if v.At == nil {
		r.skip(StepCheckpoint, outcomeSteps(bet)[2:]...)
		return r.steps, v
	}
	r.entries(o, &v)
	if bet != nil {
		r.step(StepBefore, before(bet, o, v), "the bet's batch, entry %d, is before the seal, entry %d", receiptIndex(bet), o.Seal.Index)
	}
	if v.Open == nil || v.Result == nil {
		r.skip(StepResult, StepNumber)
		return r.steps, v
	}
	r.step(StepNumber, checkNumber(*v.Open, LeafHash(o.Open.Entry), *v.Result, derive), "%04d, %s", v.Result.Number, provenance(*v.Result))
	return r.steps, v
}

func outcomeSteps(bet *Verified) []string {
	steps := []string{StepCheckpoint, StepWitnesses, StepOpen, StepSeal, StepResult}
	if bet != nil {
		steps = append(steps, StepBefore)
	}
	return append(steps, StepNumber)
}

// entries checks the three entries, each by itself and against the one before.
func (r *report) entries(o *Outcome, v *Verified) {
	open, err := ParseDrawOpen(o.Open.Entry)
	if r.step(StepOpen, cmp.Or(err, o.Open.in(v.At)), "draw %d, %q, was opened by entry %d of the log", open.Draw, open.ID, o.Open.Index) {
		v.Open = &open
	}
	seal, err := ParseSeal(o.Seal.Entry)
	if err == nil && (v.Open == nil || seal.Draw != open.Draw || seal.Open != o.Open.Index || o.Seal.Index <= o.Open.Index) {
		err = fmt.Errorf("it seals draw %d opened by entry %d, and is no seal of this draw", seal.Draw, seal.Open)
	}
	if r.step(StepSeal, cmp.Or(err, o.Seal.in(v.At)), "the draw was sealed by entry %d with %d bets in %d batches", o.Seal.Index, seal.Bets, seal.Batches) {
		v.Seal = &seal
	}
	result, err := ParseResult(o.Result.Entry)
	if err == nil && (v.Seal == nil || result.Draw != seal.Draw || result.Open != seal.Open || result.Seal != o.Seal.Index || o.Result.Index <= o.Seal.Index) {
		err = fmt.Errorf("it is the result of draw %d sealed by entry %d, and not of this one", result.Draw, result.Seal)
	}
	if r.step(StepResult, cmp.Or(err, o.Result.in(v.At)), "the result is entry %d, after the seal", o.Result.Index) {
		v.Result = &result
	}
}

// before returns an error where a bet's batch is not one that the seal stands for.
func before(bet *Verified, o *Outcome, v Verified) error {
	switch {
	case v.Open == nil || v.Seal == nil || bet.Receipt == nil || bet.At == nil:
		return errors.New("cannot be told: the draw's entries or the bet are not proven")
	case bet.At.Origin != v.At.Origin:
		return fmt.Errorf("the receipt is of the log %s, the draw of %s", bet.At.Origin, v.At.Origin)
	case bet.Batch.Draw != v.Seal.Draw:
		return fmt.Errorf("the bet is in draw %d, and this is draw %d", bet.Batch.Draw, v.Seal.Draw)
	case receiptIndex(bet) <= o.Open.Index || receiptIndex(bet) >= o.Seal.Index:
		return fmt.Errorf("the bet's batch is entry %d, not between the draw's opening (%d) and its seal (%d)", receiptIndex(bet), o.Open.Index, o.Seal.Index)
	case bet.Batch.CumulativeBets > v.Seal.Bets || bet.Batch.Batch > v.Seal.Batches || bet.Batch.CumulativeStake > v.Seal.Stake:
		return errors.New("the seal counts fewer bets than the batch's agency had sent")
	case bet.At.Size == v.At.Size && bet.At.Root != v.At.Root:
		return errors.New("two checkpoints of one size differ: the log shows different people different things; keep both and publish them")
	}
	return nil
}

func receiptIndex(bet *Verified) uint64 {
	if bet.Receipt == nil {
		return 0
	}
	return bet.Receipt.Batch.Index
}

// checkNumber returns an error where the result does not follow from what was fixed when the draw opened.
func checkNumber(open DrawOpen, binding Hash, result Result, derive Deriver) error {
	if result.Source != open.Source {
		if open.Source == SourceBeacon && result.Source == SourceNotary && open.Beacon.Fallback == FallbackNotary {
			return nil // the notary's signature is on the extract, which is not here
		}
		return fmt.Errorf("the draw was opened with the source %q, and its number is from %q", open.Source, result.Source)
	}
	switch open.Source {
	case SourceFixed:
		if result.Number != *open.Number || len(result.Prizes) > 0 {
			return fmt.Errorf("the number is %04d, and the draw was opened with %04d", result.Number, *open.Number)
		}
	case SourceBeacon:
		if derive == nil {
			return errors.New("cannot be told: no beacon is known here")
		}
		numbers, err := derive(open, binding, result.Evidence)
		if err != nil {
			return err
		}
		return checkDerived(result, numbers)
	}
	return nil
}

func checkDerived(result Result, numbers []quiniela.Number) error {
	want := result.Prizes
	if len(want) == 0 {
		want = []quiniela.Number{result.Number}
	}
	if len(numbers) < len(want) || !slices.Equal(numbers[:len(want)], want) {
		return fmt.Errorf("the beacon's round gives %04d, and the result says %04d", numbers, want)
	}
	return nil
}

func provenance(r Result) string {
	switch r.Source {
	case SourceBeacon:
		return "from the beacon's round that the draw named when it opened"
	case SourceNotary:
		if len(r.Evidence) == 0 {
			return "as a notary entered it, who handed in no extract"
		}
		return fmt.Sprintf("as a notary entered it; the signed extract has the SHA-256 %x", r.Evidence)
	}
	return "as it was fixed when the draw opened"
}
