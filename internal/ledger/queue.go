package ledger

import (
	"sync"

	"quiniela"
	"quiniela/internal/journal"
)

// request is one thing for the committer to decide. From put until done has its value it belongs to the committer, and then to
// whoever waits for it, who reads the outcome there.
type request struct {
	// exactly one is set
	batch   *Submission
	finish  *finishRequest
	open    *journal.Open // Draw 0: the next number
	close   *closeRequest
	enter   *enterRequest
	result  *resultRequest
	refresh bool // see what others have appended, and decide nothing

	// the outcome
	stored int   // bets, of a batch
	fresh  bool  // stored now, not a repeat
	err    error // a refusal, or why the ledger failed

	done chan struct{} // gets one value, for which it has room, once the outcome is durable
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

// queue holds what waits for the committer, bounded by bytes: a caller of put waits while it is full, so that a slow disk slows
// the sessions down and takes no memory. Any goroutine may put; the committer alone takes. Requests leave in the order in which
// their puts returned.
type queue struct {
	most int // bytes; a single request may be larger, and waits until it is alone

	mu      sync.Mutex // guards what follows
	waiting []*request
	bytes   int   // of waiting
	err     error // why it was closed; nil while it is open

	space sync.Cond // on mu: bytes has shrunk, or the queue was closed
	work  sync.Cond // on mu: there is work, or the queue was closed
}

func newQueue(most int) *queue {
	q := &queue{most: most}
	q.space.L, q.work.L = &q.mu, &q.mu
	return q
}

// put waits for room and adds r. An error is why the queue was closed; r is not in it then.
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

// close refuses what comes, and those that wait for room, with err; the first call counts. What is in the queue is still taken.
func (q *queue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.space.Broadcast()
	q.work.Broadcast()
}
