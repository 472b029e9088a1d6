package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/store"
	"quiniela/tlog"
)

// keepOrDrop looks through a state folder before it is opened to be written. A state that is spoiled, incomplete or of
// another version is deleted, and then built again: the journal, which has all of it, was read whole before.
func keepOrDrop(dir string, files vfs.FS, log *slog.Logger) error {
	if files == nil {
		files = store.Files
	}
	err := checkState(dir, files)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrLocked), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open the ledger's state: %w", err)
	case errors.Is(err, store.ErrNotFound):
		if names, err := files.List(dir); err != nil || len(names) == 0 {
			return nil // a new one
		}
	}
	log.Warn("state", "result", "in_progress", "doing", "building it again from the journal", "error", err)
	if err := files.RemoveAll(dir); err != nil {
		return fmt.Errorf("delete the spoiled state, which the journal gives again: %w", err)
	}
	return nil
}

// CheckState reads the state in the data folder dir, of which no server must be running, and returns what is wrong with it.
// Nothing is wrong where there is none: the next start builds it.
func CheckState(dir string) error {
	err := checkState(filepath.Join(dir, StateName), vfs.Default)
	if errors.Is(err, store.ErrNotFound) {
		names, unread := vfs.Default.List(filepath.Join(dir, StateName))
		if len(names) == 0 && (unread == nil || errors.Is(unread, fs.ErrNotExist)) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("the state, which the server builds from the journal, is spoiled: %w; no bet is lost by it, and the next start builds it again", err)
	}
	return nil
}

// checkState reads all of a state and returns what is wrong with it. The blocks have checksums; what they cannot show is
// that a file of an earlier moment is missing or older than the others.
func checkState(dir string, files vfs.FS) (err error) {
	db, err := openDatabase(dir, files, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Read(func() error {
		s := newState(db)
		if err := s.load(); err != nil {
			return err
		}
		return errors.Join(s.checkBatches(), s.checkWinners(), s.checkLog())
	})
}

// checkBatches compares the rows of the batches with the cursors and the draws, which count them.
func (s *state) checkBatches() error {
	have := map[cursorKey]cursor{}
	err := s.scan([]byte{keyBatch}, func(k, v []byte) error {
		if len(k) != 1+8+4+8 || len(v) < batchRow {
			return fmt.Errorf("a batch's row of %d and %d bytes", len(k), len(v))
		}
		at := cursorKey{binary.BigEndian.Uint64(k[1:]), quiniela.Agency(binary.BigEndian.Uint32(k[9:]))}
		c := have[at]
		if c.next++; binary.BigEndian.Uint64(k[13:]) != c.next {
			return fmt.Errorf("batch %d of agency %d in draw %d is missing", c.next, at.agency, at.draw)
		}
		game := s.draws[at.draw].Game
		c.bets += uint64((len(v) - batchRow) / game.PlaySize())
		staked, err := game.Staked(v[batchRow:])
		if err != nil {
			return fmt.Errorf("batch %d of agency %d in draw %d: %w", c.next, at.agency, at.draw, err)
		}
		c.stake += staked
		have[at] = c
		return nil
	})
	if err != nil {
		return err
	}
	batches, bets, staked := map[uint64]uint64{}, map[uint64]uint64{}, map[uint64]uint64{}
	for at, c := range s.cursors {
		if h := have[at]; h.next+1 != c.next || h.bets != c.bets || h.stake != c.stake {
			return fmt.Errorf("agency %d has %d batches with %d bets in draw %d, and %d with %d are counted", at.agency, h.next, h.bets, at.draw, c.next-1, c.bets)
		}
		batches[at.draw] += c.next - 1
		bets[at.draw] += c.bets
		staked[at.draw] += c.stake
		delete(have, at)
	}
	for at := range have {
		return fmt.Errorf("the batches of agency %d in draw %d are not counted", at.agency, at.draw)
	}
	for n, d := range s.draws {
		if batches[n] != d.Batches || bets[n] != d.Bets || staked[n] != d.Staked {
			return fmt.Errorf("draw %s has %d batches with %d bets, and %d with %d are counted", d.ID, batches[n], bets[n], d.Batches, d.Bets)
		}
	}
	return nil
}

// checkWinners compares the rows of the winners with the results, which count them.
func (s *state) checkWinners() error {
	have := map[uint64]uint64{}
	err := s.scan([]byte{keyWinner}, func(k, _ []byte) error {
		have[binary.BigEndian.Uint64(k[1:])]++
		return nil
	})
	if err != nil {
		return err
	}
	paid := map[uint64]winnings{}
	err = s.scan([]byte{keyPaid}, func(k, v []byte) error {
		if len(k) != 1+8+4 || len(v) != 3*8 {
			return fmt.Errorf("a row of %d and %d bytes of what an agency is paid", len(k), len(v))
		}
		n := binary.BigEndian.Uint64(k[1:])
		sum := paid[n]
		sum.add(readWinnings(v))
		paid[n] = sum
		return nil
	})
	if err != nil {
		return err
	}
	for n, d := range s.draws {
		if d.Game != nil {
			var want winnings
			if d.Result != nil {
				want = winnings{d.Result.Winners, d.Result.Due, d.Result.Paid}
			}
			if paid[n] != want {
				return fmt.Errorf("the agencies of draw %s are paid %d, and %d are counted", d.ID, paid[n], want)
			}
			continue
		}
		want := uint64(0)
		if d.Result != nil && !d.Gone && d.Forgotten.IsZero() {
			want = d.Result.Winners
		}
		if have[n] != want {
			return fmt.Errorf("draw %s has %d winners, and %d are counted", d.ID, have[n], want)
		}
	}
	return nil
}

// checkLog computes the public log's tree again from its entries.
func (s *state) checkLog() error {
	var tree tlog.CompactRange
	var want []tlog.Hash
	err := s.scan([]byte{keyLog}, func(k, v []byte) error {
		index := tree.Size()
		if len(k) != 9 || int64(binary.BigEndian.Uint64(k[1:])) != index {
			return fmt.Errorf("entry %d of the public log is missing", index)
		}
		at := len(v) - hashesOf(index)*tlog.HashSize
		if at <= 0 {
			return fmt.Errorf("entry %d of the public log has %d bytes", index, len(v))
		}
		want = tree.Append(want[:0], tlog.LeafHash(v[:at]))
		for i := range want {
			if !bytes.Equal(want[i][:], v[at+i*tlog.HashSize:][:tlog.HashSize]) {
				return fmt.Errorf("entry %d of the public log has other hashes than its own", index)
			}
		}
		return nil
	})
	if err == nil && tree.Root() != s.tree.Root() {
		err = fmt.Errorf("the public log, of %d entries, has another root", tree.Size())
	}
	return err
}

// openUp opens the state of a journal in the data folder dir, as Open does, but decides and appends nothing.
func openUp(ctx context.Context, j journal.Journal, dir string) (*state, error) {
	s, err := openState(filepath.Join(dir, StateName), nil, j, draw.Quicknet(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if err := s.catchUpWith(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// RootAt builds the state of a journal in the data folder dir, as Open does, but decides and appends nothing, and returns the
// root of the public log's first size entries.
func RootAt(ctx context.Context, j journal.Journal, dir string, size int64) (root tlog.Hash, err error) {
	s, err := openUp(ctx, j, dir)
	if err != nil {
		return root, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if have := s.tree.Size(); have < size {
		return root, fmt.Errorf("the public log had %d entries when it was signed last, and the journal gives %d: entries were lost", size, have)
	}
	if size == 0 {
		return new(tlog.CompactRange).Root(), nil
	}
	return sumdb.TreeHash(size, Log{db: s.db})
}
