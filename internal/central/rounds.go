package central

import (
	"context"
	"errors"
	"net/http"
	"time"

	"quiniela/draw"
	"quiniela/internal/ledger"
)

const (
	roundStep  = time.Second      // between two looks at which draws wait for a round
	roundRetry = 10 * time.Second // after a failure, until the relays are asked again for the same draw
)

// fetchRounds fetches the beacon rounds that sealed draws wait for, until ctx ends. A round that is late is waited for: another
// one is never taken. The ledger checks what a relay gives.
func (c *Central) fetchRounds(ctx context.Context) {
	tick := time.NewTicker(roundStep)
	defer tick.Stop()
	tried := map[uint64]time.Time{} // by the draw's Seq
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, d := range c.Ledger.AwaitingRound() {
			if time.Since(tried[d.Seq]) >= roundRetry {
				tried[d.Seq] = time.Now()
				c.fetchRound(ctx, d)
			}
		}
	}
}

func (c *Central) fetchRound(ctx context.Context, d ledger.Draw) {
	b, err := draw.Quicknet().Fetch(ctx, &http.Client{}, c.options.Relays, d.Rule.Round)
	if err == nil {
		_, err = c.Ledger.EnterBeacon(ctx, ledger.Actor{}, d.ID, b)
	}
	if err == nil {
		c.log.Info("beacon", "result", "success", "draw", d.ID, "round", d.Rule.Round)
		return
	}
	if ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		c.log.Warn("beacon", "result", "fail", "draw", d.ID, "round", d.Rule.Round, "error", err)
	}
}
