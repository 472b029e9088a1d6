package publish

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"quiniela/internal/durable"
	"quiniela/tlog"
)

// Key signs a log's checkpoints. Its name is the log's origin.
type Key struct {
	Signer   note.Signer
	Verifier string // the public key, as C2SP signed-note writes it: name+hash+base64
}

// DefaultOrigin names a log whose operator has given it no name.
const DefaultOrigin = "quiniela.example/ledger"

// LoadKey reads the key in a file, in the form of golang.org/x/mod/sumdb/note, and makes one where there is no file, for its
// owner only (0600) and durably. origin names a new log; a key that is there keeps its name, and another origin is refused,
// since a log has one name for ever. "" is whatever the key says.
func LoadKey(path, origin string) (Key, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(path, origin)
	}
	if err != nil {
		return Key{}, fmt.Errorf("the log's key: %w", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return Key{}, errors.Join(fmt.Errorf("the log's key %s can be read by others than its owner: chmod 600 it, or replace it if they may have", path), err)
	}
	k, err := parseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return Key{}, fmt.Errorf("the log's key %s: %w", path, err)
	}
	if origin != "" && k.Signer.Name() != origin {
		return Key{}, fmt.Errorf("the log's key %s is of the log %s, and the settings name %s: a log has one name for ever", path, k.Signer.Name(), origin)
	}
	return k, nil
}

func makeKey(path, origin string) ([]byte, error) {
	if origin == "" {
		origin = DefaultOrigin
	}
	private, _, err := note.GenerateKey(nil, origin)
	if err != nil {
		return nil, err
	}
	text := []byte(private + "\n")
	return text, durable.WriteNew(path, text, 0o600)
}

// parseKey reads PRIVATE+KEY+name+hash+base64.
func parseKey(text string) (Key, error) {
	if _, err := note.NewSigner(text); err != nil {
		return Key{}, errors.New("it is not one: want one line, PRIVATE+KEY+name+hash+base64, as `quiniela server` makes it at its first start")
	}
	words := strings.SplitN(text, "+", 5)
	seed, err := base64.StdEncoding.DecodeString(words[4])
	if err != nil {
		return Key{}, err
	}
	signer, verifier, err := tlog.NewLogKey(words[2], ed25519.NewKeyFromSeed(seed[1:]))
	return Key{signer, verifier}, err
}
