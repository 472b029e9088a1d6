package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
)

// groupBytes is what the committer takes at most.
const groupBytes = 4 << 20

// references measures what the machine gives: the parser alone, a plain file, the journal alone. The file and the
// journal get the batches in groups as large as all agencies' windows together, which is the most that the committer
// can gather.
func (r *runner) references(size int) error {
	if !r.wants(Ingest) {
		return nil
	}
	all, err := batches(specified, 1, r.BatchBytes, size)
	if err != nil {
		return err
	}
	for _, ref := range []struct {
		figure  string
		measure func(all []batch, size int) (bets int, elapsed time.Duration, err error)
	}{{"parser alone, one core", parse}, {"plain file alone", r.plainFile}, {"journal alone", r.journalAlone}} {
		r.progress(ref.figure, 0, 0)
		bets, elapsed, err := ref.measure(all, size)
		if err != nil {
			return err
		}
		r.add(Ingest, size, ref.figure, "bets/s", float64(bets)/elapsed.Seconds(), "")
	}
	return nil
}

func parse(all []batch, size int) (bets int, elapsed time.Duration, err error) {
	today := quiniela.DayOf(time.Now())
	var lines, numbers []byte
	began := time.Now()
	for i := 0; bets < size; i++ {
		b := all[i%len(all)]
		lines = append(lines[:0], b.lines...) // it trims in place
		if _, numbers, err = quiniela.Specified.CheckLines(lines, today, b.bets, numbers[:0], nil); err != nil {
			return 0, 0, err
		}
		bets += b.bets
	}
	return bets, time.Since(began), nil
}

// groups calls write with groups of journal entries, and returns how long that took.
func (r *runner) groups(all []batch, size int, write func(entries [][]byte) error) (bets int, elapsed time.Duration, err error) {
	var secret [journal.SecretSize]byte // any will do
	entries := make([][]byte, len(all))
	for i, b := range all {
		buf := append(make([]byte, journal.MaxBatchHeader), b.lines...)
		entry := &journal.Batch{Draw: 1, Agency: 1, Batch: uint64(i), Count: uint32(b.bets), Secret: &secret, MAC: journal.MAC(&secret, b.lines), Lines: b.lines}
		entries[i] = buf[journal.PutBatch(buf, journal.MaxBatchHeader, entry):]
	}
	group := make([][]byte, max(1, min(r.Agencies*r.Window, groupBytes/r.BatchBytes)))
	began := time.Now()
	for i := 0; bets < size; {
		for k := range group {
			group[k] = entries[i%len(all)]
			bets += all[i%len(all)].bets
			i++
		}
		if err := write(group); err != nil {
			return 0, 0, err
		}
	}
	return bets, time.Since(began), nil
}

func (r *runner) plainFile(all []batch, size int) (bets int, elapsed time.Duration, err error) {
	f, err := os.CreateTemp(r.dir, "plain-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	var buf []byte
	return r.groups(all, size, func(entries [][]byte) error {
		buf = buf[:0]
		for _, e := range entries {
			buf = append(buf, e...)
		}
		if _, err := f.Write(buf); err != nil {
			return err
		}
		return dataSync(f)
	})
}

func (r *runner) journalAlone(all []batch, size int) (bets int, elapsed time.Duration, err error) {
	dir := filepath.Join(r.dir, "journal-alone")
	j, err := local.Open(filepath.Join(dir, "journal"), local.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, j.Close(), os.RemoveAll(dir)) }()
	head := journal.Head{}
	return r.groups(all, size, func(entries [][]byte) (err error) {
		head, err = j.Append(context.Background(), head, entries)
		return err
	})
}
