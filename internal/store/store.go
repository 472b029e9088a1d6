// Package store opens Pebble the way this system uses it: one process at a time, sizes in one place, no compression,
// and every failure to write as an error that sticks, where Pebble alone would end the process or retry for ever.
// What the keys mean is for its users to say.
package store

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela/internal/durable"
)

// Options say how a database is opened.
type Options struct {
	FS       vfs.FS // nil: the operating system's
	MemTable uint64 // bytes of one memtable; a batch must stay under half of it
	Cache    int64  // bytes of block cache
	// Block is the size in bytes of a block of rows, the unit that is read; 0 is Pebble's 4 KiB.
	Block int
	// Separate is the size in bytes from which values are kept apart from their keys; 0 keeps all together.
	Separate int
	ReadOnly bool
}

// DB is an open database. Reads go to the Pebble database it embeds; writes go through Commit. Any goroutine may read and
// commit at any time until Close, which the owner calls once, when nothing else uses the database any more.
type DB struct {
	*pebble.DB
	lock     io.Closer // keeps other processes out, from Open to Close
	readOnly bool
	failed   atomic.Pointer[error] // the first failed write, also one of Pebble's own goroutines
	reading  atomic.Int32          // calls of Read that have not returned, or have panicked
}

var (
	// ErrLocked says that another process has the database open.
	ErrLocked = durable.ErrLocked
	// ErrNotFound says that there is no database to read.
	ErrNotFound = errors.New("no database here")
)

// Open opens the database in dir, and makes it where there is none, unless it is to be read only: then nothing is
// written at all. The folder is for its owner only (0700).
func Open(dir string, o Options) (*DB, error) {
	fs := o.FS
	if fs == nil {
		fs = Files
	}
	if o.ReadOnly && !Exists(fs, dir) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotFound)
	}
	if !o.ReadOnly {
		if err := fs.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make the folder %s: %w", dir, err)
		}
	}
	lock, err := lockDatabase(fs, dir)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	db := &DB{lock: lock, readOnly: o.ReadOnly}
	if db.DB, err = openPebble(dir, options(db, orderedFS{fs}, o)); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", dir, err), lock.Close())
	}
	return db, nil
}

// Exists reports whether there is a database in dir.
func Exists(fs vfs.FS, dir string) bool {
	d, err := pebble.Peek(dir, fs)
	return err == nil && d.Exists
}

// lockDatabase keeps every other process out until the closer is closed. Pebble's own lock, a file that can be deleted, is
// not used; see orderedFS.Lock.
func lockDatabase(fs vfs.FS, dir string) (io.Closer, error) {
	if fs == Files || fs == vfs.Default {
		return durable.Lock(dir)
	}
	l, err := fs.Lock(fs.PathJoin(dir, "LOCK")) // a file system of a test
	if err != nil {
		return nil, ErrLocked
	}
	return l, nil
}

// openPebble opens Pebble and turns its Fatalf and its panics into errors.
func openPebble(dir string, o *pebble.Options) (db *pebble.DB, err error) {
	defer recovered(&err)
	return pebble.Open(dir, o)
}

// Read calls f, which reads from the database, and turns Pebble's Fatalf and its panics, such as the one for a missing
// file, into errors.
func (db *DB) Read(f func() error) (err error) {
	db.reading.Add(1)
	defer recovered(&err)
	err = f()
	db.reading.Add(-1) // not after a panic
	return err
}

// orderedFS makes the entries of a folder durable before a marker that names one of them can be. Pebble creates a file
// and then its marker, and syncs the folder once for both; a file system that keeps the two in order, as ext4 and xfs
// do, gives what it needs, but nothing promises it, and a marker of a file that is gone makes the database unreadable.
type orderedFS struct{ vfs.FS }

func (fs orderedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(fs.PathBase(name), "marker.") {
		if err := SyncDir(fs.FS, fs.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return fs.FS.Create(name, category)
}

// Lock implements vfs.FS for Pebble, which need not lock: Open has. Pebble would keep its lock after a panic.
func (fs orderedFS) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// Unwrap implements vfs.FS.
func (fs orderedFS) Unwrap() vfs.FS { return fs.FS }

// SyncDir puts the names in a folder on the disk.
func SyncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// MostFiles is how many files one database keeps open at most, give or take a few: a server's limit of open files is shared
// with its connections.
const MostFiles = 200

func options(db *DB, fs vfs.FS, o Options) *pebble.Options {
	p := &pebble.Options{
		FS:                 fs,
		ReadOnly:           o.ReadOnly,
		FormatMajorVersion: pebble.FormatValueSeparation,
		MemTableSize:       o.MemTable,
		// One filling, the others being flushed.
		MemTableStopWritesThreshold: 4,
		CacheSize:                   o.Cache,
		MaxOpenFiles:                MostFiles,
		Logger:                      logger{},
		EventListener: &pebble.EventListener{
			// A write that failed in the background is a write that failed: no later one may be acknowledged.
			BackgroundError: func(err error) { db.fail(err) },
		},
	}
	p.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	if o.Block > 0 {
		p.Levels[0].BlockSize = o.Block // the other levels take the one's above
	}
	if o.Separate > 0 {
		p.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
			return pebble.ValueSeparationPolicy{Enabled: true, MinimumSize: o.Separate, MaxBlobReferenceDepth: 8, TargetGarbageRatio: 1}
		}
	}
	return p
}

// logger turns Pebble's way of ending the process into a panic, which recovered turns into an error.
type logger struct{}

func (logger) Infof(string, ...any)              {}
func (logger) Errorf(string, ...any)             {}
func (logger) Fatalf(format string, args ...any) { panic(fatal{fmt.Errorf(format, args...)}) }

type fatal struct{ error }

// recovered, deferred, makes an error of a panic with one, as Fatalf and Pebble's own "sync failed" are.
func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = r
	default:
		*err = fmt.Errorf("%v", r)
	}
}

// Commit applies b, and with sync returns only when it is on disk. After one error every Commit fails with it: it
// is unknown whether b will be found when the database is opened again, and nothing may follow it.
func (db *DB) Commit(b *pebble.Batch, sync bool) error {
	if failed := db.failed.Load(); failed != nil {
		return *failed
	}
	if err := commit(b, sync); err != nil {
		db.fail(err)
		return err
	}
	if failed := db.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}

func commit(b *pebble.Batch, sync bool) (err error) {
	defer recovered(&err)
	return b.Commit(&pebble.WriteOptions{Sync: sync})
}

func (db *DB) fail(err error) {
	err = fmt.Errorf("writing failed: %w", err)
	db.failed.CompareAndSwap(nil, &err)
}

// Close releases the database. Where a write has failed, Pebble's own locks may be held for ever, so nothing is closed and the
// lock on the folder ends with the process. Where reading has panicked the same holds, but a database that is read only gives up
// the lock on the folder.
func (db *DB) Close() (err error) {
	if db.readOnly && db.reading.Load() != 0 {
		return db.lock.Close()
	}
	if failed := db.failed.Load(); failed != nil {
		return *failed
	}
	defer recovered(&err)
	closeErr := db.DB.Close()
	lockErr := db.lock.Close() // last: another process may open the database from now on
	return errors.Join(closeErr, lockErr)
}

// Full reports whether the disk that holds dir has less than reserve bytes free. A file system that cannot tell is
// taken to have room: a write will say otherwise.
func Full(fs vfs.FS, dir string, reserve uint64) bool {
	usage, err := fs.GetDiskUsage(dir)
	return err == nil && usage.AvailBytes < reserve
}
