//go:build unix

package central_test

import (
	"strings"
	"testing"
	"time"

	"quiniela/internal/central"
	"quiniela/internal/journal/postgres/pgtest"
)

// Two servers over one journal have the same schedule. Each draw is opened once, by one of the two, also after both were started again.
func TestServersOfOneJournalOpenEachDrawOnce(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, 0)
	a, b := newDay(t, twoDraws), newDay(t, twoDraws)
	b.clock = a.clock
	b.options.Now = a.options.Now
	for _, d := range []*day{a, b} {
		d.options.Journal = central.JournalOptions{URL: c.URL(), UnsafeSingle: true}
	}
	a.at("24T10:00")
	a.run()
	b.run()
	a.at("24T10:45")
	for _, d := range []*day{a, b} {
		d.want("2026-11-24-matutina open")
	}
	wantOpenings(t, 1, a, b)
	a.stop()
	a.at("24T17:00")
	b.want("2026-11-24-matutina sealed", "2026-11-24-nocturna open")
	a.run()
	a.want("2026-11-24-matutina sealed", "2026-11-24-nocturna open")
	wantOpenings(t, 2, a, b)
	b.stop()
	b.run()
	a.at("26T11:00")
	for _, d := range []*day{a, b} {
		d.want("2026-11-24-matutina sealed", "2026-11-24-nocturna sealed", "2026-11-26-matutina open")
	}
	wantOpenings(t, 3, a, b)
	a.stop()
	b.stop()
	if bad := a.lines("result: fail") + b.lines("result: fail"); bad != "" {
		t.Errorf("the logs have these failures:\n%s", bad)
	}
}

// wantOpenings waits until some days' logs have as many draws that they opened, and fails if they have more.
func wantOpenings(t *testing.T, want int, days ...*day) {
	t.Helper()
	var opened string
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		opened = ""
		for _, d := range days {
			opened += d.lines("action: draw_open | result: success")
		}
		if strings.Count(opened, "\n") == want {
			return
		}
	}
	t.Fatalf("want %d openings:\n%s", want, opened)
}
