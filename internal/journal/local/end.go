package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela/internal/journal"
	"quiniela/internal/store"
)

// endSuffix follows the journal folder's name in that of its end record: the record lies beside the folder, so that a
// folder that was replaced by an older one does not bring its own.
const endSuffix = ".end"

// A record is a position, its chain value and the XXH64 of both, 8 bytes each, big-endian. The file has two, written in
// turn, each in a sector of its own, so that one is whole whatever becomes of the other.
const (
	recordSize  = 24
	recordEvery = 512
	endFileSize = 2 * recordEvery
)

// endRecord is the file that says how far the journal had got, apart from the journal itself: what the journal lacks of
// it is lost, and not the torn end of a write that nobody was told of.
//
// Every append is written to it before it is acknowledged, so a process that is killed leaves it exact. It is synced by a
// goroutine of its own beside the appends, which do not wait: after a loss of power it may lack the appends since the
// last sync. It never names an entry that the journal does not have.
//
// The goroutine that appends calls write. openEnd starts the one that syncs, and close ends it: it must be called once, with no
// write under way or after it.
type endRecord struct {
	file   vfs.File
	slot   int64                 // the newest record is in; write alone changes it
	dirty  chan struct{}         // has a value while something is not synced; close closes it, which ends the goroutine
	failed atomic.Pointer[error] // the first error of a write or a sync; every later write fails with it
	synced sync.WaitGroup        // the goroutine that syncs
}

// readEnd reads the end record at path; there is none where it wraps fs.ErrNotExist.
func readEnd(files vfs.FS, path string) (end journal.Head, err error) {
	f, err := files.Open(path)
	if err != nil {
		return end, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(f)
	if err != nil {
		return end, fmt.Errorf("read %s: %w", path, err)
	}
	end, _, ok := newestRecord(data)
	if !ok {
		return end, fmt.Errorf("%s is spoiled: neither of its two records has its checksum", path)
	}
	return end, nil
}

// newestRecord returns the record with the highest position of those that are whole, and where it is.
func newestRecord(data []byte) (end journal.Head, slot int64, ok bool) {
	for s := range int64(2) {
		if int64(len(data)) < s*recordEvery+recordSize {
			break
		}
		r := data[s*recordEvery:][:recordSize]
		if binary.BigEndian.Uint64(r[16:]) != xxhash.Sum64(r[:16]) {
			continue
		}
		if position := binary.BigEndian.Uint64(r); !ok || position > end.Position {
			end, slot, ok = journal.Head{Position: position, Chain: binary.BigEndian.Uint64(r[8:])}, s, true
		}
	}
	return end, slot, ok
}

func putRecord(dst []byte, end journal.Head) {
	binary.BigEndian.PutUint64(dst, end.Position)
	binary.BigEndian.PutUint64(dst[8:], end.Chain)
	binary.BigEndian.PutUint64(dst[16:], xxhash.Sum64(dst[:16]))
}

// makeEnd writes a new end record durably. There must be none. Package durable does the same on the operating system's files
// alone; this one must also be on the file systems that tests make fail.
func makeEnd(files vfs.FS, path string, end journal.Head) error {
	if _, err := files.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already", path), err)
	}
	data := make([]byte, endFileSize)
	putRecord(data, end)
	temporary := path + ".new"
	if err := writeSynced(files, temporary, data); err != nil {
		return fmt.Errorf("make the journal's end record: %w", err)
	}
	if err := files.Rename(temporary, path); err != nil {
		return fmt.Errorf("make the journal's end record: %w", err)
	}
	return store.SyncDir(files, files.PathDir(path))
}

func writeSynced(files vfs.FS, path string, data []byte) error {
	f, err := files.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// openEnd opens the end record to be written. The caller closes it.
func openEnd(files vfs.FS, path string) (*endRecord, error) {
	f, err := files.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("open the journal's end record: %w", err)
	}
	data := make([]byte, endFileSize)
	n, err := f.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	_, slot, _ := newestRecord(data[:n])
	e := &endRecord{file: f, slot: slot, dirty: make(chan struct{}, 1)}
	e.synced.Go(e.sync)
	return e, nil
}

// sync is the goroutine that makes durable what was written, until close.
func (e *endRecord) sync() {
	for range e.dirty {
		if err := e.file.SyncData(); err != nil {
			e.fail(err)
		}
	}
}

// fail keeps the first error and returns it. Both goroutines may call it.
func (e *endRecord) fail(err error) error {
	err = fmt.Errorf("write the journal's end record: %w", err)
	e.failed.CompareAndSwap(nil, &err)
	return *e.failed.Load()
}

// write records a new end. After one error, of a write or of a sync, every write fails with it.
func (e *endRecord) write(end journal.Head) error {
	if failed := e.failed.Load(); failed != nil {
		return *failed
	}
	slot := 1 - e.slot
	var record [recordSize]byte
	putRecord(record[:], end)
	if _, err := e.file.WriteAt(record[:], slot*recordEvery); err != nil {
		return e.fail(err)
	}
	e.slot = slot
	select {
	case e.dirty <- struct{}{}:
	default: // the sync that is due takes it along
	}
	return nil
}

// close ends the goroutine, syncs once more and closes the file.
func (e *endRecord) close() error {
	close(e.dirty)
	e.synced.Wait()
	syncErr := e.file.SyncData()
	closeErr := e.file.Close()
	if failed := e.failed.Load(); failed != nil {
		return *failed
	}
	return errors.Join(syncErr, closeErr)
}
