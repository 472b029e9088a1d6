package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"quiniela"
	"quiniela/internal/schedule"
	"quiniela/internal/web"
)

type drawScheduleCommand struct {
	File string `arg:"" optional:"" help:"The schedule, as deploy/draws.example.yaml shows one." env:"SERVER_SCHEDULE"`
	adminFlags
	Days int `help:"How many days to list, from today on by the clock of the schedule's zone." default:"7"`
	formatFlags
}

// mostDays is a year and a day.
const mostDays = 366

// Run lists the draws of a schedule. It changes nothing: the file is for the server to be given.
func (c *drawScheduleCommand) Run(e env) error {
	if c.File == "" {
		return usageError{errors.New("which schedule? Name its file, or set SERVER_SCHEDULE; deploy/draws.example.yaml shows one")}
	}
	if c.Days < 1 || c.Days > mostDays {
		return usageError{fmt.Errorf("--days %d: want 1 to %d", c.Days, mostDays)}
	}
	s, err := schedule.Read(c.File)
	if err != nil {
		return usageError{err}
	}
	there, err := c.there(e)
	if err != nil {
		return err
	}
	now := time.Now()
	y, m, d := now.In(s.Zone).Date()
	planned := []plannedDraw{}
	for _, d := range s.Draws(time.Date(y, m, d, 0, 0, 0, 0, s.Zone), time.Date(y, m, d+c.Days, 0, 0, 0, 0, s.Zone)) {
		planned = append(planned, plan(d, there, now))
	}
	switch {
	case c.JSON:
		return printJSON(e.stdout, map[string]any{"zone": s.Zone.String(), "draws": planned})
	case c.CSV:
		var rows [][]string
		for _, d := range planned {
			rows = append(rows, []string{d.ID, instant(&d.Opens), instant(&d.Closes), instant(&d.Takes), d.Source, digits(d.Agencies), d.State, d.Skipped})
		}
		return printCSV(e.stdout, "draw,opens,closes,takes_place,source,agencies,state,skipped", rows)
	case len(planned) == 0:
		_, err := io.WriteString(e.stdout, e.say("The schedule has no draw in these days: ask for more of them with --days.")+"\n")
		return err
	}
	t := &listing{columns: []column{
		{head: e.say("DRAW")}, {head: e.say("BETS CLOSE")}, {head: "UTC"}, {head: e.say("SOURCE")}, {e.say("AGENCIES"), true}, {head: e.say("GAME")}, {head: e.say("STATE")},
	}}
	stakes := slices.ContainsFunc(planned, func(d plannedDraw) bool { return d.Terms != nil })
	for _, d := range planned {
		game := "" // in no row: dropEmpty leaves the column out
		if stakes {
			game = d.Game
		}
		t.add(d.ID, e.hour(d.Closes), inUTC(d.Closes), d.Source, e.count(uint64(d.Agencies)), game, d.say(e))
	}
	t.dropEmpty()
	if err := t.write(e.stdout, widthOf(e.stdout)); err != nil {
		return err
	}
	if err := c.terms(e, planned); err != nil {
		return err
	}
	_, err = printf(e.stdout, "\n"+e.say("Times are those of %s.")+"\n", s.Zone)
	return err
}

// terms says the terms of the draws of the game quiniela, each once, with the names of the draws that have them.
func (c *drawScheduleCommand) terms(e env, planned []plannedDraw) error {
	names := map[quiniela.Terms][]string{}
	var order []quiniela.Terms
	for _, d := range planned {
		if d.Terms == nil {
			continue
		}
		if names[*d.Terms] == nil {
			order = append(order, *d.Terms)
		}
		if name := d.ID[len("2026-11-24-"):]; !slices.Contains(names[*d.Terms], name) {
			names[*d.Terms] = append(names[*d.Terms], name)
		}
	}
	for _, t := range order {
		fields := append([]field{{e.say("draws"), strings.Join(names[t], ", ")}}, e.termFields(&t)...)
		if _, err := io.WriteString(e.stdout, "\n"); err != nil {
			return err
		}
		if err := writeFields(e.stdout, fields, widthOf(e.stdout)); err != nil {
			return err
		}
	}
	return nil
}

// hour writes a time for a person, with the first letters of its weekday.
func (e env) hour(t time.Time) string {
	day := []rune(e.say(weekdays[t.Weekday()]))
	return string(day[:3]) + t.Format(" 2006-01-02 15:04")
}

// there returns the draws of the running server by their names; nil: no server answers.
func (c *drawScheduleCommand) there(e env) (map[string]web.Draw, error) {
	a, err := c.open()
	if err != nil {
		return nil, err
	}
	draws, err := all[web.Draw](e, a, "/api/v1/draws", "draws")
	if errors.Is(err, errNoServer) {
		_, _ = printf(e.stderr, e.say("Which draws are open is not known")+": %v.\n", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	there := map[string]web.Draw{}
	for _, d := range draws {
		there[d.ID] = d
	}
	return there, nil
}

// inUTC returns a time's clock in UTC, with the days that its date there is ahead or behind.
func inUTC(t time.Time) string {
	clock := t.UTC().Format("15:04")
	switch date := t.UTC().Format(time.DateOnly); {
	case date > t.Format(time.DateOnly):
		return clock + " +1d"
	case date < t.Format(time.DateOnly):
		return clock + " -1d"
	}
	return clock
}

// plannedDraw is a draw of a schedule, and what is of it.
type plannedDraw struct {
	ID       string          `json:"id"`
	Opens    time.Time       `json:"opens"`
	Closes   time.Time       `json:"closes"`
	Takes    time.Time       `json:"takes_place"`
	Source   string          `json:"source"`
	Agencies uint32          `json:"agencies"`
	Skipped  string          `json:"skipped,omitempty"` // why it does not take place
	Game     string          `json:"game"`
	Terms    *quiniela.Terms `json:"terms,omitempty"` // of the game quiniela
	// State is open, sealed or drawn, where there is such a draw; else later, due, missed, skipped or unknown.
	State  string `json:"state"`
	Differ bool   `json:"differs,omitempty"` // it was opened with other terms than the schedule has
}

// plan says what is of a draw of the schedule. there are the draws that there are; nil: not known.
func plan(d schedule.Draw, there map[string]web.Draw, now time.Time) plannedDraw {
	p := plannedDraw{d.ID, d.Opens, d.Closes, d.Takes, string(d.Rule.Source), d.Agencies, d.Skipped, d.Game.Game(), d.Game, "missed", false}
	found, opened := there[d.ID]
	switch {
	case opened:
		p.State, p.Differ = found.State, !asPlanned(found, d)
	case d.Skipped != "":
		p.State = "skipped"
	case d.Opens.After(now):
		p.State = "later"
	case there == nil:
		p.State = "unknown"
	case d.Closes.After(now):
		p.State = "due"
	}
	return p
}

// asPlanned reports whether a draw was opened as the schedule has it.
func asPlanned(d web.Draw, want schedule.Draw) bool {
	return d.Closes != nil && d.Closes.Equal(want.Closes) && d.Agencies == want.Agencies && d.Source == string(want.Rule.Source) && d.Terms.Equal(want.Game) &&
		(want.People == 0 || d.Two == (want.People == 2))
}

// say writes the state for a person.
func (p plannedDraw) say(e env) string {
	switch {
	case p.State == "open" && p.Skipped != "":
		return fmt.Sprintf(e.say("open, and to be skipped (%s): quiniela draw close %s"), p.Skipped, p.ID)
	case p.Differ:
		return fmt.Sprintf(e.say("%s, with other terms: quiniela draw show %s"), e.say(p.State), p.ID)
	case p.State == "skipped":
		return fmt.Sprintf(e.say("skipped: %s"), p.Skipped)
	case p.State == "later":
		return fmt.Sprintf(e.say("opens %s"), e.hour(p.Opens))
	case p.State == "unknown":
		return e.say("not known")
	case p.State == "missed":
		return e.say("was not opened")
	case p.State == "due":
		return e.say("due")
	}
	return e.say(p.State)
}
