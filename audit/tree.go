package audit

import (
	"bytes"
	"crypto/sha256"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/tlog"
)

func tilePath(level int, n int64, width int) string {
	return tlog.TilePath(sumdb.Tile{L: level, N: n, W: width})
}

// compactRange is the tree so far, by the definition of RFC 6962: the roots of its largest complete subtrees, the last ones
// joined first.
type compactRange struct {
	size  int64
	trees []subtree
}

type subtree struct {
	leaves int64
	root   tlog.Hash
}

func (f *compactRange) add(leaf tlog.Hash) {
	f.size++
	f.trees = append(f.trees, subtree{1, leaf})
	for n := len(f.trees); n > 1 && f.trees[n-2].leaves == f.trees[n-1].leaves; n = len(f.trees) {
		left, right := f.trees[n-2], f.trees[n-1]
		f.trees = append(f.trees[:n-2], subtree{2 * left.leaves, join(left.root, right.root)})
	}
}

func (f *compactRange) root() tlog.Hash {
	if len(f.trees) == 0 {
		return sha256.Sum256(nil)
	}
	root := f.trees[len(f.trees)-1].root
	for i := len(f.trees) - 2; i >= 0; i-- {
		root = join(f.trees[i].root, root)
	}
	return root
}

func join(left, right tlog.Hash) tlog.Hash {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// levels recomputes the tiles above the leaves: each hash of a tile is the root of a full tile below.
type levels struct{ hashes [][]tlog.Hash }

// add compares the n-th tile of a level with what is published, and passes its root up where it is full.
func (l *levels) add(a *auditor, level int, n int64, hashes []tlog.Hash) error {
	if err := a.tile(level, n, hashes); err != nil || len(hashes) < tlog.TileWidth {
		return err
	}
	var f compactRange
	for _, h := range hashes {
		f.add(h)
	}
	if len(l.hashes) == level {
		l.hashes = append(l.hashes, nil)
	}
	l.hashes[level] = append(l.hashes[level], f.root())
	above := l.hashes[level]
	if len(above)%tlog.TileWidth != 0 {
		return nil
	}
	return l.add(a, level+1, int64(len(above))/tlog.TileWidth-1, above[len(above)-tlog.TileWidth:])
}

// end compares the partial tiles above the leaves.
func (l *levels) end(a *auditor) error {
	for level, hashes := range l.hashes {
		if rest := len(hashes) % tlog.TileWidth; rest != 0 {
			if err := a.tile(level+1, int64(len(hashes))/tlog.TileWidth, hashes[len(hashes)-rest:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// tile compares a published tile with its hashes.
func (a *auditor) tile(level int, n int64, hashes []tlog.Hash) error {
	name := tilePath(level, n, len(hashes))
	var want []byte
	for i := range hashes {
		want = append(want, hashes[i][:]...)
	}
	have, err := a.readTile(name, len(hashes))
	if err != nil {
		return err
	}
	a.tiles.Checked++
	if !bytes.Equal(have, want) {
		a.tiles.finding("%s is missing, or is not what the leaves give", name)
	}
	return a.prefixes(tilePath(level, n, tlog.TileWidth), name, want, a.tiles)
}
