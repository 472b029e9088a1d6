package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"quiniela/internal/backup"
	"quiniela/internal/central"
	"quiniela/internal/forget"
	"quiniela/internal/publish"
	"quiniela/internal/registry"
)

type forgetCommand struct {
	Draw string `arg:"" help:"Name of the draw; it must have its result."`
	Data string `help:"Data folder, of which the server must not be running." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	journalFlags
	Public string `help:"Folder of the public log that has the draw; empty is public in the data folder." placeholder:"DIR"`
	askFlags
}

func (c *forgetCommand) Run(e env) (err error) {
	j, err := c.openJournal(e.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	o := forget.Options{Data: c.Data, Journal: j, Public: c.Public, Draw: c.Draw, By: registry.LocalUser()}
	if o.Public == "" {
		o.Public = filepath.Join(c.Data, publish.FolderName)
	}
	last, err := j.Last(e.ctx)
	if err != nil {
		return err
	}
	shown := newProgress(e.stderr)
	o.Progress = shown.add("check", "entries", int64(last.Position)).entries
	task, err := forget.Prepare(e.ctx, o)
	shown.end()
	if err != nil {
		return err
	}
	what := fmt.Sprintf(e.say("Delete who bet in draw %s and who won it from %s, for ever; what was bet stays. Backups and exports that were made before keep all of it."), c.Draw, c.Data)
	if err := c.confirm(e, what, c.Draw); err != nil {
		return err
	}
	done, err := task.Run(e.ctx)
	if err != nil {
		return err
	}
	_, _ = printf(e.stdout, "draw %s: %s batches without names and documents\n", c.Draw, humanize.Comma(int64(done.Batches)))
	if c.shared() {
		_, _ = printf(e.stdout, sharedLeftovers+"\n")
	}
	tellCopies(e.stdout, c.Data, done.Copies)
	return done.Unread
}

// sharedLeftovers says what else has to be done where servers share the journal.
const sharedLeftovers = "Every other server's data folder has the winners as well: stop each, and run this command there.\n" +
	"The database keeps old versions of rows until `VACUUM FULL journal_entry`, and its write-ahead log, archives and backups as long as it was told to."

// openJournal opens the journal to be changed.
func (c *forgetCommand) openJournal(ctx context.Context) (forget.Journal, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	must := c.Data
	if !c.shared() {
		must = filepath.Join(c.Data, "journal") // which would be made
	}
	if _, err := os.Stat(must); err != nil {
		return nil, fmt.Errorf("%w: name the server's data folder with --data", err)
	}
	j, err := central.OpenJournal(ctx, c.Data, c.journalOptions(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return j.(forget.Journal), nil // both engines are
}

// tellCopies lists the copies that still have who bet.
func tellCopies(w io.Writer, data string, copies []backup.Copy) {
	const general = "Older backups and exports still have them"
	if len(copies) == 0 {
		_, _ = printf(w, "%s; %s knows of none.\n", general, filepath.Join(data, backup.CopiesName))
		return
	}
	_, _ = printf(w, "%s. Delete those that are known here, and any others:\n", general)
	removed := 0
	for _, c := range copies {
		if _, err := os.Lstat(c.Path); c.By == backup.BySchedule && errors.Is(err, fs.ErrNotExist) {
			removed++
			continue
		}
		_, _ = printf(w, "  %s of %s: %s\n", c.Kind, c.Made.Local().Format(time.DateTime+" MST"), whereabouts(c))
	}
	if removed > 0 {
		_, _ = printf(w, "  backups that the server made by itself and that are not in their place now: %d. Where they were copied or moved to, they still have them\n", removed)
	}
}

// whereabouts says where a copy is, as far as it can be seen from here.
func whereabouts(c backup.Copy) string {
	if c.Path == backup.StandardOutput {
		return "to the standard output of that command"
	}
	_, err := os.Lstat(c.Path)
	switch {
	case err == nil:
		return c.Path
	case errors.Is(err, fs.ErrNotExist):
		return c.Path + " (not there now: deleted, moved, or on a disk or machine that is not seen from here)"
	}
	return c.Path + " (cannot be looked at: " + err.Error() + ")"
}
