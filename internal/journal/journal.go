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
	// Append makes entries durable as the positions after.Position+1, …, all of them or none, and returns the new head
	// when they would survive the loss of power (a local disk) or of a machine (a cluster). entries may be reused
	// once it has returned. It is called by one goroutine at a time.
	//
	// It returns ErrMoved, with nothing appended, where entries follow after: another writer shares the journal. It
	// returns an error wrapping ErrOtherHistory, with nothing appended, where the journal does not hold the entry
	// that after names. It returns an error wrapping ErrFull, with nothing appended, where there is no room but
	// may be later. After any other error it is unknown whether the entries will be found, every further Append
	// fails, and the caller must stop and reopen.
	Append(ctx context.Context, after Head, entries [][]byte) (Head, error)

	// Last returns the head of the last durable entry, the zero Head in an empty journal. It may be called at any time.
	Last(ctx context.Context) (Head, error)

	// Entries yields the entries from a position on, in order, up to the last one when it was called. An entry's
	// bytes are valid until the next is asked for. An error is yielded last: an entry is missing, or does not fit
	// the chain. Whether the first one follows from what the caller has read before is for the caller to compare,
	// with Head.Next. It may be called at any time, by several goroutines.
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

// Entry is one entry of a journal. Its Head includes the entry itself.
type Entry struct {
	Head
	Data []byte
}

var (
	// ErrMoved says that the journal has entries its writer has not seen.
	ErrMoved = errors.New("the journal has moved on")
	// ErrFull says that there is no room for now.
	ErrFull = errors.New("the journal has no room")
	// ErrLocked says that another process has the journal open.
	ErrLocked = errors.New("the journal is in use")
	// ErrDamaged says that a journal is not whole: entries are missing, spoiled or not the ones that were acknowledged.
	ErrDamaged = errors.New("the journal is damaged")
	// ErrOtherHistory says that the journal holds other entries than its reader has read: one of the two has lost some.
	ErrOtherHistory = errors.New("the journal has another history than the one that was read")
	// ErrClosed says that the journal was closed, or stopped by an earlier error.
	ErrClosed = errors.New("the journal is closed")
)
