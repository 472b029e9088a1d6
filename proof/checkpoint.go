package proof

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// MaxCheckpoint bounds a signed checkpoint, in bytes: enough for a hundred signatures.
const MaxCheckpoint = 32 << 10

// Signature types of C2SP signed-note: what a verifier key's first byte says.
const (
	typeEd25519     = 0x01
	typeCosignature = 0x04
)

// Checkpoint says what the log holds: its first Size entries, all of them in Root.
type Checkpoint struct {
	Origin string // the log's name, the same for ever
	Size   int64
	Root   Hash
}

// Text returns the checkpoint's three lines, each ended by '\n': what is signed.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// ParseCheckpoint reads the text of a checkpoint. This log writes no extension lines, and they are refused.
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
		return Checkpoint{}, fmt.Errorf("the checkpoint's root %.60q is no hash in base64", lines[2])
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}
	if c.Text() != text {
		return Checkpoint{}, errors.New("the checkpoint is not written as checkpoints are")
	}
	if size == 0 && c.Root != sha256.Sum256(nil) {
		return Checkpoint{}, errors.New("the checkpoint of an empty log has a root of something")
	}
	return c, nil
}

// SignCheckpoint returns the checkpoint as a signed note. The log's own signer has its origin for a name.
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

// AddSignatures returns a signed checkpoint with cosignatures behind its own: the note signature lines that witnesses
// answer with, each ended by '\n'. They are not verified here; Policy.Open does that.
func AddSignatures(signed []byte, lines ...[]byte) ([]byte, error) {
	all := append([]byte(nil), signed...)
	for _, line := range lines {
		all = append(all, line...)
	}
	if err := checkNote(all); err != nil {
		return nil, fmt.Errorf("add signatures: %w", err)
	}
	return all, nil
}

// Cosign returns the note signature line of a witness for the text of a signed checkpoint. That the log only grew since the
// last one is for the witness to check first (CheckConsistency).
func Cosign(signed []byte, witness note.Signer) ([]byte, error) {
	if err := checkNote(signed); err != nil {
		return nil, fmt.Errorf("cosign: %w", err)
	}
	text := noteText(signed)
	all, err := note.Sign(&note.Note{Text: text}, witness)
	if err != nil {
		return nil, fmt.Errorf("cosign: %w", err)
	}
	return all[len(text)+1:], nil
}

// noteText returns the text of a note that checkNote accepts.
func noteText(signed []byte) string {
	return string(signed[:strings.LastIndex(string(signed), "\n\n")+1])
}

// checkNote refuses what the note package tolerates, so that a checkpoint can be written in one way only: base64 with stray
// bits or line ends in it, and one key's signature twice.
func checkNote(signed []byte) error {
	if len(signed) > MaxCheckpoint {
		return fmt.Errorf("a checkpoint of %d bytes, over %d", len(signed), MaxCheckpoint)
	}
	split := strings.LastIndex(string(signed), "\n\n")
	if split < 0 || signed[len(signed)-1] != '\n' {
		return errors.New("not a signed note")
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(signed[split+2:])) {
		name, b64, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(line, "— "), "\n"), " ")
		sig, err := base64.StdEncoding.DecodeString(b64)
		if !ok || err != nil || len(sig) < 5 || line != "— "+name+" "+base64.StdEncoding.EncodeToString(sig)+"\n" {
			return fmt.Errorf("not a signature line: %.60q", line)
		}
		key := name + "+" + string(sig[:4])
		if seen[key] {
			return fmt.Errorf("two signatures by one key of %q", name)
		}
		seen[key] = true
	}
	return nil
}

// NewLogKey returns the signer of a log with the given origin, and its verifier key as text, from an Ed25519 key.
func NewLogKey(origin string, key ed25519.PrivateKey) (note.Signer, string, error) {
	verifier, err := note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, "", err
	}
	v, err := note.NewVerifier(verifier) // refuses names that no note can have
	if err != nil {
		return nil, "", fmt.Errorf("a log named %q: %w", origin, err)
	}
	sign := func(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil }
	return signer{v.Name(), v.KeyHash(), sign}, verifier, nil
}

// NewWitnessKey returns the cosigner of a witness, and its verifier key as text, from an Ed25519 key that serves for
// nothing else. now is the witness's clock.
func NewWitnessKey(name string, key ed25519.PrivateKey, now func() time.Time) (note.Signer, string, error) {
	public := append([]byte{typeCosignature}, key.Public().(ed25519.PublicKey)...)
	id := keyID(name, public)
	text := fmt.Sprintf("%s+%08x+%s", name, id, base64.StdEncoding.EncodeToString(public))
	if _, err := parseKey(text, typeCosignature); err != nil {
		return nil, "", err
	}
	sign := func(msg []byte) ([]byte, error) {
		at := now().Unix()
		if at < 0 {
			return nil, fmt.Errorf("the witness's clock says %d s", at)
		}
		sig := binary.BigEndian.AppendUint64(nil, uint64(at))
		return append(sig, ed25519.Sign(key, cosigned(uint64(at), msg))...), nil
	}
	return signer{name, id, sign}, text, nil
}

// cosigned is the message of a cosignature/v1: C2SP tlog-cosignature.
func cosigned(at uint64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
}

func keyID(name string, public []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), public...))
	return binary.BigEndian.Uint32(sum[:])
}

type signer struct {
	name string
	id   uint32
	sign func(msg []byte) ([]byte, error)
}

func (s signer) Name() string                    { return s.name }
func (s signer) KeyHash() uint32                 { return s.id }
func (s signer) Sign(msg []byte) ([]byte, error) { return s.sign(msg) }

// verifier is a public key of a log or a witness.
type verifier struct {
	name   string
	id     uint32
	kind   byte // typeEd25519 or typeCosignature
	public ed25519.PublicKey
}

func (v *verifier) Name() string    { return v.name }
func (v *verifier) KeyHash() uint32 { return v.id }

func (v *verifier) Verify(msg, sig []byte) bool {
	if v.kind == typeEd25519 {
		return ed25519.Verify(v.public, msg, sig)
	}
	if len(sig) != 8+ed25519.SignatureSize || sig[0] > 0x7f {
		return false
	}
	return ed25519.Verify(v.public, cosigned(binary.BigEndian.Uint64(sig), msg), sig[8:])
}

// parseKey reads a verifier key, name+id+base64, of one signature type.
func parseKey(text string, kind byte) (*verifier, error) {
	name, rest, _ := strings.Cut(text, "+")
	_, b64, _ := strings.Cut(rest, "+")
	public, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(public) != 1+ed25519.PublicKeySize || public[0] != kind {
		return nil, fmt.Errorf("the key %.100q is not an Ed25519 key of signature type %d", text, kind)
	}
	v := &verifier{name, keyID(name, public), kind, public[1:]}
	if text != fmt.Sprintf("%s+%08x+%s", name, v.id, base64.StdEncoding.EncodeToString(public)) {
		return nil, fmt.Errorf("the key %.100q is not written as keys are, or its id is not that of its name and key", text)
	}
	return v, validName(v)
}

// validName asks the note package, under the one signature type that it reads, whether a note can have the key's name.
func validName(v *verifier) error {
	text, err := note.NewEd25519VerifierKey(v.name, v.public)
	if err == nil {
		_, err = note.NewVerifier(text)
	}
	if err != nil {
		return fmt.Errorf("the key name %.60q: %w", v.name, err)
	}
	return nil
}
