package publish

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

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

// maxOrigin is the most bytes of a log's name. It stands in each checkpoint and in each signature's line.
const maxOrigin = 255

// CheckOrigin returns what is wrong with a name for a new log, which it keeps for ever. A key's name can hold no space and no
// plus sign (signed-note), and an origin is an address without its scheme (tlog-checkpoint).
func CheckOrigin(name string) error {
	wrong := ""
	switch {
	case name == "":
		wrong = "is empty"
	case !utf8.ValidString(name):
		wrong = "is not UTF-8"
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		wrong = "has a space or a character that cannot be printed"
	case strings.Contains(name, "+"):
		wrong = "has a plus sign"
	case strings.Contains(name, "://"):
		wrong = "begins with a scheme"
	case len(name) > maxOrigin:
		wrong = fmt.Sprintf("is longer than %d bytes", maxOrigin)
	default:
		return nil
	}
	return fmt.Errorf("the log's name %q %s: want an address of yours without https:// and without spaces, such as lottery.example/log", name, wrong)
}

// LoadKey reads the key in a file, in the form of golang.org/x/mod/sumdb/note, and makes one where there is no file, for its
// owner only (0600) and durably. origin names a new log; a key that is there keeps its name, and another origin is refused,
// since a log has one name for ever. "" is whatever the key says. A name that CheckOrigin refuses makes no key.
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
	if err := CheckOrigin(origin); err != nil {
		return nil, err
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
