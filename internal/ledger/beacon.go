package ledger

import (
	"context"
	"fmt"
	"time"

	"quiniela"
	"quiniela/draw"
)

// Margin is the minimum delay between a draw's closing time and its beacon round: time enough to publish the seal and have it
// cosigned.
const Margin = time.Minute

// derive checks a signature and returns the numbers that it gives a draw, the winning one first.
func (s *state) derive(d Draw, signature []byte) ([]quiniela.Number, error) {
	if d.Rule.Source != quiniela.SourceBeacon || d.Rule.Chain != s.chain.Hash() {
		return nil, fmt.Errorf("draw %s does not take its number from the beacon that this server knows", d.ID)
	}
	return s.chain.Numbers(signature, d.terms())
}

// terms returns what was fixed of the draw when it opened.
func (d Draw) terms() draw.Terms {
	return draw.Terms{ChainHash: d.Rule.Chain, Round: d.Rule.Round, DrawID: d.ID, Binding: d.Binding}
}

// prizes derives all numbers of a draw whose signature has been checked.
func (d Draw) prizes() ([quiniela.PrizeCount]quiniela.Number, error) {
	b := draw.Beacon{Round: d.Rule.Round}
	copy(b.Signature[:], d.Signature)
	return draw.Prizes(b.Randomness(), d.terms())
}

// Prizes returns the draw's twenty numbers, the winning one first: those of a beacon, or those that were entered for the game quiniela.
// It returns nil where there are none, or the draw waits for them.
func (d Draw) Prizes() []quiniela.Number {
	if d.Signature == nil || d.Extracted != nil {
		return d.Extracted
	}
	all, err := d.prizes()
	if err != nil {
		return nil // its terms were checked when it opened
	}
	return all[:]
}

// awaitsRound reports whether a draw is sealed and waits for the beacon.
func (d Draw) awaitsRound() bool {
	return d.Sealed && d.Entered == nil && d.Rule.Source == quiniela.SourceBeacon
}

// AwaitingRound returns the sealed draws whose beacon round, Rule.Round, should be signed by now. Whoever has a round hands it
// to EnterBeacon; the ledger itself fetches nothing.
func (l *Ledger) AwaitingRound() []Draw {
	now := l.now()
	var due []Draw
	for _, n := range l.state.where(Draw.awaitsRound) {
		d, _ := l.state.draw(n)
		if !now.Before(l.state.chain.TimeOf(d.Rule.Round)) {
			due = append(due, d)
		}
	}
	return due
}

// EnterBeacon records durably the beacon's round of a sealed draw, and with it its number.
func (l *Ledger) EnterBeacon(ctx context.Context, by Actor, id string, b draw.Beacon) (Draw, error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil {
		return d, err
	}
	if d.Rule.Source == quiniela.SourceBeacon && b.Round != d.Rule.Round {
		return d, quiniela.Refuse(quiniela.Invalid, "round %d of the beacon: draw %s takes round %d, named when it opened", b.Round, id, d.Rule.Round)
	}
	numbers, err := l.state.derive(d, b.Signature[:])
	if err != nil {
		return d, quiniela.Refuse(quiniela.Invalid, "%v", err)
	}
	r := &enterRequest{id: id, number: numbers[0], signature: b.Signature[:]}
	if d.Game != nil {
		r.prizes = numbers
	}
	if err := l.do(ctx, &request{enter: r, by: by}); err != nil {
		return d, err
	}
	return l.FindDraw(ctx, id)
}
