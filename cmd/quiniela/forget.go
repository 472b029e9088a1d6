package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quiniela"
	"quiniela/internal/central"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/publish"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/verify"
)

type forgetCommand struct {
	Draw   string `arg:"" help:"Name of the draw; it must have its result."`
	Data   string `help:"Data folder, of which the server must not be running." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	Public string `help:"Folder of the public log that has the draw; empty is public in the data folder." placeholder:"DIR"`
	askFlags
}

func (c *forgetCommand) Run(e env) (err error) {
	j, err := central.OpenLocal(c.Data, local.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	last, err := j.Last(e.ctx)
	if err != nil {
		return err
	}
	n, said, err := forgettable(e.ctx, j, c.Draw)
	if err == nil && !said {
		err = c.published(e.ctx, j, n)
	}
	if err != nil {
		return err
	}
	what := fmt.Sprintf("Delete who bet in draw %s and who won it from %s, for ever; which numbers were bet stays. Backups keep all of it.", c.Draw, c.Data)
	if err := c.confirm(e, what, c.Draw); err != nil {
		return err
	}
	if !said {
		entry := journal.Encode(journal.Forget{Draw: n, At: time.Now().UnixMicro()})
		if _, err := j.Append(e.ctx, last, [][]byte{entry}); err != nil {
			return err
		}
	}
	batches, err := j.Forget(e.ctx, n)
	if err != nil {
		return fmt.Errorf("%w; run it again, it goes on where it was cut off", err)
	}
	// It has the winners, also where they were deleted a moment ago; the next start builds it from what is left.
	if err := os.RemoveAll(filepath.Join(c.Data, "state")); err != nil {
		return fmt.Errorf("delete the state, which has the winners: %w; run it again", err)
	}
	_, err = fmt.Fprintf(e.stdout, "draw %s: %s batches without names and documents\n", c.Draw, thousands(batches))
	return err
}

// forgettable finds a draw by its name, and whether its end has been recorded already.
func forgettable(ctx context.Context, j journal.Journal, id string) (n uint64, said bool, err error) {
	drawn := false
	for e, err := range j.Entries(ctx, 1) {
		if err != nil {
			return 0, false, err
		}
		v, err := journal.Decode(e.Data)
		if err != nil {
			return 0, false, fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
		switch v := v.(type) {
		case journal.Open:
			if v.ID == id {
				n = v.Draw
			}
		case journal.Result:
			drawn = drawn || v.Draw == n
		case journal.Forget:
			said = said || v.Draw == n
		}
	}
	switch {
	case n == 0:
		return 0, false, quiniela.Refuse(quiniela.NoDraw, "there is no draw %q in this journal", id)
	case !drawn:
		return 0, false, quiniela.Refuse(quiniela.Invalid, "draw %s has no result yet: what it needs cannot be forgotten", id)
	}
	return n, said, nil
}

// published refuses a draw of the public log that is not published whole: what has been forgotten can never be published.
func (c *forgetCommand) published(ctx context.Context, j journal.Journal, n uint64) error {
	dir := c.Public
	if dir == "" {
		dir = filepath.Join(c.Data, publish.FolderName)
	}
	err := publishedWhole(ctx, j, n, dir)
	if err != nil {
		return fmt.Errorf("draw %s is not published whole in %s: %w. Nothing was forgotten. Run the server until the draw's outcome.json is there, or name the folder that has the draw with --public",
			c.Draw, dir, err)
	}
	return nil
}

// publishedWhole compares the records and the outcome of draw n in a folder with the journal.
func publishedWhole(ctx context.Context, j journal.Journal, n uint64, dir string) error {
	at := ""
	for e, err := range j.Entries(ctx, 1) {
		if err != nil {
			return err
		}
		v, err := journal.Decode(e.Data)
		if err != nil {
			return fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
		switch v := v.(type) {
		case journal.Open:
			if v.Draw == n && !v.Public {
				return nil
			}
			if v.Draw == n {
				at = filepath.Join(dir, "draws", v.ID)
			}
		case *journal.Batch:
			if v.Draw == n {
				err = sameRecords(filepath.Join(at, "bets", fmt.Sprint(v.Agency), fmt.Sprintf("%d.pub", v.Batch)), v)
			}
		case journal.Result:
			if v.Draw == n {
				err = sameOutcome(dir, filepath.Join(at, "outcome.json"), v)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sameRecords(path string, b *journal.Batch) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	root, count, err := receipt.RecordsRoot(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if b.Root == nil || root != *b.Root || count != int(b.Count) {
		return fmt.Errorf("%s does not have the bets that the journal has", path)
	}
	return nil
}

// sameOutcome checks a draw's outcome. How its number follows from a beacon was checked before it was drawn.
func sameOutcome(dir, path string, r journal.Result) error {
	key, err := os.ReadFile(filepath.Join(dir, "log.vkey"))
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	policy, err := tlog.TrustLog(strings.TrimSpace(string(key)))
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, "log.vkey"), err)
	}
	found, proven := verify.Outcome(data, policy, nil, nil)
	for _, f := range found {
		if f.State == verify.Failed && f.Step != verify.StepNumber {
			return fmt.Errorf("%s: %s: %w", path, f.Step, f.Err)
		}
	}
	if proven.Result.Number != r.Number || proven.Result.Winners != r.Winners || proven.Result.Drawn != uint64(r.At) {
		return fmt.Errorf("%s has another result than the journal", path)
	}
	return nil
}
