package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"

	"quiniela/internal/backup"
	"quiniela/internal/central"
	"quiniela/internal/fsck"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
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
		made.Last, err = c.offline(e, dir)
	}
	if err != nil {
		return err
	}
	_, err = printf(e.stdout, "%s: the journal up to entry %s; check it with `quiniela fsck --data %s`\n", c.Dir, humanize.Comma(int64(made.Last)), c.Dir)
	return err
}

// offline copies the journal of a folder that no server has open.
func (c *backupCommand) offline(e env, dir string) (last uint64, err error) {
	j, err := central.OpenLocal(c.Data, local.Options{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	end, err := j.Last(e.ctx)
	if err != nil {
		return 0, err
	}
	shown := newProgress(e.stderr)
	defer shown.end()
	m, err := backup.Create(e.ctx, j, c.Data, dir, shown.add("check the copy", "entries", int64(end.Position)).entries)
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
	shown := newProgress(e.stderr)
	report, err := backup.Restore(e.ctx, c.Backup, c.Data, shown.add("check", "entries", int64(m.Last)).entries)
	shown.end()
	if err != nil {
		return err
	}
	_, _ = printf(e.stdout, "%s: restored as of %s.\n", c.Data, m.Made.Local().Format("2006-01-02 15:04:05 MST"))
	return tell(e, report, true)
}

type fsckCommand struct {
	Data string `help:"Data folder, of which the server must not be running, or a backup." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	journalFlags
}

func (c *fsckCommand) Run(e env) (err error) {
	if err := c.checkFiles(e.ctx); err != nil {
		return err
	}
	j, err := c.openToRead(e.ctx, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	last, err := j.Last(e.ctx)
	if err != nil {
		return err
	}
	shown := newProgress(e.stderr)
	report, err := fsck.Check(e.ctx, j, shown.add("check", "entries", int64(last.Position)).entries)
	shown.end()
	if err == nil && c.Journal == localJournal { // else a server may be using it meanwhile
		err = ledger.CheckState(c.Data)
	}
	if report != nil {
		err = errors.Join(tell(e, report, err == nil), err)
	}
	if err == nil && !report.OK() {
		err = fmt.Errorf("%d things are wrong: keep this folder as it is, and restore the newest backup that is whole into another one; what was acknowledged after it is not in it, and the agencies must send it again", uint64(len(report.Findings))+report.More)
	}
	return err
}

// checkFiles compares the files of a backup with its list. Other folders have no list.
func (c *fsckCommand) checkFiles(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(c.Data, backup.ManifestName)); err != nil {
		return nil // a data folder, or a shared journal
	}
	_, err := backup.Verify(ctx, c.Data)
	return err
}

// tell prints what a journal holds and what is wrong with it. With whole false it does not say that nothing is wrong: the caller
// has found something else.
func tell(e env, r *fsck.Report, whole bool) error {
	_, err := printf(e.stdout, "%s entries, %s batches, %s bets\n", humanize.Comma(int64(r.Entries)), humanize.Comma(int64(r.Batches)), humanize.Comma(int64(r.Bets)))
	w := table(e, "DRAW\tSTATE\tAGENCIES\tBETS")
	for _, d := range r.Draws {
		_, _ = printf(w, "%s\t%s\t%d\t%s\n", d.ID, d.State, d.Agencies, humanize.Comma(int64(d.Bets)))
	}
	err = errors.Join(err, w.Flush())
	for _, f := range r.Findings {
		_, _ = printf(e.stdout, "%s\n", f)
	}
	if r.More > 0 {
		_, _ = printf(e.stdout, "and %d more\n", r.More)
	}
	if r.OK() && whole {
		_, err = printf(e.stdout, "nothing is wrong\n")
	}
	return err
}
