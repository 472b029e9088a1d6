package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Watched is a registry that is read again when its file has changed. Once there has been one, a missing or unreadable file is a failure,
// and not an empty registry. It is safe for concurrent use, and has no goroutine: whoever asks looks at the file, at most once a second.
type Watched[T any, R registry[T]] struct {
	file    File[T, R]
	loaded  func(R)     // called with each new registry
	failing func(error) // called once for each reason that it cannot be read

	current atomic.Pointer[State[T]] // read without a lock by every request
	checked atomic.Int64             // ms since 1970: when the file was last looked at; whoever sets it looks
	mu      sync.Mutex               // held while the file is read; protects seen
	seen    os.FileInfo              // of the file as it was read, nil where it could not be
}

// State is what is known of a registry.
type State[T any] struct {
	Registry *T     // nil without a Failure: there is none, and never was
	Failure  string // why it cannot be read, "" where it can
}

// reloadEvery is the shortest time between two looks at the file.
const reloadEvery = time.Second

// Watch reads the registry, which need not be there. loaded and failing are for the log.
func Watch[T any, R registry[T]](f File[T, R], loaded func(R), failing func(error)) (*Watched[T, R], error) {
	w := &Watched[T, R]{file: f, loaded: loaded, failing: failing}
	w.current.Store(new(State[T]))
	if err := w.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, explain(err)
	}
	w.checked.Store(time.Now().UnixMilli())
	return w, nil
}

// State returns the registry as it was at most a second ago. It must not be changed.
func (w *Watched[T, R]) State() *State[T] {
	now, last := time.Now().UnixMilli(), w.checked.Load()
	if now-last >= reloadEvery.Milliseconds() && w.checked.CompareAndSwap(last, now) {
		if err := w.load(); err != nil {
			w.failed(err)
		}
	}
	return w.current.Load()
}

// Recheck lets the next State look at the file.
func (w *Watched[T, R]) Recheck() { w.checked.Store(0) }

func (w *Watched[T, R]) failed(err error) {
	was := w.current.Load()
	if *was == (State[T]{}) && errors.Is(err, fs.ErrNotExist) {
		return // there never was one
	}
	err = explain(err)
	if was.Failure == err.Error() {
		return
	}
	w.failing(err)
	w.current.Store(&State[T]{Failure: err.Error()})
}

// explain adds what the operator can do.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: give the file to the user that the server runs as, with chown", err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: put the file back from a backup", err)
	}
	return err
}

func (w *Watched[T, R]) load() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := os.Stat(w.file.Path)
	if err != nil {
		w.seen = nil
		return fmt.Errorf("read %s: %w", w.file.What, err)
	}
	if w.seen != nil && info.ModTime().Equal(w.seen.ModTime()) && os.SameFile(info, w.seen) {
		return nil
	}
	r, err := w.file.Read()
	if err != nil {
		w.seen = nil
		return err
	}
	w.seen = info
	w.current.Store(&State[T]{Registry: (*T)(r)})
	w.loaded(r)
	return nil
}
