package tlog_test

import (
	"encoding/binary"
	"slices"
	"testing"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/tlog"
)

// A compact range stores what golang.org/x/mod would store, has the root that it finds, and can be loaded at any size.
func TestACompactRangeHasTheRootsOfItsLog(t *testing.T) {
	var stored tlog.StoredHashes
	var c tlog.CompactRange
	for n := range int64(1100) {
		leaf := tlog.LeafHash(binary.BigEndian.AppendUint64(nil, uint64(n)))
		want, err := sumdb.StoredHashesForRecordHash(n, leaf, stored)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Append(nil, leaf); !slices.Equal(got, want) {
			t.Fatalf("entry %d stores %d hashes, or others; want %d", n, len(got), len(want))
		}
		stored = append(stored, want...)
		root, err := sumdb.TreeHash(n+1, stored)
		if err != nil || c.Root() != root || c.Size() != n+1 {
			t.Fatalf("%d entries: root %v, want %v (%v)", n+1, c.Root(), root, err)
		}
		if loaded, err := tlog.LoadCompactRange(n+1, stored); err != nil || loaded.Root() != root {
			t.Fatalf("%d entries, loaded: root %v, want %v (%v)", n+1, loaded.Root(), root, err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { c.Add(tlog.Hash{}) }); n != 0 {
		t.Errorf("adding a leaf allocates %v times", n)
	}
	if empty := new(tlog.CompactRange); empty.Root() != tlog.EmptyRoot {
		t.Error("the root of an empty log")
	}
}
