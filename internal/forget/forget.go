// Package forget deletes from a stopped central's data folder and journal who bet in a past draw, and keeps what was bet. It
// holds the rule of what may be forgotten: a draw that has its result and that, where it is in the public log, is published
// whole, since what has been forgotten can never be published. How lines are taken out of a journal is for the journals' packages.
package forget

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quiniela"
	"quiniela/internal/backup"
	"quiniela/internal/durable"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
)

// Journal is a journal that can forget.
type Journal interface {
	journal.Journal
	// Forget replaces the batches of a draw, which is of a game, by what journal.Forgotten leaves of them, durably, and returns how many it has
	// replaced. After an error it can be repeated and goes on where it was cut off.
	Forget(ctx context.Context, draw uint64, game *quiniela.Terms) (batches int, err error)
}

// Options say what is to be forgotten, and where.
type Options struct {
	Data     string // the data folder
	Journal  Journal
	Public   string               // folder of the public log that has the draw
	Draw     string               // its name
	By       string               // who wants it, for the audit trail
	Progress func(entries uint64) // told now and then how far in the journal a check is; nil: nobody is told
}

// Task is a draw that may be forgotten.
type Task struct {
	options Options
	end     journal.Head // of the journal, as far as it has been read
	draw    uint64       // its Seq
	game    *quiniela.Terms
	public  bool // the draw is in the public log
	drawn   bool
	opened  uint64 // the position of the draw's opening
	marked  uint64 // and of the entry that says that it is to be forgotten; 0: there is none yet
}

// Prepare checks that the draw may be forgotten. It changes nothing. The error has the code NoDraw where there is no such draw,
// and Invalid where it has no result.
func Prepare(ctx context.Context, o Options) (*Task, error) {
	if o.Progress == nil {
		o.Progress = func(uint64) {}
	}
	t := &Task{options: o}
	if err := t.find(ctx); err != nil {
		return nil, err
	}
	switch {
	case t.draw == 0:
		return nil, quiniela.Refuse(quiniela.NoDraw, "there is no draw %q in this journal", o.Draw)
	case !t.drawn:
		return nil, quiniela.Refuse(quiniela.Invalid, "draw %s has no result yet: what it needs cannot be forgotten", o.Draw)
	case t.marked != 0 || !t.public:
		return t, nil // once it is marked, it was published whole
	}
	if err := t.checkPublished(ctx); err != nil {
		return nil, fmt.Errorf("draw %s is not published whole in %s: %w. Nothing was forgotten. Run the server until the draw's outcome.json is there, or name the folder that has the draw with --public",
			o.Draw, o.Public, err)
	}
	return t, nil
}

// find looks for the draw in what the journal has behind t.end.
func (t *Task) find(ctx context.Context) error {
	return t.each(ctx, t.end.Position+1, func(e journal.Entry, entry any) error {
		if t.end.Next(e.Data) != e.Head {
			return journal.ErrOtherHistory
		}
		t.end = e.Head
		switch v := entry.(type) {
		case journal.Open:
			if v.ID == t.options.Draw {
				t.draw, t.game, t.public, t.opened = v.Draw, v.Game, v.Public, e.Position
			}
		case journal.Result:
			t.drawn = t.drawn || v.Draw == t.draw
		case journal.Forget:
			if v.Draw == t.draw {
				t.marked = e.Position
			}
		}
		return nil
	})
}

// each calls f with the entries of the journal from a position on, until f fails.
func (t *Task) each(ctx context.Context, from uint64, f func(e journal.Entry, entry any) error) error {
	for e, err := range t.options.Journal.Entries(ctx, from) {
		if err != nil {
			return err
		}
		entry, err := journal.Decode(e.Data)
		if err == nil {
			err = f(e, entry)
		}
		if err != nil {
			return fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
		if e.Position%1024 == 0 {
			t.options.Progress(e.Position)
		}
	}
	return nil
}

// Done is what Run has done.
type Done struct {
	Batches int // without who bet, now and not before
	// Copies are the copies of the bets that were made of the data folder before, as far as it knows: they still have who bet.
	Copies []backup.Copy
	// Unread says which lines of the list of copies cannot be read; nil where all can.
	Unread error
}

// Run forgets the draw. No server may use the data folder meanwhile. It records in the journal, durably, that the draw is to be
// forgotten, before it replaces anything: so a run that is cut off can be repeated, and goes on. It cannot be undone.
func (t *Task) Run(ctx context.Context) (done Done, err error) {
	if err := t.alone(); err != nil {
		return done, err
	}
	already := t.marked
	if err := t.mark(ctx); err != nil {
		return done, err
	}
	if done.Batches, err = t.options.Journal.Forget(ctx, t.draw, t.game); err != nil {
		return done, fmt.Errorf("%w; run it again, it goes on where it was cut off", err)
	}
	// The state has the winners, also after they were deleted from the journal. The next start builds it from what is left.
	if err := os.RemoveAll(t.state()); err != nil {
		return done, fmt.Errorf("delete the state, which has the winners: %w; run it again", err)
	}
	if err := durable.SyncDir(t.options.Data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return done, fmt.Errorf("delete the state, which has the winners: %w; run it again", err)
	}
	if done.Batches > 0 {
		already = 0 // the run that marked it was cut off: a copy that was made since may have who bet
	}
	done.Copies, done.Unread = t.copies(already)
	return done, nil
}

func (t *Task) state() string { return filepath.Join(t.options.Data, ledger.StateName) }

// alone fails while a server uses the state. Where the journal is in the data folder as well, it is locked already.
func (t *Task) alone() error {
	lock, err := durable.Lock(t.state())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it was deleted before, or no server ever ran here
	case errors.Is(err, durable.ErrLocked):
		return fmt.Errorf("a server uses the data folder %s: stop it first. Nothing was forgotten", t.options.Data)
	case err != nil:
		return fmt.Errorf("lock the state: %w", err)
	}
	return lock.Close()
}

// mark records in the journal that the draw is to be forgotten, once, and in its audit trail who wants it.
func (t *Task) mark(ctx context.Context) error {
	now := time.Now().UnixMicro()
	entries := [][]byte{
		journal.Encode(journal.Forget{Draw: t.draw, At: now}),
		journal.Encode(journal.Act{What: journal.ActForget, Who: t.options.By, From: "command", Draw: t.options.Draw, At: now}),
	}
	for t.marked == 0 {
		_, err := t.options.Journal.Append(ctx, t.end, entries)
		if err == nil {
			t.marked = t.end.Position + 1
			return nil
		}
		if !errors.Is(err, journal.ErrMoved) {
			return err
		}
		if err := t.find(ctx); err != nil { // another server has appended, perhaps the same mark
			return err
		}
	}
	return nil
}

// copies returns the copies that have who bet in the draw: backups that have it and were made before the mark, where that is not 0,
// and exports of it.
func (t *Task) copies(mark uint64) (have []backup.Copy, err error) {
	all, err := backup.Copies(t.options.Data)
	for _, c := range all {
		exported := c.Kind == backup.KindExport && c.Draw == t.options.Draw
		backedUp := c.Kind == backup.KindBackup && c.Last >= t.opened && (mark == 0 || c.Last < mark)
		if exported || backedUp {
			have = append(have, c)
		}
	}
	return have, err
}
