package client_test

import (
	"strings"
	"testing"

	"quiniela/internal/client"
	"quiniela/internal/ledger"
)

// The specification's form is refused without a reason, so a plain client says what may be behind it: the draw's game. Nothing is stored, and the
// file of the right game is.
func TestAPlainFileOfTheOtherGame(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		stakes      bool // of the current draw
		wrong, good string
		want        string
	}{
		"bets with stakes":    {false, examples, several, "it may be that the draw is of another game than this file, which has bets of the game quiniela"},
		"bets without stakes": {true, several, examples, "it may be that the draw is of another game than this file, which has bets of the game specified"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, 1)
			if row.stakes {
				if _, err := c.ledger.CloseDraw(t.Context(), ledger.Actor{}, "1", ""); err != nil {
					t.Fatal(err)
				}
				c.evening(nil)
			}
			for _, lines := range []bool{false, true} {
				conf := config(1, c.address, write(t, row.wrong))
				conf.Plain, conf.Lines = true, lines
				_, err := client.Run(t.Context(), conf, quiet)
				if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "leave --plain out") {
					t.Errorf("lines %t: %v, want %q", lines, err, row.want)
				}
				conf.Plain, conf.Lines = false, false
				if _, err := client.Run(t.Context(), conf, quiet); err == nil || !strings.Contains(err.Error(), "nothing was sent") || !strings.Contains(err.Error(), "has bets of the game") {
					t.Errorf("not plain: %v", err)
				}
			}
			conf := config(1, c.address, write(t, row.good))
			conf.Plain, conf.Lines = true, true
			report, err := client.Run(t.Context(), conf, quiet)
			if want := strings.Count(row.good, "\n"); err != nil || report.Bets != want {
				t.Errorf("%d bets of %d: %v", report.Bets, want, err)
			}
		})
	}
}
