package proof

import (
	"encoding/binary"
	"fmt"

	"quiniela"
)

// Batch is the log's entry of a batch: what the public may know of it.
type Batch struct {
	Draw            uint64
	Agency          quiniela.Agency
	Number          uint64 // of the batch, the agency's
	Count           uint32 // bets
	Stake           uint64 // of them all, in cents
	CumulativeBets  uint64 // of the agency in the draw, with this batch
	CumulativeStake uint64
	Received        uint64 // µs since the Unix epoch
	Root            Hash   // of the bets' records
}

const (
	batchMagic = "QNB1"
	// BatchSize is the size of a batch's entry in bytes.
	BatchSize = len(batchMagic) + 8 + 4 + 8 + 4 + 8 + 8 + 8 + 8 + HashSize
)

// Bytes returns the entry as the log holds it.
func (b Batch) Bytes() []byte {
	e := make([]byte, 0, BatchSize)
	e = append(e, batchMagic...)
	e = binary.BigEndian.AppendUint64(e, b.Draw)
	e = binary.BigEndian.AppendUint32(e, uint32(b.Agency))
	e = binary.BigEndian.AppendUint64(e, b.Number)
	e = binary.BigEndian.AppendUint32(e, b.Count)
	for _, v := range []uint64{b.Stake, b.CumulativeBets, b.CumulativeStake, b.Received} {
		e = binary.BigEndian.AppendUint64(e, v)
	}
	return append(e, b.Root[:]...)
}

// ParseBatch reads a batch's entry.
func ParseBatch(e []byte) (Batch, error) {
	if len(e) != BatchSize || string(e[:4]) != batchMagic {
		return Batch{}, fmt.Errorf("%d bytes that are no batch's entry", len(e))
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(e[at:]) }
	return Batch{
		Draw: u64(4), Agency: quiniela.Agency(binary.BigEndian.Uint32(e[12:])), Number: u64(16), Count: binary.BigEndian.Uint32(e[24:]),
		Stake: u64(28), CumulativeBets: u64(36), CumulativeStake: u64(44), Received: u64(52), Root: Hash(e[60:]),
	}, nil
}
