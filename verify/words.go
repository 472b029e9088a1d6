package verify

import "fmt"

// text names what is said of a step that did not fail. Each language has a format for it; the arguments are the same in all.
type text int

const (
	textNone text = iota
	textReceipt
	textOutcome
	textRecord         // number, stake, game
	textRecordWithTime // number, stake, game, time
	textCommitment     // first name, last name, document, birthdate
	textBatch          // draw, agency, batch, bets
	textBatchProof     // the bet's index
	textSigned         // origin, entries
	textWitnesses      // how many
	textNoWitnessNeeded
	textLogProof // index, entries
	textOpen     // draw, its id, index
	textSeal     // index, bets, batches
	textResult   // index
	textBefore   // index of the batch, index of the seal
	textNumberBeacon
	textNumberNotary
	textNumberExtract // number, SHA-256
	textNumberFixed
	textRoundTime // round, its time, when bets ended
	textSameBeacon
	textSameLog
	textInTime // when the round was public

	// Of steps that were not made.
	textUnproven
	textOtherSize // entries
	textNoWitnesses

	texts // how many there are
)

// words are what a report says in one language.
type words struct {
	titles   map[string]string // of the steps; a step without one has its name for a title
	texts    [texts]string
	meanings map[string]string // what a failed step means, before the reason, which is English; none: the reason alone
	parts    map[string]string // the documents, in a sentence

	NothingToCheck, BeaconAlone, TwoPolicies, NoPolicy, BadPolicy, BadKey string

	FailedAt, FailedAll, Bet, BetOnly, Won, NotWon, DrawOnly                       string
	NotCompared, NotesNoWitness, NotesNotary, NotesFallback, NotesFixed, NotesKeep string
}

// step says a finding.
func (w *words) step(f Finding) Step {
	s := Step{Part: f.Part, Name: f.Step, Title: f.Step, State: f.State}
	if title, ok := w.titles[f.Step]; ok {
		s.Title = title
	}
	if f.State != Failed {
		s.Text = fmt.Sprintf(w.texts[f.text], f.args...)
		return s
	}
	s.Text = f.Err.Error()
	if meaning, ok := w.meanings[f.Step]; ok {
		s.Text = meaning + " (" + s.Text + ")"
	}
	return s
}
