package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"quiniela/internal/journal/local"
)

// Kept are the backups that the server of a data folder makes by itself in a folder. The folder may hold anything else, such as
// backups that somebody asked for, or those of another server: they are never touched.
//
// Which ones are its own says the data folder's list of copies, and backup.json must agree with the list: a folder that was
// put in the place of one is somebody else's. A data folder that was restored has made none yet, so the backups from before the restore stay until
// somebody deletes them.
type Kept struct {
	Data string // the data folder
	Dir  string // absolute; it must exist
}

// keptName is the name of a backup, in UTC, so that the names sort as the backups were made.
const keptName = "auto-2006-01-02T150405Z"

// Add makes a backup of the journal j, in a new folder that is named by the time now, and returns its path. It has been read back when
// Add returns nil; after an error it is not there.
func (k Kept) Add(ctx context.Context, j *local.Journal, now time.Time) (path string, m *Manifest, err error) {
	info, err := os.Stat(k.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fmt.Errorf("the folder for backups, %s, is not there: make it, or mount its disk", k.Dir)
	case err != nil:
		return "", nil, fmt.Errorf("look at the folder for backups: %w", err)
	case !info.IsDir():
		return "", nil, fmt.Errorf("%s is to be the folder for backups, and is no folder", k.Dir)
	}
	path = filepath.Join(k.Dir, now.UTC().Format(keptName))
	m, err = create(ctx, j, k.Data, path, Copy{By: BySchedule, Made: now}, nil)
	// The database's own errors do not always wrap their cause.
	if err != nil && (errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), syscall.ENOSPC.Error())) {
		err = fmt.Errorf("a disk is full, that of %s or that of %s: make room on it: %w", k.Dir, k.Data, err)
	}
	return path, m, err
}

// List returns the backups that are there, the oldest first.
func (k Kept) List() ([]Copy, error) {
	all, unread := Copies(k.Data)
	var own []Copy
	for _, c := range all {
		switch {
		case c.By == byRestore: // what was noted before is another folder's
			own = nil
		case c.By == BySchedule && filepath.Dir(c.Path) == k.Dir && isStill(c):
			own = append(own, c)
		}
	}
	return own, unread
}

// isStill reports whether a backup in a list of copies is the one that is in its place.
func isStill(c Copy) bool {
	if info, err := os.Lstat(c.Path); err != nil || !info.IsDir() {
		return false
	}
	m, err := ReadManifest(c.Path)
	return err == nil && m.Made.Equal(c.Made) && m.Last == c.Last
}

// Prune removes the oldest backups but the newest keep, at least one, and returns the paths of those that it has removed. Call it after Add, so
// that the newest has just been read.
func (k Kept) Prune(keep int) (removed []string, err error) {
	own, err := k.List()
	for len(own) > max(keep, 1) {
		if failed := remove(own[0].Path); failed != nil {
			return removed, errors.Join(err, fmt.Errorf("remove an old backup: %w", failed))
		}
		removed = append(removed, own[0].Path)
		own = own[1:]
	}
	return removed, err
}

// remove removes a backup, its manifest last: one that is cut off is still known, and no backup.
func remove(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == ManifestName {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}
