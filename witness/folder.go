package witness

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"quiniela/internal/durable"
)

// Files of a witness's folder.
const (
	keyName    = "witness.key"      // 0600: one line, the key's name and its seed in base64
	memoryName = "checkpoints.json" // the last checkpoint cosigned of each log, by origin
)

func keyPath(dir string) string    { return filepath.Join(dir, keyName) }
func memoryPath(dir string) string { return filepath.Join(dir, memoryName) }

// openFolder returns the key in a folder, and makes it, with an empty memory, where the folder has neither.
func openFolder(dir, name string) (string, ed25519.PrivateKey, error) {
	has, private, err := readKey(keyPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(dir, name)
	}
	if err != nil {
		return "", nil, err
	}
	if name != "" && name != has {
		return "", nil, fmt.Errorf("%s is the key of %s, not of %s: leave the name out, or take another folder", keyPath(dir), has, name)
	}
	if _, err := os.Stat(memoryPath(dir)); err != nil {
		return "", nil, fmt.Errorf("the witness has a key, and what it has cosigned is missing: %w; restore it, or retire this witness and make another in a new folder", err)
	}
	return has, private, nil
}

func readKey(path string) (string, ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("read the witness's key: %w", err)
	}
	name, b64, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
	seed, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(seed) != ed25519.SeedSize {
		return "", nil, fmt.Errorf("%s is not a witness's key: restore it from a copy", path)
	}
	return name, ed25519.NewKeyFromSeed(seed), nil
}

// makeKey writes the memory before the key: a start that ends between the two leaves an empty memory, which the next start
// accepts, and not a key without a memory, which it refuses.
func makeKey(dir, name string) (string, ed25519.PrivateKey, error) {
	if name == "" {
		return "", nil, fmt.Errorf("%s has no key yet, and a new one needs a name: --name witness.example/quiniela", dir)
	}
	if _, err := os.Stat(memoryPath(dir)); err == nil {
		if old, err := readMemory(memoryPath(dir)); err != nil || len(old) > 0 {
			return "", nil, errors.Join(fmt.Errorf("%s has what a witness has cosigned, and no key: restore the key, or take a new folder", dir), err)
		}
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", nil, err
	}
	if _, err := verifierKey(name, private); err != nil {
		return "", nil, err
	}
	if err := (memory{}).write(memoryPath(dir), replaceFile); err != nil {
		return "", nil, err
	}
	text := name + " " + base64.StdEncoding.EncodeToString(private.Seed()) + "\n"
	if err := replaceFile(keyPath(dir), []byte(text)); err != nil {
		return "", nil, fmt.Errorf("write the witness's key: %w", err)
	}
	return name, private, nil
}

// memory is the last checkpoint cosigned of each log, as the log signed it, by origin.
type memory map[string]string

func readMemory(path string) (memory, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read what was cosigned: %w", err)
	}
	m := make(memory)
	if err := json.Unmarshal(text, &m); err != nil || m == nil {
		return nil, errors.Join(fmt.Errorf("%s is damaged: restore it, or retire this witness and make another in a new folder", path), err)
	}
	return m, nil
}

func (m memory) write(path string, write func(string, []byte) error) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return write(path, append(text, '\n'))
}

// replaceFile writes a file whole or not at all, durably when it returns, for the owner only where it is new.
func replaceFile(path string, data []byte) error { return durable.WriteFile(path, data, 0o600) }
