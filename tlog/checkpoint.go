package tlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// MaxCheckpoint bounds a signed checkpoint, in bytes: enough for a hundred signatures.
const MaxCheckpoint = 32 << 10

// Checkpoint is a statement about a log: its first Size entries have the Merkle root Root.
type Checkpoint struct {
	Origin string // the log's name, which never changes
	Size   int64
	Root   Hash
}

// Text returns the checkpoint's three lines, each ended by '\n': what is signed.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// ParseCheckpoint reads the text of a checkpoint. Extension lines are refused: these logs write none.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" {
		return Checkpoint{}, errors.New("a checkpoint is three lines: origin, size, root")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, fmt.Errorf("the checkpoint's size %.40q is not a number of entries", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != HashSize {
		return Checkpoint{}, fmt.Errorf("the checkpoint's root %.60q is not a hash in base64", lines[2])
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}
	if c.Text() != text {
		return Checkpoint{}, errors.New("the checkpoint is not in its one valid form")
	}
	if size == 0 && c.Root != EmptyRoot {
		return Checkpoint{}, errors.New("the checkpoint of size 0 must have the empty-tree root")
	}
	return c, nil
}

// SignCheckpoint returns the checkpoint as a signed note. The signer's name must be the checkpoint's origin.
func SignCheckpoint(c Checkpoint, log note.Signer) ([]byte, error) {
	if log.Name() != c.Origin {
		return nil, fmt.Errorf("sign checkpoint: the key's name %q is not the origin %q", log.Name(), c.Origin)
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, log)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// UnverifiedCheckpoint reads the checkpoint of a signed note, whoever signed it: it is only what the note claims.
// Policy.VerifyCheckpoint verifies it.
func UnverifiedCheckpoint(signed []byte) (Checkpoint, error) {
	text, _, err := splitNote(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpoint(text)
}

// CountSignatures returns how many signatures a signed checkpoint has, the log's own and cosignatures. They are not verified.
func CountSignatures(signed []byte) (int, error) {
	_, keys, err := splitNote(signed)
	return len(keys), err
}

// ErrTwice says that a signed checkpoint would have two signatures by one key.
var ErrTwice = errors.New("two signatures by one key")

// AddSignatures returns a signed checkpoint with cosignatures behind its own: the note signature lines that witnesses
// answer with, each ended by '\n'. They are not verified here: Policy.VerifyCheckpoint does that. The error wraps ErrTwice
// where a key has signed already.
func AddSignatures(signed []byte, lines ...[]byte) ([]byte, error) {
	all := append([]byte(nil), signed...)
	for _, line := range lines {
		all = append(all, line...)
	}
	if _, _, err := splitNote(all); err != nil {
		return nil, fmt.Errorf("add signatures: %w", err)
	}
	return all, nil
}

// Cosign returns the note signature line of a witness for the text of a signed checkpoint. The witness must first have checked
// that the log only grew since the checkpoint that it cosigned last (CheckConsistency).
func Cosign(signed []byte, witness note.Signer) ([]byte, error) {
	text, _, err := splitNote(signed)
	if err != nil {
		return nil, fmt.Errorf("cosign: %w", err)
	}
	all, err := note.Sign(&note.Note{Text: text}, witness)
	if err != nil {
		return nil, fmt.Errorf("cosign: %w", err)
	}
	return all[len(text)+1:], nil
}

// splitNote returns the text of a signed note, and the name and id of each key that has signed it, in order. It refuses what
// the note package tolerates: base64 with stray bits or line ends in it, and two signatures by one key. So a signed checkpoint
// has one valid form.
func splitNote(signed []byte) (text string, keys []string, err error) {
	if len(signed) > MaxCheckpoint {
		return "", nil, fmt.Errorf("a checkpoint of %d bytes, over %d", len(signed), MaxCheckpoint)
	}
	split := strings.LastIndex(string(signed), "\n\n")
	if split < 0 || signed[len(signed)-1] != '\n' {
		return "", nil, errors.New("not a signed note")
	}
	for line := range strings.Lines(string(signed[split+2:])) {
		key, err := signedBy(line)
		if err != nil {
			return "", nil, err
		}
		if slices.Contains(keys, key) {
			return "", nil, fmt.Errorf("%w, of %q", ErrTwice, key[:len(key)-keyIDSize])
		}
		keys = append(keys, key)
	}
	return string(signed[:split+1]), keys, nil
}

// keyIDSize is the size of a key's id, with which a signature begins, in bytes.
const keyIDSize = 4

// signedBy returns the name and the id of the key of a signature line.
func signedBy(line string) (string, error) {
	rest, dash := strings.CutPrefix(line, "— ")
	name, b64, _ := strings.Cut(strings.TrimSuffix(rest, "\n"), " ")
	sig, err := base64.StdEncoding.DecodeString(b64)
	if !dash || err != nil || len(sig) <= keyIDSize || line != "— "+name+" "+base64.StdEncoding.EncodeToString(sig)+"\n" {
		return "", fmt.Errorf("not a signature line: %.60q", line)
	}
	return name + string(sig[:keyIDSize]), nil
}
