package receipt

// evidenceFormat is the first field of evidence.
const evidenceFormat = "quiniela/v2/evidence"

// What two signed statements of a log exclude each other by.
const (
	// TwoLogs says that the first entries of a log are not the same in two checkpoints.
	TwoLogs = "two logs"
	// LateBatch says that a batch of a draw comes after the draw's seal, which ends it.
	LateBatch = "a batch after the seal"
)

// Evidence is two signed statements of one log that exclude each other. It convicts whoever has the log's key, and shows nothing of
// who bet. It is public.
type Evidence struct {
	Format string `json:"format"`
	Kind   string `json:"kind"`
	First  Shown  `json:"first"`  // of LateBatch, the checkpoint that Seal is in
	Second Shown  `json:"second"` // of LateBatch, the checkpoint that Batch is in
	// TwoLogs: the first Size entries have one root in the log of First, and another one in that of Second.
	Size  uint64  `json:"size,omitempty"`
	Seal  *Logged `json:"seal,omitempty"`  // LateBatch
	Batch *Logged `json:"batch,omitempty"` // LateBatch
}

// Shown is a checkpoint with what it shows of its log's first entries: the root that follows from the last one of them. Of a checkpoint of
// just that size there need be no leaf, since its own root is the one.
type Shown struct {
	Checkpoint string         `json:"checkpoint"` // a signed note
	Leaf       Hex            `json:"leaf"`       // the leaf hash of the last one of the entries; or none
	Proof      InclusionProof `json:"path"`       // from the leaf to the checkpoint's root
}

// NewTwoLogs returns the evidence that the first size entries are not the same in two checkpoints.
func NewTwoLogs(size uint64, first, second Shown) *Evidence {
	return &Evidence{Format: evidenceFormat, Kind: TwoLogs, First: first, Second: second, Size: size}
}

// NewLateBatch returns the evidence that a batch, in the log of one checkpoint, comes after its draw's seal, in the log of another.
func NewLateBatch(seal Logged, sealed []byte, batch Logged, checkpoint []byte) *Evidence {
	return &Evidence{
		Format: evidenceFormat, Kind: LateBatch, First: Shown{Checkpoint: string(sealed)}, Second: Shown{Checkpoint: string(checkpoint)},
		Seal: &seal, Batch: &batch,
	}
}

// Encode returns the evidence's JSON, ended by a line end.
func (e *Evidence) Encode() ([]byte, error) { return encodeJSON(e) }

// ParseEvidence reads evidence as strictly as ParseReceipt. It does not check what it shows.
func ParseEvidence(data []byte) (*Evidence, error) {
	e := new(Evidence)
	if err := decodeJSON(data, e); err != nil {
		return nil, &MalformedError{"evidence", err}
	}
	if e.Format != evidenceFormat {
		return nil, malformed("evidence", "the format is %.40q, and this program reads %q", e.Format, evidenceFormat)
	}
	late := e.Kind == LateBatch
	if !late && e.Kind != TwoLogs || late != (e.Seal != nil) || late != (e.Batch != nil) || late != (e.Size == 0) {
		return nil, malformed("evidence", "of the kind %.40q, with what another kind needs, or without what it needs", e.Kind)
	}
	return e, nil
}
