package receipt

import (
	"encoding/binary"
	"fmt"

	"quiniela"
	"quiniela/tlog"
)

// BatchEntrySize is the size of a batch's log entry, in bytes.
const BatchEntrySize = 92

const batchMagic = "QNB2"

// BatchEntry is a batch in the log.
type BatchEntry struct {
	Draw            uint64 // from 1
	Agency          quiniela.Agency
	Batch           uint64 // the agency's in the draw, from 1
	Count           uint32 // bets, at least 1
	Stake           uint64 // of all its bets, in cents
	CumulativeBets  uint64 // of the agency in the draw, up to and with this batch
	CumulativeStake uint64 // likewise
	Received        uint64 // µs since the Unix epoch
	Root            tlog.Hash
}

// Encode returns the entry's bytes.
func (e BatchEntry) Encode() [BatchEntrySize]byte {
	var b [BatchEntrySize]byte
	copy(b[:], batchMagic)
	binary.BigEndian.PutUint64(b[4:], e.Draw)
	binary.BigEndian.PutUint32(b[12:], uint32(e.Agency))
	binary.BigEndian.PutUint64(b[16:], e.Batch)
	binary.BigEndian.PutUint32(b[24:], e.Count)
	binary.BigEndian.PutUint64(b[28:], e.Stake)
	binary.BigEndian.PutUint64(b[36:], e.CumulativeBets)
	binary.BigEndian.PutUint64(b[44:], e.CumulativeStake)
	binary.BigEndian.PutUint64(b[52:], e.Received)
	copy(b[60:], e.Root[:])
	return b
}

// ParseBatchEntry reads a batch's entry. It refuses one that contradicts itself: without bets, or with cumulative
// figures below its own.
func ParseBatchEntry(b []byte) (BatchEntry, error) {
	if len(b) != BatchEntrySize || string(b[:4]) != batchMagic {
		return BatchEntry{}, malformed("batch entry", "want %d bytes that begin with %s", BatchEntrySize, batchMagic)
	}
	e := BatchEntry{
		Draw:            binary.BigEndian.Uint64(b[4:]),
		Agency:          quiniela.Agency(binary.BigEndian.Uint32(b[12:])),
		Batch:           binary.BigEndian.Uint64(b[16:]),
		Count:           binary.BigEndian.Uint32(b[24:]),
		Stake:           binary.BigEndian.Uint64(b[28:]),
		CumulativeBets:  binary.BigEndian.Uint64(b[36:]),
		CumulativeStake: binary.BigEndian.Uint64(b[44:]),
		Received:        binary.BigEndian.Uint64(b[52:]),
		Root:            tlog.Hash(b[60:]),
	}
	if err := e.check(); err != nil {
		return BatchEntry{}, &MalformedError{"batch entry", err}
	}
	return e, nil
}

func (e BatchEntry) check() error {
	switch {
	case e.Draw == 0 || e.Batch == 0:
		return fmt.Errorf("draw %d, batch %d: both count from 1", e.Draw, e.Batch)
	case e.Count == 0:
		return fmt.Errorf("no bets")
	case e.CumulativeBets < uint64(e.Count) || e.CumulativeStake < e.Stake:
		return fmt.Errorf("%d bets of %d cents together, more than the cumulative %d of %d", e.Count, e.Stake, e.CumulativeBets, e.CumulativeStake)
	case e.Batch == 1 && (e.CumulativeBets != uint64(e.Count) || e.CumulativeStake != e.Stake):
		return fmt.Errorf("the first batch has %d bets of %d cents together, and the cumulative %d of %d", e.Count, e.Stake, e.CumulativeBets, e.CumulativeStake)
	}
	return nil
}
