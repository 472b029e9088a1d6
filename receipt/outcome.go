package receipt

// outcomeFormat is the first field of an outcome.
const outcomeFormat = "quiniela/v1/outcome"

// Outcome proves how a draw went: that it was opened, sealed and had its result, in this order, in one log. It is public.
type Outcome struct {
	Format     string `json:"format"`
	Open       Logged `json:"open"`
	Seal       Logged `json:"seal"`
	Result     Logged `json:"result"`
	Checkpoint string `json:"checkpoint"` // a signed note
}

// NewOutcome returns the outcome of a draw's three entries, each with its inclusion proof in the log of one signed checkpoint.
func NewOutcome(open, seal, result Logged, checkpoint []byte) *Outcome {
	return &Outcome{outcomeFormat, open, seal, result, string(checkpoint)}
}

// Encode returns the outcome's JSON, ended by a line end.
func (o *Outcome) Encode() ([]byte, error) { return encodeJSON(o) }

// ParseOutcome reads an outcome's JSON as strictly as ParseReceipt. It does not check the proofs.
func ParseOutcome(data []byte) (*Outcome, error) {
	o := new(Outcome)
	if err := decodeJSON(data, o); err != nil {
		return nil, &MalformedError{"outcome", err}
	}
	if o.Format != outcomeFormat {
		return nil, malformed("outcome", "the format is %.40q, and this program reads %q", o.Format, outcomeFormat)
	}
	return o, nil
}
