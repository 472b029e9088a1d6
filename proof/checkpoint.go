package proof

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is a state of a log, as C2SP's tlog-checkpoint has it: its size and root, under the log's one name.
type Checkpoint struct {
	Origin string
	Size   uint64 // entries
	Root   Hash
}

// Text returns what is signed.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads what was signed: three lines exactly, each as Text writes it.
func ParseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] == "" {
		return c, errors.New("a checkpoint is three lines: origin, size, root")
	}
	c.Origin = lines[0]
	if c.Size, err = strconv.ParseUint(lines[1], 10, 63); err != nil {
		return c, fmt.Errorf("the checkpoint's size: %w", err)
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != HashSize {
		return c, fmt.Errorf("the checkpoint's root %q is not the base64 of %d bytes", lines[2], HashSize)
	}
	c.Root = Hash(root)
	if c.Text() != text {
		return c, errors.New("the checkpoint is not written as it must be")
	}
	return c, nil
}

// Sign returns a checkpoint signed as a note. The signer's name must be the checkpoint's origin.
func (c Checkpoint) Sign(signer note.Signer) ([]byte, error) {
	if signer.Name() != c.Origin {
		return nil, fmt.Errorf("the key of %s cannot sign for %s", signer.Name(), c.Origin)
	}
	return note.Sign(&note.Note{Text: c.Text()}, signer)
}

// OpenCheckpoint checks a signed checkpoint against a log's key, and that it is of the log that the key is named for.
// Signatures of others, such as witnesses, may follow; they are not checked here.
func OpenCheckpoint(signed []byte, key note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(key))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint's signature: %w", err)
	}
	// Package note reads base64 whose last bits say nothing; one signature has one form here.
	for _, sig := range strings.Split(strings.TrimSuffix(string(signed[len(n.Text)+1:]), "\n"), "\n") {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig[strings.LastIndexByte(sig, ' ')+1:]); err != nil {
			return Checkpoint{}, fmt.Errorf("a signature of the checkpoint: %w", err)
		}
	}
	c, err := ParseCheckpoint(n.Text)
	if err == nil && c.Origin != key.Name() {
		err = fmt.Errorf("the checkpoint is of %s, and the key of %s", c.Origin, key.Name())
	}
	return c, err
}

// Key returns the two forms of a log's key that package note reads: one to sign with, which is secret, and one to verify
// with, which is published. seed is the Ed25519 key's.
func Key(name string, seed [ed25519.SeedSize]byte) (signer, verifier string, err error) {
	public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	if verifier, err = note.NewEd25519VerifierKey(name, public); err != nil {
		return "", "", err
	}
	const algorithm = 1 // Ed25519
	hash := strings.Split(verifier, "+")[1]
	secret := base64.StdEncoding.EncodeToString(append([]byte{algorithm}, seed[:]...))
	return "PRIVATE+KEY+" + name + "+" + hash + "+" + secret, verifier, nil
}
