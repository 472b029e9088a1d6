package publish

import "context"

// PublishDraws is one round of what Run repeats, for a publisher that does not run.
func (p *Publisher) PublishDraws(ctx context.Context) error { return p.publishDraws(ctx) }

// PublishLog is another one.
func (p *Publisher) PublishLog(ctx context.Context) error { return p.publishLog(ctx) }

// FailFlush makes the next flush of the log's files fail.
func (p *Publisher) FailFlush() { p.folder.dirs[p.folder.path("gone")] = true }
