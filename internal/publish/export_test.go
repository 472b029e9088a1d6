package publish

import (
	"context"
	"time"
)

// PublishSeals is one round of what Run repeats, for a publisher that does not run.
func (p *Publisher) PublishSeals(ctx context.Context) error { return p.publishSeals(ctx) }

// PublishDraws is another one.
func (p *Publisher) PublishDraws(ctx context.Context) error { return p.publishDraws(ctx) }

// PublishLog is another one.
func (p *Publisher) PublishLog(ctx context.Context) error { return p.publishLog(ctx) }

// FailFlush makes the next flush of the log's files fail.
func (p *Publisher) FailFlush() { p.folder.dirs[p.folder.path("gone")] = true }

// RetryNow lets the witnesses be asked again at once.
func (p *Publisher) RetryNow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retry = map[uint64]time.Time{}
}
