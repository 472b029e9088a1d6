package tlog

import (
	"encoding/binary"
	"fmt"
	"strings"

	sumdb "golang.org/x/mod/sumdb/tlog"
)

// TileWidth is how many hashes a full tile, or entries a full bundle, has.
const TileWidth = 1 << tileHeight

const (
	tileHeight = 8
	entryLevel = -1 // a bundle of entries, as in golang.org/x/mod/sumdb/tlog
	maxLevel   = 63 // of C2SP tlog-tiles
)

// MaxEntry is the largest size of an entry, in bytes: a bundle gives it in 16 bits.
const MaxEntry = 1<<16 - 1

// File is one file of what the log publishes, below its root: Path has slashes, whatever the system.
type File struct {
	Path string
	Data []byte
}

// TilePath returns where C2SP tlog-tiles has a tile of height 8: tile/<L>/<N>[.p/<W>], or tile/entries/<N>[.p/<W>] for
// level -1.
func TilePath(t Tile) string {
	path := strings.TrimPrefix(Tile{H: tileHeight, L: t.L, N: t.N, W: t.W}.Path(), "tile/8/")
	if t.L == entryLevel {
		path = "entries" + strings.TrimPrefix(path, "data")
	}
	return "tile/" + path
}

// BundlePath returns where the n-th bundle of entries is, of a width of 1 to TileWidth.
func BundlePath(n int64, width int) string { return TilePath(Tile{L: entryLevel, N: n, W: width}) }

// ParseTilePath reads what TilePath writes, and nothing else.
func ParseTilePath(path string) (Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return Tile{}, fmt.Errorf("no tile is at %.80q", path)
	}
	if n, ok := strings.CutPrefix(rest, "entries/"); ok {
		rest = "data/" + n
	}
	t, err := sumdb.ParseTilePath("tile/8/" + rest)
	if err != nil || t.L > maxLevel || TilePath(t) != path {
		return Tile{}, fmt.Errorf("no tile is at %.80q", path)
	}
	return t, nil
}

// Tiles returns the tiles that a log of the new size has and one of the old size has not, full and partial, in the order
// in which they may be published: a tile before those above it. Old ones stay valid.
func Tiles(oldSize, newSize int64, stored HashReader) ([]File, error) {
	var files []File
	for _, t := range sumdb.NewTiles(tileHeight, oldSize, newSize) {
		data, err := sumdb.ReadTileData(t, stored)
		if err != nil {
			return nil, fmt.Errorf("tile %s: %w", TilePath(t), err)
		}
		files = append(files, File{TilePath(t), data})
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

// NewTileReader reads a published log's hashes through fetch, which returns the file at a path: hand it to
// sumdb.TileHashReader, which checks each tile against a checkpoint's root before using it.
func NewTileReader(fetch func(path string) ([]byte, error)) sumdb.TileReader {
	return tileReader(fetch)
}

type tileReader func(path string) ([]byte, error)

func (tileReader) Height() int { return tileHeight }

func (r tileReader) ReadTiles(tiles []sumdb.Tile) ([][]byte, error) {
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

func (tileReader) SaveTiles([]sumdb.Tile, [][]byte) {}
