package quiniela

// Limits that the protocol fixes for one bet line.
const (
	Fields            = 5   // of a bet line of the specification's game
	MostFields        = 7   // of a bet line of the game quiniela, with its stake and its prizes
	MaxNameRunes      = 64  // characters of a first or last name
	MaxNameBytes      = 255 // of its UTF-8: a commitment to it has the length in one byte
	MaxDocumentDigits = 9
)

// Limits bound what one request may be. The zero value is not usable: start from DefaultLimits.
type Limits struct {
	BareBody   int // bytes of a bare request
	FramedBody int // bytes of a framed request's body
	BatchBets  int // bets in one batch
}

// DefaultLimits returns the limits that hold when nothing else is configured: a bare body of 8192 bytes (the
// specification's packet), a framed one of 1 MiB, and 20,000 bets in a batch.
func DefaultLimits() Limits {
	return Limits{BareBody: 8192, FramedBody: 1 << 20, BatchBets: 20000}
}
