package journal

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// Head names an entry together with everything before it: the position of the entry, and the chain value there. Two
// journals with an equal Head have the same entries up to it, but for what was forgotten since. The zero Head is
// that of an empty journal.
type Head struct {
	Position uint64
	Chain    uint64
}

// Next returns the Head after an entry with the given bytes follows h.
//
// The chain finds rot and mixed-up files; it does not resist somebody who forges, which the public log is for. So XXH64
// is enough, which costs the committer less than a tenth of what copying the entry costs.
func (h Head) Next(data []byte) Head {
	var link [16]byte
	binary.BigEndian.PutUint64(link[:], h.Chain)
	binary.BigEndian.PutUint64(link[8:], sum(data))
	return Head{Position: h.Position + 1, Chain: xxhash.Sum64(link[:])}
}

// sum is an entry's part in the chain. A forgotten batch keeps the sum that it had before, so that forgetting does not
// change the chain of what follows; its own bytes have a checksum of their own.
func sum(data []byte) uint64 {
	if before, ok := forgottenSum(data); ok {
		return before
	}
	return xxhash.Sum64(data)
}

// forgottenTrailer is how many bytes end the entry of a forgotten batch: the entry's sum before it was forgotten, and the
// XXH64 of all bytes before this second half.
const forgottenTrailer = 16

// forgottenSum returns the sum that a forgotten batch had before, and false for any other entry and for a forgotten one
// whose own bytes are spoiled.
func forgottenSum(data []byte) (before uint64, ok bool) {
	if len(data) < fixedBatchSize+forgottenTrailer || Kind(data[0]) != KindBatch || binary.BigEndian.Uint16(data[offFlags:])&flagForgotten == 0 {
		return 0, false
	}
	own := len(data) - 8
	if binary.BigEndian.Uint64(data[own:]) != xxhash.Sum64(data[:own]) {
		return 0, false
	}
	return binary.BigEndian.Uint64(data[own-8:]), true
}

func appendTrailer(entry []byte, before uint64) []byte {
	entry = binary.BigEndian.AppendUint64(entry, before)
	return binary.BigEndian.AppendUint64(entry, xxhash.Sum64(entry))
}
