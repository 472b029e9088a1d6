package central

import (
	"context"
	"errors"
	"time"

	"quiniela"
	"quiniela/internal/backup"
	"quiniela/internal/journal"
	"quiniela/internal/registry"
)

// recordChanges writes into the audit trail what commands have done: how the registries have changed, until ctx ends, and which copies were made
// while no server ran. It begins with what is new since the last one did.
func (c *Central) recordChanges(ctx context.Context) {
	if err := c.recordCopies(ctx); err != nil {
		c.log.Warn("trail", "result", "fail", "error", err)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := c.recordNew(ctx); err != nil && quiniela.CodeOf(err) == "" {
			return // ctx has ended, or the ledger has failed, which says so by itself; a full disk is tried again
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *Central) recordNew(ctx context.Context) error {
	var histories []registry.History
	if r := c.options.Server.Guard.Registry(); r != nil {
		histories = append(histories, r.History)
	}
	if c.operators != nil {
		if r := c.operators.Registry(); r != nil {
			histories = append(histories, r.History)
		}
	}
	var acts []journal.Act
	for _, h := range histories {
		last := c.Ledger.LastChange(h.ID)
		for _, change := range h.Changes {
			if change.N > last {
				acts = append(acts, journal.Act{
					What: change.What, Who: change.Who, From: "command", About: change.About, Note: change.Note, Registry: h.ID, Change: change.N, At: change.At.UnixMicro(),
				})
			}
		}
	}
	return c.Ledger.Record(ctx, acts...)
}

func (c *Central) recordCopies(ctx context.Context) error {
	acts, err := backup.Unrecorded(c.options.Dir)
	return errors.Join(err, c.Ledger.Record(ctx, acts...))
}
