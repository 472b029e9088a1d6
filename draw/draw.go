// Package draw says where a draw's winning number comes from. A source is named when the draw opens and recorded in
// its journal entry, so that it cannot be chosen once bets are known. It knows nothing of bets or storage.
package draw

import (
	"fmt"

	"quiniela"
)

// Source names where a winning number comes from.
type Source string

const (
	// Fixed is the specification's rule: the number is set when the draw opens.
	Fixed Source = "fixed"
	// Notary is a person who enters the number of the official extract once the draw is sealed.
	Notary Source = "notary"
	// FromBeacon is a round of a public randomness beacon, named when the draw opens and signed only after it is sealed.
	FromBeacon Source = "beacon"
)

// Rule is a source with what it needs.
type Rule struct {
	Source Source
	Fixed  *quiniela.Number `json:",omitempty"` // for Fixed
	Chain  [HashSize]byte   `json:",omitzero"`  // for FromBeacon: the chain's hash
	Round  uint64           `json:",omitempty"` // for FromBeacon, from 1
}

// BeaconRound returns the rule of a draw whose number comes from a round of a chain.
func BeaconRound(c *Chain, round uint64) Rule {
	return Rule{Source: FromBeacon, Chain: c.Hash(), Round: round}
}

// FixedNumber returns the rule of a draw whose number is n.
func FixedNumber(n quiniela.Number) Rule { return Rule{Source: Fixed, Fixed: &n} }

// Check returns an error where the rule could not yield a number.
func (r Rule) Check() error {
	switch {
	case r.Source != Fixed && r.Source != Notary && r.Source != FromBeacon:
		return fmt.Errorf("unknown source of the winning number %q, want %q, %q or %q", r.Source, Fixed, Notary, FromBeacon)
	case (r.Source == FromBeacon) != (r.Round != 0):
		return fmt.Errorf("the source %q with round %d: a beacon needs its round, and no other source has one", r.Source, r.Round)
	case r.Source == Fixed && r.Fixed == nil:
		return fmt.Errorf("the source %q needs its number", Fixed)
	case r.Source != Fixed && r.Fixed != nil:
		return fmt.Errorf("the source %q takes no number before the draw is closed", r.Source)
	case r.Fixed != nil && *r.Fixed > quiniela.MaxNumber:
		return fmt.Errorf("the winning number %d is over %d", *r.Fixed, quiniela.MaxNumber)
	}
	return nil
}
