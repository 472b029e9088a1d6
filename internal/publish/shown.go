package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"quiniela/tlog"
)

// NewestShown returns the checkpoint with the most entries that a public folder or a copy of it shows, with the key that lies beside it:
// the log's own, or a draw's sealed one, which may be newer. read returns a file by its name, or an error
// that wraps fs.ErrNotExist.
func NewestShown(read func(name string) ([]byte, error)) (newest tlog.Checkpoint, key string, err error) {
	text, err := read(VerifierName)
	if err != nil {
		return newest, "", err
	}
	key = strings.TrimSpace(string(text))
	policy, err := tlog.TrustLog(key)
	if err != nil {
		return newest, "", fmt.Errorf("%s: %w", VerifierName, err)
	}
	list, err := read(ListName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return newest, "", err
	}
	names := []string{CheckpointName}
	for line := range bytes.Lines(list) {
		if _, id, ok := strings.Cut(strings.TrimSpace(string(line)), " "); ok {
			names = append(names, "draws/"+id+"/"+sealedName)
		}
	}
	for _, name := range names {
		note, err := read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return newest, "", err
		}
		seen, err := policy.VerifyCheckpoint(note)
		if err != nil {
			return newest, "", fmt.Errorf("%s: %w", name, err)
		}
		if seen.Size > newest.Size {
			newest = seen.Checkpoint
		}
	}
	if newest.Size == 0 {
		return newest, "", fmt.Errorf("there is no %s of a log with entries", CheckpointName)
	}
	return newest, key, nil
}
