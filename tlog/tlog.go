// Package tlog is an append-only log that others can verify: checkpoints and their signatures, the policy that says whose
// signatures count, tiles and entry bundles, inclusion and consistency proofs, and the compact range of a tree. It knows
// nothing of lotteries and opens no file or socket; every function depends on its arguments alone.
//
// The formats are those of RFC 6962 and of C2SP (tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature, tlog-policy), so
// that other programs read them too. Hashing and proofs come from golang.org/x/mod/sumdb/tlog, signed notes from
// golang.org/x/mod/sumdb/note.
package tlog

import (
	"crypto/sha256"
	"fmt"

	sumdb "golang.org/x/mod/sumdb/tlog"
)

// Hash is a SHA-256 hash: a leaf, a node or a root of a tree. Its String is in base64.
type Hash = sumdb.Hash

// HashSize is the size of a Hash, in bytes.
const HashSize = sumdb.HashSize

// HashReader reads a log's stored hashes by their index (golang.org/x/mod/sumdb/tlog.StoredHashIndex).
type HashReader = sumdb.HashReader

// Tile is the coordinates of a tile (golang.org/x/mod/sumdb/tlog.Tile), of level -1 for a bundle of entries.
type Tile = sumdb.Tile

// EmptyRoot is the root of a tree without leaves: the SHA-256 of nothing.
var EmptyRoot = Hash(sha256.Sum256(nil))

// LeafHash returns the leaf hash of an entry.
func LeafHash(entry []byte) Hash { return sumdb.RecordHash(entry) }

// StoredHashes are all of a log's stored hashes in memory, in the order in which CompactRange.Append gives them.
type StoredHashes []Hash

// ReadHashes returns the hashes at the given indexes.
func (s StoredHashes) ReadHashes(indexes []int64) ([]Hash, error) {
	found := make([]Hash, 0, len(indexes))
	for _, i := range indexes {
		if i < 0 || i >= int64(len(s)) {
			return nil, fmt.Errorf("stored hash %d of %d", i, len(s))
		}
		found = append(found, s[i])
	}
	return found, nil
}
