package witness

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"quiniela/tlog"
)

const (
	mostHashes  = 63                                          // of a proof, by C2SP tlog-witness
	maxRequest  = 32 + mostHashes*45 + 1 + tlog.MaxCheckpoint // bytes: old size, proof, empty line, checkpoint
	contentSize = "text/x.tlog.size"
)

// Handler returns the witness over HTTP: POST /add-checkpoint.
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.addCheckpoint)
	return mux
}

func (w *Witness) addCheckpoint(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, maxRequest))
	if err != nil {
		http.Error(out, "the request cannot be read, or is too long", http.StatusBadRequest)
		return
	}
	old, path, signed, err := parseRequest(body)
	var line []byte
	if err == nil {
		line, err = w.Add(old, path, signed)
	}
	if err != nil {
		w.refuse(out, err)
		return
	}
	out.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = out.Write(line) // a client that has gone can ask again
}

func (w *Witness) refuse(out http.ResponseWriter, err error) {
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		out.Header().Set("Content-Type", contentSize)
		out.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(out, "%d\n", conflict.Size)
		return
	}
	for refusal, status := range map[error]int{
		ErrMalformed: http.StatusBadRequest, ErrUnknown: http.StatusNotFound, ErrSignature: http.StatusForbidden,
		ErrFork: http.StatusConflict, ErrProof: http.StatusUnprocessableEntity,
	} {
		if errors.Is(err, refusal) {
			http.Error(out, err.Error(), status)
			return
		}
	}
	w.log.Error("cosign", "result", "fail", "error", err)
	http.Error(out, "the witness has failed; its log says why", http.StatusInternalServerError)
}

// parseRequest takes the body of an add-checkpoint apart.
func parseRequest(body []byte) (old int64, path []tlog.Hash, signed []byte, err error) {
	bad := func(format string, args ...any) (int64, []tlog.Hash, []byte, error) {
		return 0, nil, nil, fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
	}
	head, signed, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return bad("no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(size, 10, 64)
	if !ok || err != nil || old < 0 || size != strconv.FormatInt(old, 10) {
		return bad("the first line is %.40q, want old and a size", lines[0])
	}
	if lines = lines[1:]; len(lines) > mostHashes {
		return bad("a proof of %d hashes, over %d", len(lines), mostHashes)
	}
	for i, line := range lines {
		h, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(h) != tlog.HashSize || line != base64.StdEncoding.EncodeToString(h) {
			return bad("line %d of the proof is no hash in base64", i+1)
		}
		path = append(path, tlog.Hash(h))
	}
	return old, path, signed, nil
}

// appendRequest is the inverse of parseRequest.
func appendRequest(old int64, path []tlog.Hash, signed []byte) []byte {
	body := fmt.Appendf(nil, "old %d\n", old)
	for _, h := range path {
		body = append(base64.StdEncoding.AppendEncode(body, h[:]), '\n')
	}
	return append(append(body, '\n'), signed...)
}

// Serve serves a listener until ctx ends, or until the folder cannot be written any more.
func (w *Witness) Serve(ctx context.Context, l net.Listener) error {
	server := http.Server{
		Handler: w.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	var failed error
	select {
	case err := <-served:
		return err
	case <-w.broken:
		failed = w.err()
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if server.Shutdown(late) != nil {
		_ = server.Close()
	}
	<-served
	return failed
}

func (w *Witness) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}
