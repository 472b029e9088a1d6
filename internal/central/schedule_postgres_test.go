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
	a.stop()
	a.at("24T17:00")
	b.want("2026-11-24-matutina sealed", "2026-11-24-nocturna open")
	a.run()
	a.want("2026-11-24-matutina sealed", "2026-11-24-nocturna open")
	b.stop()
	b.run()
	a.at("26T11:00")
	for _, d := range []*day{a, b} {
		d.want("2026-11-24-matutina sealed", "2026-11-24-nocturna sealed", "2026-11-26-matutina open")
	}
	opened := ""
	for deadline := time.Now().Add(time.Minute); strings.Count(opened, "\n") < 3 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		opened = a.lines("action: draw_open | result: success") + b.lines("action: draw_open | result: success")
	}
	a.stop()
	b.stop()
	opened = a.lines("action: draw_open | result: success") + b.lines("action: draw_open | result: success")
	if strings.Count(opened, "\n") != 3 {
		t.Errorf("opened by the two:\n%s", opened)
	}
	if bad := a.lines("result: fail") + b.lines("result: fail"); bad != "" {
		t.Errorf("the logs have these failures:\n%s", bad)
	}
}
