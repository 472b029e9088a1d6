package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/store"
)

// Backup copies the journal into dir, which must not exist, while it is written: all that was durable when it began is
// in the copy. Files that cannot change any more are linked where dir is on the same file system. A journal that is
// open to be read only is copied file by file. It returns the end that the copy's own end record says.
func (j *Journal) Backup(dir string) (end journal.Head, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.closed {
		return end, journal.ErrClosed
	}
	end, err = j.Last(context.Background())
	if err != nil {
		return end, err
	}
	if j.end == nil {
		err = copyFolder(j.options.FS, j.dir, dir)
	} else {
		err = j.db.Checkpoint(dir, pebble.WithFlushedWAL())
	}
	if err != nil {
		return end, fmt.Errorf("copy the journal: %w", err)
	}
	return end, makeEnd(j.options.FS, dir+endSuffix, end)
}

// copyFolder copies the files of a database that nobody writes.
func copyFolder(files vfs.FS, from, to string) error {
	if err := files.MkdirAll(to, 0o700); err != nil {
		return err
	}
	names, err := files.List(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := files.PathJoin(from, name)
		info, err := files.Stat(path)
		if err != nil {
			return err
		}
		if info.IsDir() || name == "LOCK" {
			continue
		}
		if err := vfs.Copy(files, path, files.PathJoin(to, name)); err != nil {
			return err
		}
	}
	return store.SyncDir(files, to)
}

// forgetStep is how many bytes of entries are replaced as one write.
const forgetStep = 4 << 20

// Forget replaces the batches of a draw by what journal.Forgotten leaves of them, and makes the disk give up what was
// there. It returns how many it has replaced. Nothing else may use the journal meanwhile. When it returns nil, all of it is
// durable; after an error some batches are replaced, and it can be repeated and goes on where it was cut off.
func (j *Journal) Forget(ctx context.Context, draw uint64, game *quiniela.Terms) (batches int, err error) {
	b := j.db.NewBatch()
	for e, err := range j.Entries(ctx, 1) {
		if err != nil {
			return batches, err
		}
		left, err := journal.Forgotten(e.Data, draw, game)
		if err != nil {
			return batches, fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
		if left == nil {
			continue
		}
		row := append(binary.BigEndian.AppendUint64(nil, e.Chain), left...)
		if err := b.Set(key(nil, e.Position), row, nil); err != nil {
			return batches, err
		}
		batches++
		if b.Len() > forgetStep {
			if err := j.db.Commit(b, true); err != nil {
				return batches, err
			}
			b = j.db.NewBatch()
		}
	}
	if err := j.db.Commit(b, true); err != nil {
		return batches, err
	}
	first, behind := []byte{0}, bytes.Repeat([]byte{0xff}, 9) // longer than any key
	return batches, j.db.Compact(ctx, first, behind, false)
}
