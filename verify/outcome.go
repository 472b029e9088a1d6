package verify

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/tlog"
)

// Draw is a draw whose entries an outcome has shown to be in the log, in order.
type Draw struct {
	Outcome    *receipt.Outcome
	Open       receipt.DrawOpen
	Seal       receipt.Seal
	Result     receipt.Result
	Checkpoint *tlog.VerifiedCheckpoint // of the log that has all three
	Sealed     *tlog.VerifiedCheckpoint // the first that was shown of a log with the seal
}

// Outcome verifies an outcome's JSON against a policy and derives its number again. chains are the beacons that are known;
// none: draw.Quicknet. Outcome always returns the same steps in the same order. The draw is nil where its entries are not shown to
// be in the log. Use it only where every step passed.
func Outcome(data []byte, policy *tlog.Policy, chains []*draw.Chain) (found Findings, drawn *Draw) {
	o, err := receipt.ParseOutcome(data)
	if !found.step(PartOutcome, StepFormat, err, textOutcome) {
		found.skip(PartOutcome, textUnproven, StepCheckpoint, StepOpen, StepSeal, StepResult, StepSealed, StepWitnesses, StepNumber)
		return found, nil
	}
	d := &Draw{Outcome: o}
	d.Checkpoint, err = policy.VerifyCheckpoint([]byte(o.Checkpoint))
	if !found.signed(PartOutcome, StepCheckpoint, d.Checkpoint, err) {
		found.skip(PartOutcome, textUnproven, StepOpen, StepSeal, StepResult, StepSealed, StepWitnesses, StepNumber)
		return found, nil
	}
	if !found.entries(d) {
		found.skip(PartOutcome, textUnproven, StepSealed, StepWitnesses, StepNumber)
		return found, nil
	}
	found.sealed(d, policy)
	text, args := provenance(d)
	found.step(PartOutcome, StepNumber, d.checkNumber(chains), text, args...)
	return found, d
}

// sealed checks the checkpoint of the seal, and that the policy's quorum has cosigned it, and the one that has the result
// as well: nobody was shown another book, nor another result.
func (f *Findings) sealed(d *Draw, policy *tlog.Policy) {
	err := d.readSealed(policy)
	if !f.step(PartOutcome, StepSealed, err, textSealed, size(d.Sealed)) {
		f.skip(PartOutcome, textUnproven, StepWitnesses)
		return
	}
	if !policy.NeedsWitnesses() {
		f.waive(PartOutcome, textNoWitnesses, StepWitnesses)
		return
	}
	err = policy.Quorum(d.Sealed)
	if err == nil {
		if err = policy.Quorum(d.Checkpoint); err != nil {
			err = fmt.Errorf("the checkpoint with the result: %w", err)
		}
	}
	f.step(PartOutcome, StepWitnesses, err, textWitnesses, len(d.Sealed.Cosigned))
}

// readSealed sets d.Sealed. It must have the seal, and be of the log that the outcome's entries are in.
func (d *Draw) readSealed(policy *tlog.Policy) (err error) {
	if d.Sealed, err = policy.VerifyCheckpoint([]byte(d.Outcome.Sealed)); err != nil {
		return err
	}
	if err := d.Outcome.InSealed().In(d.Sealed); err != nil {
		return fmt.Errorf("the seal: %w", err)
	}
	sealed, last := d.statements()
	_, err = compare([]view{sealed.itself(), sealed.until(d.Outcome.InSealed())}, []view{last.itself(), last.until(d.Outcome.Seal)})
	return err
}

// entries checks the draw's three entries, each by itself and against the one before. It reports whether all are right.
func (f *Findings) entries(d *Draw) bool {
	o := d.Outcome
	err := d.readOpen()
	opened := f.step(PartOutcome, StepOpen, err, textOpen, d.Open.Draw, d.Open.ID, o.Open.Index)
	err = d.readSeal(opened)
	sealed := f.step(PartOutcome, StepSeal, err, textSeal, o.Seal.Index, d.Seal.Bets, d.Seal.Batches)
	err = d.readResult(sealed)
	return f.step(PartOutcome, StepResult, err, textResult, o.Result.Index)
}

// readOpen sets d.Open from its entry.
func (d *Draw) readOpen() (err error) {
	if d.Open, err = receipt.ParseDrawOpen(d.Outcome.Open.Entry); err != nil {
		return err
	}
	return d.Outcome.Open.In(d.Checkpoint)
}

// readSeal sets d.Seal from its entry. opened says whether the draw's opening was right.
func (d *Draw) readSeal(opened bool) (err error) {
	o := d.Outcome
	if d.Seal, err = receipt.ParseSeal(o.Seal.Entry); err != nil {
		return err
	}
	ofThisDraw := d.Seal.Draw == d.Open.Draw && d.Seal.Open == o.Open.Index && o.Seal.Index > o.Open.Index
	if !opened || !ofThisDraw {
		return fmt.Errorf("it seals draw %d opened by entry %d, and is no seal of this draw", d.Seal.Draw, d.Seal.Open)
	}
	return o.Seal.In(d.Checkpoint)
}

// readResult sets d.Result from its entry. sealed says whether the draw's seal was right.
func (d *Draw) readResult(sealed bool) (err error) {
	o := d.Outcome
	if d.Result, err = receipt.ParseResult(o.Result.Entry); err != nil {
		return err
	}
	ofThisSeal := d.Result.Draw == d.Seal.Draw && d.Result.Open == d.Seal.Open && d.Result.Seal == o.Seal.Index && o.Result.Index > o.Seal.Index
	if !sealed || !ofThisSeal {
		return fmt.Errorf("it is the result of draw %d sealed by entry %d, and not of this one", d.Result.Draw, d.Result.Seal)
	}
	if err := d.checkPayout(); err != nil {
		return err
	}
	return o.Result.In(d.Checkpoint)
}

// checkPayout returns an error where the share that prizes are paid at is not the one that the draw's terms give. What all prizes come to is
// the result's word: only who has all bets can count it.
func (d *Draw) checkPayout() error {
	game, p := d.Open.Game, d.Result.Payout
	switch {
	case (game != nil) != (p != nil):
		return fmt.Errorf("the draw is of the game %s, and its result of another", game.Game())
	case game == nil:
		return nil
	case p.Staked != d.Seal.Stake:
		return fmt.Errorf("the result says that %s were staked, and the seal %s", quiniela.FormatCents(p.Staked), quiniela.FormatCents(d.Seal.Stake))
	}
	pool := draw.Pool(game, new(big.Int).SetUint64(p.Staked), new(big.Int).SetUint64(p.Due))
	if pool.Cmp(new(big.Int).SetUint64(p.Pool)) != 0 {
		return fmt.Errorf("the result pays %s of %s, and by the draw's terms it is %s cents", quiniela.FormatCents(p.Pool), quiniela.FormatCents(p.Due), pool)
	}
	return nil
}

// pays returns at which prizes a play hits, and what it is paid, in cents, in a draw of the game quiniela whose outcome is right.
func (d *Draw) pays(p quiniela.Play) (hits []int, cents uint64) {
	if hits = draw.Hits(d.Result.Prizes, p); len(hits) == 0 {
		return nil, 0
	}
	prize := draw.Prize(d.Open.Game, p, len(hits))
	paid := draw.Paid(prize, new(big.Int).SetUint64(d.Result.Payout.Pool), new(big.Int).SetUint64(d.Result.Payout.Due))
	return hits, paid.Uint64()
}

// includes returns an error where a bet's batch is not one that the draw's seal stands for.
func (d *Draw) includes(bet *Bet) error {
	index := bet.Receipt.Batch.Index
	switch {
	case bet.Checkpoint.Origin != d.Checkpoint.Origin:
		return fmt.Errorf("the receipt is of the log %s, the draw of %s", bet.Checkpoint.Origin, d.Checkpoint.Origin)
	case bet.Batch.Draw != d.Seal.Draw || bet.Receipt.Draw != d.Open.ID:
		return fmt.Errorf("the bet is in draw %s, number %d of the log, and this is draw %s, number %d", bet.Receipt.Draw, bet.Batch.Draw, d.Open.ID, d.Seal.Draw)
	case d.Open.Game.CheckPlay(bet.Record.Play) != nil:
		return d.Open.Game.CheckPlay(bet.Record.Play)
	case index > d.Outcome.Seal.Index:
		return contradiction{receipt.NewLateBatch(d.Outcome.Seal, []byte(d.Outcome.Checkpoint), bet.Receipt.Batch, []byte(bet.Receipt.Checkpoint))}
	case index <= d.Outcome.Open.Index || index == d.Outcome.Seal.Index:
		return fmt.Errorf("the bet's batch is entry %d, not between the draw's opening (%d) and its seal (%d)", index, d.Outcome.Open.Index, d.Outcome.Seal.Index)
	case bet.Batch.CumulativeBets > d.Seal.Bets || bet.Batch.Batch > d.Seal.Batches || bet.Batch.CumulativeStake > d.Seal.Stake:
		return errors.New("the seal counts fewer bets than the batch's agency had sent")
	}
	return nil
}

// fromBeacon reports whether the number comes from a beacon's round.
func (d *Draw) fromBeacon() bool { return d.Result.Source == quiniela.SourceBeacon }

// checkNumber returns an error where the result does not follow from what was fixed when the draw opened.
func (d *Draw) checkNumber(chains []*draw.Chain) error {
	open, result := d.Open, d.Result
	if result.Source != open.Source { // a beacon's draw has no other end than its round
		return fmt.Errorf("the draw was opened with the source %q, and its number is from %q", open.Source, result.Source)
	}
	switch open.Source {
	case quiniela.SourceFixed:
		if result.Number != *open.Number {
			return fmt.Errorf("the number is %04d, and the draw was opened with %04d", result.Number, *open.Number)
		}
	case quiniela.SourceBeacon:
		return d.checkDerived(chains)
	}
	return nil
}

// checkDerived returns an error where the result's numbers are not those that the beacon's round gives.
func (d *Draw) checkDerived(chains []*draw.Chain) error {
	chain, err := d.chain(chains)
	if err != nil {
		return err
	}
	numbers, err := chain.Numbers(d.Result.Evidence, draw.Terms{
		ChainHash: d.Open.Beacon.Chain, Round: d.Open.Beacon.Round, DrawID: d.Open.ID, Binding: tlog.LeafHash(d.Outcome.Open.Entry),
	})
	if err != nil {
		return err
	}
	if !slices.Equal(numbers, d.Result.Prizes) {
		return fmt.Errorf("the beacon's round gives %04d, and the result says %04d", numbers, d.Result.Prizes)
	}
	return nil
}

// chain returns the beacon that the draw named when it opened, or an error where it named none or one that is not known.
func (d *Draw) chain(chains []*draw.Chain) (*draw.Chain, error) {
	if d.Open.Beacon == nil {
		return nil, fmt.Errorf("the draw was opened with the source %q, and names no round", d.Open.Source)
	}
	if len(chains) == 0 {
		chains = []*draw.Chain{draw.Quicknet()}
	}
	for _, chain := range chains {
		if tlog.Hash(chain.Hash()) == d.Open.Beacon.Chain {
			return chain, nil
		}
	}
	return nil, fmt.Errorf("the draw names the beacon %x, which is not known here", d.Open.Beacon.Chain[:])
}

// provenance says where a draw's number comes from, or its twenty numbers.
func provenance(d *Draw) (text, []any) {
	r, drawn := d.Result, d.drawn()
	switch {
	case r.Source == quiniela.SourceBeacon:
		return textNumberBeacon, []any{drawn}
	case r.Source == quiniela.SourceNotary && len(r.Evidence) > 0:
		return textNumberExtract, []any{drawn, r.Evidence}
	case r.Source == quiniela.SourceNotary:
		return textNumberNotary, []any{drawn}
	}
	return textNumberFixed, []any{drawn}
}

// drawn are the numbers that bets are compared with: one, or in the game quiniela all twenty.
func (d *Draw) drawn() string {
	if d.Open.Game == nil {
		return fmt.Sprintf("%04d", d.Result.Number)
	}
	return strings.Trim(fmt.Sprintf("%04d", d.Result.Prizes), "[]")
}

// roundTime checks, by the times in the log, that nobody could know the beacon's round while bets were taken.
func (f *Findings) roundTime(d *Draw, chains []*draw.Chain) bool {
	chain, err := d.chain(chains)
	if err != nil {
		f.skip(PartOutcome, textUnproven, StepRoundTime)
		return false
	}
	at := chain.TimeOf(d.Open.Beacon.Round)
	ended := max(d.Open.Opened, d.Open.Close, d.Seal.Sealed)
	if at.IsZero() || ended/1e6 >= uint64(at.Unix()) {
		err = fmt.Errorf("round %d was public at %s, and bets ended at %s: whoever could still add one could know the number",
			d.Open.Beacon.Round, clock(at), clock(micros(ended)))
	}
	return f.step(PartOutcome, StepRoundTime, err, textRoundTime, d.Open.Beacon.Round, clock(at), clock(micros(ended)))
}

// inTime checks, by the times of the witnesses, that the draw was sealed before the beacon's round was public. A draw without a
// beacon has no such time: it says when the witnesses saw the seal.
func (f *Findings) inTime(d *Draw, policy *tlog.Policy, chains []*draw.Chain) {
	if !policy.NeedsWitnesses() {
		f.waive(PartOutcome, textNoTime, StepInTime)
		return
	}
	if !d.fromBeacon() {
		f.step(PartOutcome, StepInTime, nil, textSeen, clock(d.seen(policy)))
		return
	}
	chain, err := d.chain(chains)
	if err != nil {
		f.skip(PartOutcome, textUnproven, StepInTime)
		return
	}
	public := chain.TimeOf(d.Open.Beacon.Round)
	if err = policy.Quorum(d.Sealed.Before(public)); err != nil {
		err = fmt.Errorf("before %s, when the round was public: %w", clock(public), err)
	}
	f.step(PartOutcome, StepInTime, err, textInTime, clock(public))
}

// seen returns when the witnesses whose quorum counts had all signed the seal. The policy must be met.
func (d *Draw) seen(policy *tlog.Policy) time.Time {
	var times []time.Time
	for _, c := range d.Sealed.Cosigned {
		times = append(times, c.At)
	}
	slices.SortFunc(times, time.Time.Compare)
	for _, at := range times {
		if policy.Quorum(d.Sealed.Before(at.Add(time.Second))) == nil {
			return at
		}
	}
	return time.Time{}
}

func micros(t uint64) time.Time { return time.UnixMicro(int64(t)) }

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// size is a checkpoint's, which may be nil.
func size(c *tlog.VerifiedCheckpoint) int64 {
	if c == nil {
		return 0
	}
	return c.Size
}
