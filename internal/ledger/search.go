package ledger

import (
	"context"

	"quiniela"
)

// This file looks for a few draws or agencies among very many.

// searchStep is how many rows a search looks at before it lets the committer at the state again.
const searchStep = 10_000

// LastDraws returns the draws that match, those opened last first, and most of them at most. They are the ones before the ordinal before,
// or all where it is 0. next is the before of the rest; 0: there is none.
func (l *Ledger) LastDraws(ctx context.Context, before uint64, most int, match func(Draw) bool) (draws []Draw, next uint64, err error) {
	if err := l.fresh(ctx); err != nil {
		return nil, 0, err
	}
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	n := l.state.last()
	if before > 0 {
		n = min(n, before-1)
	}
	for looked := 1; n >= 1; looked++ {
		if d := l.state.draws[n]; match(d) {
			if len(draws) == most {
				return draws, n + 1, nil
			}
			draws = append(draws, d)
		}
		n--
		if err := l.breathe(ctx, looked); err != nil {
			return nil, 0, err
		}
	}
	return draws, 0, nil
}

// Unfinished returns the expected agencies of a draw that have not finished, in order and most of them at most.
func (l *Ledger) Unfinished(ctx context.Context, id string, most int) ([]AgencyProgress, error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil || d.Finished == d.Agencies {
		return nil, err
	}
	var all []AgencyProgress
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	for a := quiniela.Agency(1); uint32(a) <= d.Agencies && len(all) < most; a++ {
		if c := l.state.cursors[cursorKey{d.Seq, a}]; !c.finished {
			all = append(all, c.progress(a))
		}
		if err := l.breathe(ctx, int(a)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// breathe lets go of the state for a moment after every searchStep rows. The caller holds l.state.mu for reading.
func (l *Ledger) breathe(ctx context.Context, looked int) error {
	if looked%searchStep != 0 {
		return nil
	}
	l.state.mu.RUnlock()
	l.state.mu.RLock()
	return ctx.Err()
}

// progress says how far the agency of a cursor is.
func (c cursor) progress(a quiniela.Agency) AgencyProgress {
	return AgencyProgress{Agency: a, Batches: max(c.next, 1) - 1, Bets: c.bets, Staked: c.stake, Finished: c.finished, Seen: instant(c.seen)}
}
