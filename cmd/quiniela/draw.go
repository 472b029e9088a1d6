package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"quiniela"
	"quiniela/internal/web"
)

type drawCommand struct {
	Open    drawOpenCommand    `cmd:"" help:"Open a draw."`
	Close   drawCloseCommand   `cmd:"" help:"Close a draw now, also with agencies missing: your decision, recorded."`
	Enter   drawEnterCommand   `cmd:"" help:"Enter the official number of a closed draw whose source is a notary, in the game quiniela all twenty, or a beacon's round. It cannot be changed."`
	Show    drawShowCommand    `cmd:"" help:"Show a draw and how far each agency is."`
	List    drawListCommand    `cmd:"" help:"List all draws."`
	Results drawResultsCommand `cmd:"" help:"Show a draw's winners with their documents, or in the game quiniela what each agency is paid."`

	Schedule drawScheduleCommand `cmd:"" help:"Check a schedule, and list its draws of the next days: when bets close, and what is open already."`
}

type drawOpenCommand struct {
	adminFlags
	ID       string `arg:"" help:"Name of the draw, such as 2026-11-24-evening."`
	Agencies uint32 `help:"Agencies that are expected: 1 to this." required:""`
	Closes   string `help:"Closing time: 21:00 (today, local time) or 2026-11-24T21:00:00-03:00. Without one the draw closes when all agencies have finished." placeholder:"TIME"`
	Source   string `help:"Source of the winning number: fixed, notary, or beacon (its first round a minute after the closing time)." default:"notary" enum:"fixed,notary,beacon"`
	Number   *int   `help:"The winning number, for the source fixed."`
	People   int    `help:"How many people must enter a notary's number, each for themselves: 1 or 2; 0: 2 where two are registered who may." default:"0" placeholder:"N"`
	gameFlags
	askFlags
}

func (c *drawOpenCommand) Run(e env) error {
	t := web.Terms{ID: c.ID, Agencies: c.Agencies, Source: c.Source}
	var err error
	if t.Closes, err = closingTime(c.Closes, time.Now()); err != nil {
		return usageError{err}
	}
	game, err := c.gameFlags.terms(c.Source)
	if err != nil {
		return usageError{err}
	}
	setGame(&t, game)
	if t.Number, err = number(c.Number, c.Source == "fixed"); err != nil {
		return usageError{err}
	}
	if t.Two, err = c.people(); err != nil {
		return usageError{err}
	}
	if t.Closes != nil {
		if err := c.ask(e, *t.Closes, game); err != nil {
			return err
		}
	}
	return c.change(e, "/api/v1/draws", t)
}

// ask asks whether to open the draw. The terms of its game, which can never change, come first.
func (c *drawOpenCommand) ask(e env, closes time.Time, game *quiniela.Terms) error {
	text := e.say("Open draw %s for %d agencies. It closes on %s.")
	if game != nil {
		if err := writeFields(e.stderr, e.termFields(game), widthOf(e.stderr)); err != nil {
			return fmt.Errorf("say what would be done: %w; nothing was done", err)
		}
		text = e.say("Open draw %s for %d agencies, with the game and the terms above for ever. It closes on %s.")
	}
	return c.confirm(e, fmt.Sprintf(text, c.ID, c.Agencies, e.moment(closes, time.Now())), c.ID)
}

// people says whether two people must enter the number; nil: the server decides.
func (c *drawOpenCommand) people() (*bool, error) {
	switch {
	case c.People < 0 || c.People > 2:
		return nil, fmt.Errorf("--people %d: want 1 or 2", c.People)
	case c.People == 0:
		return nil, nil
	case c.Source != "notary":
		return nil, errors.New("--people is for the source notary: nobody enters another number")
	}
	two := c.People == 2
	return &two, nil
}

// closingTime reads a time of today in local time, or one with date and zone; "" is none.
func closingTime(s string, now time.Time) (*time.Time, error) {
	if s == "" {
		return nil, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return &t, nil
	}
	t, err := time.ParseInLocation("15:04", s, now.Location())
	if err != nil {
		return nil, fmt.Errorf("the closing time %q: write 21:00, or 2026-11-24T21:00:00-03:00", s)
	}
	y, m, d := now.Date()
	t = time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, now.Location())
	return &t, nil
}

func number(n *int, wanted bool) (*uint16, error) {
	switch {
	case n == nil && wanted:
		return nil, errors.New("the source fixed needs --number")
	case n == nil:
		return nil, nil
	case !wanted:
		return nil, errors.New("--number is for the source fixed; a notary's number is entered with `quiniela draw enter` once the draw is closed")
	case *n < 0 || *n > int(quiniela.MaxNumber):
		return nil, fmt.Errorf("the number %d: want 0 to %d", *n, quiniela.MaxNumber)
	}
	v := uint16(*n)
	return &v, nil
}

// change posts a request that changes a draw, and shows the draw.
func (f adminFlags) change(e env, path string, body any) error {
	a, err := f.open()
	if err != nil {
		return err
	}
	d, err := a.draw(e, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	return describe(e, d)
}

type drawCloseCommand struct {
	adminFlags
	ID   string `arg:"" help:"Name of the draw."`
	Note string `help:"Why; it is recorded."`
	askFlags
}

func (c *drawCloseCommand) Run(e env) error {
	d, err := c.show(e, c.ID)
	if err != nil {
		return err
	}
	what := fmt.Sprintf(e.say("Close draw %s, which is %s: %d of %d agencies have finished, with %s bets so far. It takes no bet after that."),
		d.ID, e.say(d.State), d.Finished, d.Agencies, e.count(d.Bets))
	if hasStakes(d) {
		what += " " + fmt.Sprintf(e.say("What is staked: %s."), e.money(d.Staked))
	}
	if err := c.confirm(e, what, d.ID); err != nil {
		return err
	}
	return c.change(e, drawPath(c.ID)+"/close", map[string]string{"note": c.Note})
}

func drawPath(id string) string { return "/api/v1/draws/" + url.PathEscape(id) }

// show asks the server for a draw.
func (f adminFlags) show(e env, id string) (d web.Draw, err error) {
	a, err := f.open()
	if err != nil {
		return d, err
	}
	return a.draw(e, http.MethodGet, drawPath(id), nil)
}

// draw asks for an answer that is a draw as its operator sees it.
func (a *admin) draw(e env, method, path string, body any) (d web.Draw, err error) {
	if err = a.call(e.ctx, method, path, body, &d); err == nil {
		err = a.complete(d)
	}
	return d, err
}

// complete refuses a draw without the figures that an operator gets, or without the terms of its game.
func (a *admin) complete(d web.Draw) error {
	if d.Figures == nil {
		return fmt.Errorf("the server at %s does not say how many bets draw %s has: is the key its operator's?", a.where, d.ID)
	}
	if d.Game == quiniela.GameQuiniela && d.Terms == nil {
		return fmt.Errorf("the server at %s does not say the terms of draw %s: is it a quiniela of this version?", a.where, d.ID)
	}
	return nil
}
