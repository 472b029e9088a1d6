package journaltest

import (
	"context"
	"iter"
	"slices"
	"sync"

	"quiniela/journal"
)

// Disk is what a journal in memory is stored on: it outlives the journal, as a disk outlives a process. The zero value
// is an empty one.
type Disk struct {
	mu      sync.Mutex
	entries [][]byte
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

func (m *memory) Append(_ context.Context, after uint64, entries [][]byte) error {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	if m.closed {
		return journal.ErrClosed
	}
	if after != uint64(len(m.disk.entries)) {
		return journal.ErrMoved
	}
	for _, e := range entries {
		m.disk.entries = append(m.disk.entries, slices.Clone(e))
	}
	return nil
}

func (m *memory) Last(context.Context) (uint64, error) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	return uint64(len(m.disk.entries)), nil
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
			if !yield(journal.Entry{Position: i + 1, Data: all[i]}, nil) {
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
