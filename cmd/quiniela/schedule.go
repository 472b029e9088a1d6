package main

import (
	"errors"
	"fmt"
	"time"

	"quiniela/internal/schedule"
	"quiniela/internal/web"
)

type drawScheduleCommand struct {
	File string `arg:"" optional:"" help:"The schedule, as deploy/draws.example.yaml shows one." env:"SERVER_SCHEDULE"`
	adminFlags
	Days int `help:"How many days to list, from today on by the clock of the schedule's zone." default:"7"`
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
	draws := s.Draws(time.Date(y, m, d, 0, 0, 0, 0, s.Zone), time.Date(y, m, d+c.Days, 0, 0, 0, 0, s.Zone))
	if len(draws) == 0 {
		_, err := printf(e.stdout, "The schedule has no draw in %d days from %04d-%02d-%02d on.\n", c.Days, y, m, d)
		return err
	}
	w := table(e, "DRAW\tBETS CLOSE\tUTC\tSOURCE\tAGENCIES\tSTATE")
	for _, d := range draws {
		_, _ = printf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", d.ID, d.Closes.Format("Mon 2 Jan 15:04"), inUTC(d.Closes), string(d.Rule.Source), d.Agencies, stateOf(d, there, now))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = printf(e.stdout, "\nTimes are those of %s.\n", s.Zone)
	return err
}

// there returns the draws of the running server by their names; nil: no server answers.
func (c *drawScheduleCommand) there(e env) (map[string]web.Draw, error) {
	a, err := c.open()
	if err != nil {
		return nil, err
	}
	draws, err := all[web.Draw](e, a, "/api/v1/draws", "draws")
	if errors.Is(err, errNoServer) {
		_, _ = printf(e.stderr, "Which draws are open is not known: %v.\n", err)
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

// stateOf says what is, or will be, of a draw of the schedule. there are the draws that there are; nil: not known.
func stateOf(want schedule.Draw, there map[string]web.Draw, now time.Time) string {
	d, found := there[want.ID]
	switch {
	case found && want.Skipped != "" && d.State == "open":
		return "open, and to be skipped (" + want.Skipped + "): quiniela draw close " + want.ID
	case found && !asWanted(d, want):
		return d.State + ", with other terms: quiniela draw show " + want.ID
	case found:
		return d.State
	case want.Skipped != "":
		return "skipped: " + want.Skipped
	case want.Opens.After(now):
		return "opens " + want.Opens.Format("Mon 2 Jan 15:04")
	case there == nil:
		return "not known"
	case want.Closes.After(now):
		return "due"
	}
	return "was not opened"
}

// asWanted reports whether a draw was opened as the schedule has it.
func asWanted(d web.Draw, want schedule.Draw) bool {
	return d.Closes != nil && d.Closes.Equal(want.Closes) && d.Agencies == want.Agencies && d.Source == string(want.Rule.Source) &&
		(want.People == 0 || d.Two == (want.People == 2))
}
