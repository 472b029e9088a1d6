package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quiniela/internal/durable"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/tlog"
)

// NewLog is a public log that begins with a restored journal, which has lost entries of the old one.
type NewLog struct {
	Origin string          // its name, which must be another than the old one's
	Old    tlog.Checkpoint // the newest that is known of the old log
	OldKey string          // the verifier key that it is signed with

	Key string // set by what begins the log: its verifier key
	Had int64  // likewise: how many entries of the old log the journal still gives
}

// BeginLog makes the data folder target, which must not exist or be empty, with the key of the new log and the state of the shared journal
// j, to which it appends that the log begins. No server may be running on j. The key is on the disk before the journal names it: where an
// error leaves it open whether the journal does, target stays as it is.
func BeginLog(ctx context.Context, j journal.Journal, target string, n *NewLog) error {
	if err := mustBeNew(target); err != nil {
		return err
	}
	if err := durable.MkdirPrivate(target); err != nil {
		return err
	}
	before, err := j.Last(ctx)
	if err != nil {
		return err
	}
	if err := n.begin(ctx, j, target); err != nil {
		if after, failed := j.Last(ctx); failed != nil || after != before {
			return fmt.Errorf("%w; keep %s, which has the key that the journal may name by now", err, target)
		}
		return errors.Join(err, empty(target))
	}
	return syncDirs(target)
}

// empty removes what is in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// begin makes the new log's key in the folder dir, appends to the journal that the log begins, and builds the state in dir.
func (n *NewLog) begin(ctx context.Context, j journal.Journal, dir string) error {
	if name, _, _ := strings.Cut(n.OldKey, "+"); name == n.Origin {
		return fmt.Errorf("%s is the old log's name, and its witnesses know that it was longer: give the new log another", name)
	}
	key, err := publish.LoadKey(filepath.Join(dir, publish.KeyName), n.Origin)
	if err != nil {
		return err
	}
	n.Key = key.Verifier
	n.Had, err = ledger.BeginLog(ctx, j, dir, n.Old, n.OldKey, n.Key, time.Now())
	if errors.Is(err, ledger.ErrNothingGone) {
		return fmt.Errorf("%w: restore without a new log, and put the old public folder and its key beside the journal", err)
	}
	return err
}

// inRestored begins the new log in a restored folder that is being prepared.
func (n *NewLog) inRestored(ctx context.Context, work string) (err error) {
	public := filepath.Join(work, publish.FolderName)
	key, err := os.ReadFile(filepath.Join(public, publish.VerifierName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if key := strings.TrimSpace(string(key)); err == nil && key != n.OldKey {
		return fmt.Errorf("the backup is of the log %s, and the old log that is named is %s", key, n.OldKey)
	}
	j, err := local.Open(filepath.Join(work, journalName), local.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := n.begin(ctx, j, work); err != nil {
		return err
	}
	// The old log's checkpoint is not of this folder any more.
	if err := os.RemoveAll(public); err != nil {
		return err
	}
	return durable.Mkdir(public, 0o755)
}
