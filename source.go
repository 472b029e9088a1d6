package quiniela

// Where a draw's winning number comes from. The names stand in the journal, in the public log and in settings, so they never
// change. They are untyped: draw.Source is their type where a rule is meant, and a format's text is a string.
const (
	SourceFixed  = "fixed"  // the specification's rule: the number is set when the draw opens
	SourceNotary = "notary" // a person enters the number of the official extract once the draw is sealed
	SourceBeacon = "beacon" // a round of a public randomness beacon, named when the draw opens and signed after it is sealed
)

// PrizeCount is how many numbers a beacon's round gives a draw. The first is the winning number.
const PrizeCount = 20
