// Package schedule says which draws a lottery holds, day by day: it reads a file of recurring draws and computes the draws of a
// time. It opens none, asks no clock, and knows nothing of what is stored.
package schedule

import (
	"fmt"
	"slices"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
)

// Schedule is a file of recurring draws. It does not change, and may be used by several goroutines.
type Schedule struct {
	Zone  *time.Location // of the file's times and dates
	rules []rule
	skips []skip
}

// rule is a draw that recurs.
type rule struct {
	name     string
	time     clock
	days     [7]bool // by time.Weekday
	agencies uint32
	source   draw.Source
	people   uint32        // who must enter a notary's number: 1 or 2; 0: the file does not say
	lead     time.Duration // from the end of bets to the draw
	ahead    time.Duration // from the opening to the end of bets
	game     string
	terms    quiniela.Terms // of the game quiniela
}

// clock is a time of the day.
type clock struct{ hour, minute int }

// skip is a day on which draws do not take place.
type skip struct {
	date   string   // as in a draw's name
	draws  []string // nil: all
	reason string
}

// Draw is a draw of a schedule on one day.
type Draw struct {
	ledger.Terms        // without Two, which follows from People
	People       uint32 // who must enter the number, where a notary gives it: 1 or 2; 0: the schedule does not say
	Opens        time.Time
	Takes        time.Time // when it takes place: some time after bets have closed
	Skipped      string    // why it does not take place; "" where it does
}

// Draws returns the draws whose closing time is from one time on and before another, those that are skipped included, in the order of
// their closing times.
func (s *Schedule) Draws(from, before time.Time) (draws []Draw) {
	// A draw closes at most longestLead before its time, which may be another day.
	first := from.In(s.Zone).AddDate(0, 0, -1)
	last := before.In(s.Zone).Add(longestLead).AddDate(0, 0, 1)
	for day := civil(first); !day.After(civil(last)); day = day.AddDate(0, 0, 1) {
		for _, r := range s.rules {
			if !r.days[day.Weekday()] {
				continue
			}
			if d := s.on(r, day); !d.Closes.Before(from) && d.Closes.Before(before) {
				draws = append(draws, d)
			}
		}
	}
	slices.SortStableFunc(draws, func(a, b Draw) int { return a.Closes.Compare(b.Closes) })
	return draws
}

// civil returns the date of a time as midnight in UTC, where each day has 24 hours.
func civil(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// Ahead returns the draws that are to be open at a time, or would be if they were not skipped, in the order of their closing times.
func (s *Schedule) Ahead(now time.Time) []Draw {
	draws := s.Draws(now.Add(1), now.Add(longestAhead+1))
	return slices.DeleteFunc(draws, func(d Draw) bool { return d.Opens.After(now) })
}

// Due returns the draws that are to be open at a time, in the order of their closing times.
func (s *Schedule) Due(now time.Time) []Draw {
	return slices.DeleteFunc(s.Ahead(now), func(d Draw) bool { return d.Skipped != "" })
}

// Uses reports whether the number of one of the draws is of a source.
func (s *Schedule) Uses(source draw.Source) bool {
	return slices.ContainsFunc(s.rules, func(r rule) bool { return r.source == source })
}

// Names returns the names of the recurring draws, in the file's order.
func (s *Schedule) Names() (names []string) {
	for _, r := range s.rules {
		names = append(names, r.name)
	}
	return names
}

// on returns the draw of a rule on a date.
func (s *Schedule) on(r rule, day time.Time) Draw {
	date := day.Format(time.DateOnly)
	d := Draw{Takes: r.time.on(day, s.Zone)}
	d.ID, d.Agencies, d.Rule.Source = date+"-"+r.name, r.agencies, r.source
	if r.source == quiniela.SourceNotary {
		d.People = r.people
	}
	if r.game == quiniela.GameQuiniela {
		terms := r.terms
		d.Game = &terms
	}
	d.Closes = d.Takes.Add(-r.lead)
	d.Opens = d.Closes.Add(-r.ahead)
	for _, skip := range s.skips {
		if skip.date == date && (skip.draws == nil || slices.Contains(skip.draws, r.name)) {
			d.Skipped = skip.reason
		}
	}
	return d
}

// on returns when a clock in a zone shows the time on a date. Where clocks are put back and show it twice, it is the first time. Where they are
// put forward over it, it is when a clock that was not put forward shows it. RFC 5545 (3.3.5) has it so; time.Date promises neither.
func (c clock) on(day time.Time, zone *time.Location) time.Time {
	shown := day.Add(time.Duration(c.hour)*time.Hour + time.Duration(c.minute)*time.Minute)
	_, before := shown.AddDate(0, 0, -1).In(zone).Zone()
	_, after := shown.AddDate(0, 0, 1).In(zone).Zone()
	first := shown.Add(-time.Duration(before) * time.Second).In(zone)
	if second := shown.Add(-time.Duration(after) * time.Second).In(zone); !c.shownBy(first) && c.shownBy(second) {
		return second
	}
	return first
}

func (c clock) shownBy(t time.Time) bool { return t.Hour() == c.hour && t.Minute() == c.minute }

// checkName refuses a name that no draw can have with a date before it.
func checkName(name string) error {
	if name == "" || quiniela.CheckDrawID("2026-11-24-"+name) != nil {
		return fmt.Errorf("%q is no name: want letters a to z, digits, '.', '_' or '-', such as nocturna; with the date before it, %d at most",
			quiniela.Clip(name), quiniela.MaxDrawID)
	}
	return nil
}
