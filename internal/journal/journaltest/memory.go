package journaltest

import (
	"context"
	"iter"
	"slices"
	"sync"

	"quiniela/internal/journal"
)

// Disk is what a journal in memory is stored on: it outlives the journal, as a disk outlives a process. The zero value
// is an empty one.
type Disk struct {
	mu      sync.Mutex
	entries []journal.Entry
	open    bool
}

// Open opens the journal on the disk.
func (d *Disk) Open() (journal.Journal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open {
		return nil, journal.ErrLocked
	}
	d.open = true
	return &memory{disk: d}, nil
}

type memory struct {
	disk   *Disk
	closed bool // guarded by disk.mu
}

func (m *memory) Append(_ context.Context, after journal.Head, entries [][]byte) (journal.Head, error) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	last := m.disk.last()
	switch {
	case m.closed:
		return after, journal.ErrClosed
	case after.Position < last.Position:
		return after, journal.ErrMoved
	case after != last:
		return after, journal.ErrOtherHistory
	}
	for _, e := range entries {
		after = after.Next(e)
		m.disk.entries = append(m.disk.entries, journal.Entry{Head: after, Data: slices.Clone(e)})
	}
	return after, nil
}

// last is called with mu held.
func (d *Disk) last() journal.Head {
	if len(d.entries) == 0 {
		return journal.Head{}
	}
	return d.entries[len(d.entries)-1].Head
}

func (m *memory) Last(context.Context) (journal.Head, error) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	return m.disk.last(), nil
}

func (m *memory) Entries(ctx context.Context, from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		m.disk.mu.Lock()
		closed, all := m.closed, m.disk.entries
		m.disk.mu.Unlock()
		if closed {
			yield(journal.Entry{}, journal.ErrClosed)
			return
		}
		for i := max(from, 1) - 1; i < uint64(len(all)); i++ {
			if err := ctx.Err(); err != nil {
				yield(journal.Entry{}, err)
				return
			}
			if !yield(all[i], nil) {
				return
			}
		}
	}
}

func (m *memory) Close() error {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	if !m.closed {
		m.closed, m.disk.open = true, false
	}
	return nil
}
