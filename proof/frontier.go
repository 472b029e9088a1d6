package proof

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Frontier is what has to be kept of a log to append to it and to know its root: the roots of the complete subtrees that
// make it up. It is a value: a copy goes on by itself. Its zero value is an empty log.
type Frontier struct {
	size  int64
	roots [63]Hash // by height; bit h of size tells whether roots[h] is in use
}

// LoadFrontier reads the frontier of a log of some size from its stored hashes.
func LoadFrontier(size int64, stored tlog.HashReader) (Frontier, error) {
	f := Frontier{size: size}
	var indexes []int64
	for h := range f.roots {
		if size>>h&1 == 1 {
			indexes = append(indexes, tlog.StoredHashIndex(h, size>>h-1))
		}
	}
	hashes, err := stored.ReadHashes(indexes)
	if err != nil {
		return Frontier{}, err
	}
	for h := range f.roots {
		if size>>h&1 == 1 {
			f.roots[h], hashes = hashes[0], hashes[1:]
		}
	}
	return f, nil
}

// Size returns the number of entries.
func (f *Frontier) Size() int64 { return f.size }

// Append adds an entry's leaf hash, and appends to dst what is to be stored from index tlog.StoredHashIndex(0, size) on:
// the leaf, and each subtree that it completes, the lowest first.
func (f *Frontier) Append(dst []Hash, leaf Hash) []Hash {
	dst = append(dst, leaf)
	height := bits.TrailingZeros64(^uint64(f.size))
	for h := range height {
		leaf = tlog.NodeHash(f.roots[h], leaf)
		dst = append(dst, leaf)
	}
	f.roots[height] = leaf
	f.size++
	return dst
}

// Root returns the log's root.
func (f *Frontier) Root() Hash {
	if f.size == 0 {
		return sha256.Sum256(nil)
	}
	rest := uint64(f.size)
	root := f.roots[bits.TrailingZeros64(rest)]
	for rest &= rest - 1; rest != 0; rest &= rest - 1 {
		root = tlog.NodeHash(f.roots[bits.TrailingZeros64(rest)], root)
	}
	return root
}
