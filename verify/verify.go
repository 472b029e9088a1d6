// Package verify tells a person whether a receipt is right: it runs the checks of package proof on what the person has, says
// of each in plain words what it found, and comes to a verdict. The command `quiniela verify` and the page that does the same
// in a browser are both made of it, so it opens no file and no socket. It believes nothing but the policy that it is given.
package verify

import (
	"errors"
	"fmt"
	"strings"

	"quiniela"
	"quiniela/draw"
	"quiniela/proof"
)

// Inputs are what a person has: the contents of files, nil where there is none.
type Inputs struct {
	Receipt    []byte // a bet's; or none, to check a draw alone
	Outcome    []byte // the draw's outcome.json
	Policy     []byte // whom to believe, in the format of C2SP tlog-policy; or else
	Key        []byte // the log's verifier key alone, and no witness
	Beacon     []byte // the round's JSON, from a place that is not the lottery's; needs Outcome
	Checkpoint []byte // one that was kept, or the draw's sealed.checkpoint
	Chains     []*draw.Chain
	Lang       string // es, or else English
}

// State says how a check went.
type State string

// States of a step.
const (
	OK      State = "ok"
	Failed  State = "failed"
	Skipped State = "skipped" // it could not be made
)

// Parts of a report: which document a step is about.
const (
	PartReceipt    = "receipt"
	PartOutcome    = "outcome"
	PartBeacon     = "beacon"
	PartCheckpoint = "checkpoint"
)

// Names of the steps that are made here; those of package proof keep theirs.
const (
	StepRoundTime = "round after the close" // the beacon's round was still to come when bets ended
	StepBeacon    = "beacon"                // the round from elsewhere is the one that the result has
	StepSameLog   = "same log"              // a kept checkpoint is of the same log
	StepInTime    = "sealed in time"        // the quorum saw the seal before the beacon's round was public
)

// Step is one check.
type Step struct {
	Part  string `json:"part"`
	Name  string `json:"name"`  // never changes, whatever the language
	Title string `json:"title"` // the name in the report's language
	State State  `json:"state"`
	Text  string `json:"text"` // what was found
}

// Report is what was found.
type Report struct {
	Steps   []Step   `json:"steps"`
	Proven  bool     `json:"proven"`        // no step has failed
	Won     *bool    `json:"won,omitempty"` // whether the bet won, where all that it takes is proven
	Verdict string   `json:"verdict"`       // one sentence
	Notes   []string `json:"notes"`         // what else the person should know
}

// checker makes a report.
type checker struct {
	Inputs
	policy  *proof.Policy
	words   words
	report  Report
	bet     *proof.Verified // proven, or nil
	draw    *proof.Verified // likewise
	outcome *proof.Outcome  // of draw
}

// Check makes the checks that the inputs allow. It fails where nothing can be checked at all; what is wrong with the
// documents themselves is in the report.
func Check(in Inputs) (*Report, error) {
	c := &checker{Inputs: in, words: english}
	if in.Lang == "es" {
		c.words = spanish
	}
	var err error
	switch {
	case in.Receipt == nil && in.Outcome == nil:
		return nil, errors.New(c.words.NothingToCheck)
	case in.Beacon != nil && in.Outcome == nil:
		return nil, errors.New(c.words.BeaconAlone)
	}
	if c.policy, err = c.believe(); err != nil {
		return nil, err
	}
	if len(c.Chains) == 0 {
		c.Chains = []*draw.Chain{draw.Quicknet()}
	}
	c.receipt()
	c.drawn()
	c.beacon()
	c.checkpoint()
	c.conclude()
	return &c.report, nil
}

// believe returns the policy of the inputs.
func (c *checker) believe() (*proof.Policy, error) {
	switch {
	case c.Policy != nil && c.Key != nil:
		return nil, errors.New(c.words.TwoPolicies)
	case c.Policy == nil && c.Key == nil:
		return nil, errors.New(c.words.NoPolicy)
	case c.Policy != nil:
		p, err := proof.ParsePolicy(c.Policy)
		if err != nil {
			return nil, fmt.Errorf(c.words.BadPolicy, err)
		}
		return p, nil
	}
	key := strings.TrimSpace(string(c.Key))
	if strings.ContainsAny(key, " \t\r\n") {
		return nil, fmt.Errorf(c.words.BadKey, errors.New("more than one word"))
	}
	p, err := proof.ParsePolicy([]byte("log " + key + "\nquorum none\n"))
	if err != nil {
		return nil, fmt.Errorf(c.words.BadKey, err)
	}
	return p, nil
}

// step adds a step; ok is what to say where err is nil.
func (c *checker) step(part, name string, err error, ok string) bool {
	s := Step{Part: part, Name: name, Title: c.words.title(name), State: OK, Text: ok}
	if err != nil {
		s.State, s.Text = Failed, c.words.failure(name, err.Error())
	}
	c.report.Steps = append(c.report.Steps, s)
	return err == nil
}

func (c *checker) skip(part, name, why string) {
	c.report.Steps = append(c.report.Steps, Step{Part: part, Name: name, Title: c.words.title(name), State: Skipped, Text: why})
}

// notChecked is how package proof begins the text of a step that it could not make.
const notChecked = "not checked"

// take adds the steps of package proof.
func (c *checker) take(part string, steps []proof.Step, v *proof.Verified) {
	for _, s := range steps {
		switch {
		case s.OK:
			c.step(part, s.Name, nil, c.words.found(part, s, v))
		case strings.HasPrefix(s.Text, notChecked):
			c.skip(part, s.Name, c.words.Earlier)
		default:
			c.step(part, s.Name, errors.New(s.Text), "")
		}
	}
}

func (c *checker) receipt() {
	if c.Receipt == nil {
		return
	}
	steps, v := proof.Verify(c.Receipt, c.policy)
	c.take(PartReceipt, steps, &v)
	if proof.Passed(steps) {
		c.bet = &v
	}
}

// drawn checks the draw's outcome, and the bet's place in it.
func (c *checker) drawn() {
	if c.Outcome == nil {
		return
	}
	steps, v := proof.VerifyOutcome(c.Outcome, c.policy, c.bet, c.derive)
	c.take(PartOutcome, steps, &v)
	if c.Receipt != nil && c.bet == nil {
		c.skip(PartOutcome, proof.StepBefore, c.words.Earlier)
	}
	if v.Open == nil || v.Seal == nil || v.Result == nil {
		return
	}
	inTime := v.Result.Source != proof.SourceBeacon || c.roundTime(&v)
	if o, err := proof.ParseOutcome(c.Outcome); err == nil && proof.Passed(steps) && inTime {
		c.draw, c.outcome = &v, o
	}
}

// derive is the proof.Deriver of the chains.
func (c *checker) derive(open proof.DrawOpen, binding proof.Hash, signature []byte) ([]quiniela.Number, error) {
	chain := c.chain(open)
	if chain == nil {
		return nil, fmt.Errorf("the draw names the beacon %x, which is not known here", open.Beacon.Chain)
	}
	randomness, err := chain.Verify(open.Beacon.Round, signature)
	if err != nil {
		return nil, err
	}
	numbers, err := draw.Prizes(randomness, draw.Terms{
		ChainHash: open.Beacon.Chain, Round: open.Beacon.Round, DrawID: open.ID, Binding: binding,
	})
	return numbers[:], err
}

// chain returns the chain that a draw names, or nil.
func (c *checker) chain(open proof.DrawOpen) *draw.Chain {
	for _, chain := range c.Chains {
		if open.Beacon != nil && proof.Hash(chain.Hash()) == open.Beacon.Chain {
			return chain
		}
	}
	return nil
}

// roundTime checks that nobody could know the round while bets were taken, by the times in the log.
func (c *checker) roundTime(v *proof.Verified) bool {
	chain := c.chain(*v.Open)
	if chain == nil {
		c.skip(PartOutcome, StepRoundTime, c.words.Earlier)
		return false
	}
	at := chain.TimeOf(v.Open.Beacon.Round)
	late := max(v.Open.Opened, v.Open.Close, v.Seal.Sealed)
	var err error
	if at.IsZero() || late/1e6 >= uint64(at.Unix()) {
		err = fmt.Errorf("round %d was public at %s, and bets ended at %s: whoever could still add one could know the number",
			v.Open.Beacon.Round, clock(at), clock(micros(late)))
	}
	return c.step(PartOutcome, StepRoundTime, err, fmt.Sprintf(c.words.RoundLater, v.Open.Beacon.Round, clock(at), clock(micros(late))))
}
