package receipt

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"quiniela"
	"quiniela/tlog"
)

// BatchProof is the operator's proof of a batch, for the batch's own agency: where its entry is in a signed log, and its secret, from
// which the agency makes the receipts of its bets. Whoever has it and the bets can prove who made them.
type BatchProof struct {
	Logged
	Secret [SecretSize]byte
}

// Append appends the proof's line: the index of the entry, and in base64 the entry, the secret, and the inclusion proof's hashes one
// after the other, separated by '|' and ended by '\n'.
func (b BatchProof) Append(dst []byte) []byte {
	dst = append(strconv.AppendUint(dst, b.Index, 10), '|')
	dst = append(base64.StdEncoding.AppendEncode(dst, b.Entry), '|')
	dst = append(base64.StdEncoding.AppendEncode(dst, b.Secret[:]), '|')
	var hashes []byte
	for i := range b.Proof {
		hashes = append(hashes, b.Proof[i][:]...)
	}
	return append(base64.StdEncoding.AppendEncode(dst, hashes), '\n')
}

// ParseBatchProof reads a line without its '\n'. It accepts what Append writes, and nothing else. It does not check the proof.
func ParseBatchProof(line []byte) (b BatchProof, err error) {
	f := bytes.Split(line, []byte{'|'})
	if len(f) != 4 {
		return b, malformed("proof", "%d fields, want 4", len(f))
	}
	if b.Index, err = quiniela.ParseUint(string(f[0]), 63); err != nil {
		return b, &MalformedError{"proof", err}
	}
	var parts [3][]byte
	for i := range parts {
		if parts[i], err = base64.StdEncoding.Strict().AppendDecode(nil, f[1+i]); err != nil {
			return b, &MalformedError{"proof", err}
		}
	}
	if len(parts[1]) != SecretSize || len(parts[2])%tlog.HashSize != 0 {
		return b, malformed("proof", "a secret of %d bytes and hashes of %d", len(parts[1]), len(parts[2]))
	}
	b.Entry, b.Secret = parts[0], [SecretSize]byte(parts[1])
	for hashes := parts[2]; len(hashes) > 0; hashes = hashes[tlog.HashSize:] {
		b.Proof = append(b.Proof, tlog.Hash(hashes))
	}
	if !bytes.Equal(b.Append(nil), append(bytes.Clone(line), '\n')) {
		return b, malformed("proof", "not written as this program writes it")
	}
	return b, nil
}

// Check returns the batch's entry, or an error where it is not in the log of a verified checkpoint.
func (b BatchProof) Check(c *tlog.VerifiedCheckpoint) (BatchEntry, error) {
	entry, err := ParseBatchEntry(b.Entry)
	if err == nil {
		err = b.In(c)
	}
	if err != nil {
		return entry, fmt.Errorf("the proof of a batch: %w", err)
	}
	return entry, nil
}

// proofsFormat begins a file of proofs.
const proofsFormat = "quiniela/v2/proofs"

// ProofsHead is what a file of an agency's proofs begins with; a line for each batch follows, as BatchProof.Append writes it, in the order
// of the agency's batches. The file is private: with it and the bets, who made them can be proven.
type ProofsHead struct {
	Draw       string // its name
	Agency     quiniela.Agency
	Checkpoint []byte          // a signed note, whose log the proofs lead to
	Game       *quiniela.Terms // of the draw; nil: the game is the specification's
}

// Append appends the head: `quiniela/v2/proofs|<draw>|<agency>`, in the game quiniela with `|` and the terms behind it, and a line with the
// checkpoint in base64.
func (h ProofsHead) Append(dst []byte) []byte {
	dst = fmt.Appendf(dst, "%s|%s|%d", proofsFormat, h.Draw, h.Agency)
	if h.Game != nil {
		dst = append(append(dst, '|'), h.Game.String()...)
	}
	dst = append(dst, '\n')
	return append(base64.StdEncoding.AppendEncode(dst, h.Checkpoint), '\n')
}

// ProofsReader reads a file of proofs, line by line.
type ProofsReader struct {
	ProofsHead
	lines *bufio.Reader
}

// ReadProofs reads the head of a file of proofs.
func ReadProofs(r io.Reader) (*ProofsReader, error) {
	p := &ProofsReader{lines: bufio.NewReaderSize(r, 64<<10)}
	first, err := p.line()
	if err != nil {
		return nil, malformed("proofs", "the first line: %v", err)
	}
	f := strings.Split(string(first), "|")
	if len(f) != 3 && len(f) != 4 || f[0] != proofsFormat {
		return nil, malformed("proofs", "the first line is %.60q, and this program reads %s|<draw>|<agency>[|<game>]", first, proofsFormat)
	}
	agency, err := quiniela.ParseAgency(f[2])
	if err == nil {
		err = quiniela.CheckDrawID(f[1])
	}
	if err == nil && len(f) == 4 {
		p.Game, err = quiniela.ParseTerms(f[3])
	}
	if err != nil {
		return nil, &MalformedError{"proofs", err}
	}
	p.Draw, p.Agency = f[1], agency
	second, err := p.line()
	if err == nil {
		p.Checkpoint, err = base64.StdEncoding.Strict().DecodeString(string(second))
	}
	if err != nil {
		return nil, malformed("proofs", "the second line is no checkpoint in base64: %v", err)
	}
	if want := fmt.Sprintf("%s\n%s\n", strings.Join(f, "|"), second); string(p.Append(nil)) != want {
		return nil, malformed("proofs", "not written as this program writes it")
	}
	return p, nil
}

// Next returns the proof of the next batch, and io.EOF behind the last one.
func (p *ProofsReader) Next() (BatchProof, error) {
	line, err := p.line()
	if err != nil {
		return BatchProof{}, err
	}
	return ParseBatchProof(line)
}

// line returns the next line without its '\n', which every line has.
func (p *ProofsReader) line() ([]byte, error) {
	line, err := p.lines.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) > 0:
		return nil, malformed("proofs", "the last line is cut short")
	case err != nil:
		return nil, err
	}
	return line[:len(line)-1], nil
}
