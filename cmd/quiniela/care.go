package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"quiniela"
	"quiniela/backup"
	"quiniela/fsck"
	"quiniela/journal"
	"quiniela/journal/local"
	"quiniela/publish"
)

type backupCommand struct {
	adminFlags
	Dir string `arg:"" help:"Folder to make."`
}

func (c *backupCommand) Run(e env) error {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	a, err := c.open()
	if err != nil {
		return err
	}
	var made struct{ Last uint64 }
	err = a.call(e.ctx, http.MethodPost, "/api/v1/backup", map[string]string{"dir": dir}, &made)
	if errors.Is(err, errNoServer) && c.Server == "" {
		made.Last, err = c.offline(e.ctx, dir)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s: the journal up to entry %s; check it with `quiniela fsck --data %s`\n", c.Dir, thousands(int(made.Last)), c.Dir)
	return err
}

// offline copies the journal of a folder that no server has open.
func (c *backupCommand) offline(ctx context.Context, dir string) (last uint64, err error) {
	j, err := openLocal(c.Data, local.Options{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	m, err := backup.Make(ctx, j, c.Data, dir)
	if err != nil {
		return 0, err
	}
	return m.Last, nil
}

type restoreCommand struct {
	Backup string `arg:"" help:"Folder of the backup."`
	Data   string `help:"Data folder to make; it must be new or empty." required:"" placeholder:"DIR"`
}

func (c *restoreCommand) Run(e env) error {
	m, err := backup.Verify(e.ctx, c.Backup)
	if err != nil {
		return err
	}
	set, end := progress(e.stderr, "check", m.Last)
	report, err := backup.Restore(e.ctx, c.Backup, c.Data, set)
	end()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(e.stdout, "%s: restored as of %s.\n", c.Data, m.Made.Local().Format("2006-01-02 15:04:05 MST"))
	return tell(e, report)
}

type fsckCommand struct {
	Data string `help:"Data folder, of which the server must not be running, or a backup." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	journalFlags
}

func (c *fsckCommand) Run(e env) (err error) {
	j, err := c.opener(e.ctx, c.Data, local.Options{ReadOnly: true}, 0, slog.New(slog.DiscardHandler))()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	last, err := j.Last(e.ctx)
	if err != nil {
		return err
	}
	set, end := progress(e.stderr, "check", last.Position)
	report, err := fsck.Check(e.ctx, j, set)
	end()
	if report != nil {
		err = errors.Join(tell(e, report), err)
	}
	if err == nil && !report.OK() {
		err = fmt.Errorf("%d things are wrong: restore the newest backup that is whole, and keep this folder as it is for whoever looks into it", uint64(len(report.Findings))+report.More)
	}
	return err
}

// tell prints what a journal holds and what is wrong with it.
func tell(e env, r *fsck.Report) error {
	_, err := fmt.Fprintf(e.stdout, "%s entries, %s batches, %s bets\n", thousands(int(r.Entries)), thousands(int(r.Batches)), thousands(int(r.Bets)))
	w := table(e, "DRAW\tSTATE\tAGENCIES\tBETS")
	for _, d := range r.Draws {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", d.ID, d.State, d.Agencies, thousands(int(d.Bets)))
	}
	err = errors.Join(err, w.Flush())
	for _, f := range r.Findings {
		_, _ = fmt.Fprintln(e.stdout, f)
	}
	if r.More > 0 {
		_, _ = fmt.Fprintf(e.stdout, "and %d more\n", r.More)
	}
	if r.OK() {
		_, err = fmt.Fprintln(e.stdout, "nothing is wrong")
	}
	return err
}

type forgetCommand struct {
	Draw string `arg:"" help:"Name of the draw; it must have its result."`
	Data string `help:"Data folder, of which the server must not be running." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	Yes  bool   `help:"Do it: it cannot be undone, but from a backup."`
}

func (c *forgetCommand) Run(e env) (err error) {
	j, err := openLocal(c.Data, local.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	last, err := j.Last(e.ctx)
	if err != nil {
		return err
	}
	n, said, err := forgettable(e.ctx, j, c.Draw)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Data, publish.FolderName, "draws", c.Draw, "outcome.json")); err != nil && !said {
		_, _ = fmt.Fprintf(e.stderr, "quiniela: draw %s is not, or not wholly, in %s: what is not published before it is forgotten never can be\n",
			c.Draw, filepath.Join(c.Data, publish.FolderName))
	}
	if !c.Yes {
		return usageError{fmt.Errorf("who bet in draw %s and who won it will be gone from %s, for ever; backups keep it. Say --yes", c.Draw, c.Data)}
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
