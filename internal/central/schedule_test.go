package central_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/operators"
)

// day is a lottery that goes by a schedule, under a clock of its own.
type day struct {
	t        *testing.T
	options  central.Options
	schedule string // the file's path
	log      string // likewise
	clock    *atomic.Int64
	central  *central.Central // while it runs
	stop     func()
}

const twoDraws = `
zone: America/Argentina/Buenos_Aires
agencies: 3
source: notary
lead: 15m
ahead: 4h
draws:
  - {name: matutina, time: 15:00}
  - {name: nocturna, time: 21:00}
skip:
  - {date: 2026-11-25, reason: a holiday}
`

func newDay(t *testing.T, schedule string) *day {
	t.Helper()
	dir := t.TempDir()
	d := &day{t: t, schedule: filepath.Join(dir, "draws.yaml"), log: filepath.Join(dir, "log"), clock: new(atomic.Int64)}
	d.options = central.DefaultOptions(filepath.Join(dir, "data"))
	d.options.Schedule = d.schedule
	d.options.Seed = &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(7574)} // which a schedule takes the place of
	d.options.Now = func() time.Time { return time.UnixMicro(d.clock.Load()) }
	d.write(schedule)
	return d
}

func (d *day) write(schedule string) {
	d.t.Helper()
	// Put in place in one step, as an editor does it.
	if err := errors.Join(os.WriteFile(d.schedule+".new", []byte(schedule), 0o600), os.Rename(d.schedule+".new", d.schedule)); err != nil {
		d.t.Fatal(err)
	}
}

// at sets the clock to a time of the lottery's zone.
func (d *day) at(clock string) {
	d.t.Helper()
	now, err := time.Parse(time.RFC3339, "2026-11-"+clock+":00-03:00")
	if err != nil {
		d.t.Fatal(err)
	}
	d.clock.Store(now.UnixMicro())
}

// open opens a central that logs to the day's file.
func (d *day) open() (*central.Central, *logline.Handler, *os.File, error) {
	d.t.Helper()
	f, err := os.OpenFile(d.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	handler := logline.New(f, slog.LevelInfo)
	d.options.Log = slog.New(handler)
	c, err := central.Open(d.t.Context(), d.options)
	return c, handler, f, err
}

// run starts the lottery. It ends with d.stop, or with the test.
func (d *day) run() {
	d.t.Helper()
	c, handler, f, err := d.open()
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx) }()
	stopped := false
	d.central, d.stop = c, func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(<-served, c.Close(), handler.Close(), f.Close()); err != nil {
			d.t.Error(err)
		}
	}
	d.t.Cleanup(d.stop)
}

// draws returns the draws that there are, each with its state.
func (d *day) draws() (all []string) {
	d.t.Helper()
	draws, err := d.central.Ledger.Draws(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, one := range draws {
		all = append(all, one.ID+" "+one.State())
	}
	return all
}

func (d *day) want(draws ...string) {
	d.t.Helper()
	var got []string
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = d.draws(); cmp.Equal(got, draws) {
			return
		}
	}
	d.t.Fatalf("the draws are %q, want %q\n%s", got, draws, d.lines(""))
}

// lines returns the lines of the log that have a text.
func (d *day) lines(text string) string {
	d.t.Helper()
	all, err := os.ReadFile(d.log)
	if err != nil {
		d.t.Fatal(err)
	}
	var found strings.Builder
	for line := range strings.Lines(string(all)) {
		if strings.Contains(line, text) {
			found.WriteString(line)
		}
	}
	return found.String()
}

// wantLine waits for a line of the log.
func (d *day) wantLine(pattern string) {
	d.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if regexp.MustCompile(pattern).MatchString(d.lines("")) {
			return
		}
	}
	d.t.Fatalf("the log has no line %s:\n%s", pattern, d.lines(""))
}

// A draw opens by itself when its time has come, once, whatever is started again in between, and none opens on a holiday.
func TestDrawsOpenByTheSchedule(t *testing.T) {
	t.Parallel()
	d := newDay(t, twoDraws)
	d.at("24T10:44")
	d.run()
	if got := d.draws(); len(got) > 0 {
		t.Fatalf("%q is open, and nothing is due", got)
	}
	d.at("24T10:45")
	d.want("2026-11-24-matutina open")
	one, err := d.central.Ledger.FindDraw(t.Context(), "2026-11-24-matutina")
	if err != nil || one.Agencies != 3 || one.Rule.Source != quiniela.SourceNotary || one.Closes.UTC().Format(time.RFC3339) != "2026-11-24T17:45:00Z" {
		t.Errorf("%+v, %v", one, err)
	}
	acts, _, err := d.central.Ledger.Trail(t.Context(), 0, 10, func(journal.Act) bool { return true })
	if err != nil || len(acts) != 1 || acts[0].Who != "server:schedule" || acts[0].What != journal.ActOpen || acts[0].Draw != "2026-11-24-matutina" {
		t.Errorf("the trail is %+v, %v", acts, err)
	}
	d.stop()
	d.at("24T14:45")
	d.run()
	d.want("2026-11-24-matutina sealed")
	d.at("24T17:00")
	d.want("2026-11-24-matutina sealed", "2026-11-24-nocturna open")
	d.stop()
	d.run()
	d.at("25T23:00")
	d.want("2026-11-24-matutina sealed", "2026-11-24-nocturna sealed")
	d.at("26T17:00") // the next day's first draw has come and gone while the clock jumped
	d.want("2026-11-24-matutina sealed", "2026-11-24-nocturna sealed", "2026-11-26-nocturna open")
	d.stop()
	if opened := strings.Count(d.lines(""), "action: draw_open | result: success"); opened != 3 {
		t.Errorf("%d openings are logged, want 3", opened)
	}
	if bad := d.lines("result: fail"); strings.Count(bad, "\n") != 1 || !strings.Contains(bad, "draw: 2026-11-26-matutina | by: schedule | closed: 2026-11-26T14:45:00-03:00") {
		t.Errorf("the log has these failures:\n%s", bad)
	}
}

// A draw that was due while no server ran, and whose bets are closed, is reported and does not open. A start on a schedule that is
// new reports nothing.
func TestAMissedDrawIsReported(t *testing.T) {
	t.Parallel()
	d := newDay(t, twoDraws)
	d.at("23T22:00")
	d.options.Schedule = ""
	d.run() // with a draw that was opened otherwise
	d.stop()
	d.options.Schedule = d.schedule
	d.run()
	d.stop()
	if bad := d.lines("result: fail"); bad != "" {
		t.Errorf("at the first start:\n%s", bad)
	}
	d.at("24T12:00")
	d.run()
	d.want("1 open", "2026-11-24-matutina open")
	d.stop()
	d.at("24T23:00")
	d.run()
	d.want("1 open", "2026-11-24-matutina sealed")
	d.stop()
	if bad := d.lines("result: fail"); strings.Count(bad, "\n") != 1 || !strings.Contains(bad, "draw: 2026-11-24-nocturna | by: schedule | closed: 2026-11-24T20:45:00-03:00 | error: its closing time has passed") {
		t.Errorf("the log has these failures:\n%s", bad)
	}
}

// The file is read again when it changes. One that cannot be used is reported with its line, and the schedule before holds.
func TestAScheduleIsChanged(t *testing.T) {
	t.Parallel()
	d := newDay(t, twoDraws)
	d.at("24T11:00")
	d.run()
	d.want("2026-11-24-matutina open")
	d.write(strings.Replace(twoDraws, "time: 21:00", "time: 9 pm", 1))
	d.wantLine(`ERROR .* action: schedule \| result: fail \| error: \S+draws.yaml:9: "9 pm" is no time of the day.* \| schedule: the one before stays in use`)
	d.at("24T17:00")
	d.want("2026-11-24-matutina sealed", "2026-11-24-nocturna open")
	if err := os.Remove(d.schedule); err != nil {
		t.Fatal(err)
	}
	d.wantLine(`action: schedule \| result: fail \| error: read the schedule: .*no such file`)
	// One more draw; another time for one that is open; and a holiday on which it is.
	d.write(strings.NewReplacer("  - {name: nocturna, time: 21:00}", "  - {name: nocturna, time: 21:05}\n  - {name: tarde, time: 20:00}", "2026-11-25", "2026-11-24").Replace(twoDraws))
	d.wantLine(`WARNING .*action: schedule \| result: fail \| draw: 2026-11-24-nocturna \| skip: a holiday \| error: it is open already: .*quiniela draw close 2026-11-24-nocturna --note REASON`)
	d.write(strings.Replace(twoDraws, "  - {name: nocturna, time: 21:00}", "  - {name: nocturna, time: 21:05}\n  - {name: tarde, time: 20:00, agencies: 4, people: 2}", 1))
	d.want("2026-11-24-matutina sealed", "2026-11-24-nocturna open", "2026-11-24-tarde open")
	if tarde, err := d.central.Ledger.FindDraw(t.Context(), "2026-11-24-tarde"); err != nil || !tarde.Two || tarde.Agencies != 4 {
		t.Errorf("%+v, %v", tarde, err)
	}
	d.wantLine(`draw: 2026-11-24-nocturna \| by: schedule \| error: it is there with other terms, which cannot change \| its_terms: 3 agencies, notary, closes 2026-11-24T20:45:00-03:00 \| schedule: 3 agencies, notary, closes 2026-11-24T20:50:00-03:00`)
	if bad := d.lines("result: fail"); strings.Count(bad, "\n") != 4 {
		t.Errorf("the log has these failures:\n%s", bad)
	}
}

// A draw of the game quiniela opens with the terms of the schedule, and a change of them is reported.
func TestADrawOpensWithTheGameOfTheSchedule(t *testing.T) {
	t.Parallel()
	game := strings.Replace(twoDraws, "lead: 15m", "lead: 15m\ngame: quiniela\nmin_stake: 0.50\ncap: 5", 1)
	d := newDay(t, game)
	d.at("24T10:45")
	d.run()
	d.want("2026-11-24-matutina open")
	one, err := d.central.Ledger.FindDraw(t.Context(), "2026-11-24-matutina")
	if want := "quiniela multipliers=7,70,600,3500 min_stake=0.50 max_stake=- cap=5"; err != nil || one.Game.String() != want {
		t.Errorf("%v, %v; want %s", one.Game, err, want)
	}
	d.write(strings.Replace(game, "cap: 5", "cap: 4", 1))
	d.wantLine(`draw: 2026-11-24-matutina \| by: schedule \| error: it is there with other terms, which cannot change \| its_terms: 3 agencies, notary, quiniela multipliers=7,70,600,3500 min_stake=0.50 max_stake=- cap=5, closes \S+ \| schedule: .* cap=4, closes`)
	d.write(strings.Replace(twoDraws, "lead: 15m", "lead: 15m # another game", 1))
	d.wantLine(`draw: 2026-11-24-matutina \| .* \| schedule: 3 agencies, notary, closes`)
	if bad := d.lines("result: fail"); strings.Count(bad, "\n") != 2 {
		t.Errorf("the log has these failures:\n%s", bad)
	}
}

// A draw that cannot be opened is tried again, and reported where its time passes meanwhile.
func TestADrawThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDay(t, twoDraws)
	d.at("24T10:00")
	d.run()
	for range ledger.MaxUndrawn {
		id := "x" + time.Duration(d.clock.Add(1)).String()
		if _, err := d.central.Ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: id, Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}}); err != nil {
			t.Fatal(err)
		}
	}
	d.at("24T11:00")
	d.wantLine(`ERROR .*action: draw_open \| result: fail \| draw: 2026-11-24-matutina \| by: schedule \| error: busy: 1000 draws have no result yet`)
	d.at("24T14:46")
	d.wantLine(`draw: 2026-11-24-matutina \| by: schedule .* its closing time has passed`)
	draws, err := d.central.Ledger.Draws(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.central.Ledger.CloseDraw(t.Context(), ledger.Actor{}, draws[0].ID, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := d.central.Ledger.EnterNumber(t.Context(), ledger.Actor{}, draws[0].ID, 7574, nil); err != nil {
		t.Fatal(err)
	}
	d.at("24T17:00")
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := d.central.Ledger.FindDraw(t.Context(), "2026-11-24-nocturna"); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never opened:\n%s", d.lines("result: fail"))
		}
	}
}

// Where two people are registered who may enter a number, both must, unless the schedule says otherwise.
func TestAScheduleTakesTwoPeopleWhereThereAreTwo(t *testing.T) {
	t.Parallel()
	d := newDay(t, strings.Replace(twoDraws, "{name: nocturna, time: 21:00}", "{name: nocturna, time: 15:00, people: 1}", 1))
	d.options.Site = &central.Site{}
	for _, name := range []string{"ana", "luz"} {
		err := operators.Change(filepath.Join(d.options.Dir, operators.FileName), func(r *operators.Registry) error {
			_, err := r.Add(name, operators.Notary, time.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	d.at("24T12:00")
	d.run()
	d.want("2026-11-24-matutina open", "2026-11-24-nocturna open")
	draws, err := d.central.Ledger.Draws(t.Context())
	if err != nil || !draws[0].Two || draws[1].Two {
		t.Errorf("%+v, %v", draws, err)
	}
}

// A start on a schedule that is wrong, or that this server cannot keep, is refused, and nothing is made.
func TestAStartOnAWrongScheduleIsRefused(t *testing.T) {
	t.Parallel()
	for says, text := range map[string]string{
		`draws.yaml:3: "none" is not a whole number`: strings.Replace(twoDraws, "agencies: 3", "agencies: none", 1),
		"needs the public log":                       strings.Replace(twoDraws, "source: notary", "source: beacon", 1),
	} {
		d := newDay(t, text)
		d.at("24T12:00")
		_, _, f, err := d.open()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("started, or said %v; want %q", err, says)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(d.options.Dir); err == nil && len(left) > 0 {
			t.Errorf("the start left %v", left)
		}
	}
}
