package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Signature types of C2SP signed-note: the first byte of a verifier key. The cosignatures of C2SP tlog-cosignature are made and
// verified here and not with github.com/transparency-dev/formats/note: its verifier takes a log's key for a witness's and does
// not compare a key's id, and its signer takes no clock.
const (
	typeEd25519     = 0x01
	typeCosignature = 0x04
)

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

// NewWitnessKey returns the cosigner of a witness, and its verifier key as text, from an Ed25519 key that is
// used for nothing else. now is the witness's clock.
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
		return nil, fmt.Errorf("the key %.100q is not in its one valid form, or its id is not that of its name and key", text)
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
