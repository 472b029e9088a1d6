package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"quiniela"
	"quiniela/internal/client"
	"quiniela/internal/wire"
)

type clientStatusCommand struct {
	agencyFlags
	fileFlags
	JSON    bool          `help:"Print one JSON document, with the names of the API." name:"json"`
	Timeout time.Duration `help:"How long to try to reach the server; 0: no limit." default:"5s"`
}

func (c *clientStatusCommand) Run(e env) error {
	if err := c.agencyFlags.check(); err != nil {
		return err
	}
	if c.Timeout < 0 {
		return usageError{errors.New("times cannot be negative")}
	}
	path := c.path(*c.ID)
	config := client.Options{Agency: c.agency(), Draw: c.Draw, Address: c.Server, File: path, SkipBadLines: c.SkipBad, Timeout: c.Timeout}
	if err := c.secure(&config); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if _, err := os.Stat(path); c.File == "" && errors.Is(err, fs.ErrNotExist) {
		config.File = "" // which was not asked for by name
	}
	s, err := client.Stand(e.ctx, config, log)
	if err != nil {
		return c.explain(err, path, *c.ID)
	}
	if c.JSON {
		return printJSON(e.stdout, c.document(s, path))
	}
	return c.describe(e, s, path)
}

// document is where the agency stands for programs. Missing is null where it is not known.
func (c *clientStatusCommand) document(s client.Standing, path string) any {
	d := struct {
		Agency   uint32     `json:"agency"`
		Draw     string     `json:"draw"`
		State    string     `json:"state"`
		Closes   *time.Time `json:"closes,omitempty"`
		Batches  uint64     `json:"batches"`
		Bets     uint64     `json:"bets"`
		Finished bool       `json:"finished"`
		File     string     `json:"file,omitempty"`
		Missing  *int       `json:"missing"`
		Error    string     `json:"error,omitempty"`
		Number   *uint16    `json:"number,omitempty"`
		Winners  *uint32    `json:"winners,omitempty"`
		gameStanding
	}{Agency: *c.ID, Draw: s.Draw, State: s.State, Batches: s.Batches, Bets: s.Bets, Finished: s.Finished}
	if !s.Closes.IsZero() {
		d.Closes = &s.Closes
	}
	if s.State == wire.Drawn {
		number := uint16(s.Number)
		d.Number, d.Winners = &number, &s.Winners
	}
	d.gameStanding = newGameStanding(s)
	if s.Sent == nil {
		return d
	}
	d.File = path
	if s.Sent.Other != nil {
		d.Error = s.Sent.Other.Error()
		return d
	}
	missing := s.Missing()
	d.Missing = &missing
	return d
}

// gameStanding is what the document has in a draw of the game quiniela, with the names of the API. It is empty in another one.
type gameStanding struct {
	Game   string          `json:"game,omitempty"`
	Terms  *quiniela.Terms `json:"terms,omitempty"`
	Prizes []uint16        `json:"prizes,omitempty"` // once it is drawn: the extract
	Paid   *uint64         `json:"paid,omitempty"`   // likewise: to the agency's bets, in cents
	// Likewise, of all agencies' bets in cents: the prizes before the cap, and what the cap leaves for them where they are over it.
	DrawDue  *uint64 `json:"draw_due,omitempty"`
	DrawPool uint64  `json:"draw_pool,omitempty"`
}

func newGameStanding(s client.Standing) (g gameStanding) {
	if s.Game == nil {
		return g
	}
	g.Game, g.Terms = s.Game.Game(), s.Game
	if s.State != wire.Drawn {
		return g
	}
	g.Prizes, g.Paid, g.DrawDue = extractOf(s.Prizes), &s.Paid, &s.Due
	if s.Pool < s.Due {
		g.DrawPool = s.Pool
	}
	return g
}

// describe prints where the agency stands, and last what is left to do.
func (c *clientStatusCommand) describe(e env, s client.Standing, path string) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 3, ' ', 0)
	line := func(name, text string) { _, _ = printf(w, "%s\t%s\n", name, text) }
	line(e.say("agency"), fmt.Sprint(*c.ID))
	line(e.say("draw"), drawState(e, s))
	if s.Game != nil {
		for _, f := range e.termFields(s.Game) {
			line(f.label, f.text)
		}
	}
	stored := e.say("%s bets in %s batches; the agency has not finished")
	if s.Finished {
		stored = e.say("%s bets in %s batches; the agency has finished")
	}
	line(e.say("stored"), fmt.Sprintf(stored, e.count(s.Bets), e.count(s.Batches)))
	line(e.say("file"), fileState(e, s, path))
	switch {
	case s.State != wire.Drawn:
	case s.Game == nil:
		line(e.say("result"), fmt.Sprintf(e.say("the number %04d; winning bets of this agency: %s"), s.Number, e.count(uint64(s.Winners))))
	default:
		line(e.say("result"), fmt.Sprintf(e.say("winning bets of this agency: %s, paid %s"), e.count(uint64(s.Winners)), e.money(s.Paid)))
		if s.Pool < s.Due {
			line(e.say("share"), e.share(s.Pool, s.Due))
		}
	}
	line(e.say("to do"), toDo(e, s))
	if err := w.Flush(); err != nil || s.State != wire.Drawn || s.Game == nil {
		return err
	}
	return extractTable(e, extractOf(s.Prizes)).below(e)
}

func drawState(e env, s client.Standing) string {
	switch {
	case s.State == wire.Drawn:
		return fmt.Sprintf(e.say("%s, drawn"), s.Draw)
	case s.State == wire.Sealed:
		return fmt.Sprintf(e.say("%s, closed; its winners are not known yet"), s.Draw)
	case s.Closes.IsZero():
		return fmt.Sprintf(e.say("%s, open until all agencies have finished"), s.Draw)
	}
	return fmt.Sprintf(e.say("%s, open until %s"), s.Draw, stamp(&s.Closes))
}

// fileState says how the agency's file compares with what is stored.
func fileState(e env, s client.Standing, path string) string {
	switch {
	case s.Sent == nil:
		return fmt.Sprintf(e.say("%s is not there: nothing to compare with"), path)
	case s.Sent.Other != nil:
		return s.Sent.Other.Error()
	case s.Missing() == 0:
		return fmt.Sprintf(e.say("%s: %s bets, all stored"), path, e.count(uint64(s.Sent.Bets)))
	}
	return fmt.Sprintf(e.say("%s: %s bets, of which %s are not stored"), path, e.count(uint64(s.Sent.Bets)), e.count(uint64(s.Missing())))
}

// toDo says what is left to do, and how.
func toDo(e env, s client.Standing) string {
	missing := uint64(s.Missing())
	switch {
	case s.Sent != nil && s.Sent.Other != nil:
		return e.say("not known: name the file that was sent with --file")
	case s.State != wire.Open && !s.Finished:
		return e.say("nothing can be done: the draw closed before the agency had finished, and takes no more bets")
	case missing > 0 && !s.Finished:
		return fmt.Sprintf(e.say("send %s bets and finish: run `quiniela client` with this file, which goes on after what is stored"), e.count(missing))
	case missing > 0:
		return fmt.Sprintf(e.say("nothing can be done for %s bets that came into the file after the agency had finished"), e.count(missing))
	case !s.Finished && s.Sent == nil:
		return e.say("send the rest of the file, if there is more, and finish: run `quiniela client` with the file")
	case !s.Finished:
		return e.say("finish: run `quiniela client` with this file")
	case s.State == wire.Drawn:
		return e.say("nothing; run `quiniela client` for the winners, with --winners FILE for their rows")
	}
	return e.say("nothing; the agency waits for the draw")
}
