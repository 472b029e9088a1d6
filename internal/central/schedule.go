package central

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
	"quiniela/internal/schedule"
)

const (
	lookEvery = time.Second      // between two looks at the schedule
	openRetry = 10 * time.Second // after a failure, until the same draw is tried again
	lookBack  = 72 * time.Hour   // at a start: how long ago a draw may have closed that is reported as missed
)

// timetable opens the draws of a schedule ahead of their closing times. Each server of a shared journal may have one: the first to open
// a draw does, and the others find it there. Nothing of it is kept over a restart, since the ledger says which draws there are.
//
// Open reads the file and looks at it once. Then one goroutine of Serve, keep, looks again each second, and reads the file again when
// it has changed. Nobody else uses it.
type timetable struct {
	path   string
	public bool           // whether draws are in the public log
	ledger *ledger.Ledger // set by start
	people func() int     // how many people are registered who may enter a number; set by start
	log    *slog.Logger
	now    func() time.Time

	schedule *schedule.Schedule
	seen     os.FileInfo          // of the file that schedule was read from
	failure  string               // why the file as it is now cannot be used; "" where it can
	opened   map[string]bool      // by name: the draws that are due and are there
	tried    map[string]time.Time // by name: when a draw that could not be opened was tried last
	looked   time.Time            // draws that closed before then are reported, where they were missed
	success  prometheus.Gauge
}

// readSchedule reads the schedule. At a start it has to be right.
func (c *Central) readSchedule() error {
	if c.options.Schedule == "" {
		return nil
	}
	c.timetable = &timetable{
		path: c.options.Schedule, public: c.options.PublicLog != nil, log: c.log, now: c.options.Now,
		opened: map[string]bool{}, tried: map[string]time.Time{},
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "quiniela_schedule_success_timestamp_seconds",
			Help: "When the schedule could last be read and all its draws were open that should be.",
		}),
	}
	return c.timetable.read()
}

// startSchedule opens the draws that are due. What cannot be opened now is tried again while the central serves.
func (c *Central) startSchedule(ctx context.Context) error {
	if c.figures != nil {
		c.figures.MustRegister(c.timetable.success)
	}
	c.timetable.ledger = c.Ledger
	c.timetable.people = func() int {
		if c.operators == nil {
			return 0
		}
		return c.operators.Count(operators.Notary)
	}
	return c.timetable.start(ctx)
}

func (t *timetable) start(ctx context.Context) error {
	looked, err := t.lastLook(ctx)
	if err != nil {
		return err
	}
	t.looked = looked
	t.success.Set(float64(t.now().Unix()))
	t.reportOpenHolidays(ctx)
	t.look(ctx)
	return ctx.Err()
}

// lastLook returns from when on a start reports missed draws: from the first one on, of the last days, that did open. Where none did, the
// schedule may be new, and has missed nothing.
func (t *timetable) lastLook(ctx context.Context) (time.Time, error) {
	now := t.now()
	draws, err := t.ledger.Draws(ctx)
	if err != nil {
		return now, err
	}
	there := map[string]bool{}
	for _, d := range draws {
		there[d.ID] = true
	}
	for _, d := range t.schedule.Draws(now.Add(-lookBack), now) {
		if there[d.ID] {
			return d.Closes, nil
		}
	}
	return now, nil
}

// keep opens draws as they become due, until ctx ends.
func (t *timetable) keep(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		t.reload(ctx)
		t.look(ctx)
	}
}

// read reads the file. After an error the schedule before stays.
func (t *timetable) read() error {
	info, err := os.Stat(t.path)
	if err != nil {
		return fmt.Errorf("read the schedule: %w", err)
	}
	s, err := schedule.Read(t.path)
	if err != nil {
		return err
	}
	if s.Uses(quiniela.SourceBeacon) && !t.public {
		return fmt.Errorf("%s: a draw has the source beacon, which needs the public log: see SERVER_PUBLIC_LOG", t.path)
	}
	t.schedule, t.seen = s, info
	t.log.Info("schedule", "result", "success", "file", t.path, "zone", s.Zone, "draws", len(s.Names()))
	return nil
}

// reload reads the file again where it has changed, and until it can be used. Each reason why it cannot is logged once.
func (t *timetable) reload(ctx context.Context) {
	if info, err := os.Stat(t.path); err == nil && t.failure == "" && same(info, t.seen) {
		return
	}
	err := t.read()
	switch {
	case err == nil:
		t.failure = ""
		clear(t.opened) // their terms are compared again
		clear(t.tried)
		t.reportOpenHolidays(ctx)
	case err.Error() != t.failure:
		t.failure = err.Error()
		t.log.Error("schedule", "result", "fail", "error", err, "schedule", "the one before stays in use")
	}
}

// same reports whether a file is as it was seen.
func same(now, seen os.FileInfo) bool {
	return os.SameFile(now, seen) && now.ModTime().Equal(seen.ModTime()) && now.Size() == seen.Size()
}

// look opens the draws that are due, and reports those that have closed since the last look without having been open.
func (t *timetable) look(ctx context.Context) {
	now := t.now()
	for _, d := range t.schedule.Draws(t.looked, now) {
		if d.Skipped == "" && !t.opened[d.ID] {
			t.reportMissed(ctx, d)
		}
		delete(t.tried, d.ID)
	}
	well, opened := t.failure == "", map[string]bool{}
	for _, d := range t.schedule.Due(now) {
		opened[d.ID] = t.opened[d.ID] || t.open(ctx, d)
		well = well && opened[d.ID]
	}
	t.opened = opened
	if now.After(t.looked) { // a clock that is set back reports nothing twice
		t.looked = now
	}
	if well {
		t.success.Set(float64(now.Unix()))
	}
}

// open opens a draw, and reports whether it is there.
func (t *timetable) open(ctx context.Context, d schedule.Draw) bool {
	if tried, failed := t.tried[d.ID]; failed && t.now().Sub(tried).Abs() < openRetry {
		return false
	}
	terms := d.Terms
	// As where an operator opens a draw and does not say.
	terms.Two = d.People == 2 || d.People == 0 && d.Rule.Source == quiniela.SourceNotary && t.people() >= 2
	// A stop of the server does not end the wait: the ledger opens a draw that it was asked for, and then the log has to say so.
	_, err := t.ledger.OpenDraw(context.WithoutCancel(ctx), ledger.Actor{Name: "server:schedule"}, terms)
	switch {
	case err == nil:
		t.log.Info("draw_open", "result", "success", "draw", d.ID, "by", "schedule", "closes", d.Closes.Format(time.RFC3339))
		return true
	case quiniela.CodeOf(err) == quiniela.NoDraw: // its name is taken: by this server before, by another one, or by an operator
		return t.compare(ctx, d)
	case ctx.Err() == nil:
		t.tried[d.ID] = t.now()
		t.log.Error("draw_open", "result", "fail", "draw", d.ID, "by", "schedule", "error", err)
	}
	return false
}

// compare logs where a draw was opened with other terms than the schedule has now, and reports whether the draw is there.
func (t *timetable) compare(ctx context.Context, want schedule.Draw) bool {
	d, err := t.ledger.FindDraw(ctx, want.ID)
	if err != nil {
		return false
	}
	people := uint32(1)
	if d.Two {
		people = 2
	}
	if want.People == 0 {
		people = 0 // whatever it has is right
	}
	has := t.terms(d.Agencies, d.Rule.Source, d.Closes, people, d.Game)
	if wants := t.terms(want.Agencies, want.Rule.Source, want.Closes, want.People, want.Game); has != wants {
		t.log.Warn("draw_open", "result", "fail", "draw", want.ID, "by", "schedule", "error", "it is there with other terms, which cannot change",
			"its_terms", has, "schedule", wants)
	}
	return true
}

// terms writes what two draws of one name may differ in, for the log. people 0 is not written, nor the specification's game.
func (t *timetable) terms(agencies uint32, source draw.Source, closes time.Time, people uint32, game *quiniela.Terms) string {
	text := fmt.Sprintf("%d agencies, %s", agencies, source)
	if people != 0 {
		text += fmt.Sprintf(", people %d", people)
	}
	if game != nil {
		text += ", " + game.String()
	}
	if closes.IsZero() {
		return text + ", closes when all have finished"
	}
	return text + ", closes " + closes.In(t.schedule.Zone).Format(time.RFC3339Nano)
}

// reportMissed logs that a draw was not opened before its closing time, unless it is there.
func (t *timetable) reportMissed(ctx context.Context, d schedule.Draw) {
	if _, err := t.ledger.FindDraw(ctx, d.ID); quiniela.CodeOf(err) == quiniela.NoDraw {
		t.log.Error("draw_open", "result", "fail", "draw", d.ID, "by", "schedule", "closed", d.Closes.Format(time.RFC3339),
			"error", "its closing time has passed, and it was not open: it does not take place")
	}
}

// reportOpenHolidays logs which open draws the schedule skips. They were opened before the file said so, and only an operator closes them.
func (t *timetable) reportOpenHolidays(ctx context.Context) {
	now := t.now()
	for _, d := range t.schedule.Ahead(now) {
		if d.Skipped == "" {
			continue
		}
		if open, err := t.ledger.FindDraw(ctx, d.ID); err == nil && !open.Sealed {
			t.log.Warn("schedule", "result", "fail", "draw", d.ID, "skip", d.Skipped,
				"error", "it is open already: to take no more bets, `quiniela draw close "+d.ID+" --note REASON`")
		}
	}
}
