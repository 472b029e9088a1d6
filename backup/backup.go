// Package backup copies a data folder's journal while it is written, and puts a copy back once it has been checked. A
// backup is itself a data folder: a server could start on it. The state is not in it: it is built from the journal.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quiniela/agencies"
	"quiniela/fsck"
	"quiniela/journal/local"
)

// Names in a backup.
const (
	manifestName = "backup.json"
	journalName  = "journal"
)

// Manifest says what a backup holds. It is written last: a folder without one is no backup.
type Manifest struct {
	Version int               `json:"version"`
	Made    time.Time         `json:"made"`
	Last    uint64            `json:"last"`   // position of the journal
	SHA256  map[string]string `json:"sha256"` // of every file, in hex, by its path with slashes
}

const version = 1

// Make copies the journal j of the data folder data, and its registry of agencies, into the new folder dir.
func Make(ctx context.Context, j *local.Journal, data, dir string) (*Manifest, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the backup: %w; name one that does not exist, in one that does", err)
	}
	m := &Manifest{Version: version, Made: time.Now().UTC().Truncate(time.Second), SHA256: map[string]string{}}
	var err error
	if m.Last, err = j.Backup(filepath.Join(dir, journalName)); err != nil {
		return nil, err
	}
	// Whoever opens the copy locks this file, and must find it as it is listed.
	if err := writeFile(filepath.Join(dir, journalName, "LOCK"), nil); err != nil {
		return nil, err
	}
	if err := copyFile(filepath.Join(data, agencies.FileName), filepath.Join(dir, agencies.FileName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := walk(ctx, dir, func(name string, hash string) error { m.SHA256[name] = hash; return nil }); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, manifestName), append(text, '\n')); err != nil {
		return nil, fmt.Errorf("write the backup's list: %w", err)
	}
	return m, syncDirs(dir)
}

// walk calls f with every file of a backup but its manifest, and its SHA-256.
func walk(ctx context.Context, dir string, f func(name, hash string) error) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == manifestName {
			return err
		}
		hash, err := hashFile(path)
		if err != nil {
			return err
		}
		return f(filepath.ToSlash(name), hash)
	})
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Verify checks a backup's files against its manifest.
func Verify(ctx context.Context, dir string) (*Manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, fmt.Errorf("%s is no whole backup: %w", dir, err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(text, m); err != nil || m.Version != version {
		return nil, fmt.Errorf("%s/%s cannot be read (version %d, %v)", dir, manifestName, m.Version, err)
	}
	seen := 0
	err = walk(ctx, dir, func(name, hash string) error {
		want, ok := m.SHA256[name]
		switch {
		case !ok:
			return fmt.Errorf("%s: %s was not there when the backup was made", dir, name)
		case want != hash:
			return fmt.Errorf("%s: %s was changed since the backup was made", dir, name)
		}
		seen++
		return nil
	})
	if err == nil && seen != len(m.SHA256) {
		err = fmt.Errorf("%s: %d of its %d files are there", dir, seen, len(m.SHA256))
	}
	return m, err
}

// Restore checks a backup, with its journal entry by entry, and makes the data folder target of it, which must not
// exist or be empty. It becomes a data folder whole or not at all.
func Restore(ctx context.Context, dir, target string, progress func(entries uint64)) (*fsck.Report, error) {
	if names, err := os.ReadDir(target); err == nil && len(names) > 0 {
		return nil, fmt.Errorf("%s is not empty: restore into a new folder", target)
	}
	if _, err := Verify(ctx, dir); err != nil {
		return nil, err
	}
	// Opening a journal may write to it, so the copy is what is checked; the backup stays as it is.
	work, err := makeWork(target)
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(work) }() // where it was not renamed
	if err := copyTree(dir, work); err != nil {
		return nil, fmt.Errorf("copy the backup: %w", err)
	}
	report, err := check(ctx, filepath.Join(work, journalName), progress)
	if err != nil {
		return report, err
	}
	if !report.OK() {
		return report, fmt.Errorf("the backup's journal has %d things wrong, the first: %s; it was not restored", uint64(len(report.Findings))+report.More, report.Findings[0])
	}
	if err := os.Remove(filepath.Join(work, manifestName)); err != nil {
		return report, err
	}
	if err := errors.Join(syncDirs(work), place(work, target)); err != nil {
		return report, fmt.Errorf("put the restored folder in place: %w", err)
	}
	return report, nil
}

func check(ctx context.Context, dir string, progress func(uint64)) (report *fsck.Report, err error) {
	j, err := local.Open(dir, local.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return fsck.Check(ctx, j, progress)
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil || name == "." {
			return err
		}
		if e.IsDir() {
			return os.Mkdir(filepath.Join(to, name), 0o700)
		}
		return copyFile(path, filepath.Join(to, name))
	})
}

// copyFile copies a file durably, for its owner only.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func writeFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDirs makes the entries of a folder and of those in it durable, and of the one that it is in.
func syncDirs(dir string) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return syncDir(path)
	})
	return errors.Join(err, syncDir(filepath.Dir(filepath.Clean(dir))))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
