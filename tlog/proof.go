package tlog

import (
	"errors"
	"fmt"

	sumdb "golang.org/x/mod/sumdb/tlog"
)

// ProveInclusion returns the inclusion proof of the entry at index in a log of the given size: the hashes that lead from its
// leaf to the root, the lowest first.
func ProveInclusion(size, index int64, stored HashReader) ([]Hash, error) {
	if index < 0 || index >= size {
		return nil, fmt.Errorf("entry %d of a log of %d", index, size)
	}
	return sumdb.ProveRecord(size, index, stored)
}

// CheckInclusion returns an error where the proof does not lead from a leaf at index to the root of a tree of size leaves.
func CheckInclusion(proof []Hash, size int64, root Hash, index int64, leaf Hash) error {
	if index < 0 || index >= size {
		return fmt.Errorf("leaf %d of a tree of %d", index, size)
	}
	return sumdb.CheckRecord(proof, size, root, index, leaf)
}

// RootAfter returns the root that a log had when the entry at index was its last one, given the entry's leaf hash and its
// inclusion proof in a later log of the given size. The proof must have passed CheckInclusion: it holds the roots of all
// subtrees to the left of the entry.
func RootAfter(proof []Hash, size, index int64, leaf Hash) Hash {
	root := leaf
	for node, last := index, size-1; len(proof) > 0; node, last = node/2, last/2 {
		if node == last && node%2 == 0 {
			continue // at this level the tree ends with the node: it has no sibling
		}
		if node%2 == 1 {
			root = sumdb.NodeHash(proof[0], root)
		}
		proof = proof[1:]
	}
	return root
}

// ProveConsistency returns the hashes that show a log of the new size to begin with all of the log of the old size.
// A log of size 0 begins every log: its proof is empty.
func ProveConsistency(oldSize, newSize int64, stored HashReader) ([]Hash, error) {
	switch {
	case oldSize < 0 || oldSize > newSize:
		return nil, fmt.Errorf("a log of %d entries does not begin with %d", newSize, oldSize)
	case oldSize == 0:
		return nil, nil
	}
	return sumdb.ProveTree(newSize, oldSize, stored)
}

// CheckConsistency returns an error where the proof does not show that the log of newer begins with all of the log of older.
func CheckConsistency(proof []Hash, older, newer Checkpoint) error {
	if older.Origin != newer.Origin {
		return fmt.Errorf("checkpoints of two logs, %q and %q", older.Origin, newer.Origin)
	}
	switch {
	case older.Size > newer.Size:
		return fmt.Errorf("the newer checkpoint has %d entries, the older one %d", newer.Size, older.Size)
	case older.Size == 0:
		if len(proof) > 0 {
			return errors.New("a proof where none is needed")
		}
		return nil
	}
	return sumdb.CheckTree(proof, newer.Size, newer.Root, older.Size, older.Root)
}
