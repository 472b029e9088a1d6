package ledger

import (
	"sync"

	"quiniela"
	"quiniela/internal/journal"
)

// request is one thing for the committer to decide.
type request struct {
	// exactly one is set
	batch   *Submission
	finish  *finishRequest
	open    *journal.Open // Draw 0: the next number
	close   *closeRequest
	enter   *enterRequest
	result  *resultRequest
	refresh bool // see what others have appended, and decide nothing

	stored int  // bets, of a batch
	fresh  bool // stored now, not a repeat
	err    error
	done   chan struct{} // one value when decided
}

type closeRequest struct{ id, note string }

type enterRequest struct {
	id        string
	number    quiniela.Number
	signature []byte // of the beacon; nil where a person enters the number
	extract   []byte // SHA-256 of the official extract, or nil
}

type finishRequest struct {
	draw    uint64
	agency  quiniela.Agency
	batches uint64
}

type resultRequest struct {
	entry   journal.Result
	winners *winners
}

// size is what the request counts for in the queue, in bytes.
func (r *request) size() int {
	const fixed = 256
	if r.batch != nil {
		return len(r.batch.Frame) + fixed
	}
	return fixed
}

// queue holds what waits for the committer, bounded by bytes.
type queue struct {
	mu    sync.Mutex
	space sync.Cond // signalled when bytes has shrunk, or closed
	work  sync.Cond // signalled when there is work, or closed
	most  int

	waiting []*request
	bytes   int
	err     error // once closed
}

func newQueue(most int) *queue {
	q := &queue{most: most}
	q.space.L, q.work.L = &q.mu, &q.mu
	return q
}

// put waits for room and adds r.
func (q *queue) put(r *request) error {
	size := r.size()
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.err == nil && q.bytes > 0 && q.bytes+size > q.most {
		q.space.Wait()
	}
	if q.err != nil {
		return q.err
	}
	q.waiting = append(q.waiting, r)
	q.bytes += size
	if len(q.waiting) == 1 {
		q.work.Signal()
	}
	return nil
}

// size returns how many bytes wait.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// take waits for work and moves up to most bytes of it, and at least one request, to the end of group. It returns an
// empty group when the queue is closed and empty.
func (q *queue) take(group []*request, most int) []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 {
		if q.err != nil {
			return group
		}
		q.work.Wait()
	}
	n, bytes := 0, 0
	for n < len(q.waiting) && (n == 0 || bytes < most) {
		bytes += q.waiting[n].size()
		n++
	}
	group = append(group, q.waiting[:n]...)
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	q.bytes -= bytes
	q.space.Broadcast()
	return group
}

// close refuses what comes with err. What waits is still taken.
func (q *queue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.space.Broadcast()
	q.work.Broadcast()
}
