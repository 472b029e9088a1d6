package proof

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// receiptFormat is the first field of a receipt.
const receiptFormat = "quiniela/v1/receipt"

// MaxDocument bounds a receipt or a draw's proof, in bytes.
const MaxDocument = 256 << 10

// Hex is bytes that JSON has as lower-case hexadecimal.
type Hex []byte

// MarshalText writes h in lower case.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText reads lower-case hexadecimal.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.AppendDecode([]byte{}, text)
	if err != nil || bytes.ContainsAny(text, "ABCDEF") {
		return fmt.Errorf("%.40q is not lower-case hexadecimal", text)
	}
	*h = b
	return nil
}

// Path is the hashes that lead from a leaf to a root, the lowest first: in JSON a list of Hex, which may be empty.
type Path []Hash

// MarshalJSON writes a list, also where p is nil.
func (p Path) MarshalJSON() ([]byte, error) {
	list := make([]Hex, len(p))
	for i := range p {
		list[i] = p[i][:]
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads a list of hashes.
func (p *Path) UnmarshalJSON(data []byte) error {
	var list []Hex
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*p = make(Path, len(list))
	for i, h := range list {
		if len(h) != HashSize {
			return fmt.Errorf("step %d of a path has %d bytes, want %d", i, len(h), HashSize)
		}
		(*p)[i] = Hash(h)
	}
	return nil
}

// Logged is an entry of the log with the way from it to a checkpoint's root.
type Logged struct {
	Entry Hex    `json:"entry"`
	Index uint64 `json:"index"` // in the log
	Path  Path   `json:"path"`
}

// Receipt proves that one bet is in the log. It is the bettor's: it shows who made the bet, and nothing of any other.
type Receipt struct {
	Format     string `json:"format"`
	FirstName  string `json:"first_name"`
	LastName   string `json:"last_name"`
	Document   string `json:"document"`
	Birthdate  string `json:"birthdate"`
	Salt       Hex    `json:"salt"`
	Record     Hex    `json:"record"`
	Index      uint32 `json:"index"` // of the bet in its batch, from 0
	Count      uint32 `json:"count"` // bets in the batch
	Path       Path   `json:"path"`  // from the record's leaf to the batch's root
	Batch      Logged `json:"batch"`
	Checkpoint string `json:"checkpoint"` // a signed note
}

// Person returns who made the bet, as the receipt says.
func (r *Receipt) Person() Person {
	return Person{r.FirstName, r.LastName, r.Document, r.Birthdate}
}

// Make returns the receipt of bet i of a batch: bets and person are the batch's and the bet's own, batch is its log entry
// at logIndex, and path leads from there to the root of checkpoint, which is signed. What it returns has not been verified.
func Make(bets *Leaves, i int, who Person, batch BatchEntry, logIndex uint64, path []Hash, checkpoint []byte) (*Receipt, error) {
	inBatch, err := bets.Path(i)
	if err != nil {
		return nil, fmt.Errorf("make receipt: %w", err)
	}
	if !utf8.ValidString(who.FirstName + who.LastName + who.Document + who.Birthdate) {
		return nil, errors.New("make receipt: a name that is not UTF-8 cannot be written in JSON")
	}
	commit, err := who.Commit(bets.salts[i])
	if err != nil {
		return nil, fmt.Errorf("make receipt: %w", err)
	}
	record := bets.records[i*RecordSize:][:RecordSize]
	if !bytes.Equal(commit[:], record[RecordSize-HashSize:]) {
		return nil, fmt.Errorf("make receipt: bet %d of the batch was not made by this person", i)
	}
	entry := batch.Encode()
	return &Receipt{
		Format:    receiptFormat,
		FirstName: who.FirstName, LastName: who.LastName, Document: who.Document, Birthdate: who.Birthdate,
		Salt: bytes.Clone(bets.salts[i][:]), Record: bytes.Clone(record),
		Index: uint32(i), Count: uint32(bets.Count()), Path: inBatch,
		Batch:      Logged{Entry: entry[:], Index: logIndex, Path: path},
		Checkpoint: string(checkpoint),
	}, nil
}

// Log returns an entry of the log with its way to the root of a checkpoint.
func Log(entry []byte, index uint64, path []Hash) Logged {
	return Logged{Entry: bytes.Clone(entry), Index: index, Path: path}
}

// Encode returns the receipt's JSON, ended by a line end.
func (r *Receipt) Encode() ([]byte, error) { return encodeJSON(r) }

// ParseReceipt reads a receipt's JSON. Between its tokens there may be any blank space; all else must be as Encode
// writes it: every field once, in order, no other, and nothing behind. It checks no proof: Verify does.
func ParseReceipt(data []byte) (*Receipt, error) {
	r := new(Receipt)
	if err := decodeJSON(data, r); err != nil {
		return nil, fmt.Errorf("parse receipt: %w", err)
	}
	if r.Format != receiptFormat {
		return nil, fmt.Errorf("parse receipt: the format is %.40q, and this program reads %q", r.Format, receiptFormat)
	}
	return r, nil
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// decodeJSON reads what encodeJSON writes, and nothing else but for blank space. encoding/json alone would take a field
// twice, names in another case, "\u0041" for "A", null for a list, and more.
func decodeJSON(data []byte, v any) error {
	if len(data) > MaxDocument {
		return fmt.Errorf("over %d bytes", MaxDocument)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	again, err := encodeJSON(v)
	if err != nil {
		return err
	}
	var want, have bytes.Buffer
	if err := errors.Join(json.Compact(&want, again), json.Compact(&have, data)); err != nil {
		return err
	}
	if !bytes.Equal(want.Bytes(), have.Bytes()) {
		return fmt.Errorf("not written as this program writes it, from byte %d on, blank space left out", differ(want.Bytes(), have.Bytes()))
	}
	return nil
}

func differ(a, b []byte) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}
