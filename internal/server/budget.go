package server

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
)

// budget bounds the bytes of all large requests that are being read or wait for their answer; further ones wait, in the order in which
// they came. A large body takes its whole size before it is read: two that had half of theirs each could wait for each other.
//
// Small bodies take nothing: whoever announces many and sends none could otherwise stop the batches of everybody. They are bounded by
// the number of connections, each of which reads one body at a time, and by what may wait for the disk.
type budget struct {
	free  *semaphore.Weighted
	bytes int64
}

// smallBody is the largest body, in bytes, that is not large: twice the specification's packet. A connection's own read buffer is
// as large.
const smallBody = 16 << 10

func newBudget(bytes int64) *budget { return &budget{semaphore.NewWeighted(bytes), bytes} }

// room is what one request holds of the budget, and of its agency's share. The zero value is nothing.
type room struct {
	of    *budget
	quota *quota // nil: of no agency
	bytes int64
	share int64 // of the quota
}

// reserve takes the room for a body of some bytes, and waits for it until ctx ends, or for some time. The agency's own share comes
// first: an agency that has used it up waits there, and holds nothing that others wait for.
func (b *budget) reserve(ctx context.Context, within time.Duration, q *quota, bytes int64) (r room, err error) {
	if bytes <= smallBody {
		return r, nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if q != nil {
		r.share = min(bytes, q.share)
		if err := q.bodies.Acquire(ctx, r.share); err != nil {
			return room{}, err
		}
		r.quota = q
	}
	r.bytes = min(bytes, b.bytes)
	if err := b.free.Acquire(ctx, r.bytes); err != nil {
		r.bytes = 0
		r.release()
		return room{}, err
	}
	r.of = b
	return r, nil
}

func (r room) release() {
	if r.of != nil {
		r.of.free.Release(r.bytes)
	}
	if r.quota != nil {
		r.quota.bodies.Release(r.share)
	}
}
