package server

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
)

// budget bounds the bytes of all requests that are being read or wait for their answer. Requests past it wait, in the order in which
// they came. Large ones get three quarters of it at most: a batch as the specification has it never waits for them.
type budget struct {
	all, large *semaphore.Weighted
	ofLarge    int64
}

// smallBody is the largest body, in bytes, that is not large. A connection's own read buffer is as large.
const smallBody = 16 << 10

func newBudget(bytes int64) *budget {
	bytes = max(bytes, 4*smallBody)
	large := bytes / 4 * 3
	return &budget{semaphore.NewWeighted(bytes), semaphore.NewWeighted(large), large}
}

// reserve takes the room for a body of some bytes, and waits for it until ctx ends, or for some time. What it returns is for release.
func (b *budget) reserve(ctx context.Context, within time.Duration, bytes int64) (held int64, err error) {
	held = min(bytes, b.ofLarge)
	if held <= smallBody && b.all.TryAcquire(held) {
		return held, nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if held > smallBody {
		if err := b.large.Acquire(ctx, held); err != nil {
			return 0, err
		}
	}
	if err := b.all.Acquire(ctx, held); err != nil {
		if held > smallBody {
			b.large.Release(held)
		}
		return 0, err
	}
	return held, nil
}

func (b *budget) release(held int64) {
	if held > smallBody {
		b.large.Release(held)
	}
	b.all.Release(held)
}
