package verify

import (
	"fmt"
	"strings"

	"quiniela"
)

func (c *checker) note(text string) { c.report.Notes = append(c.report.Notes, text) }

// conclude comes to the verdict.
func (c *checker) conclude() {
	w, r := c.words, &c.report
	for _, s := range r.Steps {
		if s.State == Failed {
			r.Verdict = fmt.Sprintf(w.FailedAt, s.Title, w.parts[s.Part])
			c.note(w.NotesKeep)
			return
		}
	}
	if c.Receipt != nil && c.bet == nil || c.Outcome != nil && c.draw == nil {
		r.Verdict = w.FailedAll // no step failed, and one that is needed could not be made
		return
	}
	r.Proven = true
	if !c.policy.NeedsWitnesses() {
		c.note(w.NotesNoWitness)
	}
	if c.draw != nil {
		c.noteSource()
	}
	r.Verdict = c.verdict()
}

// noteSource says what the number rests on, where that is not a beacon.
func (c *checker) noteSource() {
	switch open, result := c.draw.Open, c.draw.Result; {
	case result.Source == quiniela.SourceFixed:
		c.note(c.words.NotesFixed)
	case result.Source == quiniela.SourceNotary && open.Source == quiniela.SourceBeacon:
		c.note(c.words.NotesFallback)
		c.note(c.words.NotesNotary)
	case result.Source == quiniela.SourceNotary:
		c.note(c.words.NotesNotary)
	}
}

// verdict returns the sentence of a report whose steps all passed. It sets whether the bet won, where there is a bet and a draw.
func (c *checker) verdict() string {
	w := c.words
	if c.bet == nil {
		return fmt.Sprintf(w.DrawOnly, c.draw.Open.ID, c.draw.Checkpoint.Origin, c.draw.Result.Number)
	}
	b, r := c.bet, c.bet.Receipt
	bet := fmt.Sprintf(w.Bet, r.FirstName, r.LastName, b.Record.Number, b.Record.Stake,
		r.Index, b.Batch.Batch, b.Batch.Agency, b.Checkpoint.Origin)
	if c.draw == nil {
		return fmt.Sprintf(w.BetOnly, bet)
	}
	won := b.Record.Number == c.draw.Result.Number
	c.report.Won = &won
	if !won {
		return fmt.Sprintf(w.NotWon, bet, c.draw.Open.ID, c.draw.Result.Number)
	}
	return fmt.Sprintf(w.Won, bet, c.draw.Open.ID, c.draw.Result.Number)
}

// Text returns the report as a person reads it in a terminal: a line for each step, and the verdict. Whoever wrote a receipt chose the
// names in it, so nothing in a line can move the cursor or begin another.
func (r *Report) Text() string {
	marks := map[State]string{OK: "ok", Failed: "FAILED", Skipped: "not checked"}
	var b strings.Builder
	part := ""
	for _, s := range r.Steps {
		if s.Part != part {
			part = s.Part
			_, _ = fmt.Fprintf(&b, "%s\n", part)
		}
		_, _ = fmt.Fprintf(&b, "  %-12s%-22s%s\n", marks[s.State], s.Title, quiniela.Printable(s.Text))
	}
	_, _ = fmt.Fprintf(&b, "\n%s\n", quiniela.Printable(r.Verdict))
	for _, n := range r.Notes {
		_, _ = fmt.Fprintln(&b, quiniela.Printable(n))
	}
	return b.String()
}
