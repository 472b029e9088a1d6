package receipt

// outcomeFormat is the first field of an outcome.
const outcomeFormat = "quiniela/v2/outcome"

// Outcome proves how a draw went: that it was opened, sealed and had its result, in this order, in one log. It is public.
type Outcome struct {
	Format     string `json:"format"`
	Open       Logged `json:"open"`
	Seal       Logged `json:"seal"`
	Result     Logged `json:"result"`
	Checkpoint string `json:"checkpoint"` // a signed note: the log in which the three are
	// Sealed is the draw's sealed checkpoint, a signed note with its cosignatures: the first that was shown of a log with the seal. Its
	// witnesses' times say when the seal was there.
	Sealed      string         `json:"sealed"`
	SealedProof InclusionProof `json:"sealed_path"` // from the seal to the sealed checkpoint's root
}

// NewOutcome returns the outcome of a draw's three entries, each with its inclusion proof in the log of one signed checkpoint, and
// of its sealed checkpoint, with the seal's inclusion proof there.
func NewOutcome(open, seal, result Logged, checkpoint, sealed []byte, proof InclusionProof) *Outcome {
	return &Outcome{outcomeFormat, open, seal, result, string(checkpoint), string(sealed), proof}
}

// InSealed returns the seal with its inclusion proof in the log of the sealed checkpoint.
func (o *Outcome) InSealed() Logged { return Logged{o.Seal.Entry, o.Seal.Index, o.SealedProof} }

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
