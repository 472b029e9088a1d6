package audit

import (
	"bytes"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"quiniela"
	"quiniela/draw"
	"quiniela/receipt"
)

// winnings are what some bets win. The sums have no bound: what is audited may say anything.
type winnings struct {
	bets      uint64  // that win
	due, paid big.Int // in cents; zero in the specification's game
}

// add counts a play of a game, by the numbers of a draw's published result. Its payout says at which share prizes are paid; that it is the
// right one is compared when all prizes are known.
func (w *winnings) add(game *quiniela.Terms, r *receipt.Result, p quiniela.Play) {
	if game == nil {
		if p.Number == r.Number {
			w.bets++
		}
		return
	}
	hits := len(draw.Hits(r.Prizes, p))
	if hits == 0 || r.Payout == nil {
		return
	}
	w.bets++
	prize := draw.Prize(game, p, hits)
	w.due.Add(&w.due, prize)
	w.paid.Add(&w.paid, draw.Paid(prize, new(big.Int).SetUint64(r.Payout.Pool), new(big.Int).SetUint64(r.Payout.Due)))
}

func (w *winnings) sum(o *winnings) {
	w.bets += o.bets
	w.due.Add(&w.due, &o.due)
	w.paid.Add(&w.paid, &o.paid)
}

type winKey struct {
	draw   uint64
	agency quiniela.Agency
}

// won adds winners to what an agency has; the draw may not have come up yet.
func (a *auditor) won(b receipt.BatchEntry, won *winnings) {
	if a.wins == nil {
		a.wins = map[winKey]*winnings{}
	}
	key := winKey{b.Draw, b.Agency}
	if a.wins[key] == nil {
		a.wins[key] = new(winnings)
	}
	a.wins[key].sum(won)
}

// count compares the winners, and what they are paid, with what is published.
func (a *auditor) count(d *drawn, r receipt.Result) error {
	var text bytes.Buffer
	var all winnings
	for _, n := range slices.Sorted(maps.Keys(d.agencies)) {
		w := a.wins[winKey{d.open.Draw, n}]
		if w == nil || w.bets == 0 {
			continue
		}
		all.sum(w)
		g := d.agencies[n]
		g.Winners, g.Due, g.Paid = w.bets, w.due.Uint64(), w.paid.Uint64()
		if d.open.Game == nil {
			fmt.Fprintf(&text, "%d %d\n", n, w.bets)
		} else {
			fmt.Fprintf(&text, "%d %d %s %s\n", n, w.bets, &w.due, &w.paid)
		}
	}
	a.winners.Checked += all.bets
	if d.shown == nil {
		a.winners.finding("draw %s: without %sresult no winners can be counted", d.open.ID, d.dir())
		return nil
	}
	if d.shown.Number != r.Number || !slices.Equal(d.shown.Prizes, r.Prizes) || all.bets != r.Winners {
		a.winners.finding("draw %s: the records have %d bets on %04d, and the result says %d on %04d", d.open.ID, all.bets, d.shown.Number, r.Winners, r.Number)
	}
	a.payout(d, r, &all)
	have, err := a.read(d.dir() + "winners")
	if err == nil && (have == nil || !bytes.Equal(have, text.Bytes())) {
		a.winners.finding("%swinners is missing, or is not what the records give", d.dir())
	}
	return err
}

// payout compares what the winners of a draw are paid, all together, with what its result says and its terms give.
func (a *auditor) payout(d *drawn, r receipt.Result, all *winnings) {
	if (d.open.Game != nil) != (r.Payout != nil) {
		a.winners.finding("draw %s is of the game %s, and its result says otherwise", d.open.ID, d.open.Game.Game())
		return
	}
	p := r.Payout
	if p == nil {
		return
	}
	if d.seal != nil && p.Staked != d.seal.Stake {
		a.winners.finding("draw %s: the result says that %d cents were staked, and the seal %d", d.open.ID, p.Staked, d.seal.Stake)
	}
	if !is(&all.due, p.Due) {
		a.winners.finding("draw %s: the records' prizes come to %s cents, and the result says %d", d.open.ID, &all.due, p.Due)
		return
	}
	if pool := draw.Pool(d.open.Game, new(big.Int).SetUint64(p.Staked), &all.due); !is(pool, p.Pool) {
		a.winners.finding("draw %s: by its terms %s cents can be paid of %d, and the result says %d: the share is another", d.open.ID, pool, p.Due, p.Pool)
		return
	}
	if !is(&all.paid, p.Paid) {
		a.winners.finding("draw %s: the winners are paid %s cents, and the result says %d", d.open.ID, &all.paid, p.Paid)
	}
}

func is(n *big.Int, want uint64) bool { return n.IsUint64() && n.Uint64() == want }
