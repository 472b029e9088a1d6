package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
)

// payoutAfter opens the ledger on a disk and lets an evening of the game quiniela with a cap come to its end there, from wherever it was. It
// returns what was worked out.
func payoutAfter(fs vfs.FS) (outcome string, err error) {
	ctx := context.Background()
	j, err := local.Open("journal", local.Options{FS: fs, Reserve: 1})
	if err != nil {
		return "", err
	}
	l, err := ledger.Open(ctx, j, ledger.Options{Dir: "data", FS: fs, Public: true})
	if err != nil {
		return "", err
	}
	// After a failure nothing is closed: the process would end.
	if outcome, err = night(ctx, l); err != nil {
		return "", err
	}
	return outcome, errors.Join(l.Close(), j.Close())
}

// night opens the draw, sends two agencies' bets, finishes and enters the extract, each unless it is done already.
func night(ctx context.Context, l *ledger.Ledger) (outcome string, err error) {
	game := quiniela.DefaultTerms()
	game.Cap = 4
	_, err = l.OpenDraw(ctx, ledger.Actor{}, ledger.Terms{ID: "night", Agencies: 2, Rule: draw.Rule{Source: quiniela.SourceNotary}, Game: &game})
	if err != nil && quiniela.CodeOf(err) != quiniela.NoDraw { // its name is taken
		return "", err
	}
	for batch := uint64(1); batch <= 2; batch++ {
		for a := quiniela.Agency(1); a <= 2; a++ {
			s := plays(a, batch, "63,33.34", "62,100,1-20", fmt.Sprintf("%d,10.01", batch))
			if err := l.Submit(s); err != nil {
				return "", err
			}
			if _, err := s.Wait(); err != nil && quiniela.CodeOf(err) != quiniela.Finished { // or stored again, which is a repeat
				return "", err
			}
		}
	}
	for a := quiniela.Agency(1); a <= 2; a++ {
		if err := l.Finish(ctx, 0, a, 2, nil); err != nil {
			return "", err
		}
	}
	_, err = l.EnterPrizes(ctx, ledger.Actor{}, "night", extract, nil)
	if err != nil && quiniela.CodeOf(err) != quiniela.Conflict { // it has them
		return "", err
	}
	select {
	case <-l.Drawn(0):
	case <-l.Failed():
		return "", l.Err()
	case <-time.After(5 * time.Minute):
		return "", errors.New("the draw did not come")
	}
	return settled(ctx, l)
}

// settled returns all that a draw says of money.
func settled(ctx context.Context, l *ledger.Ledger) (string, error) {
	d, err := l.FindDraw(ctx, "night")
	if err != nil {
		return "", err
	}
	payouts, err := l.Payouts(ctx, "night", 0, 10)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s %+v %v\n", d.Game, *d.Payout(), d.Prizes())
	for _, p := range payouts {
		text += fmt.Sprintf("%+v\n", p)
	}
	err = l.EachPrize(ctx, "night", func(p ledger.Prize) error {
		text += fmt.Sprintf("%d|%d|%d|%s %s|%d|%d\n", p.Agency, p.Batch, p.Line, p.Play.Appearance(), p.Play.Range(), p.Hits, p.Paid)
		return nil
	})
	return text, err
}

// TestWhatIsPaidOutlivesEveryFailedWrite fails each write and sync of an evening in turn, once with nothing unsynced on the disk afterwards and
// once with all of it. What is left is opened, and comes to the same amounts to the cent.
func TestWhatIsPaidOutlivesEveryFailedWrite(t *testing.T) {
	want, err := payoutAfter(vfs.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("an evening comes to\n%s", want)
	for _, keep := range []int{0, 100} {
		t.Run(fmt.Sprintf("%d percent persisted", keep), func(t *testing.T) {
			t.Parallel()
			failEach(t, 60, func(at int64) bool {
				disk := vfs.NewCrashableMem()
				broken := &brokenDisk{picture: func() *vfs.MemFS {
					return disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: rand.New(rand.NewPCG(0, 0))})
				}}
				broken.at.Store(at)
				got, err := payoutAfter(errorfs.Wrap(disk, broken))
				if !broken.failed.Load() {
					if err != nil || got != want {
						t.Errorf("write %d: nothing failed, and the evening ended with %v and\n%s", at, err, cmp.Diff(want, got))
					}
					return false
				}
				left := broken.disk.Load()
				for range 2 { // the second time nothing is left to do
					if got, err := payoutAfter(left); err != nil || got != want {
						t.Errorf("write %d: %v\n%s", at, err, cmp.Diff(want, got))
						return false
					}
				}
				return true
			})
		})
	}
}
