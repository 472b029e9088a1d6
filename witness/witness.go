// Package witness is a witness of logs, and the side that asks one. A witness remembers the last checkpoint of each log it
// knows, and cosigns a newer one only where the log has grown from it and lost nothing. So nobody who asks for the cosignatures
// of several witnesses can be shown another log than everybody else. The protocol is C2SP tlog-witness. Ask has a witness
// cosign a checkpoint, and Seen asks it how much of a log it has cosigned.
//
// A witness is run by somebody else than the log's operator. It knows no lottery, keeps no entry of a log, and needs no
// database: its key and its memory are two files in a folder that it locks.
package witness

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"quiniela/internal/durable"
	"quiniela/tlog"
)

// Options say what a witness is.
type Options struct {
	Dir  string           // folder of its key and its memory; made where it is absent
	Name string           // of its key, such as witness.example/quiniela; empty: the name in the key that is there
	Logs []string         // verifier keys of the logs it knows; several may be of one log
	Now  func() time.Time // its clock; nil: the system's
	Log  *slog.Logger     // nil: none
}

// Witness is a witness with its folder open and locked, from Open until Close. It is safe for concurrent use.
type Witness struct {
	signer note.Signer
	key    string
	path   string // of the memory
	lock   *durable.Locked
	log    *slog.Logger
	write  func(path string, data []byte) error
	logs   map[string]*tlog.Policy // by origin

	mu     sync.Mutex                 // protects all below; held while a checkpoint is checked, written and cosigned
	known  map[string]tlog.Checkpoint // the last one cosigned, by origin
	notes  memory                     // the same as the logs signed them: what is on the disk
	failed error                      // set once, by a failed write: what is on the disk is then unknown, and nothing is cosigned
	broken chan struct{}              // closed when failed is set, so that Serve ends
}

// Open opens a witness's folder, and makes a key in a new one. It refuses a folder that another process has open, and one that
// has a key and no memory: a witness that has forgotten what it cosigned could cosign a fork.
func Open(o Options) (*Witness, error) {
	w := &Witness{log: o.Log, write: replaceFile, known: make(map[string]tlog.Checkpoint), broken: make(chan struct{})}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if w.logs, err = policies(o.Logs); err != nil {
		return nil, err
	}
	if w.lock, err = lockFolder(o.Dir); err != nil {
		return nil, err
	}
	if err := w.load(o); err != nil {
		return nil, errors.Join(err, w.lock.Close())
	}
	return w, nil
}

// load reads the folder.
func (w *Witness) load(o Options) error {
	name, private, err := openFolder(o.Dir, o.Name)
	if err != nil {
		return err
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	if w.signer, w.key, err = tlog.NewWitnessKey(name, private, now); err != nil {
		return fmt.Errorf("the witness's key: %w", err)
	}
	w.path = memoryPath(o.Dir)
	return w.recall()
}

// lockFolder makes a witness's folder where there is none, and locks it: two processes with one key could cosign two forks.
func lockFolder(dir string) (*durable.Locked, error) {
	if err := durable.MkdirPrivate(dir); err != nil {
		return nil, fmt.Errorf("make the witness's folder: %w", err)
	}
	lock, err := durable.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("lock the witness's folder %s: %w", dir, err)
	}
	return lock, nil
}

// policies makes a policy of each log's keys.
func policies(keys []string) (map[string]*tlog.Policy, error) {
	byOrigin := make(map[string][]string)
	for _, key := range keys {
		one, err := tlog.TrustLog(key)
		if err != nil {
			return nil, fmt.Errorf("the log %.100q: %w; give a verifier key as the log publishes it, name+id+base64", key, err)
		}
		origin := one.Origins()[0]
		byOrigin[origin] = append(byOrigin[origin], key)
	}
	all := make(map[string]*tlog.Policy, len(byOrigin))
	for origin, keys := range byOrigin {
		p, err := tlog.TrustLog(keys...)
		if err != nil {
			return nil, fmt.Errorf("the log %s: %w", origin, err)
		}
		all[origin] = p
	}
	return all, nil
}

// recall reads the memory. Checkpoints of logs that are not named now are kept.
func (w *Witness) recall() (err error) {
	if w.notes, err = readMemory(w.path); err != nil {
		return err
	}
	for origin, policy := range w.logs {
		signed, ok := w.notes[origin]
		if !ok {
			continue
		}
		opened, err := policy.VerifyCheckpoint([]byte(signed))
		if err != nil {
			return fmt.Errorf("%s: what was last cosigned of %s: %w; where that log has a new key, name the old one too", w.path, origin, err)
		}
		w.known[origin] = opened.Checkpoint
	}
	return nil
}

// Key returns the witness's verifier key, for policies.
func (w *Witness) Key() string { return w.key }

// Close releases the folder.
func (w *Witness) Close() error { return w.lock.Close() }

// Origins returns the origins of the logs that the witness knows.
func (w *Witness) Origins() []string { return slices.Sorted(maps.Keys(w.logs)) }

// Refusals of a checkpoint, which errors.Is finds in what Add returns. Any other error is a failure of the witness itself.
var (
	ErrMalformed = errors.New("malformed")
	ErrUnknown   = errors.New("this witness does not know the log")
	ErrSignature = errors.New("not signed by the log")
	ErrFork      = errors.New("another log of the same size has been cosigned")
	ErrProof     = errors.New("the log is not shown to have grown from what was cosigned")
)

// ConflictError says that the proof does not begin at the last checkpoint that was cosigned.
type ConflictError struct{ Size int64 } // of that checkpoint; 0 where there is none

// Error implements error.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("the last checkpoint cosigned has %d entries", e.Size)
}

// Add cosigns a signed checkpoint and returns the cosignature's line. old must be the size of the last checkpoint that was
// cosigned, and path the consistency proof from it. When Add returns a line, the checkpoint is on the disk.
func (w *Witness) Add(old int64, path []tlog.Hash, signed []byte) ([]byte, error) {
	c, err := w.open(signed)
	if err != nil {
		return nil, err
	}
	if old < 0 || old > c.Size {
		return nil, fmt.Errorf("%w: the old size %d and a checkpoint of %d", ErrMalformed, old, c.Size)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return nil, w.failed
	}
	last, seen := w.known[c.Origin]
	switch {
	case old != last.Size:
		return nil, &ConflictError{last.Size}
	case seen && last.Size == c.Size && last.Root != c.Root:
		w.log.Error("cosign", "result", "fail", "origin", c.Origin, "size", c.Size,
			"error", "the log has signed two checkpoints of one size", "first", w.notes[c.Origin], "second", string(signed))
		return nil, ErrFork
	case seen && last.Size == c.Size && len(path) > 0:
		return nil, fmt.Errorf("%w: a proof where none is needed", ErrProof)
	case seen && last.Size == c.Size:
		return tlog.Cosign(signed, w.signer)
	}
	last.Origin = c.Origin // also where there is none yet
	if err := tlog.CheckConsistency(path, last, c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	return w.cosign(c, signed)
}

// open verifies a signed checkpoint of a log that the witness knows.
func (w *Witness) open(signed []byte) (tlog.Checkpoint, error) {
	c, err := tlog.UnverifiedCheckpoint(signed)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	policy, ok := w.logs[c.Origin]
	if !ok {
		return c, ErrUnknown
	}
	opened, err := policy.VerifyCheckpoint(signed)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return opened.Checkpoint, nil
}

// cosign remembers a checkpoint, on the disk first, and returns its cosignature.
func (w *Witness) cosign(c tlog.Checkpoint, signed []byte) ([]byte, error) {
	line, err := tlog.Cosign(signed, w.signer)
	if err != nil {
		return nil, err
	}
	notes := maps.Clone(w.notes)
	notes[c.Origin] = string(signed)
	if err := notes.write(w.path, w.write); err != nil {
		w.failed = fmt.Errorf("keep the checkpoint: %w; nothing is cosigned until the witness is started again", err)
		close(w.broken)
		return nil, w.failed
	}
	w.notes, w.known[c.Origin] = notes, c
	w.log.Info("cosign", "result", "success", "origin", c.Origin, "size", c.Size)
	return line, nil
}

// Key returns the verifier key of the witness in a folder, and makes the key in a new folder.
func Key(dir, name string) (key string, err error) {
	lock, err := lockFolder(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	name, private, err := openFolder(dir, name)
	if err != nil {
		return "", err
	}
	return verifierKey(name, private)
}

func verifierKey(name string, private ed25519.PrivateKey) (string, error) {
	_, key, err := tlog.NewWitnessKey(name, private, time.Now)
	return key, err
}
