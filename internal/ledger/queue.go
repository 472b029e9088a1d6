package ledger

import (
	"slices"
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
	acts    []journal.Act // for the trail
	refresh bool          // see what others have appended, and decide nothing

	by Actor // who asks to open, close or enter

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
	prizes    []quiniela.Number // all twenty, in the game quiniela; else nil
	signature []byte            // of the beacon; nil where a person enters the number
	extract   []byte            // SHA-256 of the official extract, or nil
}

type finishRequest struct {
	draw     uint64
	agency   quiniela.Agency
	batches  uint64
	sequence *Sequence
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

// lane is whose requests wait together: an agency's, or the desk's.
type lane int64

// desk is the lane of what no agency has asked for: the operator's requests, the draws' results, the readers of a shared journal.
const desk lane = -1

func (r *request) lane() lane {
	switch {
	case r.batch != nil:
		return lane(r.batch.Agency)
	case r.finish != nil:
		return lane(r.finish.agency)
	}
	return desk
}

// queue holds what waits for the committer, bounded by bytes: a caller of put waits while it is full, so that a slow disk slows
// the sessions down and takes no memory. Any goroutine may put; the committer alone takes.
//
// Each agency has a lane of its own, and may fill laneShare of the queue. Requests of one lane leave in the order in which their
// puts returned. The lanes take turns, and in each turn a lane sends up to turnBytes: so an agency with a thousand batches in hand
// delays another's first one by a turn, not by a thousand batches.
type queue struct {
	most int // bytes; a single request may be larger, and waits until it is alone

	mu          sync.Mutex // guards what follows
	lanes       map[lane]*waiting
	first, last *waiting   // the lanes' turns
	spare       []*waiting // for the next lanes
	bytes       int        // of all lanes
	err         error      // why it was closed; nil while it is open

	space sync.Cond // on mu: bytes has shrunk, or the queue was closed
	work  sync.Cond // on mu: there is work, or the queue was closed
}

// waiting is what waits in one lane. It is in the queue while it has requests.
type waiting struct {
	lane     lane
	requests []*request
	bytes    int      // of them
	credit   int      // how many more bytes it may send in its turn; what is too little for its next request is kept for the turn after
	next     *waiting // whose turn comes after
}

const (
	laneShare = 8 // one lane may have an eighth of the queue
	turnBytes = 64 << 10
)

func newQueue(most int) *queue {
	q := &queue{most: most, lanes: map[lane]*waiting{}}
	q.space.L, q.work.L = &q.mu, &q.mu
	return q
}

// put waits for room and adds r. An error is why the queue was closed; r is not in it then.
func (q *queue) put(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.err == nil && !q.fits(r) {
		q.space.Wait()
	}
	if q.err != nil {
		return q.err
	}
	w := q.lanes[r.lane()]
	if w == nil {
		w = q.enter(r.lane())
	}
	w.requests = append(w.requests, r)
	w.bytes += r.size()
	q.bytes += r.size()
	q.work.Signal()
	return nil
}

// fits reports whether there is room for r, in the queue and in its lane.
func (q *queue) fits(r *request) bool {
	size := r.size()
	if w := q.lanes[r.lane()]; w != nil && w.bytes+size > q.most/laneShare {
		return false
	}
	return q.bytes == 0 || q.bytes+size <= q.most
}

// enter adds an empty lane, whose turn comes after all others'.
func (q *queue) enter(l lane) (w *waiting) {
	if n := len(q.spare); n > 0 {
		w, q.spare = q.spare[n-1], q.spare[:n-1]
	} else {
		w = new(waiting)
	}
	w.lane = l
	q.lanes[l] = w
	q.append(w)
	return w
}

// append gives a lane the last turn.
func (q *queue) append(w *waiting) {
	w.next = nil
	if q.first == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
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
	for q.first == nil {
		if q.err != nil {
			return group
		}
		q.work.Wait()
	}
	before := q.bytes
	for q.first != nil && before-q.bytes < most {
		group = q.turn(group)
	}
	q.space.Broadcast()
	return group
}

// turn moves what the first lane may send to the end of group, and gives the next one its turn.
func (q *queue) turn(group []*request) []*request {
	w := q.first
	q.first = w.next
	w.credit += turnBytes
	n := 0
	for n < len(w.requests) && w.requests[n].size() <= w.credit {
		size := w.requests[n].size()
		w.credit -= size
		w.bytes -= size
		q.bytes -= size
		n++
	}
	group = append(group, w.requests[:n]...)
	w.requests = slices.Delete(w.requests, 0, n)
	if len(w.requests) > 0 {
		q.append(w)
		return group
	}
	delete(q.lanes, w.lane)
	w.credit = 0
	q.spare = append(q.spare, w)
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
