package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/tlog"
)

// maxAnswer bounds a witness's answer, in bytes. A cosignature has about 200.
const maxAnswer = 8 << 10

// Ask has the witness at a URL cosign a signed checkpoint, and returns the lines of its cosignatures: see
// tlog.AddSignatures. prove returns the proof that the checkpoint's log has grown from one of size old, which the witness
// names; it is not called for 0. The witness may be asked twice. Whether a line is right is for a policy to say, which has
// the witness's key.
func Ask(ctx context.Context, client *http.Client, url string, signed []byte, prove func(old int64) ([]tlog.Hash, error)) ([]byte, error) {
	line, err := ask(ctx, client, url, 0, nil, signed)
	var conflict *ConflictError
	if errors.As(err, &conflict) && conflict.Size > 0 {
		line, err = askFrom(ctx, client, url, conflict.Size, signed, prove)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the witness %s: %w", url, err)
	}
	if err := checkLines(line); err != nil {
		return nil, fmt.Errorf("ask the witness %s: its answer: %w", url, err)
	}
	return line, nil
}

// checkLines returns an error where lines are not those of signatures.
func checkLines(lines []byte) error {
	if !bytes.HasPrefix(lines, []byte("— ")) || bytes.Contains(lines, []byte("\n\n")) {
		return errors.New("not a signature line") // an empty line would make another text of the note
	}
	_, err := tlog.AddSignatures([]byte("\n\n"), lines)
	return err
}

func askFrom(ctx context.Context, client *http.Client, url string, old int64, signed []byte, prove func(int64) ([]tlog.Hash, error)) ([]byte, error) {
	c, err := tlog.UnverifiedCheckpoint(signed)
	if err != nil {
		return nil, err
	}
	if old > c.Size {
		return nil, fmt.Errorf("it has cosigned %d entries already, and signs none of %d any more", old, c.Size)
	}
	var path []tlog.Hash
	if old < c.Size {
		if path, err = prove(old); err != nil {
			return nil, fmt.Errorf("prove that the log grew from %d to %d entries: %w", old, c.Size, err)
		}
	}
	return ask(ctx, client, url, old, path, signed)
}

// ask posts one request.
func ask(ctx context.Context, client *http.Client, url string, old int64, path []tlog.Hash, signed []byte) ([]byte, error) {
	at := strings.TrimRight(url, "/") + "/add-checkpoint"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(appendRequest(old, path, signed)))
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("an answer of over %d bytes", maxAnswer)
	case answer.StatusCode == http.StatusConflict && answer.Header.Get("Content-Type") == contentSize:
		return nil, conflict(string(body))
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s: %.300q", answer.Status, bytes.TrimSpace(body))
	case len(body) == 0:
		return nil, errors.New("an answer without a cosignature")
	}
	return body, nil
}

func conflict(body string) error {
	size, err := strconv.ParseInt(strings.TrimSuffix(body, "\n"), 10, 64)
	if err != nil || size < 0 {
		return fmt.Errorf("it answers with the size %.40q", body)
	}
	return &ConflictError{size}
}

// CosignDraw has the witnesses at URLs cosign a draw's sealed.checkpoint in a public folder, and writes it with their lines.
// It returns how many lines are new. Each witness is asked, also where another fails, and the file is then written with what
// there is.
func CosignDraw(ctx context.Context, client *http.Client, public, id string, urls []string) (added int, err error) {
	if !filepath.IsLocal(id) || strings.ContainsAny(id, `/\`) {
		return 0, fmt.Errorf("the draw %q has no folder of its own", id)
	}
	path := filepath.Join(public, "draws", id, "sealed.checkpoint")
	signed, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read the draw's checkpoint: %w; it is there once the draw is sealed", err)
	}
	prove, err := prover(public, signed)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, url := range urls {
		lines, err := Ask(ctx, client, url, signed, prove)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		for line := range bytes.Lines(lines) {
			more, err := tlog.AddSignatures(signed, line)
			if errors.Is(err, tlog.ErrTwice) {
				continue // it had cosigned before
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("the line of the witness %s: %w", url, err))
				continue
			}
			signed = more
			added++
		}
	}
	if added > 0 {
		if err := replaceFile(path, signed); err != nil {
			return 0, fmt.Errorf("write the draw's checkpoint: %w", err)
		}
	}
	return added, errors.Join(failed...)
}

// prover returns what proves, from the tiles of a public folder, that the log of a signed checkpoint grew from an older
// size. The folder's log may be longer: only the tiles of its newest checkpoint have to be there.
func prover(public string, signed []byte) (func(old int64) ([]tlog.Hash, error), error) {
	sealed, err := tlog.UnverifiedCheckpoint(signed)
	if err != nil {
		return nil, fmt.Errorf("the draw's checkpoint: %w", err)
	}
	newest, err := os.ReadFile(filepath.Join(public, "checkpoint"))
	if err != nil {
		return nil, fmt.Errorf("read the log's checkpoint: %w", err)
	}
	now, err := tlog.UnverifiedCheckpoint(newest)
	if err != nil {
		return nil, fmt.Errorf("the log's checkpoint: %w", err)
	}
	if now.Origin != sealed.Origin || now.Size < sealed.Size {
		return nil, fmt.Errorf("the log in %s has %d entries of %s, and the draw's checkpoint %d of %s", public, now.Size, now.Origin, sealed.Size, sealed.Origin)
	}
	files := tlog.NewTileReader(func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(public, filepath.FromSlash(path))) })
	hashes := sumdb.TileHashReader(sumdb.Tree{N: now.Size, Hash: now.Root}, files)
	if root, err := sumdb.TreeHash(sealed.Size, hashes); err != nil || root != sealed.Root {
		return nil, errors.Join(fmt.Errorf("the log in %s is not the one of the draw's checkpoint", public), err)
	}
	return func(old int64) ([]tlog.Hash, error) { return tlog.ProveConsistency(old, sealed.Size, hashes) }, nil
}
