// Package draw says where a draw's winning number comes from. A source is named when the draw opens and recorded in
// its journal entry, so that it cannot be chosen once bets are known. It knows nothing of bets or storage.
package draw

import (
	"fmt"

	"quiniela"
)

// Source names where a winning number comes from: quiniela.SourceFixed, SourceNotary or SourceBeacon.
type Source string

// Rule is a source with what it needs.
type Rule struct {
	Source Source
	Fixed  *quiniela.Number `json:",omitempty"` // for SourceFixed
	Chain  [HashSize]byte   `json:",omitzero"`  // for SourceBeacon: the chain's hash
	Round  uint64           `json:",omitempty"` // for SourceBeacon, from 1
}

// BeaconRound returns the rule of a draw whose number comes from a round of a chain.
func BeaconRound(c *Chain, round uint64) Rule {
	return Rule{Source: quiniela.SourceBeacon, Chain: c.Hash(), Round: round}
}

// FixedNumber returns the rule of a draw whose number is n.
func FixedNumber(n quiniela.Number) Rule { return Rule{Source: quiniela.SourceFixed, Fixed: &n} }

// Check returns an error where the rule could not yield a number.
func (r Rule) Check() error {
	switch {
	case r.Source != quiniela.SourceFixed && r.Source != quiniela.SourceNotary && r.Source != quiniela.SourceBeacon:
		return fmt.Errorf("unknown source of the winning number %q, want %q, %q or %q", r.Source, quiniela.SourceFixed, quiniela.SourceNotary, quiniela.SourceBeacon)
	case (r.Source == quiniela.SourceBeacon) != (r.Round != 0):
		return fmt.Errorf("the source %q with round %d: a beacon needs its round, and no other source has one", r.Source, r.Round)
	case r.Source == quiniela.SourceFixed && r.Fixed == nil:
		return fmt.Errorf("the source %q needs its number", quiniela.SourceFixed)
	case r.Source != quiniela.SourceFixed && r.Fixed != nil:
		return fmt.Errorf("the source %q takes no number before the draw is closed", r.Source)
	case r.Fixed != nil && *r.Fixed > quiniela.MaxNumber:
		return fmt.Errorf("the winning number %d is over %d", *r.Fixed, quiniela.MaxNumber)
	}
	return nil
}
