// Package journal is the ordered durable log that everything else is derived from: what a log must promise to the
// ledger (Journal), and the format of its entries. It is not where the rules of a draw live, nor an index: it
// knows entries only as bytes with a position.
package journal

import (
	"context"
	"errors"
	"iter"
)

// Journal is an ordered, durable, append-only log. Positions start at 1 and have no gaps.
type Journal interface {
	// Append makes entries durable as the positions after+1, after+2, …, all of them or none, and returns when they
	// would survive the loss of power (a local disk) or of a machine (a cluster). entries may be reused once it
	// has returned. It is called by one goroutine at a time.
	//
	// It returns ErrMoved, with nothing appended, where after is not the last position: another writer shares the
	// journal. It returns an error wrapping ErrFull, with nothing appended, where there is no room but may be
	// later. After any other error it is unknown whether the entries will be found, every further Append fails,
	// and the caller must stop and reopen.
	Append(ctx context.Context, after uint64, entries [][]byte) error

	// Last returns the last durable position, 0 in an empty journal. It may be called at any time.
	Last(ctx context.Context) (uint64, error)

	// Entries yields the entries from a position on, in order, up to the last one when it was called. An entry's
	// bytes are valid until the next is asked for. An error, such as a checksum that does not match, is yielded last.
	// It may be called at any time, by several goroutines.
	Entries(ctx context.Context, from uint64) iter.Seq2[Entry, error]

	// Close releases the journal. Everything appended stays.
	Close() error
}

// Follower is a journal that others may append to as well.
type Follower interface {
	// Follow returns a channel that gets a value soon after the journal has moved on, by whoever's append, until ctx
	// ends. Several appends may give one value.
	Follow(ctx context.Context) <-chan struct{}
}

// Entry is one entry of a journal.
type Entry struct {
	Position uint64
	Data     []byte
}

var (
	// ErrMoved says that the journal has entries its writer has not seen.
	ErrMoved = errors.New("the journal has moved on")
	// ErrFull says that there is no room for now.
	ErrFull = errors.New("the journal has no room")
	// ErrLocked says that another process has the journal open.
	ErrLocked = errors.New("the journal is in use")
	// ErrClosed says that the journal was closed, or stopped by an earlier error.
	ErrClosed = errors.New("the journal is closed")
)
