// Package backup copies a data folder while its server runs, and puts a copy back once it has been checked. A backup holds the
// journal, the registry of agencies, the newest signed checkpoint and the list of earlier copies, and a list of its files with their
// hashes. It is itself a data folder: a server could start on it. The state is not in it: it is built from the journal.
//
// Where a restored journal has lost what its public log had shown, it begins a new log (NewLog).
//
// It also keeps a data folder's list of copies (Note): what was made of it that has people's names, so that they can be found once
// a draw is forgotten.
//
// Whatever it makes is prepared in a folder of its own beside its place, checked there, and renamed once all of it is on the
// disk. So after an error or a loss of power the backup, or the restored folder, is there whole or not at all; a folder named
// .quiniela-backup-… or .quiniela-restore-… that is left over can be deleted.
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

	"quiniela/internal/agencies"
	"quiniela/internal/durable"
	"quiniela/internal/fsck"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
	"quiniela/internal/publish"
)

// ManifestName is the name of a backup's list. The rest of its names are a data folder's.
const ManifestName = "backup.json"

const journalName = "journal"

// Manifest says what a backup holds. It is written last: a folder without one is no backup.
type Manifest struct {
	Version int               `json:"version"`
	Made    time.Time         `json:"made"`
	First   uint64            `json:"first"`  // position of the journal's first entry; 0 where it has none
	Last    uint64            `json:"last"`   // and of its last
	Chain   string            `json:"chain"`  // the chain value of the last, in hex
	Log     int64             `json:"log"`    // size of the newest signed checkpoint that is in it; 0 where nothing was signed
	SHA256  map[string]string `json:"sha256"` // of every file, in hex, by its path with slashes
}

const version = 2

// holds notes where the journal ends.
func (m *Manifest) holds(end journal.Head) {
	m.First, m.Last, m.Chain = min(1, end.Position), end.Position, fmt.Sprintf("%016x", end.Chain)
}

// Create copies the journal j of the data folder data, its registry of agencies and the newest checkpoint of its public log
// into the new folder dir, and reads the copy as Restore would; it notes dir in data. All that was durable in j when Create was called is in the
// backup; j may be appended to meanwhile. When Create returns nil, the backup is on the disk; after an error there is no dir.
// progress, where it is not nil, is told now and then how many entries of the copy have been read.
func Create(ctx context.Context, j *local.Journal, data, dir string, progress func(entries uint64)) (*Manifest, error) {
	return create(ctx, j, data, dir, Copy{Made: time.Now()}, progress)
}

// CreateBy is Create where no server runs: who makes the backup stands in the list of copies, and a server that is started later writes it into
// the audit trail.
func CreateBy(ctx context.Context, j *local.Journal, data, dir, who string, progress func(entries uint64)) (*Manifest, error) {
	return create(ctx, j, data, dir, Copy{Made: time.Now(), By: who}, progress)
}

// create is Create. as says when the backup is made and by whom.
func create(ctx context.Context, j *local.Journal, data, dir string, as Copy, progress func(entries uint64)) (*Manifest, error) {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("%s is there already: name a folder that does not exist, in one that does", dir), err)
	}
	work, err := durable.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".quiniela-backup-")
	if err != nil {
		return nil, fmt.Errorf("make the folder of the backup: %w; name one that does not exist, in one that the server's user can write into (docs/OPERATIONS.md, Backup)", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // where it was not renamed
	m := &Manifest{Version: version, Made: as.Made.UTC().Truncate(time.Second), SHA256: map[string]string{}}
	// The checkpoint first: the journal, which is copied after it, has what it speaks of.
	if err := copyKnown(data, work); err != nil {
		return nil, fmt.Errorf("copy into the backup: %w", err)
	}
	if _, err := j.Backup(filepath.Join(work, journalName)); err != nil {
		return nil, err
	}
	if _, err := m.verify(ctx, work, true, progress); err != nil {
		return nil, fmt.Errorf("the backup was not made: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(work, ledger.StateName)); err != nil {
		return nil, err
	}
	if err := m.write(ctx, work); err != nil {
		return nil, fmt.Errorf("write the backup's list: %w", err)
	}
	if _, err := Verify(ctx, work); err != nil {
		return nil, fmt.Errorf("read the backup back: %w", err)
	}
	noted, err := m.note(data, dir, as.By)
	if err == nil && !noted && as.By == BySchedule {
		err = fmt.Errorf("the data folder %s takes no note of the backup, without which it is never removed again: it is a backup itself, or read-only", data)
	}
	if err != nil {
		return nil, err
	}
	if err := putInPlace(work, dir); err != nil {
		return nil, fmt.Errorf("put the backup in place: %w", err)
	}
	return m, nil
}

// note adds the backup in dir to a data folder's list of copies; by says who made it or what was done with it.
func (m *Manifest) note(data, dir, by string) (noted bool, err error) {
	path, err := filepath.Abs(dir)
	if err == nil {
		noted, err = Note(data, Copy{Kind: KindBackup, By: by, Path: path, Made: m.Made, Last: m.Last})
	}
	return noted, err
}

// write notes the files of a backup and their hashes, and writes the manifest durably.
func (m *Manifest) write(ctx context.Context, dir string) error {
	err := walk(ctx, dir, func(name, hash string) error {
		m.SHA256[name] = hash
		return nil
	})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteNew(filepath.Join(dir, ManifestName), append(text, '\n'), 0o600)
}

// copyKnown copies the small files of a data folder that belong into a backup, where they are there.
func copyKnown(from, to string) error {
	if err := durable.Mkdir(filepath.Join(to, publish.FolderName), 0o755); err != nil {
		return err
	}
	for _, name := range []string{
		agencies.FileName, operators.FileName,
		CopiesName,
		filepath.Join(publish.FolderName, publish.CheckpointName),
		filepath.Join(publish.FolderName, publish.VerifierName),
	} {
		err := copyFile(filepath.Join(from, name), filepath.Join(to, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// verify reads the copied journal in dir, entry by entry, builds its state there, and compares the public log with the
// checkpoint. Where the manifest is new it notes what there is, and otherwise compares with what it says.
func (m *Manifest) verify(ctx context.Context, dir string, isNew bool, progress func(entries uint64)) (report *fsck.Report, err error) {
	j, err := local.Open(filepath.Join(dir, journalName), local.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if report, err = fsck.Check(ctx, j, progress); err != nil {
		return report, err
	}
	if !report.OK() {
		return report, fmt.Errorf("the journal has %d things wrong, the first: %s", uint64(len(report.Findings))+report.More, report.Findings[0])
	}
	last, err := j.Last(ctx)
	if err != nil {
		return report, err
	}
	signed, err := publish.ReadCheckpoint(filepath.Join(dir, publish.FolderName))
	if err != nil {
		return report, err
	}
	found := &Manifest{Log: signed.Size}
	found.holds(last)
	if isNew {
		m.First, m.Last, m.Chain, m.Log = found.First, found.Last, found.Chain, found.Log
	}
	if m.First != found.First || m.Last != found.Last || m.Chain != found.Chain || m.Log != found.Log {
		return report, fmt.Errorf("%s says that it ends at entry %d (%s) with a checkpoint of %d, and it ends at entry %d (%s) with one of %d",
			ManifestName, m.Last, m.Chain, m.Log, found.Last, found.Chain, found.Log)
	}
	root, err := ledger.RootAt(ctx, j, dir, signed.Size)
	if err != nil {
		return report, err
	}
	if signed.Size > 0 && root != signed.Root {
		return report, errors.New("the newest checkpoint that was signed is not of this journal")
	}
	return report, nil
}

// walk calls f with every file of a backup but its manifest, and its SHA-256.
func walk(ctx context.Context, dir string, f func(name, hash string) error) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.IsDir() {
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == ManifestName {
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

// ReadManifest reads a backup's list, without a look at the files in it.
func ReadManifest(dir string) (*Manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		return nil, fmt.Errorf("%s is no whole backup: %w", dir, err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s/%s cannot be read: %w", dir, ManifestName, err)
	}
	if m.Version != version {
		return nil, fmt.Errorf("%s/%s has version %d, and this program reads version %d", dir, ManifestName, m.Version, version)
	}
	return m, nil
}

// Verify checks a backup's files against its manifest, which must name each of them. It changes nothing.
func Verify(ctx context.Context, dir string) (*Manifest, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
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
// exist or be empty. The backup stays as it is. When Restore returns nil, the data folder is on the disk. progress, where it is not
// nil, is told now and then how far in the journal it is. With begin, the folder begins a new public log, which has a key of its own there.
func Restore(ctx context.Context, dir, target string, begin *NewLog, progress func(entries uint64)) (*fsck.Report, error) {
	if err := mustBeNew(target); err != nil {
		return nil, err
	}
	m, err := Verify(ctx, dir)
	if err != nil {
		return nil, err
	}
	work, err := makeWork(target)
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(work) }() // where it was not renamed
	if err := copyTree(ctx, dir, work); err != nil {
		return nil, fmt.Errorf("copy the backup: %w", err)
	}
	report, err := m.verify(ctx, work, false, progress)
	if err != nil {
		return report, fmt.Errorf("%s was not restored: %w", dir, err)
	}
	if begin != nil {
		if err := begin.inRestored(ctx, work); err != nil {
			return report, fmt.Errorf("begin a new public log: %w", err)
		}
	}
	if err := os.Remove(filepath.Join(work, ManifestName)); err != nil {
		return report, err
	}
	if _, err := m.note(work, dir, byRestore); err != nil { // which goes on to have the names that are in target
		return report, err
	}
	if err := putInPlace(work, target); err != nil {
		return report, fmt.Errorf("put the restored folder in place: %w", err)
	}
	return report, nil
}

func mustBeNew(target string) error {
	if names, err := os.ReadDir(target); err == nil && len(names) > 0 {
		return fmt.Errorf("%s is not empty: restore into a new folder", target)
	}
	return nil
}

func copyTree(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil || name == "." {
			return err
		}
		if e.IsDir() {
			return durable.Mkdir(filepath.Join(to, name), 0o700)
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
	out, err := durable.Create(to, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(err, out.Discard())
	}
	return out.Commit()
}
