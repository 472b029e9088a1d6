package receipt

import (
	"encoding/binary"
	"fmt"
)

// BundleBatches is how many batches a bundle of a draw has at most.
const BundleBatches = 256

// Bundled is a batch as a bundle of its draw has it: with all that is public of it.
type Bundled struct {
	Index   uint64     // of the entry in the log
	Bytes   []byte     // the entry
	Entry   BatchEntry // the same, read
	Records []byte     // RecordSize bytes for each bet
}

// AppendBundled appends a batch to a bundle: u64be index, the entry, and the records.
func AppendBundled(dst []byte, index uint64, entry, records []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, index)
	return append(append(dst, entry...), records...)
}

// ReadBundle calls f with each batch of a bundle, whose slices alias it. An error of f ends it. It does not compare the records with the
// entry's root; Public.Check does.
func ReadBundle(bundle []byte, f func(Bundled) error) error {
	for n := 0; len(bundle) > 0; n++ {
		if n == BundleBatches {
			return malformed("bundle", "more than %d batches", BundleBatches)
		}
		if len(bundle) < 8+BatchEntrySize {
			return malformed("bundle", "batch %d is cut short", n+1)
		}
		b := Bundled{Index: binary.BigEndian.Uint64(bundle), Bytes: bundle[8:][:BatchEntrySize:BatchEntrySize]}
		var err error
		if b.Entry, err = ParseBatchEntry(b.Bytes); err != nil {
			return &MalformedError{"bundle", fmt.Errorf("batch %d: %w", n+1, err)}
		}
		bundle = bundle[8+BatchEntrySize:]
		size := uint64(b.Entry.Count) * RecordSize
		if size > uint64(len(bundle)) {
			return malformed("bundle", "batch %d has %d bets, and the bundle ends before", n+1, b.Entry.Count)
		}
		b.Records, bundle = bundle[:size:size], bundle[size:]
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

// Check returns an error where records do not come to what a batch's entry says.
func (p Public) Check(e BatchEntry) error {
	if p.Bets != e.Count || p.Root != e.Root {
		return fmt.Errorf("%d records with the root %v, and the log has %d with %v", p.Bets, p.Root, e.Count, e.Root)
	}
	if p.Stake != e.Stake {
		return fmt.Errorf("the records' stakes come to %d, and the log has %d", p.Stake, e.Stake)
	}
	return nil
}
