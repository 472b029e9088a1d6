package verify

import (
	"fmt"
	"strconv"
	"strings"

	"quiniela"
)

// text names what is said of a step that did not fail. Each language has a format for it; the arguments are the same in all.
type text int

const (
	textNone text = iota
	textReceipt
	textOutcome
	textRecord     // a play
	textCommitment // first name, last name, document, birthdate
	textBatch      // batch, agency, bets
	textBatchProof // which bet, of how many
	textSigned     // origin, entries
	textSealed     // entries
	textWitnesses  // how many
	textLogProof   // index, entries
	textOpen       // draw, its id, index
	textSeal       // index, bets, batches
	textResult     // index
	textBefore     // index of the batch, index of the seal
	textInSealed
	textNumberBeacon
	textNumberNotary
	textNumberExtract // number, SHA-256
	textNumberFixed
	textRoundTime // round, its time, when bets ended
	textSameBeacon
	textSameLog
	textInTime // when the round was public
	textSeen   // when
	textEvidence
	textTwoLogs   // entries, origin
	textLateBatch // index of the batch, index of the seal

	// Of steps that were not made.
	textUnproven
	textNeedsLog
	textOtherSize // entries
	textNoWitnesses
	textNoTime

	texts // how many there are
)

// played is a play as an argument of a text.
type played struct{ quiniela.Play }

// words are what a report says in one language.
type words struct {
	titles   map[string]string // of the steps; a step without one has its name for a title
	texts    [texts]string
	meanings map[string]string  // what a failed step means, before the reason; none: the reason alone
	reason   func(error) string // why a step failed
	parts    map[string]string  // the documents, in a sentence

	Head                         string                     // a play without a stake: the number with its digits
	Digits                       [quiniela.MaxDigits]string // how many digits a play has
	FirstPrize, OnePrize, Prizes string                     // where it is: the first; another one; from, to
	Thousands, Point             string                     // in an amount

	// What a draw-open entry says: see Opening.
	OpenDraw, OpenGame, OpenAgencies, OpenOpened, OpenCloses, OpenEnds, OpenFixed, OpenNotary, OpenBeacon, OpenUnknown, OpenLeaf string

	NothingToCheck, EvidenceAlone, BeaconAlone, TwoPolicies, NoPolicy, BadPolicy, BadKey string

	// Verdicts. Proven and ByOperator have one of Won, NotWon and DrawOnly in them.
	Proven, ByOperator, Contradicted, FailedAt, FailedAll, NeedsOutcome, NeedsLog           string
	Bet, Won, NotWon, DrawOnly, DrawTwenty                                                  string
	GameWon, GameLost, NotesShare                                                           string // of the game quiniela: prizes and pesos; nothing; pool, due and cap
	NotCompared, NoOutcome, NotesNoWitness, NotesNotary, NotesTwenty, NotesFixed, NotesKeep string
	NotesOperator, NotesEarly, NotesMissing                                                 string
}

func (w *words) title(step string) string {
	if title, ok := w.titles[step]; ok {
		return title
	}
	return step
}

// pesos is an amount as a person reads it: 350,000.00.
func (w *words) pesos(cents uint64) string {
	whole := strconv.FormatUint(cents/100, 10)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + w.Thousands + whole[i:]
	}
	return whole + w.Point + fmt.Sprintf("%02d", cents%100)
}

// play says what a bet is on: the number, and in a game with stakes also how many digits it has, at which prizes it is, and for how much.
func (w *words) play(p quiniela.Play) string {
	if p.Stake == 0 {
		return fmt.Sprintf(w.Head, p.Appearance())
	}
	prizes := w.FirstPrize
	switch {
	case p.From == p.To && p.From > 1:
		prizes = fmt.Sprintf(w.OnePrize, p.From)
	case p.From != p.To:
		prizes = fmt.Sprintf(w.Prizes, p.From, p.To)
	}
	return strings.Join([]string{p.Appearance(), w.Digits[p.Digits-1], prizes, w.pesos(p.Stake)}, ", ")
}

// step says a finding.
func (w *words) step(f Finding) Step {
	s := Step{Part: f.Part, Name: f.Step, Title: w.title(f.Step), State: f.State}
	if f.State != Failed {
		s.Text = w.say(f.text, f.args)
		return s
	}
	s.Text = w.reason(f.Err)
	if meaning, ok := w.meanings[f.Step]; ok {
		s.Text = meaning + " (" + s.Text + ")"
	}
	return s
}

// say fills in a text.
func (w *words) say(t text, args []any) string {
	said := make([]any, len(args))
	for i, arg := range args {
		said[i] = arg
		if p, ok := arg.(played); ok {
			said[i] = w.play(p.Play)
		}
	}
	return fmt.Sprintf(w.texts[t], said...)
}
