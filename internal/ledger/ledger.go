// Package ledger is the state machine over the journal: which batch an agency sends next, what is a repeat and what
// a conflict, when an agency has finished, when a draw is sealed, and who won. One committer decides in one order
// and answers only once the journal is durable; everything it keeps beside the journal is derived from it and can
// be rebuilt. It knows nothing of connections or of the wire.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
)

// Seed describes the draw that opens by itself in an empty journal.
type Seed struct {
	ID       string
	Agencies uint32
	Rule     draw.Rule
}

// Options say how a ledger is opened.
type Options struct {
	Dir    string       // of the derived state
	FS     vfs.FS       // nil: the operating system's
	Seed   *Seed        // nil: open no draw, as OpenSeed does later
	Logger *slog.Logger // nil: silent
	// QueueBytes bounds what waits for the committer; past it Submit blocks. 0 means 64 MiB.
	QueueBytes int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Public keeps the draws that are opened from now on in the public log. Those opened before stay as they are.
	Public bool
	// Metrics is where the ledger's figures are registered; nil: nowhere.
	Metrics prometheus.Registerer
}

const (
	defaultQueueBytes = 64 << 20
	// groupBytes bounds one commit. It is far under half a memtable, as package store asks, and large enough that a
	// sync is shared by all that came in during the one before.
	groupBytes = 4 << 20
)

// Ledger is an open ledger. Its methods may be called concurrently, until Close.
//
// Open starts its goroutines, and Close waits for their end: the committer (commit.go), which decides and appends; closeInTime,
// which wakes it when a draw's closing time comes; follow, which wakes it when another server has appended; fetchRounds, which
// asks for the beacon's rounds; and for each draw that is due one that finds its winners (runDraw). Whoever calls a method waits
// for the committer, and reads the state beside it.
type Ledger struct {
	// What Open sets and nobody changes.
	journal journal.Journal
	log     *slog.Logger
	now     func() time.Time
	state   *state           // has a lock of its own
	queue   *queue           // as well
	shared  journal.Follower // the journal, where others append to it as well; else nil
	metrics *metrics
	public  bool

	running sync.Map // draw -> true, of the draws that runDraw was started for
	tallies sync.Map // draw -> *tally

	ctx     context.Context // ends when the ledger closes or fails; every goroutine but the committer ends with it
	stop    context.CancelFunc
	workers sync.WaitGroup // every goroutine

	// The ledger fails once, for ever: failure is set, and then failed is closed, after which failure may be read.
	failed  chan struct{}
	failure error
	once    sync.Once // guards the two
}

// Open opens the ledger over j, which it uses until Close but does not close, brings its state up to the journal's
// last entry, and runs the draws that are due. With a seed, it opens that draw where the journal is empty, and refuses
// a journal whose first draw, still open, was opened on other terms. ctx bounds the opening alone.
func Open(ctx context.Context, j journal.Journal, o Options) (*Ledger, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = defaultQueueBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	st, err := openState(filepath.Join(o.Dir, StateName), o.FS, j, draw.Quicknet(), o.Logger)
	if err != nil {
		return nil, err
	}
	l := &Ledger{journal: j, log: o.Logger, now: o.Now, state: st, queue: newQueue(o.QueueBytes), failed: make(chan struct{})}
	l.public = o.Public
	l.shared, _ = j.(journal.Follower)
	l.metrics = newMetrics(l, o.Metrics)
	l.ctx, l.stop = context.WithCancel(context.Background())
	if err := l.start(ctx, o.Seed); err != nil {
		l.stop()
		return nil, errors.Join(err, st.close())
	}
	return l, nil
}

// StateName is the folder of the derived state in a data folder.
const StateName = "state"

// start brings the state up to date and starts the goroutines. After an error none of them runs.
func (l *Ledger) start(ctx context.Context, seed *Seed) error {
	if err := l.state.catchUpWith(ctx); err != nil {
		return err
	}
	l.workers.Go(l.commit)
	if seed != nil {
		if err := l.OpenSeed(ctx, seed); err != nil {
			l.queue.close(errClosed)
			l.workers.Wait()
			return err
		}
	}
	for _, d := range l.state.where(Draw.due) {
		l.startDraw(d)
	}
	l.workers.Go(l.closeInTime)
	if l.shared != nil {
		l.workers.Go(l.follow)
	}
	return nil
}

// clockStep is how soon after its closing time a draw is sealed at the latest, where nothing asks earlier. The clock is
// looked at again and again, since one that is set in between must be obeyed; a timer would not see it.
const clockStep = 100 * time.Millisecond

// closeInTime makes the committer look at the clock when a draw's closing time has come.
func (l *Ledger) closeInTime() {
	tick := time.NewTicker(clockStep)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		now := l.now()
		if len(l.state.where(func(d Draw) bool { return d.past(now) })) == 0 {
			continue
		}
		if err := l.do(l.ctx, &request{refresh: true}); err != nil {
			return // the ledger is closing, or has failed
		}
	}
}

// follow keeps up with what other servers append.
func (l *Ledger) follow() {
	for moved := l.shared.Follow(l.ctx); ; {
		select {
		case <-l.ctx.Done():
			return
		case <-moved:
			if err := l.do(l.ctx, &request{refresh: true}); err != nil {
				return // the ledger is closing, or has failed
			}
		}
	}
}

// fresh returns once the state has everything that any server had acknowledged when it was called.
func (l *Ledger) fresh(ctx context.Context) error {
	if l.shared == nil {
		return nil
	}
	return l.do(ctx, &request{refresh: true})
}

// startDraw starts a goroutine that finds the winners of a sealed draw, unless there was one already.
func (l *Ledger) startDraw(n uint64) {
	if _, running := l.running.LoadOrStore(n, true); !running {
		l.workers.Go(func() { l.runDraw(n) })
	}
}

// OpenSeed opens the seed's draw in an empty journal, or checks that it is the one that is there.
func (l *Ledger) OpenSeed(ctx context.Context, seed *Seed) error {
	if err := seed.Rule.Check(); err != nil {
		return err
	}
	if d, ok := l.state.draw(1); ok {
		return seed.check(d)
	}
	if err := quiniela.CheckDrawID(seed.ID); err != nil {
		return err
	}
	r := &request{open: &journal.Open{
		Draw: 1, ID: seed.ID, Agencies: seed.Agencies,
		Source: string(seed.Rule.Source), Number: seed.Rule.Fixed, Public: l.public, At: l.now().UnixMicro(),
	}}
	err := l.do(ctx, r)
	if quiniela.CodeOf(err) == quiniela.NoDraw { // another server was faster
		if d, ok := l.state.draw(1); ok {
			return seed.check(d)
		}
	}
	return err
}

// check compares the seed with the draw that it would have opened. Once the draw is sealed, the settings no longer matter; nor do
// they for a draw that an operator has opened.
func (s *Seed) check(d Draw) error {
	if d.Sealed || d.ID != s.ID {
		return nil
	}
	if s.Agencies != d.Agencies {
		return fmt.Errorf("draw %s is open with %d agencies, and the settings say %d: start with %d, since the terms of an open draw cannot change",
			d.ID, d.Agencies, s.Agencies, d.Agencies)
	}
	if have, want := d.Rule.Fixed, s.Rule.Fixed; have != nil && want != nil && *have != *want {
		return fmt.Errorf("draw %s is open with the winning number %d, and the settings say %d: start with %d, since the terms of an open draw cannot change",
			d.ID, *have, *want, *have)
	}
	return nil
}

var errClosed = &quiniela.Error{Code: quiniela.Stopping, Detail: "the server is going down; send it again later"}

// Failed is closed when the ledger has stopped because it could not go on; Err then says why.
func (l *Ledger) Failed() <-chan struct{} { return l.failed }

// Err returns why the ledger stopped, or nil.
func (l *Ledger) Err() error {
	select {
	case <-l.failed:
		return l.failure
	default:
		return nil
	}
}

// fail stops the ledger: nothing is acknowledged after err. What is in the queue is answered with it by the committer, and what
// would come is refused with it. Any goroutine may call it; the first error counts.
func (l *Ledger) fail(err error) {
	l.once.Do(func() {
		l.failure = err
		close(l.failed)
		l.queue.close(err)
		l.stop()
	})
}

// Close refuses what comes, decides and answers what is queued, abandons the search for a draw's winners (the next Open begins it
// again), and closes the state. It is called once; no method may be called after it. The journal stays open.
func (l *Ledger) Close() error {
	l.stop()
	l.queue.close(errClosed)
	l.workers.Wait()
	return l.state.close()
}
