package tlog

import (
	"math/bits"

	sumdb "golang.org/x/mod/sumdb/tlog"
)

// CompactRange is the roots of the complete subtrees of a tree: enough to append leaves and to compute the root. The zero
// value is an empty tree. A copy is independent of the original.
type CompactRange struct {
	size  int64
	roots [63]Hash // by height; bit h of size tells whether roots[h] is in use
}

// LoadCompactRange reads the compact range of a log of the given size from its stored hashes.
func LoadCompactRange(size int64, stored HashReader) (CompactRange, error) {
	c := CompactRange{size: size}
	var indexes []int64
	for h := range c.roots {
		if size>>h&1 == 1 {
			indexes = append(indexes, sumdb.StoredHashIndex(h, size>>h-1))
		}
	}
	hashes, err := stored.ReadHashes(indexes)
	if err != nil {
		return CompactRange{}, err
	}
	for h := range c.roots {
		if size>>h&1 == 1 {
			c.roots[h], hashes = hashes[0], hashes[1:]
		}
	}
	return c, nil
}

// Reset makes the tree empty.
func (c *CompactRange) Reset() { c.size = 0 }

// Size returns the number of leaves.
func (c *CompactRange) Size() int64 { return c.size }

// Add adds a leaf hash. It does not allocate.
func (c *CompactRange) Add(leaf Hash) { c.add(leaf, func(Hash) {}) }

// Append adds a leaf hash as Add does. It also appends to dst the hashes that a log stores for the leaf, from
// golang.org/x/mod/sumdb/tlog's StoredHashIndex(0, size) on: the leaf, and the root of each subtree that it completes, the
// lowest first.
func (c *CompactRange) Append(dst []Hash, leaf Hash) []Hash {
	c.add(leaf, func(h Hash) { dst = append(dst, h) })
	return dst
}

// add adds a leaf hash, and calls stored for it and for the root of each subtree that it completes.
func (c *CompactRange) add(leaf Hash, stored func(Hash)) {
	stored(leaf)
	height := bits.TrailingZeros64(^uint64(c.size)) // of the largest subtree that the leaf completes
	root := leaf
	for h := range height {
		root = sumdb.NodeHash(c.roots[h], root)
		stored(root)
	}
	c.roots[height] = root
	c.size++
}

// Root returns the root of the tree.
func (c *CompactRange) Root() Hash {
	if c.size == 0 {
		return EmptyRoot
	}
	lowest := bits.TrailingZeros64(uint64(c.size))
	root := c.roots[lowest]
	for h := lowest + 1; h < len(c.roots); h++ {
		if c.size>>h&1 == 1 {
			root = sumdb.NodeHash(c.roots[h], root)
		}
	}
	return root
}
