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

// reserve takes the room for a body of some bytes, and waits for it until ctx ends, or for some time. What it returns is for release.
func (b *budget) reserve(ctx context.Context, within time.Duration, bytes int64) (held int64, err error) {
	if bytes <= smallBody {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	held = min(bytes, b.bytes)
	if err := b.free.Acquire(ctx, held); err != nil {
		return 0, err
	}
	return held, nil
}

func (b *budget) release(held int64) { b.free.Release(held) }
