package client_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/client"
	"quiniela/internal/ledger"
)

// extract is that of the worked examples in docs/QUINIELA.md.
var extract = []quiniela.Number{4563, 4290, 8068, 2532, 9658, 562, 1642, 7613, 3376, 7481, 4062, 3284, 7888, 13, 4533, 5321, 2662, 6884, 5828, 7511}

// examples are the worked examples, and a bet under a peso.
const examples = `Ana,Paz,1,1990-01-01,4563,100
Ana,Paz,2,1990-01-01,563,100,1
Ana,Paz,3,1990-01-01,63,100.00,1-1
Ana,Paz,4,1990-01-01,62,100,1-20
Ana,Paz,5,1990-01-01,62,100,1-5
Ana,Paz,6,1990-01-01,58,100,1-5
Ana,Paz,7,1990-01-01,13,100,1-10
Ana,Paz,8,1990-01-01,0562,100,1-10
Ana,Paz,9,1990-01-01,63,33.34
`

// evening opens a draw of the game quiniela for one agency, and draws it once the agency has finished.
func (c *central) evening(change func(*quiniela.Terms)) {
	c.t.Helper()
	game := quiniela.DefaultTerms()
	if change != nil {
		change(&game)
	}
	ctx := context.Background()
	d, err := c.ledger.OpenDraw(ctx, ledger.Actor{}, ledger.Terms{ID: "night", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}, Game: &game})
	if err != nil {
		c.t.Fatal(err)
	}
	go func() {
		for range 60_000 {
			if d, err := c.ledger.DrawBySeq(d.Seq); err != nil || d.Sealed {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		_, _ = c.ledger.EnterPrizes(ctx, ledger.Actor{}, "night", extract, nil) // what is wrong with it shows in the client
	}()
}

// An agency's file of bets with stakes comes back with what each winner is paid, whole rows in its order, and a further run writes the same.
func TestTheWinningRowsHaveWhatTheyArePaid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		cap  uint32
		want string
	}{
		"as they are": {0, `Ana,Paz,1,1990-01-01,4563,100,,1,350000.00
Ana,Paz,2,1990-01-01,563,100,1,1,60000.00
Ana,Paz,3,1990-01-01,63,100.00,1-1,1,7000.00
Ana,Paz,4,1990-01-01,62,100,1-20,3,1050.00
Ana,Paz,6,1990-01-01,58,100,1-5,1,1400.00
Ana,Paz,7,1990-01-01,13,100,1-10,1,700.00
Ana,Paz,8,1990-01-01,0562,100,1-10,1,35000.00
Ana,Paz,9,1990-01-01,63,33.34,,1,2333.80
`},
		"at a share": {4, `Ana,Paz,1,1990-01-01,4563,100,,1,2550.20
Ana,Paz,2,1990-01-01,563,100,1,1,437.17
Ana,Paz,3,1990-01-01,63,100.00,1-1,1,51.00
Ana,Paz,4,1990-01-01,62,100,1-20,3,7.65
Ana,Paz,6,1990-01-01,58,100,1-5,1,10.20
Ana,Paz,7,1990-01-01,13,100,1-10,1,5.10
Ana,Paz,8,1990-01-01,0562,100,1-10,1,255.02
Ana,Paz,9,1990-01-01,63,33.34,,1,17.00
`},
	} {
		c := start(t, 1)
		c.evening(func(g *quiniela.Terms) { g.Cap = row.cap })
		conf := config(1, c.address, write(t, examples))
		conf.Draw, conf.BatchBets, conf.Winners = "night", 4, filepath.Join(t.TempDir(), "winners.csv")
		for range 2 {
			if _, err := client.Run(t.Context(), conf, quiet); err != nil {
				t.Fatal(err)
			}
			if got := read(t, conf.Winners); got != row.want {
				t.Errorf("%s:\n%s\nwant\n%s", name, got, row.want)
			}
		}
	}
}

// A file is checked against the draw's game and terms before anything is sent, and by itself without a server.
func TestAFileIsCheckedAgainstTheTerms(t *testing.T) {
	t.Parallel()
	c := start(t, 1)
	c.evening(func(g *quiniela.Terms) { g.MinStake, g.MaxStake = 5000, 10_000 })
	over := strings.Replace(examples, "62,100,1-20", "62,100.01,1-20", 1)
	for name, row := range map[string]struct {
		draw, text string
		skip       bool
		want       []string
	}{
		"under the least":        {"night", examples, false, []string{":9: stake: 33.34 is under the draw's 50.00", "nothing was sent"}},
		"over the greatest":      {"night", over, false, []string{":4: stake: 100.01 is over the draw's 100.00", ":9: stake: 33.34 is under", "2 lines are wrong; nothing was sent"}},
		"of the other game":      {"night", several, false, []string{"draw night is of the game quiniela, whose bet lines are", "stake[,from-to]", "has bets of the game specified; nothing was sent"}},
		"of this one, elsewhere": {"1", examples, false, []string{"draw 1 is of the game specified", "has bets of the game quiniela; nothing was sent"}},
		"without a stake":        {"night", strings.Replace(examples, ",33.34", "", 1), false, []string{":9: 5 fields, want 6 or 7", "nothing was sent"}},
		"with a header":          {"night", "first_name,last_name,document,birthdate,number,stake,range\n" + examples, false, []string{":1: it looks like a header"}},
	} {
		conf := config(1, c.address, write(t, row.text))
		conf.Draw = row.draw
		_, err := client.Run(t.Context(), conf, quiet)
		for _, want := range row.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %q", name, err, want)
			}
		}
	}
	if bets := c.stored()["1"]; len(bets) != 0 {
		t.Errorf("stored: %q", bets)
	}
	// A bad first line tells no game, whatever it looks like: the good lines are sent, of the specification's game too.
	for name, first := range map[string]string{"a field too many": "Paz, Ana,Paz,1,1990-01-01,7\n", "a comma behind it": "Ana,Paz,1,1990-01-01,7,\n", "a header": "a,b,c,d,e,f,g\n", "a blank": "\n"} {
		conf := config(1, start(t, 1).address, write(t, first+several))
		conf.Draw, conf.SkipBadLines = "1", true
		if report, err := client.Run(t.Context(), conf, quiet); err != nil || report.Bets != 6 || len(report.Skipped) != 1 {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
		if _, _, err := client.Check(t.Context(), config(1, "", write(t, "Ana,Paz,1,1990-01-01,7,\n"+several))); err == nil || !strings.Contains(err.Error(), ":1: 6 fields, want 5") || strings.Contains(err.Error(), ":2:") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Where the terms leave no bet, the agency does not finish without one.
	conf := config(1, c.address, write(t, "Ana,Paz,9,1990-01-01,63,33.34\n"))
	conf.Draw, conf.SkipBadLines = "night", true
	if _, err := client.Run(t.Context(), conf, quiet); err == nil || !strings.Contains(err.Error(), "has no bet; nothing was sent, and the agency has not finished") {
		t.Errorf("no bet is left: %v", err)
	}
	// The good lines alone, where the agency says so. A file alone is checked without terms.
	conf = config(1, c.address, write(t, over))
	conf.Draw, conf.SkipBadLines = "night", true
	report, err := client.Run(t.Context(), conf, quiet)
	if err != nil || report.Bets != 7 || len(report.Skipped) != 2 || report.Skipped[0].Line != 4 || report.Skipped[1].Line != 9 {
		t.Errorf("%+v, %v", report, err)
	}
	if n, _, err := client.Check(t.Context(), conf); err != nil || n != 9 {
		t.Errorf("without a server: %d bets, %v", n, err)
	}
}
