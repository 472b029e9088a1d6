package schedule_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"quiniela"
	"quiniela/internal/schedule"
)

// Each file is wrong in one way, and the error says in which line, and what to write.
func TestAWrongFileIsRefused(t *testing.T) {
	const good = "zone: UTC\nagencies: 5\nsource: notary\nlead: 10m\ndraws:\n  - name: a\n    time: 12:00\nskip:\n  - date: 2026-12-25\n    reason: Navidad\n"
	parse(t, good)
	for _, c := range []struct{ old, new, says string }{
		{good, "", "draws.yaml has no schedule: write one as deploy/draws.example.yaml has it"},
		{good, "# nothing\n", "draws.yaml has no schedule"},
		{good, "- a\n", "draws.yaml:1: want a schedule, with the keys zone, draws, skip, days"},
		{good, good + "---\n" + good, "draws.yaml:11: a second document begins here"},
		{"zone: UTC", "\tzone: UTC", "draws.yaml: no YAML: found character that cannot start any token"},
		{"    time: 12:00", "   time: 12:00\n  time", "draws.yaml:5: no YAML: did not find expected"},
		{"zone: UTC\n", "", "draws.yaml:1: the key zone is missing: want the zone"},
		{"zone: UTC", "zone:", "draws.yaml:1: want the zone"},
		{"zone: UTC", "zone: [UTC]", "draws.yaml:1: want the zone"},
		{"zone: UTC", "zone: Local", `draws.yaml:1: "Local" is no time zone`},
		{"zone: UTC", "zone: America/Buenos_Airs", `draws.yaml:1: "America/Buenos_Airs" is no time zone: want the zone of the times below, such as America/Argentina/Buenos_Aires`},
		{"agencies: 5", "agencies: 5\nagences: 5", `draws.yaml:3: unknown key "agences": a schedule has the keys zone, draws`},
		{"agencies: 5", "agencies: 5\nagencies: 6", "draws.yaml:3: the key agencies is there twice"},
		{"agencies: 5\n", "", "draws.yaml:5: draw a has no agencies: write the key here, or above for all draws"},
		{"agencies: 5", "agencies: 0", "draws.yaml:2: 0 agencies: want 1 to 1000000"},
		{"agencies: 5", "agencies: 1000001", "draws.yaml:2: 1000001 agencies"},
		{"agencies: 5", "agencies: 0x5", `draws.yaml:2: "0x5" is not a whole number`},
		{"source: notary", "source: notary\npeople: 3", "draws.yaml:4: 3 people: want 1 to 2"},
		{"time: 12:00", "time: 12:00\n    source: beacon\n    people: 2", "draws.yaml:9: nobody enters the number of draw a, since its source is beacon"},
		{"source: notary\n", "", "draws.yaml:5: draw a has no source"},
		{"source: notary", "source: fixed", `draws.yaml:3: the source "fixed": want notary or beacon`},
		{"lead: 10m\n", "", "draws.yaml:5: draw a has no lead"},
		{"lead: 10m", "lead: 10", `draws.yaml:4: "10": want a duration such as 15m or 24h, from 0s to 24h0m0s`},
		{"lead: 10m", "lead: -1m", `draws.yaml:4: "-1m"`},
		{"lead: 10m", "lead: 25h", `draws.yaml:4: "25h"`},
		{"lead: 10m", "ahead: 30s\nlead: 10m", `draws.yaml:4: "30s"`},
		{"lead: 10m", "ahead: 745h\nlead: 10m", `draws.yaml:4: "745h"`},
		{"lead: 10m", "lead: 10m\ndays: [mon, lunes]", `draws.yaml:5: "lunes" is no day: want some of sun, mon, tue, wed, thu, fri, sat`},
		{"lead: 10m", "lead: 10m\ndays: mon", "draws.yaml:5: want a list of days"},
		{"lead: 10m", "lead: 10m\ndays: []", "draws.yaml:5: want a list of days"},
		{"draws:\n  - name: a\n    time: 12:00\n", "", "draws.yaml:1: the schedule has no draws"},
		{"draws:\n  - name: a\n    time: 12:00\n", "draws:\n", "draws.yaml:5: want a list of draws"},
		{"draws:\n  - name: a\n    time: 12:00\n", "draws: [a]\n", "draws.yaml:5: want a draw, with the keys name, time, days"},
		{"    time: 12:00\n", "", "draws.yaml:6: draw a has no time"},
		{"time: 12:00", "time: 24:00", `draws.yaml:7: "24:00" is no time of the day: want one such as 21:00`},
		{"time: 12:00", "time: 9:00", `draws.yaml:7: "9:00" is no time of the day`},
		{"time: 12:00", "time: 12:00\n    closes: 11:00", `draws.yaml:8: unknown key "closes": a draw has the keys`},
		{"name: a", "name: a b", `draws.yaml:6: "a b" is no name`},
		{"name: a", "name: " + strings.Repeat("a", 54), "is no name"},
		{"name: a", "name:", `draws.yaml:6: "" is no name`},
		{"name: a", "days: [mon]", "draws.yaml:6: a draw without a name"},
		{"time: 12:00", "time: 12:00\n  - {name: a, time: 13:00}", "draws.yaml:8: a draw a is there already"},
		{"date: 2026-12-25", "date: 2026-02-30", `draws.yaml:9: "2026-02-30" is no date: want a date such as 2026-12-25`},
		{"date: 2026-12-25", "date: 25/12/2026", `draws.yaml:9: "25/12/2026" is no date`},
		{"date: 2026-12-25", "date: [2026-12-25]", "draws.yaml:9: want a date"},
		{"  - date: 2026-12-25\n    reason", "  - reason", "draws.yaml:9: the key date is missing"},
		{"    reason: Navidad\n", "", "draws.yaml:9: the key reason is missing"},
		{"reason: Navidad", "reason: ''", "draws.yaml:10: want a reason"},
		{"reason: Navidad", "reason: Navidad\n    draws: [b]", `draws.yaml:11: there is no draw "b": the draws are a`},
		{"reason: Navidad", "reason: Navidad\n    draws: []", "draws.yaml:11: want a list of names"},
		{"- date: 2026-12-25\n    reason: Navidad", "- 2026-12-25", "draws.yaml:9: want a day without draws, with the keys date, reason, draws"},
		{"lead: 10m", "lead: 10m\ngame: loto\ncap: 4", `draws.yaml:5: the game "loto": want specified or quiniela`},
		{"lead: 10m", "lead: 10m\ngame: [quiniela]", `draws.yaml:5: the game "": want`},
		{"lead: 10m", "lead: 10m\ncap: 4", "draws.yaml:5: cap: all draws are of the game specified, which has no stakes and no prizes in money: leave the key out, or write game: quiniela"},
		{"time: 12:00", "time: 12:00\n    min_stake: 1.00", "draws.yaml:8: min_stake: draw a is of the game specified, which has no stakes"},
		{"time: 12:00", "time: 12:00\n    game: specified\n    max_stake: 5\n  - {name: b, time: 13:00, game: quiniela}", "draws.yaml:9: max_stake: draw a is of the game specified"},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmin_stake: 1,50", `draws.yaml:6: "1,50" is not an amount in pesos`},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmin_stake: 1e2", `draws.yaml:6: "1e2" is not an amount`},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmin_stake: 0.001", `draws.yaml:6: "0.001" is not an amount`},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmin_stake: [1]", `draws.yaml:6: "" is not an amount`},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmin_stake: 0", "draws.yaml:6: min_stake: 0.00, want 0.01 to"},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmax_stake: 0.5", "draws.yaml:6: max_stake: 0.50, want 1.00 to"},
		{"lead: 10m", "lead: 10m\ngame: quiniela\ncap: 1000001", "draws.yaml:6: cap: 1000001, want at most 1000000"},
		{"lead: 10m", "lead: 10m\ngame: quiniela\ncap: 2.5", `draws.yaml:6: cap: "2.5" is not a whole number`},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmultipliers: 7,70,600", `draws.yaml:6: the multipliers "7,70,600": want 4`},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmultipliers: [7, 70, 600, x]", `draws.yaml:6: the multiplier for 4 digits: "x" is not a whole number`},
		{"lead: 10m", "lead: 10m\ngame: quiniela\nmultipliers: [7, 70, 0, 3500]", "draws.yaml:6: multipliers: 0 for 3 digits"},
		{"time: 12:00", "time: 12:00\n    game: quiniela\n    cap: 1000001", "draws.yaml:9: cap: 1000001"},
		// The least stake of this draw does not go with the greatest of all.
		{"lead: 10m\ndraws:\n", "lead: 10m\ngame: quiniela\nmax_stake: 100\ndraws:\n  - {name: b, time: 13:00, min_stake: 200}\n", "draws.yaml:8: max_stake: 100.00, want 200.00 to"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		s, err := schedule.Parse("draws.yaml", []byte(text))
		if err == nil || s != nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n%v\nwant one line with %q", text, err, c.says)
		}
	}
	if _, err := schedule.Read("absent.yaml"); err == nil || !strings.Contains(err.Error(), "open absent.yaml") {
		t.Error(err)
	}
}

// All that is wrong is said at once, in the order of the lines.
func TestAllFaultsAreSaid(t *testing.T) {
	_, err := schedule.Parse("d", []byte("agencies: many\nzone: Mars\nlead: 1m\nsource: dice\ndraws: [{name: a, time: now}]\n"))
	var lines []string
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, line[:4])
	}
	if !slices.Equal(lines, []string{"d:1:", "d:2:", "d:4:", "d:5:"}) {
		t.Error(err)
	}
}

// Whatever a file has, it is refused with its name, or every draw of it can be opened.
func FuzzParse(f *testing.F) {
	text, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("{zone: Europe/Madrid, agencies: 1, source: beacon, lead: 24h, ahead: 744h, draws: [{name: x, time: 02:30}, {name: y, time: 23:59, days: [sun]}]}"))
	f.Add([]byte("zone: &a UTC\ndraws: [*a]\n"))
	f.Add([]byte("{zone: UTC, agencies: 1, source: notary, lead: 0s, game: quiniela, cap: 5, draws: [{name: x, time: 02:30, min_stake: 0.50, max_stake: 50000}, {name: y, time: 23:59, multipliers: [7, 70, 500, 3500]}, {name: z, time: 01:00, game: specified}]}"))
	from := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := schedule.Parse("draws.yaml", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "draws.yaml") {
				t.Error(err)
			}
			return
		}
		ids := map[string]bool{}
		last := from
		for _, d := range s.Draws(from, from.AddDate(0, 0, 20)) {
			if err := quiniela.CheckDrawID(d.ID); err != nil || ids[d.ID] {
				t.Errorf("%v, or %s twice", err, d.ID)
			}
			ids[d.ID] = true
			if err := d.Game.Check(); err != nil {
				t.Errorf("%s: %v", d.ID, err)
			}
			if d.Closes.Before(last) || !d.Opens.Before(d.Closes) || d.Closes.After(d.Takes) || d.Agencies == 0 {
				t.Errorf("%+v", d)
			}
			last = d.Closes
		}
	})
}
