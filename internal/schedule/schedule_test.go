package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/internal/schedule"
)

// example is the file that an operator begins with.
const example = "../../deploy/draws.example.yaml"

func read(t *testing.T, path string) *schedule.Schedule {
	t.Helper()
	s, err := schedule.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, text string) *schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse("draws.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

// shown lists draws as their name, closing time in UTC and reason to be skipped.
func shown(draws []schedule.Draw) (lines []string) {
	for _, d := range draws {
		lines = append(lines, strings.TrimSpace(d.ID+" "+d.Closes.UTC().Format("02 15:04")+" "+d.Skipped))
	}
	return lines
}

func want(t *testing.T, draws []schedule.Draw, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(lines, shown(draws)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestTheExampleGivesFiveDrawsADay(t *testing.T) {
	s := read(t, example)
	// A Saturday, a Sunday without draws and a Monday, by the lottery's clock.
	want(t, s.Draws(at(t, "2026-11-28T00:00:00-03:00"), at(t, "2026-12-01T00:00:00-03:00")),
		"2026-11-28-previa 28 13:00", "2026-11-28-primera 28 14:45", "2026-11-28-matutina 28 17:45", "2026-11-28-vespertina 28 20:45", "2026-11-28-nocturna 28 23:30",
		"2026-11-30-previa 30 13:00", "2026-11-30-primera 30 14:45", "2026-11-30-matutina 30 17:45", "2026-11-30-vespertina 30 20:45", "2026-11-30-nocturna 30 23:30")
	d := s.Draws(at(t, "2026-11-28T20:30:00-03:00"), at(t, "2026-11-28T20:30:01-03:00"))
	if len(d) != 1 || d[0].Agencies != 120 || d[0].Rule.Source != quiniela.SourceNotary ||
		!d[0].Takes.Equal(at(t, "2026-11-28T21:00:00-03:00")) || !d[0].Opens.Equal(at(t, "2026-11-27T20:30:00-03:00")) {
		t.Errorf("%+v", d)
	}
	if got := d[0].Game.String(); got != "quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=50000.00 cap=5" {
		t.Error(got)
	}
}

func TestAHolidayIsShownAndNotDue(t *testing.T) {
	s := read(t, example)
	day := func(date string) []schedule.Draw {
		from := at(t, date+"T00:00:00-03:00")
		return s.Draws(from, from.AddDate(0, 0, 1))
	}
	want(t, day("2026-12-24"), "2026-12-24-previa 24 13:00", "2026-12-24-primera 24 14:45", "2026-12-24-matutina 24 17:45",
		"2026-12-24-vespertina 24 20:45 Nochebuena", "2026-12-24-nocturna 24 23:30 Nochebuena")
	for _, d := range day("2026-12-25") {
		if d.Skipped != "Navidad" {
			t.Errorf("%s is not skipped", d.ID)
		}
	}
	// At noon of the 24th: what is left of the day, and nothing of the 25th.
	want(t, s.Due(at(t, "2026-12-24T12:00:00-03:00")), "2026-12-24-matutina 24 17:45")
}

func TestADrawIsDueFromItsOpeningToItsClosing(t *testing.T) {
	s := parse(t, "{zone: America/Argentina/Buenos_Aires, agencies: 1, source: beacon, lead: 15m, ahead: 2h, draws: [{name: x, time: 21:00}, {name: y, time: 22:00, ahead: 1h}]}")
	for now, due := range map[string][]string{
		"18:44:59": nil,
		"18:45:00": {"x"},
		"20:44:59": {"x"},
		"20:45:00": {"y"},
		"21:44:59": {"y"},
		"21:45:00": nil,
	} {
		var names []string
		for _, d := range s.Due(at(t, "2026-11-24T"+now+"-03:00")) {
			names = append(names, strings.TrimPrefix(d.ID, "2026-11-24-"))
		}
		if !slices.Equal(names, due) {
			t.Errorf("at %s %q are due, want %q", now, names, due)
		}
	}
	if !s.Uses(quiniela.SourceBeacon) || s.Uses(quiniela.SourceNotary) {
		t.Error("the sources are others")
	}
}

// Clocks that are put forward and back change neither the time of a draw that a clock shows, nor how long it is open.
func TestClocksArePutForwardAndBack(t *testing.T) {
	zone := func(name, time string) *schedule.Schedule {
		return parse(t, fmt.Sprintf("{zone: %s, agencies: 1, source: notary, lead: 0s, ahead: 24h, draws: [{name: x, time: %s}]}", name, time))
	}
	// Madrid goes from 02:00 to 03:00 on 29 March 2026 at 01:00 UTC, and from 03:00 back to 02:00 on 25 October at 01:00 UTC.
	evening := zone("Europe/Madrid", "21:00")
	want(t, evening.Draws(at(t, "2026-03-28T00:00:00Z"), at(t, "2026-03-31T00:00:00Z")),
		"2026-03-28-x 28 20:00", "2026-03-29-x 29 19:00", "2026-03-30-x 30 19:00")
	for _, d := range evening.Draws(at(t, "2026-03-28T00:00:00Z"), at(t, "2026-03-31T00:00:00Z")) {
		if open := d.Closes.Sub(d.Opens); open != 24*time.Hour {
			t.Errorf("%s is open for %s", d.ID, open)
		}
	}
	never := zone("Europe/Madrid", "02:30") // on the 29th no clock shows it
	want(t, never.Draws(at(t, "2026-03-28T00:00:00Z"), at(t, "2026-03-31T00:00:00Z")),
		"2026-03-28-x 28 01:30", "2026-03-29-x 29 01:30", "2026-03-30-x 30 00:30")
	twice := zone("Europe/Madrid", "02:30") // on the 25th clocks show it at 00:30 and at 01:30 UTC
	want(t, twice.Draws(at(t, "2026-10-24T00:00:00Z"), at(t, "2026-10-27T00:00:00Z")),
		"2026-10-24-x 24 00:30", "2026-10-25-x 25 00:30", "2026-10-26-x 26 01:30")
	// Santiago's days begin at 01:00 on 6 September 2026, and 4 April 2026 has 23:00 to 24:00 twice.
	midnight := zone("America/Santiago", "00:00")
	want(t, midnight.Draws(at(t, "2026-09-05T00:00:00Z"), at(t, "2026-09-08T00:00:00Z")),
		"2026-09-05-x 05 04:00", "2026-09-06-x 06 04:00", "2026-09-07-x 07 03:00")
	late := zone("America/Santiago", "23:30")
	want(t, late.Draws(at(t, "2026-04-04T00:00:00Z"), at(t, "2026-04-07T00:00:00Z")),
		"2026-04-03-x 04 02:30", "2026-04-04-x 05 02:30", "2026-04-05-x 06 03:30")
}

// A draw is called by the day on which it takes place, also where bets close on the day before.
func TestADrawHasTheNameOfItsDay(t *testing.T) {
	s := parse(t, "{zone: America/Argentina/Buenos_Aires, days: [wed], agencies: 1, source: notary, lead: 24h, draws: [{name: x, time: 00:05}, {name: y, time: 23:59}]}")
	want(t, s.Draws(at(t, "2026-11-24T00:00:00-03:00"), at(t, "2026-11-25T00:00:00-03:00")), "2026-11-25-x 24 03:05", "2026-11-25-y 25 02:59")
}

// A key of a draw beats that of the file, and what is missing has its default.
func TestADrawGoesByItsOwnKeys(t *testing.T) {
	s := parse(t, `
zone: UTC
agencies: 5
source: notary
people: 2
lead: 10m
draws:
  - {name: a, time: 12:00}
  - {name: b, time: 13:00, agencies: 7, source: beacon, lead: 20m, ahead: 48h, days: [SUN]}
`)
	got := s.Draws(at(t, "2026-11-29T00:00:00Z"), at(t, "2026-12-01T00:00:00Z"))
	want(t, got, "2026-11-29-a 29 11:50", "2026-11-29-b 29 12:40", "2026-11-30-a 30 11:50")
	a, b := got[0], got[1]
	if a.Agencies != 5 || a.Rule.Source != quiniela.SourceNotary || a.People != 2 || a.Closes.Sub(a.Opens) != 24*time.Hour {
		t.Errorf("%+v", a)
	}
	if b.Agencies != 7 || b.Rule.Source != quiniela.SourceBeacon || b.People != 0 || b.Closes.Sub(b.Opens) != 48*time.Hour {
		t.Errorf("%+v", b)
	}
}

// The terms of the game quiniela are those of the draw, else those of the file, else those that are usual.
func TestADrawHasItsGameAndTerms(t *testing.T) {
	s := parse(t, `
zone: UTC
agencies: 5
source: notary
lead: 10m
game: quiniela
min_stake: 1.00
cap: 5
draws:
  - {name: a, time: 12:00}
  - name: b
    time: 13:00
    multipliers: 8,80,700,4000
    min_stake: 0.50
    max_stake: 50000
    cap: 0
  - {name: c, time: 14:00, multipliers: [7, 70, 500, 3500]}
  - {name: d, time: 15:00, game: specified}
`)
	var got []string
	for _, d := range s.Draws(at(t, "2026-11-29T00:00:00Z"), at(t, "2026-11-30T00:00:00Z")) {
		got = append(got, d.Game.String())
	}
	want := []string{
		"quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=- cap=5",
		"quiniela multipliers=8,80,700,4000 min_stake=0.50 max_stake=50000.00 cap=-",
		"quiniela multipliers=7,70,500,3500 min_stake=1.00 max_stake=- cap=5",
		"specified",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
