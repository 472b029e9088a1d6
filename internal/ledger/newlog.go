package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/internal/journal"
	"quiniela/receipt"
	"quiniela/tlog"
)

// Where acknowledged entries are gone, a log that goes on from what is left would contradict checkpoints that people have seen. A
// journal.NewLog then begins another log, under another name and key, whose first entry names the end of the old one. The journal before it
// stays as it is, and its draws with it: those that are drawn have their proofs in the old log, which stays published where it is, and the
// others are in the new log from their opening on. So the state is built again from the journal's first entry, with it known.

// newLogError says that the journal has begun a log that the state was not built with.
type newLogError struct {
	position uint64
	entry    journal.NewLog
}

func (e *newLogError) Error() string {
	return "the journal begins a new public log here: start the server again, with the new log's key"
}

// addNewLog checks a new log with which the state was built, or says that it was built without.
func (t *transaction) addNewLog(n journal.NewLog) error {
	if t.next > t.s.beganAt {
		return &newLogError{t.next, n}
	}
	if again := t.undrawn(); n.Opened != t.lastLogged() || !slices.Equal(n.Again, again) {
		return fmt.Errorf("a new log has draws %v of %d again, and those without a result are %v of %d", n.Again, n.Opened, again, t.lastLogged())
	}
	return nil
}

// undrawn returns the public draws without a result.
func (t *transaction) undrawn() (all []uint64) {
	for n := range t.last() {
		if d, _ := t.draw(n + 1); d.Public && d.Result == nil {
			all = append(all, d.Seq)
		}
	}
	return all
}

// inOlderLog reports whether a public draw that the journal opens at a position was drawn before the log began.
func (s *state) inOlderLog(draw, position uint64) bool {
	return s.began != nil && position < s.beganAt && !slices.Contains(s.began.Again, draw)
}

// catchUpWith is catchUp for whoever opens: where it meets a new log, it builds the state again with it.
func (s *state) catchUpWith(ctx context.Context) error {
	for {
		err := s.catchUp(ctx)
		var begun *newLogError
		if !errors.As(err, &begun) {
			return err
		}
		if err := s.beginAgain(begun); err != nil {
			return fmt.Errorf("begin the new public log: %w", err)
		}
	}
}

// beginAgain empties the state, and begins its public log with the entry that names the old one.
func (s *state) beginAgain(n *newLogError) error {
	s.empty()
	s.began, s.beganAt = &n.entry, n.position
	t := s.begin()
	if err := t.batch.DeleteRange([]byte{0}, []byte{0xff}, nil); err != nil {
		return err
	}
	row := binary.BigEndian.AppendUint64(nil, n.position)
	if err := t.batch.Set([]byte{keyNewLog}, append(row, journal.Encode(n.entry)...), nil); err != nil {
		return err
	}
	entry, err := continues(n.entry)
	if err != nil {
		return err
	}
	if _, _, err := t.log(entry); err != nil {
		return err
	}
	if err := s.db.Commit(t.batch, false); err != nil {
		return err
	}
	s.tree = t.tree
	return t.batch.Close()
}

// continues returns the first entry of a new log.
func continues(n journal.NewLog) ([]byte, error) {
	if len(n.OldRoot) != tlog.HashSize {
		return nil, fmt.Errorf("the old log's root has %d bytes", len(n.OldRoot))
	}
	return receipt.Continues{Log: n.OldKey, Size: n.OldSize, Root: tlog.Hash(n.OldRoot), Draws: n.Opened, Began: uint64(n.At)}.Encode()
}

func (s *state) loadNewLog(_, v []byte) error {
	if len(v) < 8 {
		return fmt.Errorf("a new log's row of %d bytes", len(v))
	}
	e, err := journal.Decode(v[8:])
	if err != nil {
		return err
	}
	n, ok := e.(journal.NewLog)
	if !ok {
		return fmt.Errorf("a new log's row with a %T", e)
	}
	s.began, s.beganAt = &n, binary.BigEndian.Uint64(v)
	return nil
}

// NewLog returns what the public log began with, or nil where it is the journal's first.
func (l *Ledger) NewLog() *journal.NewLog { return l.state.began }

// ErrNothingGone says that a journal has all that its public log has shown.
var ErrNothingGone = errors.New("the journal has every entry of it, and goes on with the same log")

// BeginLog appends to the journal j, of which no server must be running, that a new public log begins, with the key newKey. old is the
// newest checkpoint that is known of the log until now, with its key: the journal must have lost some of its entries, else nothing is
// appended and the error wraps ErrNothingGone. The state is built in the data folder dir. It returns how many entries of the old log the
// journal still gave.
func BeginLog(ctx context.Context, j journal.Journal, dir string, old tlog.Checkpoint, oldKey, newKey string, now time.Time) (had int64, err error) {
	s, err := openUp(ctx, j, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if had = s.tree.Size(); old.Size <= had {
		return had, s.hasAll(old)
	}
	if s.began != nil && s.began.Key != oldKey {
		return had, fmt.Errorf("the journal's public log has the key %s, and the checkpoint is signed with %s: name the newest log", s.began.Key, oldKey)
	}
	t := s.begin()
	defer func() { err = errors.Join(err, t.batch.Close()) }()
	n := journal.NewLog{
		Key: newKey, OldKey: oldKey, OldSize: uint64(old.Size), OldRoot: old.Root[:], Opened: t.lastLogged(), Again: t.undrawn(), At: now.UnixMicro(),
	}
	if _, err := continues(n); err != nil {
		return had, err
	}
	if _, err := j.Append(ctx, s.head, [][]byte{journal.Encode(n)}); err != nil {
		return had, fmt.Errorf("append the new log to the journal: %w", err)
	}
	return had, s.catchUpWith(ctx)
}

// hasAll returns why no new log begins where the journal gives at least as many entries as a checkpoint has.
func (s *state) hasAll(old tlog.Checkpoint) error {
	root := new(tlog.CompactRange).Root()
	if old.Size > 0 {
		var err error
		if root, err = sumdb.TreeHash(old.Size, Log{db: s.db}); err != nil {
			return err
		}
	}
	if root != old.Root {
		return fmt.Errorf("the checkpoint of %d entries is not of this journal, which gives %d: find the journal that it is of", old.Size, s.tree.Size())
	}
	return fmt.Errorf("a checkpoint of %d entries: %w", old.Size, ErrNothingGone)
}
