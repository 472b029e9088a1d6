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

	"github.com/dustin/go-humanize"

	"quiniela/internal/backup"
	"quiniela/internal/central"
	"quiniela/internal/checks"
	"quiniela/internal/fsck"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/internal/registry"
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
	m, err := backup.CreateBy(e.ctx, j, c.Data, dir, registry.LocalUser(), shown.add("check the copy", "entries", int64(end.Position)).entries)
	if err != nil {
		return 0, err
	}
	return m.Last, nil
}

type restoreCommand struct {
	Backup string `arg:"" optional:"" help:"Folder of the backup; none where servers share a journal, whose database was restored."`
	Data   string `help:"Data folder to make; it must be new or empty." required:"" placeholder:"DIR"`
	NewLog string `help:"Begin a new public log of this name, since entries that the old log had shown are gone." placeholder:"NAME"`
	OldLog string `help:"The newest copy of the old log's public folder, or its URL: the new log names its end." placeholder:"DIR|URL"`
	journalFlags
}

func (c *restoreCommand) Run(e env) error {
	if err := c.checkFlags(); err != nil {
		return err
	}
	var begin *backup.NewLog
	if c.NewLog != "" {
		var err error
		if begin, err = c.oldLog(e.ctx); err != nil {
			return err
		}
	}
	if c.Backup == "" {
		if err := c.beginShared(e, begin); err != nil {
			return err
		}
		return c.tellNewLog(e, begin)
	}
	m, err := backup.Verify(e.ctx, c.Backup)
	if err != nil {
		return err
	}
	shown := newProgress(e.stderr)
	report, err := backup.Restore(e.ctx, c.Backup, c.Data, begin, shown.add("check", "entries", int64(m.Last)).entries)
	shown.end()
	if err != nil {
		return err
	}
	if err := c.record(e.ctx, m); err != nil {
		return err
	}
	_, _ = printf(e.stdout, "%s: restored as of %s.\n", c.Data, m.Made.Local().Format("2006-01-02 15:04:05 MST"))
	return errors.Join(tell(e, report, true), c.tellNewLog(e, begin))
}

// record writes into the audit trail of the new data folder that it was restored, and from what.
func (c *restoreCommand) record(ctx context.Context, m *backup.Manifest) (err error) {
	j, err := central.OpenLocal(c.Data, local.Options{Reserve: 1}) // the server keeps a reserve on the disk for itself
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	last, err := j.Last(ctx)
	if err != nil {
		return err
	}
	act := journal.Act{
		What: journal.ActRestore, Who: registry.LocalUser(), From: "command", About: c.Backup, Note: "made " + m.Made.Format(time.RFC3339), At: time.Now().UnixMicro(),
	}
	if _, err := j.Append(ctx, last, [][]byte{journal.Encode(act)}); err != nil {
		return fmt.Errorf("record the restore in the audit trail: %w", err)
	}
	return nil
}

// checkFlags refuses what does not go together.
func (c *restoreCommand) checkFlags() error {
	if err := c.check(); err != nil {
		return err
	}
	switch {
	case (c.NewLog == "") != (c.OldLog == ""):
		return usageError{errors.New("--new-log NAME and --old-log DIR|URL go together")}
	case c.Backup == "" && (!c.shared() || c.NewLog == ""):
		return usageError{errors.New("name the folder of the backup")}
	case c.Backup != "" && c.shared():
		return usageError{errors.New("a shared journal is restored with its database's own tools; without a backup's folder, --new-log begins a new public log on it")}
	}
	return nil
}

// oldLog reads where the old log ends.
func (c *restoreCommand) oldLog(ctx context.Context) (*backup.NewLog, error) {
	source, err := checks.OpenLog(c.OldLog)
	if err != nil {
		return nil, err
	}
	n := &backup.NewLog{Origin: c.NewLog}
	n.Old, n.OldKey, err = publish.NewestShown(func(name string) ([]byte, error) { return source.Read(ctx, name) })
	if err != nil {
		return nil, fmt.Errorf("the old log in %s: %w", c.OldLog, err)
	}
	return n, nil
}

// beginShared begins the new log on the journal that servers share.
func (c *restoreCommand) beginShared(e env, n *backup.NewLog) (err error) {
	j, err := central.OpenJournal(e.ctx, c.Data, c.journalOptions(), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return backup.BeginLog(e.ctx, j, c.Data, n)
}

// tellNewLog says what has to be done with a new log, where one was begun.
func (c *restoreCommand) tellNewLog(e env, n *backup.NewLog) error {
	if n == nil {
		return nil
	}
	_, err := printf(e.stdout, newLogText, c.NewLog, n.Old.Origin, humanize.Comma(n.Old.Size), humanize.Comma(n.Had), filepath.Join(c.Data, publish.KeyName), n.Key)
	return err
}

const newLogText = `
A new public log begins: %s. Its first entry names the end of %s:
%s entries, of which this journal gives %s. What is missing was acknowledged, and is not here.
  1. Keep a copy of %s, and give everybody who checks, and each witness, its public key:
     %s
  2. Leave the old log published, under an address of its own: it proves the draws that were drawn there.
  3. Start the server on this folder. Each agency runs its client again, which sends what is missing
     while its draw is open. Say in public what happened (docs/OPERATIONS.md).
`

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
		err = errors.New("the journal is not whole: keep this folder as it is, and restore the newest backup that is whole into another one; what was acknowledged after it is not in it, and the agencies must send it again")
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
		_, wrote := printf(e.stdout, "nothing is wrong\n")
		err = errors.Join(err, wrote)
	}
	return err
}
