package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

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

// Seen returns how many entries of a log the witness at a URL has cosigned, at most. empty is the signed checkpoint of the log's first
// moment, when it had no entry: every log begins with it, so it gives nothing away and binds nobody.
func Seen(ctx context.Context, client *http.Client, url string, empty []byte) (int64, error) {
	_, err := ask(ctx, client, url, 0, nil, empty)
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return conflict.Size, nil
	}
	if err != nil {
		return 0, fmt.Errorf("ask the witness %s: %w", url, err)
	}
	return 0, nil
}
