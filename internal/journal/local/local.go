// Package local is the embedded journal: entries in a Pebble database on this machine's disk, keyed by position, each
// with its chain value, and beside the database a record of how far it had got. One process writes it at a time. It
// keeps no index and knows nothing of what the entries say.
package local

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela/internal/journal"
	"quiniela/internal/store"
)

// Options say how a journal is opened. The zero value is right for a real disk.
type Options struct {
	FS vfs.FS // nil: the operating system's
	// Reserve is how many bytes the disk must have free for Append to write; under it, Append returns
	// journal.ErrFull. 0 means 256 MiB.
	Reserve  uint64
	ReadOnly bool // Append fails, and no file is written
}

const (
	// defaultReserve leaves Pebble room to flush what it holds in memory, and the operator room to work.
	defaultReserve = 256 << 20

	memTable = 32 << 20
	cache    = 16 << 20
	separate = 1 << 10
	// spaceEvery is how often the free space is asked for: seldom enough to cost nothing, and often enough that less
	// than defaultReserve can be written in between.
	spaceEvery = 100 * time.Millisecond
)

// Journal is an open local journal. One process has it open, by the lock that package store holds from Open to Close.
//
// One goroutine at a time may call Append; every other method may be called by any goroutine at any time, also beside an Append.
// When Append returns, the entries are in the write-ahead log on the disk (fdatasync), and the end record names the last of them;
// after an error of either, Append fails for ever, and what was written is found out when the journal is opened again.
type Journal struct {
	db      *store.DB
	end     *endRecord // nil where the journal is read only; the goroutine that syncs it lives from openEnd to its close
	dir     string
	options Options

	// mu is held for reading by every method that uses db, for as long as it does, and for writing by Close: so Close waits for
	// appends and scans under way, and those that come later find closed.
	mu     sync.RWMutex
	closed bool

	// lastMu guards last, which Append alone changes, and so reads without it.
	lastMu sync.Mutex
	last   journal.Head // the last durable entry

	// What noRoom keeps; Append's goroutine alone uses it.
	full    bool
	checked time.Time // when full was found out
}

var _ journal.Journal = (*Journal)(nil)

// Open opens the journal in the folder dir, and makes it where there is none. An error wraps journal.ErrLocked where
// another process has it open.
//
// It reads the whole journal before it writes a byte, as fast as the disk gives it. Where an entry is missing or
// spoiled, or an acknowledged one is not there, the error wraps journal.ErrDamaged and everything is as it was.
func Open(dir string, o Options) (*Journal, error) {
	if o.Reserve == 0 {
		o.Reserve = defaultReserve
	}
	if o.FS == nil {
		o.FS = store.Files
	}
	j := &Journal{dir: dir, options: o}
	end, exists, err := j.find()
	switch {
	case err != nil:
		return nil, err
	case !exists && o.ReadOnly:
		return nil, fmt.Errorf("%s: %w", dir, store.ErrNotFound)
	case !exists:
		err = j.create()
	default:
		err = j.openVerified(end)
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// find reads the end record and sees whether there is a journal, and that the two belong together.
func (j *Journal) find() (end journal.Head, exists bool, err error) {
	files, path := j.options.FS, j.dir+endSuffix
	end, err = readEnd(files, path)
	recorded := !errors.Is(err, fs.ErrNotExist)
	if err != nil && recorded {
		return end, false, j.damaged(err)
	}
	exists = store.Exists(files, j.dir)
	switch {
	case exists && !recorded:
		return end, exists, j.damaged(fmt.Errorf("%s is missing, which says how far it had got", path))
	case !exists && end.Position > 0:
		return end, exists, j.damaged(fmt.Errorf("%s says that %d entries were acknowledged, and there is no journal", path, end.Position))
	}
	return end, exists, nil
}

// create makes an empty journal. The end record comes first, so that a journal without one is never a new one.
func (j *Journal) create() error {
	files, path := j.options.FS, j.dir+endSuffix
	if err := files.MkdirAll(files.PathDir(j.dir), 0o700); err != nil {
		return fmt.Errorf("make the folder of the journal: %w", err)
	}
	if _, err := files.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeEnd(files, path, journal.Head{}); err != nil {
			return err
		}
	}
	return j.openToWrite()
}

// openVerified reads the journal from its first entry to its last, and then opens it to be written, unless it is to be
// read only.
func (j *Journal) openVerified(end journal.Head) error {
	if err := j.openDatabase(true); err != nil {
		return err
	}
	if err := j.verify(end); err != nil {
		return errors.Join(err, j.db.Close())
	}
	if j.options.ReadOnly {
		return nil
	}
	if err := j.db.Close(); err != nil {
		return fmt.Errorf("close the journal after reading it: %w", err)
	}
	return j.openToWrite()
}

func (j *Journal) openDatabase(readOnly bool) (err error) {
	o := j.options
	j.db, err = store.Open(j.dir, store.Options{FS: o.FS, MemTable: memTable, Cache: cache, Separate: separate, ReadOnly: readOnly})
	switch {
	case errors.Is(err, store.ErrLocked):
		return fmt.Errorf("%s: %w", j.dir, journal.ErrLocked)
	case err != nil && readOnly:
		return j.damaged(err)
	case err != nil:
		return fmt.Errorf("open the journal: %w", err)
	}
	return nil
}

// openToWrite opens the database and its end record. The journal must end where it did when it was read.
func (j *Journal) openToWrite() error {
	if err := j.openDatabase(false); err != nil {
		return err
	}
	last, err := j.lastPosition()
	if err == nil && last != j.last.Position {
		err = fmt.Errorf("%s ended at entry %d when it was read, and ends at %d now", j.dir, j.last.Position, last)
	}
	if err == nil {
		j.end, err = openEnd(j.options.FS, j.dir+endSuffix)
	}
	if err != nil {
		return errors.Join(err, j.db.Close())
	}
	return nil
}

// verify reads every entry, and compares the chain with the end that was recorded. It sets last. Entries behind that end are
// whole ones of an append that was not acknowledged; they stay.
func (j *Journal) verify(end journal.Head) error {
	last, err := j.lastPosition()
	if err != nil {
		return j.damaged(err)
	}
	var at journal.Head    // the last entry read
	var there journal.Head // the entry at the recorded end
	err = j.scan(context.Background(), 1, last, func(e journal.Entry, _ error) bool {
		at = e.Head
		if at.Position == end.Position {
			there = at
		}
		return true
	})
	if err != nil {
		return j.damaged(err)
	}
	if at.Position < end.Position {
		return j.damaged(fmt.Errorf("it ends at entry %d, and %d were acknowledged: the last %d are lost", at.Position, end.Position, end.Position-at.Position))
	}
	if there != end {
		return j.damaged(fmt.Errorf("entry %d is not the one that was acknowledged", end.Position))
	}
	j.last = at
	return nil
}

// damaged says what an operator can do about a journal that is not whole. What hinders this process alone says nothing of the
// journal.
func (j *Journal) damaged(err error) error {
	for _, own := range []error{fs.ErrPermission, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, own) {
			return fmt.Errorf("read the journal in %s: %w", j.dir, err)
		}
	}
	return fmt.Errorf("%w: %s: %w; nothing was changed: keep this folder and %s as they are, and restore the newest backup into another folder; "+
		"what was acknowledged after that backup is not in it, and the agencies must send it again",
		journal.ErrDamaged, j.dir, err, filepath.Base(j.dir+endSuffix))
}

func (j *Journal) lastPosition() (last uint64, err error) {
	err = j.db.Read(func() (err error) {
		it, err := j.db.NewIter(nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, it.Close()) }()
		if it.Last() {
			if len(it.Key()) != 8 {
				return fmt.Errorf("a key of %d bytes", len(it.Key()))
			}
			last = binary.BigEndian.Uint64(it.Key())
		}
		return it.Error()
	})
	return last, err
}

// Size returns how many bytes the journal takes on the disk.
func (j *Journal) Size() uint64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.closed {
		return 0
	}
	return j.db.Metrics().DiskSpaceUsage()
}

func key(dst []byte, position uint64) []byte { return binary.BigEndian.AppendUint64(dst, position) }

// Append implements journal.Journal. Durable means that the write-ahead log has been synced (fdatasync).
func (j *Journal) Append(_ context.Context, after journal.Head, entries [][]byte) (journal.Head, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	switch {
	case j.closed || j.end == nil:
		return after, journal.ErrClosed
	case after.Position < j.last.Position:
		return after, journal.ErrMoved
	case after != j.last:
		return after, journal.ErrOtherHistory
	case j.noRoom():
		return after, fmt.Errorf("%w: less than %d MiB free on the disk of %s", journal.ErrFull, j.options.Reserve>>20, j.dir)
	}
	next, err := j.write(after, entries)
	if err != nil {
		return after, fmt.Errorf("append to the journal: %w", err)
	}
	j.lastMu.Lock()
	j.last = next
	j.lastMu.Unlock()
	return next, nil
}

// chainSize is how many bytes of a row are in front of its entry: the chain value.
const chainSize = 8

// rowOverhead is at least what a batch of the database has of a row beside its value.
const rowOverhead = 16

// write commits entries durably, as one batch of the database, and then records the new end. The order matters: the end record
// must never name an entry that is not there.
func (j *Journal) write(after journal.Head, entries [][]byte) (journal.Head, error) {
	size := 0
	for _, e := range entries {
		size += len(e) + chainSize + rowOverhead
	}
	b := j.db.NewBatchWithSize(size)
	for _, e := range entries {
		after = after.Next(e)
		op := b.SetDeferred(8, chainSize+len(e))
		binary.BigEndian.PutUint64(op.Key, after.Position)
		binary.BigEndian.PutUint64(op.Value, after.Chain)
		copy(op.Value[chainSize:], e)
		if err := op.Finish(); err != nil {
			return after, err
		}
	}
	if err := j.db.Commit(b, true); err != nil {
		return after, err
	}
	_ = b.Close() // it is committed; Close only recycles it
	return after, j.end.write(after)
}

// noRoom reports whether the disk has less than the reserve free, as it was at most spaceEvery ago.
func (j *Journal) noRoom() bool {
	if now := time.Now(); now.Sub(j.checked) >= spaceEvery {
		j.full = store.Full(j.options.FS, j.dir, j.options.Reserve)
		j.checked = now
	}
	return j.full
}

// Last implements journal.Journal.
func (j *Journal) Last(context.Context) (journal.Head, error) {
	j.lastMu.Lock()
	defer j.lastMu.Unlock()
	return j.last, nil
}

// Entries implements journal.Journal.
func (j *Journal) Entries(ctx context.Context, from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		j.mu.RLock()
		defer j.mu.RUnlock()
		if j.closed {
			yield(journal.Entry{}, journal.ErrClosed)
			return
		}
		from = max(from, 1)
		last, _ := j.Last(ctx)
		if from > last.Position {
			return
		}
		if err := j.scan(ctx, from, last.Position, yield); err != nil {
			yield(journal.Entry{}, fmt.Errorf("read the journal: %w", err))
		}
	}
}

// scan yields the entries from..last, and nil as the error; it returns nil where yield asked to stop. mu is held, or the journal
// is being opened.
func (j *Journal) scan(ctx context.Context, from, last uint64, yield func(journal.Entry, error) bool) (err error) {
	it, err := j.iterator(from, last)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	var before journal.Head  // the entry before the one that is read
	beforeKnown := from == 1 // entry 1 follows the zero Head
	for position := from; position <= last; position++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := j.nextEntry(it, position, position == from)
		if err != nil {
			return fmt.Errorf("entry %d: %w", position, err)
		}
		if beforeKnown && e.Head != before.Next(e.Data) {
			return fmt.Errorf("entry %d is spoiled, or does not belong behind the one before it", position)
		}
		if !yield(e, nil) {
			return nil
		}
		before = e.Head
		beforeKnown = true
	}
	return nil
}

func (j *Journal) iterator(from, last uint64) (it *pebble.Iterator, err error) {
	err = j.db.Read(func() (err error) {
		it, err = j.db.NewIter(&pebble.IterOptions{LowerBound: key(nil, from), UpperBound: key(nil, last+1)})
		return err
	})
	return it, err
}

// nextEntry moves on to the next entry, or to the first one, which must be at the position. Its data is valid until the iterator
// moves.
func (j *Journal) nextEntry(it *pebble.Iterator, position uint64, first bool) (e journal.Entry, err error) {
	err = j.db.Read(func() error {
		var found bool
		if first {
			found = it.First()
		} else {
			found = it.Next()
		}
		if err := it.Error(); err != nil {
			return err
		}
		if !found || len(it.Key()) != 8 || binary.BigEndian.Uint64(it.Key()) != position {
			return errors.New("it is missing")
		}
		row, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if len(row) < chainSize {
			return fmt.Errorf("a row of %d bytes", len(row))
		}
		e = journal.Entry{Head: journal.Head{Position: position, Chain: binary.BigEndian.Uint64(row)}, Data: row[chainSize:]}
		return nil
	})
	return e, err
}

// Close implements journal.Journal. It waits for appends and scans under way.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	var endErr error
	if j.end != nil {
		endErr = j.end.close()
	}
	dbErr := j.db.Close() // also after an error: it gives up the lock
	if err := errors.Join(endErr, dbErr); err != nil {
		return fmt.Errorf("close the journal: %w", err)
	}
	return nil
}
