package verify

import (
	"errors"
	"fmt"
	"strings"

	"quiniela"
	"quiniela/receipt"
)

func (c *checker) note(text string) { c.report.Notes = append(c.report.Notes, text) }

// conclude comes to the verdict.
func (c *checker) conclude() error {
	r := &c.report
	if err := c.convict(); err != nil {
		return err
	}
	switch failed := c.firstFailure(); {
	case c.convicted != nil:
		r.Result, r.Verdict = Contradicted, c.words.Contradicted
		return nil
	case failed != nil:
		r.Result = NotProven
		r.Verdict = fmt.Sprintf(c.words.FailedAt, c.words.title(failed.Step), c.words.parts[failed.Part])
		c.note(c.words.NotesKeep)
		return nil
	case !c.complete():
		r.Result = NotYet
		r.Verdict = c.notYet()
		return nil
	}
	r.Result = Proven
	proven := c.words.Proven
	if !c.policy.NeedsWitnesses() {
		r.Result, proven = ByOperator, c.words.ByOperator
		c.note(c.words.NotesNoWitness)
	}
	c.noteSource()
	c.noteClosing()
	r.Verdict = fmt.Sprintf(proven, c.verdict())
	return nil
}

// convict keeps the evidence of a contradiction, where the check was given some or has found some.
func (c *checker) convict() (err error) {
	for _, f := range c.Findings {
		var found contradiction
		if c.convicted == nil && errors.As(f.Err, &found) {
			c.convicted = found.evidence
		}
	}
	if c.convicted != nil {
		c.report.Evidence, err = c.convicted.Encode()
	}
	return err
}

func (c *checker) firstFailure() *Finding {
	for i, f := range c.Findings {
		if f.State == Failed {
			return &c.Findings[i]
		}
	}
	return nil
}

// complete reports whether all was checked that the verdict of a receipt, or of an outcome alone, stands for.
func (c *checker) complete() bool {
	return c.draw != nil && c.Findings.Passed() && (c.Receipt == nil || c.bet != nil)
}

// notYet says what is missing, where nothing failed.
func (c *checker) notYet() string {
	if c.bet == nil {
		return c.words.FailedAll
	}
	if c.draw == nil {
		return fmt.Sprintf(c.words.NeedsOutcome, c.describeBet())
	}
	return fmt.Sprintf(c.words.NeedsLog, c.describeBet())
}

// noteSource says what the number rests on, where that is not a beacon.
func (c *checker) noteSource() {
	switch c.draw.Result.Source {
	case quiniela.SourceFixed:
		c.note(c.words.NotesFixed)
	case quiniela.SourceNotary:
		if c.draw.Open.Game != nil {
			c.note(c.words.NotesTwenty)
			return
		}
		c.note(c.words.NotesNotary)
	}
}

// noteClosing says who closed the draw, where that was not its closing time or its agencies.
func (c *checker) noteClosing() {
	seal, open := c.draw.Seal, c.draw.Open
	if seal.By == receipt.ClosedByOperator {
		c.note(fmt.Sprintf(c.words.NotesOperator, clock(micros(seal.Sealed)), orDash(seal.Note)))
		if open.Close != 0 && seal.Sealed < open.Close {
			c.note(fmt.Sprintf(c.words.NotesEarly, clock(micros(open.Close))))
		}
	}
	if seal.Missing > 0 {
		c.note(fmt.Sprintf(c.words.NotesMissing, seal.Missing, open.Agencies))
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (c *checker) describeBet() string {
	b, r := c.bet, c.bet.Receipt
	return fmt.Sprintf(c.words.Bet, r.FirstName, r.LastName, c.words.play(b.Record.Play), r.Draw,
		r.Index+1, b.Batch.Batch, b.Batch.Agency, b.Checkpoint.Origin)
}

// verdict returns the sentence of a report whose steps all passed. It sets whether the bet won, where there is a bet.
func (c *checker) verdict() string {
	w := c.words
	if c.bet == nil {
		text := w.DrawOnly
		if c.draw.Open.Game != nil {
			text = w.DrawTwenty
		}
		return fmt.Sprintf(text, c.draw.Open.ID, c.draw.Checkpoint.Origin, c.draw.drawn())
	}
	if c.draw.Open.Game != nil {
		return c.verdictOfGame()
	}
	won := c.bet.Record.Play.Number == c.draw.Result.Number
	c.report.Won = &won
	if !won {
		return fmt.Sprintf(w.NotWon, c.describeBet(), c.draw.Result.Number)
	}
	return fmt.Sprintf(w.Won, c.describeBet(), c.draw.Result.Number)
}

// verdictOfGame is verdict in the game quiniela: at which prizes the bet hits, and what it is paid.
func (c *checker) verdictOfGame() string {
	w, d := c.words, c.draw
	hits, cents := d.pays(c.bet.Record.Play)
	won := len(hits) > 0
	c.report.Won = &won
	if !won {
		return fmt.Sprintf(w.GameLost, c.describeBet())
	}
	c.report.Paid = &cents
	if d.Result.Payout.Capped() {
		c.note(fmt.Sprintf(w.NotesShare, w.pesos(d.Result.Payout.Pool), w.pesos(d.Result.Payout.Due), d.Open.Game.Cap))
	}
	return fmt.Sprintf(w.GameWon, c.describeBet(), places(hits), w.pesos(cents))
}

// places lists prizes: 6, 11, 17.
func places(hits []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(hits), " ", ", "), "[]")
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
