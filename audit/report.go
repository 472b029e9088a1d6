package audit

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"quiniela"
)

// Report is what an audit came to.
type Report struct {
	Log      string   `json:"log"` // the log's origin
	Size     int64    `json:"size"`
	Root     string   `json:"root"` // in base64
	Warnings []string `json:"warnings,omitempty"`
	Checks   []*Check `json:"checks"`
	Draws    []*Draw  `json:"draws"`
	Pending  []string `json:"pending,omitempty"` // what is not published yet, and why
	OK       bool     `json:"ok"`                // nothing differs
	Complete bool     `json:"complete"`          // and all of it could be checked
}

// Check is one kind of thing that was checked.
type Check struct {
	Name     string   `json:"name"`
	Text     string   `json:"text"`
	Checked  uint64   `json:"checked"`               // how many of it
	Findings []string `json:"findings,omitempty"`    // the first differences
	More     uint64   `json:"more,omitempty"`        // differences that are not listed
	Not      string   `json:"not_checked,omitempty"` // what could not be checked, and why
}

// Draw is what the audit recomputed of a draw.
type Draw struct {
	ID      string    `json:"id"`
	State   string    `json:"state"` // open, sealed or drawn
	Source  string    `json:"source"`
	Bets    uint64    `json:"bets"`
	Batches uint64    `json:"batches"`
	Stake   uint64    `json:"stake"`
	Sealed  time.Time `json:"sealed,omitzero"`
	Number  *uint16   `json:"number,omitempty"`
	Winners uint64    `json:"winners"`
	Due     uint64    `json:"due,omitempty"`  // their prizes, in cents, in the game quiniela
	Paid    uint64    `json:"paid,omitempty"` // and what they are paid
	// By agency, in order; those without bets are left out.
	Agencies []Agency `json:"agencies"`
}

// Agency is what the audit recomputed of an agency in a draw.
type Agency struct {
	Agency  uint32 `json:"agency"`
	Batches uint64 `json:"batches"`
	Bets    uint64 `json:"bets"`
	Stake   uint64 `json:"stake"`
	Winners uint64 `json:"winners"`
	Due     uint64 `json:"due,omitempty"`
	Paid    uint64 `json:"paid,omitempty"`
}

// mostFindings is how many differences a check lists.
const mostFindings = 50

func (c *Check) finding(format string, args ...any) {
	if len(c.Findings) == mostFindings {
		c.More++
		return
	}
	c.Findings = append(c.Findings, fmt.Sprintf(format, args...))
}

// mostAgencies is how many agencies of a draw the text lists.
const mostAgencies = 20

// WriteText writes the report for people.
func (r *Report) WriteText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	// Flush tells of errors. Names of files and of draws are from whoever published the log.
	say := func(format string, args ...any) {
		for i, arg := range args {
			if text, ok := arg.(string); ok {
				args[i] = quiniela.Printable(text)
			}
		}
		_, _ = fmt.Fprintf(w, format, args...)
	}
	say("Log %s, %d entries, root %s\n\n", r.Log, r.Size, r.Root)
	for _, text := range r.Warnings {
		say("WARNING: %s\n\n", text)
	}
	for _, c := range r.Checks {
		say("%s\t%s\t%s\n", c.verdict(), c.Name, c.Text)
		for _, f := range c.Findings {
			say("\t\t- %s\n", f)
		}
		if c.More > 0 {
			say("\t\t- and %d more\n", c.More)
		}
		if c.Not != "" {
			say("\t\tnot checked: %s\n", c.Not)
		}
	}
	for _, d := range r.Draws {
		d.write(say)
	}
	say("\n%s\n", r.Verdict())
	return w.Flush()
}

func (c *Check) verdict() string {
	switch {
	case len(c.Findings) > 0:
		return "FAILED"
	case c.Not != "" && c.Checked == 0:
		return "not checked"
	case c.Not != "":
		return "ok so far"
	}
	return "ok"
}

func (d *Draw) write(say func(string, ...any)) {
	say("\nDraw %s (%s): %d bets%s in %d batches", d.ID, d.State, d.Bets, staked(d.Stake), d.Batches)
	if d.Number != nil {
		say(", number %04d from source %s, %d winners%s", *d.Number, d.Source, d.Winners, paid(d.Due, d.Paid))
	}
	say(".\n")
	for i, a := range d.Agencies {
		if i == mostAgencies {
			say("  and %d more agencies: see the JSON\n", len(d.Agencies)-i)
			break
		}
		say("  agency %d\t%d batches\t%d bets%s\t%d winners%s\n", a.Agency, a.Batches, a.Bets, staked(a.Stake), a.Winners, paid(a.Due, a.Paid))
	}
}

// staked says how much was staked, in the games that have stakes.
func staked(cents uint64) string {
	if cents == 0 {
		return ""
	}
	return ", " + quiniela.FormatCents(cents) + " staked,"
}

// paid says what winners are paid, in the games that have stakes.
func paid(due, paid uint64) string {
	switch {
	case due == 0:
		return ""
	case paid < due:
		return fmt.Sprintf(" paid %s of %s", quiniela.FormatCents(paid), quiniela.FormatCents(due))
	}
	return " paid " + quiniela.FormatCents(paid)
}

// Verdict says in a sentence what it came to.
func (r *Report) Verdict() string {
	var failed []string
	for _, c := range r.Checks {
		if len(c.Findings) > 0 {
			failed = append(failed, c.Name)
		}
	}
	switch {
	case !r.OK:
		return "FAILED: what is published does not agree with itself: " + strings.Join(failed, ", ") + ". Keep a copy of all of it."
	case len(r.Pending) > 0:
		return "NOT YET: what is published so far agrees, and some is not published yet: " + strings.Join(r.Pending, "; ") + ". Audit again later."
	case !r.Complete:
		return "All that could be checked agrees. Not all of it could: see above."
	}
	return "Everything agrees: the bets, their totals, the seals, the numbers and the winners are what the log says, and the log is one."
}
