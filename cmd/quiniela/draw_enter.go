package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/web"
)

type drawEnterCommand struct {
	adminFlags
	ID      string   `arg:"" help:"Name of the draw."`
	Number  []string `arg:"" optional:"" help:"The official number, 0 to 9999. In the game quiniela the twenty of the extract in their order, four digits each; or none, and they are read from the file of --extract."`
	Extract string   `help:"The signed official extract; its SHA-256 goes into the public log. In the game quiniela, where no number is given: a file with the twenty numbers, a line for each, such as 1,4563." placeholder:"FILE"`
	Beacon  string   `help:"The beacon's round, as drand publishes it at /public/ROUND: for a server that reaches no relay." placeholder:"FILE"`
	askFlags
}

// entry is what is entered in a draw.
type entry struct {
	body    map[string]any // what is sent
	word    string         // the number or the round in it, which the person types again
	extract []uint16       // all twenty numbers, in the game quiniela; the person types the draw's name
}

func (c *drawEnterCommand) Run(e env) error {
	if err := c.check(); err != nil {
		return usageError{err}
	}
	d, err := c.show(e, c.ID)
	if err != nil {
		return err
	}
	entered, err := c.entry(d)
	if err != nil {
		return err
	}
	if err := c.ask(e, d, entered); err != nil {
		return err
	}
	return c.change(e, drawPath(c.ID)+"/number", entered.body)
}

// check refuses what no draw takes, whatever its game is.
func (c *drawEnterCommand) check() error {
	switch n := len(c.Number); {
	case c.Beacon != "" && (n > 0 || c.Extract != ""):
		return errors.New("a beacon's round gives the number by itself: leave the number and the extract out")
	case c.Beacon == "" && c.Extract == "" && n == 0:
		return fmt.Errorf("which number? Give it, or --beacon FILE; in the game %s give all %d, or a file that has them with --extract FILE", quiniela.GameQuiniela, quiniela.PrizeCount)
	case n > 1 && n != quiniela.PrizeCount:
		return fmt.Errorf("%d numbers: want one, or in the game %s all %d of the extract", n, quiniela.GameQuiniela, quiniela.PrizeCount)
	case n == 1:
		_, err := winningNumber(c.Number[0])
		return err
	}
	for i, text := range c.Number {
		if _, err := draw.ParsePrize(text); err != nil {
			return fmt.Errorf("prize %d: %w", i+1, err)
		}
	}
	return nil
}

// winningNumber reads the number of a draw of the specification's game.
func winningNumber(text string) (*uint16, error) {
	n, err := quiniela.ParseInt(text, 64)
	if err != nil {
		return nil, fmt.Errorf("<number>: %w", err)
	}
	v := int(n)
	return number(&v, true)
}

// entry returns what is to be entered in a draw.
func (c *drawEnterCommand) entry(d web.Draw) (entry, error) {
	switch {
	case c.Beacon != "":
		return c.round()
	case hasStakes(d):
		return c.prizes(d)
	case len(c.Number) == 0:
		return entry{}, usageError{fmt.Errorf("which number? Give it: draw %s is of the game %s, and no number is read from a file for it", d.ID, quiniela.GameSpecified)}
	case len(c.Number) > 1:
		return entry{}, usageError{fmt.Errorf("%d numbers: draw %s is of the game %s and has one", len(c.Number), d.ID, quiniela.GameSpecified)}
	}
	n, err := winningNumber(c.Number[0])
	if err != nil {
		return entry{}, usageError{err}
	}
	entered := entry{body: map[string]any{"number": n}, word: fmt.Sprintf("%04d", *n)}
	_, err = c.file(entered.body)
	return entered, err
}

// round returns the beacon's round that is in a file.
func (c *drawEnterCommand) round() (entry, error) {
	text, err := os.ReadFile(c.Beacon)
	if err != nil {
		return entry{}, fmt.Errorf("read the beacon's round: %w", err)
	}
	b, err := draw.ParseBeacon(text)
	if err != nil {
		return entry{}, fmt.Errorf("%s: %w", c.Beacon, err)
	}
	return entry{body: map[string]any{"beacon": b}, word: fmt.Sprint(b.Round)}, nil
}

// prizes returns the twenty numbers of a draw of the game quiniela: those that were typed, or those in the file.
func (c *drawEnterCommand) prizes(d web.Draw) (entered entry, err error) {
	if len(c.Number) == 1 {
		return entered, usageError{fmt.Errorf("one number: draw %s is of the game %s and has %d; give all of them, or a file that has them with --extract FILE and no number",
			d.ID, d.Terms.Game(), quiniela.PrizeCount)}
	}
	entered.body = map[string]any{}
	text, err := c.file(entered.body)
	if err != nil {
		return entered, err
	}
	var extract []quiniela.Number
	if len(c.Number) == 0 {
		if bytes.HasPrefix(text, []byte("%PDF")) {
			return entered, fmt.Errorf("%s is a PDF, of which no numbers are read: give all %d before --extract, and the file's SHA-256 is recorded with them", c.Extract, quiniela.PrizeCount)
		}
		if extract, err = draw.ParseExtract(text); err != nil {
			return entered, fmt.Errorf("%s: %w", c.Extract, err)
		}
	}
	for _, typed := range c.Number {
		n, err := draw.ParsePrize(typed)
		if err != nil {
			return entered, usageError{err}
		}
		extract = append(extract, n)
	}
	entered.body["prizes"] = extract
	for _, n := range extract {
		entered.extract = append(entered.extract, uint16(n))
	}
	return entered, nil
}

// file reads the extract's file, where there is one, and puts its SHA-256 into what is sent.
func (c *drawEnterCommand) file(body map[string]any) (text []byte, err error) {
	if c.Extract == "" {
		return nil, nil
	}
	if text, err = os.ReadFile(c.Extract); err != nil {
		return nil, fmt.Errorf("read the extract: %w", err)
	}
	body["extract"] = fmt.Sprintf("%x", sha256.Sum256(text))
	return text, nil
}

// ask asks whether to enter it. The twenty numbers of an extract are shown first, as an extract shows them.
func (c *drawEnterCommand) ask(e env, d web.Draw, entered entry) error {
	if entered.extract == nil {
		what := e.say("Enter %s in draw %s, which is %s, with %s bets of %d agencies. Its winners follow from it.")
		if d.Two {
			what = e.say("Enter %s in draw %s, which is %s, with %s bets of %d agencies. It takes effect when a second person has entered the same.")
		}
		return c.confirm(e, fmt.Sprintf(what, entered.word, d.ID, e.say(d.State), e.count(d.Bets), d.Agencies), entered.word)
	}
	if err := extractTable(e, entered.extract).write(e.stderr, widthOf(e.stderr)); err != nil {
		return fmt.Errorf("say what would be done: %w; nothing was done", err)
	}
	what := e.say("Enter this extract in draw %s, which is %s, with %s bets of %d agencies and %s staked. Its prizes follow from it.")
	if d.Two {
		what = e.say("Enter this extract in draw %s, which is %s, with %s bets of %d agencies and %s staked. It takes effect when a second person has entered the same.")
	}
	return c.confirm(e, fmt.Sprintf(what, d.ID, e.say(d.State), e.count(d.Bets), d.Agencies, e.money(d.Staked)), d.ID)
}
