// Package forget deletes from a stopped central's data folder who bet in a past draw, and keeps which numbers were bet. It
// holds the rule of what may be forgotten: a draw that has its result and that, where it is in the public log, is published
// whole, since what has been forgotten can never be published. How lines are taken out of a journal is package local's.
package forget

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
)

// Options say what is to be forgotten, and where.
type Options struct {
	Data     string // the data folder
	Journal  *local.Journal
	Public   string               // folder of the public log that has the draw
	Draw     string               // its name
	Progress func(entries uint64) // told now and then how far in the journal a check is; nil: nobody is told
}

// Task is a draw that may be forgotten.
type Task struct {
	options  Options
	draw     uint64       // its Seq
	public   bool         // the draw is in the public log
	end      journal.Head // of the journal, as it was checked
	recorded bool         // the journal says already that the draw is to be forgotten: an earlier run was cut off
}

// Prepare checks that the draw may be forgotten. It changes nothing. The error has the code NoDraw where there is no such draw,
// and Invalid where it has no result.
func Prepare(ctx context.Context, o Options) (*Task, error) {
	if o.Progress == nil {
		o.Progress = func(uint64) {}
	}
	end, err := o.Journal.Last(ctx)
	if err != nil {
		return nil, err
	}
	t := &Task{options: o, end: end}
	if err := t.find(ctx); err != nil {
		return nil, err
	}
	if t.recorded || !t.public {
		return t, nil // once it is recorded, it was published whole
	}
	if err := t.checkPublished(ctx); err != nil {
		return nil, fmt.Errorf("draw %s is not published whole in %s: %w. Nothing was forgotten. Run the server until the draw's outcome.json is there, or name the folder that has the draw with --public",
			o.Draw, o.Public, err)
	}
	return t, nil
}

// find finds the draw by its name.
func (t *Task) find(ctx context.Context) error {
	drawn := false
	err := t.each(ctx, func(entry any) error {
		switch v := entry.(type) {
		case journal.Open:
			if v.ID == t.options.Draw {
				t.draw, t.public = v.Draw, v.Public
			}
		case journal.Result:
			drawn = drawn || v.Draw == t.draw
		case journal.Forget:
			t.recorded = t.recorded || v.Draw == t.draw
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case t.draw == 0:
		return quiniela.Refuse(quiniela.NoDraw, "there is no draw %q in this journal", t.options.Draw)
	case !drawn:
		return quiniela.Refuse(quiniela.Invalid, "draw %s has no result yet: what it needs cannot be forgotten", t.options.Draw)
	}
	return nil
}

// each calls f with every entry of the journal, decoded, until f fails.
func (t *Task) each(ctx context.Context, f func(entry any) error) error {
	for e, err := range t.options.Journal.Entries(ctx, 1) {
		if err != nil {
			return err
		}
		entry, err := journal.Decode(e.Data)
		if err != nil {
			return fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
		if err := f(entry); err != nil {
			return err
		}
		if e.Position%1024 == 0 {
			t.options.Progress(e.Position)
		}
	}
	return nil
}

// Run forgets the draw and returns how many batches it replaced. Nothing else may use the data folder meanwhile. It records in
// the journal, durably, that the draw is to be forgotten, before it replaces anything: so a run that is cut off can be repeated,
// and goes on. It cannot be undone.
func (t *Task) Run(ctx context.Context) (batches int, err error) {
	j := t.options.Journal
	if !t.recorded {
		entry := journal.Encode(journal.Forget{Draw: t.draw, At: time.Now().UnixMicro()})
		if _, err := j.Append(ctx, t.end, [][]byte{entry}); err != nil {
			return 0, err
		}
		t.recorded = true
	}
	if batches, err = j.Forget(ctx, t.draw); err != nil {
		return batches, fmt.Errorf("%w; run it again, it goes on where it was cut off", err)
	}
	// The state has the winners, also after they were deleted from the journal. The next start builds it from what is left.
	if err := os.RemoveAll(filepath.Join(t.options.Data, ledger.StateName)); err != nil {
		return batches, fmt.Errorf("delete the state, which has the winners: %w; run it again", err)
	}
	return batches, nil
}
