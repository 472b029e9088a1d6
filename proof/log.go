package proof

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// TileWidth is how many hashes a full tile, or entries a full bundle, has.
const TileWidth = 1 << tileHeight

const (
	tileHeight = 8
	entryLevel = -1 // tlog's level for a tile of entries
	maxLevel   = 63 // C2SP's
)

// File is one file of what the log publishes, below its root: Path has slashes, whatever the system.
type File struct {
	Path string
	Data []byte
}

// LeafHash returns an entry's leaf hash in the log.
func LeafHash(entry []byte) Hash { return tlog.RecordHash(entry) }

// TilePath returns where C2SP tlog-tiles has a tile of height 8: tile/<L>/<N>[.p/<W>], or tile/entries/<N>[.p/<W>] for
// tlog's level -1.
func TilePath(t tlog.Tile) string {
	path := strings.TrimPrefix(tlog.Tile{H: tileHeight, L: t.L, N: t.N, W: t.W}.Path(), "tile/8/")
	if t.L == entryLevel {
		path = "entries" + strings.TrimPrefix(path, "data")
	}
	return "tile/" + path
}

// BundlePath returns where the n-th bundle of entries is, of a width of 1 to TileWidth.
func BundlePath(n int64, width int) string { return TilePath(tlog.Tile{L: entryLevel, N: n, W: width}) }

// ParseTilePath reads what TilePath writes, and nothing else.
func ParseTilePath(path string) (tlog.Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return tlog.Tile{}, fmt.Errorf("no tile is at %.80q", path)
	}
	if n, ok := strings.CutPrefix(rest, "entries/"); ok {
		rest = "data/" + n
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if err != nil || t.L > maxLevel || TilePath(t) != path {
		return tlog.Tile{}, fmt.Errorf("no tile is at %.80q", path)
	}
	return t, nil
}

// Growth is what appending entries to the log adds to it.
type Growth struct {
	Size   int64  // of the log, entries
	Root   Hash   // of the log
	Stored []Hash // to be stored from index tlog.StoredHashCount(old size) on
	Tiles  []File // new, full and partial
}

// Grow appends leaves to a log of size old and returns what changes. stored reads the hashes that the log has so far.
func Grow(old int64, leaves []Hash, stored tlog.HashReader) (Growth, error) {
	if old < 0 {
		return Growth{}, fmt.Errorf("grow a log of size %d", old)
	}
	g := Growth{Size: old + int64(len(leaves))}
	both := &overlay{first: tlog.StoredHashCount(old), below: stored}
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(old+int64(i), leaf, both)
		if err != nil {
			return Growth{}, fmt.Errorf("grow the log: %w", err)
		}
		both.added = append(both.added, more...)
	}
	g.Stored = both.added
	var err error
	if g.Root, err = tlog.TreeHash(g.Size, both); err != nil {
		return Growth{}, fmt.Errorf("grow the log: %w", err)
	}
	g.Tiles, err = Tiles(old, g.Size, both)
	return g, err
}

// overlay reads hashes that are stored and those that are about to be.
type overlay struct {
	first int64 // of added
	added []Hash
	below tlog.HashReader
}

func (o *overlay) ReadHashes(indexes []int64) ([]Hash, error) {
	found := make([]Hash, len(indexes))
	var below []int64
	for i, at := range indexes {
		switch {
		case at < o.first:
			below = append(below, at)
		case at-o.first < int64(len(o.added)):
			found[i] = o.added[at-o.first]
		default:
			return nil, fmt.Errorf("hash %d is past the log's end", at)
		}
	}
	if len(below) == 0 {
		return found, nil
	}
	hashes, err := o.below.ReadHashes(below)
	if err != nil {
		return nil, err
	}
	if len(hashes) != len(below) {
		return nil, fmt.Errorf("%d hashes read where %d were wanted", len(hashes), len(below))
	}
	for i, at := range indexes {
		if at < o.first {
			found[i], hashes = hashes[0], hashes[1:]
		}
	}
	return found, nil
}

// Tiles returns the tiles that a log of the new size has and one of the old size has not, full and partial, in the order
// in which they may be published: a tile before those above it. Old ones stay valid.
func Tiles(oldSize, newSize int64, stored tlog.HashReader) ([]File, error) {
	var files []File
	for _, t := range tlog.NewTiles(tileHeight, oldSize, newSize) {
		data, err := tlog.ReadTileData(t, stored)
		if err != nil {
			return nil, fmt.Errorf("tile %s: %w", TilePath(t), err)
		}
		files = append(files, File{TilePath(t), data})
	}
	return files, nil
}

// Bundles returns the entry bundles that appending entries to a log of size old makes: the last, partial one of the old
// size (nil where old is a multiple of TileWidth), filled up, and the new ones.
func Bundles(old int64, partial []byte, entries [][]byte) ([]File, error) {
	had, err := ParseBundle(partial)
	if err != nil || int64(len(had)) != old%TileWidth {
		return nil, errors.Join(fmt.Errorf("the last bundle of a log of %d entries has %d", old, len(had)), err)
	}
	var files []File
	bundle := slices.Clip(partial)
	for i, entry := range entries {
		if bundle, err = AppendEntry(bundle, entry); err != nil {
			return nil, err
		}
		size := old + int64(i) + 1
		if n := int(size % TileWidth); n == 0 || i == len(entries)-1 {
			if n == 0 {
				n = TileWidth
			}
			files = append(files, File{TilePath(tlog.Tile{L: entryLevel, N: (size - 1) / TileWidth, W: n}), bundle})
			bundle = nil
		}
	}
	return files, nil
}

// AppendEntry appends an entry to a bundle: its length in two bytes, and its bytes.
func AppendEntry(bundle, entry []byte) ([]byte, error) {
	if len(entry) == 0 || len(entry) > MaxEntry {
		return nil, fmt.Errorf("an entry of %d bytes, want 1 to %d", len(entry), MaxEntry)
	}
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...), nil
}

// ParseBundle takes a bundle apart into its entries, which alias it: up to TileWidth.
func ParseBundle(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for rest := bundle; len(rest) > 0; {
		if len(rest) < 2 {
			return nil, fmt.Errorf("entry %d of the bundle: cut short", len(entries))
		}
		size := int(binary.BigEndian.Uint16(rest))
		if rest = rest[2:]; size == 0 || size > len(rest) {
			return nil, fmt.Errorf("entry %d of the bundle: %d bytes where %d are left", len(entries), size, len(rest))
		}
		if len(entries) == TileWidth {
			return nil, fmt.Errorf("more than %d entries in a bundle", TileWidth)
		}
		entries, rest = append(entries, rest[:size:size]), rest[size:]
	}
	return entries, nil
}

// ProveInclusion returns the hashes that lead from entry index to the root of a log of the given size, lowest first.
func ProveInclusion(size, index int64, stored tlog.HashReader) ([]Hash, error) {
	if index < 0 || index >= size {
		return nil, fmt.Errorf("entry %d of a log of %d", index, size)
	}
	return tlog.ProveRecord(size, index, stored)
}

// CheckInclusion returns an error where path does not lead from a leaf at index to the root of a tree of size leaves.
func CheckInclusion(path []Hash, size int64, root Hash, index int64, leaf Hash) error {
	if index < 0 || index >= size {
		return fmt.Errorf("place %d in a tree of %d", index, size)
	}
	return tlog.CheckRecord(path, size, root, index, leaf)
}

// ProveConsistency returns the hashes that show a log of the new size to begin with all of the log of the old size.
// A log of size 0 begins every log: its proof is empty.
func ProveConsistency(oldSize, newSize int64, stored tlog.HashReader) ([]Hash, error) {
	switch {
	case oldSize < 0 || oldSize > newSize:
		return nil, fmt.Errorf("a log of %d entries does not begin with %d", newSize, oldSize)
	case oldSize == 0:
		return nil, nil
	}
	return tlog.ProveTree(newSize, oldSize, stored)
}

// CheckConsistency returns an error where path does not show that the log of newer begins with all of that of older.
func CheckConsistency(path []Hash, older, newer Checkpoint) error {
	if older.Origin != newer.Origin {
		return fmt.Errorf("checkpoints of two logs, %q and %q", older.Origin, newer.Origin)
	}
	switch {
	case older.Size > newer.Size:
		return fmt.Errorf("the newer checkpoint has %d entries, the older one %d", newer.Size, older.Size)
	case older.Size == 0:
		if len(path) > 0 {
			return errors.New("a proof where none is needed")
		}
		return nil
	}
	return tlog.CheckTree(path, newer.Size, newer.Root, older.Size, older.Root)
}

// NewTileReader reads a published log's hashes through fetch, which returns the file at a path: hand it to
// tlog.TileHashReader, which checks each tile against a checkpoint's root before using it.
func NewTileReader(fetch func(path string) ([]byte, error)) tlog.TileReader { return tileReader(fetch) }

type tileReader func(path string) ([]byte, error)

func (tileReader) Height() int { return tileHeight }

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		var err error
		path := TilePath(t)
		if data[i], err = r(path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(data[i]) != t.W*HashSize {
			return nil, fmt.Errorf("%s: %d bytes, want %d", path, len(data[i]), t.W*HashSize)
		}
	}
	return data, nil
}

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
