package receipt

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"quiniela/tlog"
)

// receiptFormat is the first field of a receipt.
const receiptFormat = "quiniela/v2/receipt"

// MaxDocument bounds a receipt or a draw's proof, in bytes.
const MaxDocument = 256 << 10

// Hex is bytes that JSON has as lower-case hexadecimal.
type Hex []byte

// MarshalText writes h in lower case; nil is no bytes.
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

// InclusionProof is the hashes that lead from a leaf to a root, the lowest first: in JSON a list of Hex, which may be empty.
type InclusionProof []tlog.Hash

// MarshalJSON writes a list, also where p is nil.
func (p InclusionProof) MarshalJSON() ([]byte, error) {
	list := make([]Hex, len(p))
	for i := range p {
		list[i] = p[i][:]
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads a list of hashes.
func (p *InclusionProof) UnmarshalJSON(data []byte) error {
	var list []Hex
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*p = make(InclusionProof, len(list))
	for i, h := range list {
		if len(h) != tlog.HashSize {
			return fmt.Errorf("hash %d of an inclusion proof has %d bytes, want %d", i, len(h), tlog.HashSize)
		}
		(*p)[i] = tlog.Hash(h)
	}
	return nil
}

// Logged is an entry of the log with its inclusion proof in the log of a checkpoint.
type Logged struct {
	Entry Hex            `json:"entry"`
	Index uint64         `json:"index"` // in the log
	Proof InclusionProof `json:"path"`
}

// Receipt proves that one bet is in the log. It is the bettor's: it shows who made the bet, and of the others on its page only
// what is public once the draw is closed.
type Receipt struct {
	Format     string         `json:"format"`
	Draw       string         `json:"draw"` // the draw's name; it is proven by the outcome alone
	FirstName  string         `json:"first_name"`
	LastName   string         `json:"last_name"`
	Document   string         `json:"document"`
	Birthdate  string         `json:"birthdate"`
	Salt       Hex            `json:"salt"`
	Index      uint32         `json:"index"` // of the bet in its batch, from 0
	Page       Hex            `json:"page"`  // the records of the bet's page
	Proof      InclusionProof `json:"path"`  // from the page to the batch's root
	Batch      Logged         `json:"batch"`
	Checkpoint string         `json:"checkpoint"` // a signed note
}

// Person returns who made the bet, as the receipt says.
func (r *Receipt) Person() Person {
	return Person{r.FirstName, r.LastName, r.Document, r.Birthdate}
}

// Record returns the bet's public record, from its place on the page.
func (r *Receipt) Record() (Record, error) {
	at := int(r.Index%PageBets) * RecordSize
	if len(r.Page)%RecordSize != 0 || len(r.Page) > PageBets*RecordSize || at >= len(r.Page) {
		return Record{}, fmt.Errorf("a page of %d bytes has no bet %d: want %d bytes a bet, and %d bets at most", len(r.Page), r.Index%PageBets+1, RecordSize, PageBets)
	}
	return ParseRecord(r.Page[at:][:RecordSize])
}

// CheckPage returns an error where the page is not in the batch of an entry, or the bet has no place on it.
func (r *Receipt) CheckPage(batch BatchEntry) error {
	if r.Index >= batch.Count {
		return fmt.Errorf("the receipt is of bet %d, and the batch has %d", r.Index+1, batch.Count)
	}
	page := int64(r.Index / PageBets)
	if want := int(min(PageBets, int64(batch.Count)-page*PageBets)) * RecordSize; len(r.Page) != want {
		return fmt.Errorf("page %d of the batch has %d bytes, want %d", page+1, len(r.Page), want)
	}
	if err := tlog.CheckInclusion(r.Proof, Pages(batch.Count), batch.Root, page, PageHash(r.Page)); err != nil {
		return fmt.Errorf("the page is not page %d of the batch: %w", page+1, err)
	}
	return nil
}

// CheckPerson returns an error where a record does not commit to the person in the receipt.
func (r *Receipt) CheckPerson(record Record) error {
	if len(r.Salt) != SaltSize {
		return fmt.Errorf("a salt of %d bytes, want %d", len(r.Salt), SaltSize)
	}
	commit, err := r.Person().Commit([SaltSize]byte(r.Salt))
	if err != nil {
		return err
	}
	if commit != record.Commit {
		return fmt.Errorf("the bet was not made by %.64q %.64q, or the salt is not its own", r.FirstName, r.LastName)
	}
	return nil
}

// New returns the receipt of bet i of a batch, counted from 0, which who made in the named draw. batch is the batch's log entry
// with its inclusion proof in the log of checkpoint, a signed note. New does not verify the proofs.
func New(draw string, bets *Leaves, i int, who Person, batch Logged, checkpoint []byte) (*Receipt, error) {
	if i < 0 || i >= bets.Count() {
		return nil, fmt.Errorf("new receipt: bet %d of a batch of %d", i+1, bets.Count())
	}
	page := int64(i / PageBets)
	inBatch, err := bets.proof(page)
	if err != nil {
		return nil, fmt.Errorf("new receipt: %w", err)
	}
	if !utf8.ValidString(who.FirstName + who.LastName + who.Document + who.Birthdate) {
		return nil, errors.New("new receipt: a name that is not UTF-8 cannot be written in JSON")
	}
	r := &Receipt{
		Format: receiptFormat, Draw: draw,
		FirstName: who.FirstName, LastName: who.LastName, Document: who.Document, Birthdate: who.Birthdate,
		Salt: bytes.Clone(bets.salts[i][:]), Index: uint32(i), Page: bytes.Clone(bets.page(page)), Proof: inBatch,
		Batch:      batch,
		Checkpoint: string(checkpoint),
	}
	record, err := r.Record()
	if err == nil {
		err = r.CheckPerson(record)
	}
	if err != nil {
		return nil, fmt.Errorf("new receipt: bet %d of the batch: %w", i+1, err)
	}
	return r, nil
}

// In returns an error where the entry is not in the log of a verified checkpoint.
func (l Logged) In(c *tlog.VerifiedCheckpoint) error {
	if l.Index >= uint64(c.Size) {
		return fmt.Errorf("entry %d is past the checkpoint, which has %d entries", l.Index, c.Size)
	}
	if err := tlog.CheckInclusion(l.Proof, c.Size, c.Root, int64(l.Index), tlog.LeafHash(l.Entry)); err != nil {
		return fmt.Errorf("it is not entry %d of the log: %w", l.Index, err)
	}
	return nil
}

// Encode returns the receipt's JSON, ended by a line end.
func (r *Receipt) Encode() ([]byte, error) { return encodeJSON(r) }

// ParseReceipt reads a receipt's JSON. Between its tokens there may be any blank space; all else must be as Encode
// writes it: every field once, in order, no other, and nothing behind. It does not check the proofs.
func ParseReceipt(data []byte) (*Receipt, error) {
	r := new(Receipt)
	if err := decodeJSON(data, r); err != nil {
		return nil, &MalformedError{"receipt", err}
	}
	if r.Format != receiptFormat {
		return nil, malformed("receipt", "the format is %.40q, and this program reads %q", r.Format, receiptFormat)
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
