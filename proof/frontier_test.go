package proof_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"quiniela/proof"
)

// A frontier stores what tlog would store, has the root that tlog finds, and can be loaded at any size.
func TestAFrontierIsTheLogThatItEnds(t *testing.T) {
	var stored []proof.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			found[i] = stored[at]
		}
		return found, nil
	})
	var f proof.Frontier
	for n := range int64(1100) {
		leaf := proof.LeafHash(binary.BigEndian.AppendUint64(nil, uint64(n)))
		want, err := tlog.StoredHashesForRecordHash(n, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Append(nil, leaf); !slices.Equal(got, want) {
			t.Fatalf("entry %d stores %d hashes, or others; want %d", n, len(got), len(want))
		}
		stored = append(stored, want...)
		root, err := tlog.TreeHash(n+1, reader)
		if err != nil || f.Root() != root || f.Size() != n+1 {
			t.Fatalf("%d entries: root %v, want %v (%v)", n+1, f.Root(), root, err)
		}
		if loaded, err := proof.LoadFrontier(n+1, reader); err != nil || loaded.Root() != root {
			t.Fatalf("%d entries, loaded: root %v, want %v (%v)", n+1, loaded.Root(), root, err)
		}
	}
	if empty := new(proof.Frontier); empty.Root() != proof.TreeHash(nil) {
		t.Error("the root of an empty log")
	}
}
