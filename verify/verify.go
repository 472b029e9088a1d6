// Package verify checks the documents that a lottery gives to people: a bettor's receipt and a draw's outcome. It owns the
// steps of a check, their states, and what is said of them in both languages. The command `quiniela verify`, the page that
// does the same in a browser, and the audit of a published log use it.
//
// It opens no file or socket. It trusts nothing but the policy that it is given; the formats are package receipt's, the
// log's proofs package tlog's, and a beacon's numbers package draw's.
package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"quiniela"
	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/tlog"
)

// Options are the documents to check and whose signatures count. A document that is not there is nil.
type Options struct {
	Receipt    []byte        // a bet's; nil to check a draw alone
	Outcome    []byte        // the draw's outcome.json
	Policy     []byte        // whose checkpoints count, in the format of C2SP tlog-policy; or else
	Key        []byte        // the log's verifier key alone, and no witness
	Beacon     []byte        // the round's JSON, from a source other than the lottery; needs Outcome
	Checkpoint []byte        // one that was kept
	Evidence   []byte        // two signed statements that are said to exclude each other; alone, with a policy or key
	Log        Log           // the published log; nil: it is not at hand
	Chains     []*draw.Chain // the beacons that are known; none: draw.Quicknet
	Lang       string        // es, or else English
}

// Log reads a file of the published log, by its name below the log's root. Its error wraps fs.ErrNotExist where there is none. Nothing
// that it returns is believed without a proof.
type Log func(name string) ([]byte, error)

// State says how a step went.
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
	PartLog        = "log"
	PartEvidence   = "evidence"
)

// Names of the steps. They never change, whatever the language.
const (
	StepFormat     = "format"                // the document is well-formed
	StepRecord     = "bet"                   // the public record is a bet's
	StepCommitment = "commitment"            // the record commits to the person in the receipt
	StepBatch      = "batch"                 // the batch's entry is well-formed and has as many bets
	StepBatchProof = "bet in batch"          // the record is in the batch
	StepCheckpoint = "checkpoint"            // a log of the policy has signed the checkpoint
	StepSealed     = "sealed checkpoint"     // a log of the policy has signed a checkpoint that has the seal
	StepWitnesses  = "witnesses"             // the policy's quorum has cosigned that, and the one with the result
	StepLogProof   = "batch in log"          // the batch is in the log of the checkpoint
	StepOpen       = "draw-open entry"       // the entry is well-formed and in the log
	StepSeal       = "seal"                  // likewise, and of the same draw
	StepResult     = "result"                // likewise, and after the seal
	StepBefore     = "before the seal"       // the bet's batch is between the draw's opening and its seal
	StepInSealed   = "in the sealed log"     // the log of the receipt and the one that was sealed are the same, up to the bet
	StepNumber     = "number"                // the number follows from what was fixed when the draw opened
	StepRoundTime  = "round after the close" // the beacon's round was not public yet when bets ended
	StepBeacon     = "beacon"                // the round from elsewhere is the one that the result has
	StepSameLog    = "same log"              // a kept checkpoint, or the published log, is of the same log
	StepSecond     = "second checkpoint"     // evidence: a log of the policy has signed the second statement
	StepExclude    = "contradiction"         // evidence: the two cannot both be true
	StepInTime     = "sealed in time"        // the quorum saw the seal before the beacon's round was public
)

// Finding is what one step found.
type Finding struct {
	Part  string
	Step  string
	State State
	Err   error // why it failed; nil unless State is Failed

	waived bool // Skipped, and nothing that the reader asked for needs it

	text text // what is said of it where it did not fail
	args []any
}

// Findings are what the steps of a check found, in order.
type Findings []Finding

// step records a step that failed where err is not nil, and passed otherwise; text and args say what was found then.
func (f *Findings) step(part, step string, err error, text text, args ...any) bool {
	finding := Finding{Part: part, Step: step, State: OK, text: text, args: args}
	if err != nil {
		finding = Finding{Part: part, Step: step, State: Failed, Err: err}
	}
	*f = append(*f, finding)
	return err == nil
}

// skip records steps that cannot be made, and text says why.
func (f *Findings) skip(part string, text text, steps ...string) {
	for _, step := range steps {
		*f = append(*f, Finding{Part: part, Step: step, State: Skipped, text: text})
	}
}

// waive records a step that is not made because nothing that the reader asked for needs it; text says why.
func (f *Findings) waive(part string, text text, step string, args ...any) {
	*f = append(*f, Finding{Part: part, Step: step, State: Skipped, waived: true, text: text, args: args})
}

// Passed reports whether there are steps and every one of them passed, or is one that the reader's policy does not ask for.
func (f Findings) Passed() bool {
	for _, finding := range f {
		if finding.State != OK && !finding.waived {
			return false
		}
	}
	return len(f) > 0
}

// Report is what a check found, in one language.
type Report struct {
	Steps   []Step   `json:"steps"`
	Result  Result   `json:"result"`
	Won     *bool    `json:"won,omitempty"`  // whether the bet won, where all that it takes is proven
	Paid    *uint64  `json:"paid,omitempty"` // what it is paid, in cents, in a game with stakes
	Verdict string   `json:"verdict"`        // one sentence
	Notes   []string `json:"notes"`          // what else the person should know
	// Evidence is two signed statements of the log that exclude each other, in JSON, where the check found some: a file that anybody
	// can check.
	Evidence []byte `json:"evidence,omitempty"`
}

// Result says what a check came to.
type Result string

// Results of a check.
const (
	Proven       Result = "proven"          // all of it, also for the witnesses that the policy asks for
	ByOperator   Result = "proven but time" // all of it but when the draw was sealed: the policy asks for no witness
	NotYet       Result = "not yet"         // nothing failed, and what it takes is not there yet
	NotProven    Result = "not proven"
	Contradicted Result = "contradicted" // two signed statements exclude each other
)

// Step is one step of a report.
type Step struct {
	Part  string `json:"part"`
	Name  string `json:"name"`  // never changes, whatever the language
	Title string `json:"title"` // the name in the report's language
	State State  `json:"state"`
	Text  string `json:"text"` // what was found
}

// checker makes a report.
type checker struct {
	Options
	policy *tlog.Policy
	words  *words
	Findings
	report    Report
	bet       *Bet              // proven, or nil
	draw      *Draw             // likewise
	log       *published        // likewise
	convicted *receipt.Evidence // proven, or nil
}

// Check makes the steps that the documents allow. It fails where nothing can be checked at all; what is wrong with the
// documents themselves is in the report.
func Check(o Options) (*Report, error) {
	c := &checker{Options: o, words: &english}
	if o.Lang == "es" {
		c.words = &spanish
	}
	alone := o.Receipt == nil && o.Outcome == nil && o.Beacon == nil && o.Checkpoint == nil && o.Log == nil
	switch {
	case o.Evidence != nil && !alone:
		return nil, errors.New(c.words.EvidenceAlone)
	case o.Evidence == nil && o.Receipt == nil && o.Outcome == nil:
		return nil, errors.New(c.words.NothingToCheck)
	}
	var err error
	if c.policy, err = c.readPolicy(); err != nil {
		return nil, err
	}
	if o.Evidence != nil {
		c.checkEvidence()
	} else if err := c.checkDocuments(); err != nil {
		return nil, err
	}
	for _, f := range c.Findings {
		c.report.Steps = append(c.report.Steps, c.words.step(f))
	}
	return &c.report, c.conclude()
}

// checkDocuments checks the receipt and the outcome, and all that they can be compared with.
func (c *checker) checkDocuments() error {
	c.checkReceipt()
	if err := c.fetchOutcome(); err != nil {
		return err
	}
	if c.Beacon != nil && c.Outcome == nil {
		return errors.New(c.words.BeaconAlone)
	}
	c.openLog()
	c.checkOutcome()
	c.checkBeacon()
	c.checkCheckpoint()
	c.checkPublished()
	return nil
}

// fetchOutcome takes the outcome of the receipt's draw from the published log, where the reader has given none.
func (c *checker) fetchOutcome() (err error) {
	if c.Log == nil || c.bet == nil || c.Outcome != nil || quiniela.CheckDrawID(c.bet.Receipt.Draw) != nil {
		return nil
	}
	c.Outcome, err = c.Log("draws/" + c.bet.Receipt.Draw + "/outcome.json")
	if errors.Is(err, fs.ErrNotExist) {
		c.Outcome, err = nil, nil
		c.note(c.words.NoOutcome)
	}
	return err
}

// readPolicy returns the policy of the options.
func (c *checker) readPolicy() (*tlog.Policy, error) {
	switch {
	case c.Policy != nil && c.Key != nil:
		return nil, errors.New(c.words.TwoPolicies)
	case c.Policy == nil && c.Key == nil:
		return nil, errors.New(c.words.NoPolicy)
	case c.Policy != nil:
		p, err := tlog.ParsePolicy(c.Policy)
		if err != nil {
			return nil, fmt.Errorf(c.words.BadPolicy, err)
		}
		return p, nil
	}
	p, err := tlog.TrustLog(strings.TrimSpace(string(c.Key)))
	if err != nil {
		return nil, fmt.Errorf(c.words.BadKey, err)
	}
	return p, nil
}

func (c *checker) checkReceipt() {
	if c.Receipt == nil {
		return
	}
	found, bet := Receipt(c.Receipt, c.policy)
	c.Findings = append(c.Findings, found...)
	c.bet = bet
}

func (c *checker) checkOutcome() {
	if c.Outcome == nil {
		return
	}
	found, drawn := Outcome(c.Outcome, c.policy, c.Chains)
	if drawn == nil || !found.Passed() {
		c.Findings = append(c.Findings, found...)
	} else {
		if drawn.fromBeacon() {
			found.roundTime(drawn, c.Chains)
		}
		found.inTime(drawn, c.policy, c.Chains)
		c.Findings = append(c.Findings, found...)
		if found.Passed() {
			c.draw = drawn
		}
	}
	if c.Receipt != nil {
		c.checkSealed()
	}
}
