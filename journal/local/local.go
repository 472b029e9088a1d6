// Package local is the embedded journal: entries in a Pebble database on this machine's disk, keyed by position.
// One process writes it at a time. It keeps no index and knows nothing of what the entries say.
package local

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela/journal"
	"quiniela/store"
)

// Options say how a journal is opened. The zero value is right for a real disk.
type Options struct {
	FS vfs.FS // nil: the operating system's
	// Reserve is how many bytes the disk must have free for Append to write; under it, Append returns
	// journal.ErrFull. 0 means DefaultReserve.
	Reserve  uint64
	ReadOnly bool
}

// DefaultReserve leaves Pebble room to flush what it holds in memory, and the operator room to work.
const DefaultReserve = 256 << 20

const (
	memTable = 32 << 20
	cache    = 16 << 20
	separate = 1 << 10
	// spaceEvery is how often the free space is asked for: seldom enough to cost nothing, and often enough that less
	// than DefaultReserve can be written in between.
	spaceEvery = 100 * time.Millisecond
)

// Journal is an open local journal.
type Journal struct {
	db      *store.DB
	dir     string
	options Options

	mu     sync.RWMutex // guards closed against reads under way
	closed bool

	last    uint64 // the last durable position
	lastMu  sync.Mutex
	full    bool
	checked time.Time
}

var _ journal.Journal = (*Journal)(nil)

// Open opens the journal in the folder dir, and makes it where there is none. An error wraps journal.ErrLocked where
// another process has it open.
func Open(dir string, o Options) (*Journal, error) {
	if o.Reserve == 0 {
		o.Reserve = DefaultReserve
	}
	db, err := store.Open(dir, store.Options{FS: o.FS, MemTable: memTable, Cache: cache, Separate: separate, ReadOnly: o.ReadOnly})
	if errors.Is(err, store.ErrLocked) {
		return nil, fmt.Errorf("%s: %w", dir, journal.ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j := &Journal{db: db, dir: dir, options: o}
	if err := j.findLast(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return j, nil
}

func (j *Journal) findLast() error {
	it, err := j.db.NewIter(nil)
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	if it.Last() {
		j.last = binary.BigEndian.Uint64(it.Key())
	}
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
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
func (j *Journal) Append(_ context.Context, after uint64, entries [][]byte) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.closed {
		return journal.ErrClosed
	}
	if after != j.last {
		return journal.ErrMoved
	}
	if j.noRoom() {
		return fmt.Errorf("%w: less than %d MiB free on the disk of %s", journal.ErrFull, j.options.Reserve>>20, j.dir)
	}
	size := 0
	for _, e := range entries {
		size += len(e) + 16
	}
	b := j.db.NewBatchWithSize(size)
	for i, e := range entries {
		op := b.SetDeferred(8, len(e))
		binary.BigEndian.PutUint64(op.Key, after+1+uint64(i))
		copy(op.Value, e)
		if err := op.Finish(); err != nil {
			return fmt.Errorf("append to the journal: %w", err)
		}
	}
	if err := j.db.Commit(b, true); err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	_ = b.Close() // it is committed; Close only recycles it
	j.lastMu.Lock()
	j.last = after + uint64(len(entries))
	j.lastMu.Unlock()
	return nil
}

func (j *Journal) noRoom() bool {
	if now := time.Now(); now.Sub(j.checked) >= spaceEvery {
		j.full = store.Full(j.options.FS, j.dir, j.options.Reserve)
		j.checked = now
	}
	return j.full
}

// Last implements journal.Journal.
func (j *Journal) Last(context.Context) (uint64, error) {
	j.lastMu.Lock()
	defer j.lastMu.Unlock()
	return j.last, nil
}

// Entries implements journal.Journal. A missing position is an error: the journal was damaged.
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
		if from > last {
			return
		}
		if err := j.scan(ctx, from, last, yield); err != nil {
			yield(journal.Entry{}, fmt.Errorf("read the journal: %w", err))
		}
	}
}

// scan yields the positions from..last; it returns nil where yield asked to stop.
func (j *Journal) scan(ctx context.Context, from, last uint64, yield func(journal.Entry, error) bool) (err error) {
	it, err := j.db.NewIter(&pebble.IterOptions{LowerBound: key(nil, from), UpperBound: key(nil, last+1)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	want := from
	for ok := it.First(); ok; ok = it.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if at := binary.BigEndian.Uint64(it.Key()); at != want {
			return fmt.Errorf("entry %d is missing", want)
		}
		data, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("entry %d: %w", want, err)
		}
		if !yield(journal.Entry{Position: want, Data: data}, nil) {
			return it.Error()
		}
		want++
	}
	if err := it.Error(); err != nil {
		return err
	}
	if want != last+1 {
		return fmt.Errorf("entry %d is missing", want)
	}
	return nil
}

// Close implements journal.Journal. It waits for reads under way.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	if err := j.db.Close(); err != nil {
		return fmt.Errorf("close the journal: %w", err)
	}
	return nil
}

// Backup copies the journal into dir, which must not exist, while it is written: all that was durable when it began is
// in the copy. Files that cannot change any more are linked where dir is on the same file system. It returns the
// copy's last position.
func (j *Journal) Backup(dir string) (last uint64, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.closed {
		return 0, journal.ErrClosed
	}
	if err := j.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
		return 0, fmt.Errorf("copy the journal: %w", err)
	}
	j.lastMu.Lock()
	defer j.lastMu.Unlock()
	return j.last, nil
}

// forgetStep is how many bytes of entries are replaced as one write.
const forgetStep = 4 << 20

// Forget replaces the batches of a draw by what journal.Batch.Forgotten leaves of them, and makes the disk give up what
// was there. Nothing else may use the journal meanwhile. It can be repeated, and goes on where it was cut off.
func (j *Journal) Forget(ctx context.Context, draw uint64) (batches int, err error) {
	b := j.db.NewBatch()
	flush := func() error {
		err := j.db.Commit(b, true)
		b = j.db.NewBatch()
		return err
	}
	for e, err := range j.Entries(ctx, 1) {
		if err != nil {
			return batches, err
		}
		v, err := journal.Decode(e.Data)
		if err != nil {
			return batches, fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
		batch, ok := v.(*journal.Batch)
		if !ok || batch.Draw != draw || batch.Numbers != nil {
			continue
		}
		entry, err := batch.Forgotten()
		if err != nil {
			return batches, fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
		if err := b.Set(key(nil, e.Position), entry, nil); err != nil {
			return batches, err
		}
		if batches++; b.Len() > forgetStep {
			if err := flush(); err != nil {
				return batches, err
			}
		}
	}
	if err := flush(); err != nil {
		return batches, err
	}
	return batches, j.db.Compact(ctx, []byte{0}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, false)
}
