// Package draw says where a draw's winning number comes from. A source is named when the draw opens and recorded in
// its journal entry, so that it cannot be chosen once bets are known. It knows nothing of bets or storage.
package draw

import (
	"fmt"

	"quiniela"
)

// Source names where a winning number comes from.
type Source string

// Fixed is the specification's rule: the number is set when the draw opens.
const Fixed Source = "fixed"

// Rule is a source with what it needs.
type Rule struct {
	Source Source
	Fixed  *quiniela.Number // for Fixed
}

// FixedNumber returns the rule of a draw whose number is n.
func FixedNumber(n quiniela.Number) Rule { return Rule{Source: Fixed, Fixed: &n} }

// Check returns an error where the rule could not yield a number.
func (r Rule) Check() error {
	switch {
	case r.Source != Fixed:
		return fmt.Errorf("unknown source of the winning number %q, want %q", r.Source, Fixed)
	case r.Fixed == nil:
		return fmt.Errorf("the source %q needs its number", Fixed)
	case *r.Fixed > quiniela.MaxNumber:
		return fmt.Errorf("the winning number %d is over %d", *r.Fixed, quiniela.MaxNumber)
	}
	return nil
}

// Number returns the winning number of a checked rule.
func (r Rule) Number() (quiniela.Number, error) {
	if err := r.Check(); err != nil {
		return 0, err
	}
	return *r.Fixed, nil
}
