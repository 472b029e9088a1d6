package tlog_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/tlog"
)

// entries are n entries of a log.
func entries(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = fmt.Appendf(nil, "entry %d", i)
	}
	return all
}

// world is a log with what it stores and publishes.
type world struct {
	tree      tlog.CompactRange
	stored    tlog.StoredHashes
	entries   [][]byte
	published map[string][]byte
}

// add appends entries and publishes, as the publisher does.
func (w *world) add(t testing.TB, all [][]byte) {
	t.Helper()
	old := w.tree.Size()
	for _, e := range all {
		w.stored = w.tree.Append(w.stored, tlog.LeafHash(e))
	}
	w.entries = append(w.entries, all...)
	files, err := tlog.Tiles(old, w.tree.Size(), w.stored)
	if err != nil {
		t.Fatal(err)
	}
	for n := old / tlog.TileWidth; n*tlog.TileWidth < w.tree.Size(); n++ {
		files = append(files, w.bundle(t, n))
	}
	if w.published == nil {
		w.published = make(map[string][]byte)
	}
	for _, f := range files {
		if was, ok := w.published[f.Path]; ok && !bytes.Equal(was, f.Data) {
			t.Errorf("%s is published twice, and differs", f.Path)
		}
		w.published[f.Path] = bytes.Clone(f.Data)
	}
}

// bundle returns the n-th bundle of entries, as far as there are entries.
func (w *world) bundle(t testing.TB, n int64) tlog.File {
	t.Helper()
	entries := w.entries[n*tlog.TileWidth : min((n+1)*tlog.TileWidth, w.tree.Size())]
	var bundle []byte
	for _, e := range entries {
		var err error
		if bundle, err = tlog.AppendEntry(bundle, e); err != nil {
			t.Fatal(err)
		}
	}
	return tlog.File{Path: tlog.BundlePath(n, len(entries)), Data: bundle}
}

func (w *world) fetch(path string) ([]byte, error) {
	if data, ok := w.published[path]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("not found")
}

func TestTilePaths(t *testing.T) {
	for _, c := range []struct {
		tile sumdb.Tile
		want string
	}{
		{sumdb.Tile{H: 8, L: 0, N: 0, W: 256}, "tile/0/000"},
		{sumdb.Tile{H: 8, L: 0, N: 1234067, W: 256}, "tile/0/x001/x234/067"},
		{sumdb.Tile{H: 8, L: 1, N: 0, W: 17}, "tile/1/000.p/17"},
		{sumdb.Tile{H: 8, L: -1, N: 273, W: 112}, "tile/entries/273.p/112"},
		{sumdb.Tile{H: 8, L: -1, N: 1000, W: 256}, "tile/entries/x001/000"},
	} {
		if got := tlog.TilePath(c.tile); got != c.want {
			t.Errorf("%+v is at %s, want %s", c.tile, got, c.want)
		}
		if got, err := tlog.ParseTilePath(c.want); err != nil || got != c.tile {
			t.Errorf("%s is %+v, %v; want %+v", c.want, got, err, c.tile)
		}
	}
	for _, bad := range []string{"", "tile/", "tile/8/0/000", "tile/0/00", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/0000", "tile/data/000", "tile/0/x000/000",
		"tile/-1/000", "tile/00/000", "tile/64/000", "tile/0/000/", "/tile/0/000", "tile/0/../000", "tile/entries/entries/000", "tile/0/1000"} {
		if got, err := tlog.ParseTilePath(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

// C2SP tlog-tiles's own example.
func TestThePublishedFilesOfALogOf70000(t *testing.T) {
	t.Parallel()
	var w world
	w.add(t, entries(70000))
	count := map[string]int{}
	for path, data := range w.published {
		tile, err := tlog.ParseTilePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if tile.L >= 0 && len(data) != 32*tile.W {
			t.Errorf("%s has %d bytes", path, len(data))
		}
		count[fmt.Sprintf("level %d width %d", tile.L, tile.W)]++
	}
	want := map[string]int{"level 0 width 256": 273, "level 0 width 112": 1, "level 1 width 256": 1, "level 1 width 17": 1, "level 2 width 1": 1,
		"level -1 width 256": 273, "level -1 width 112": 1}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Error(diff)
	}
}

func TestALogGrowsTheSameInAnySteps(t *testing.T) {
	t.Parallel()
	all := entries(1500)
	var once world
	once.add(t, all)
	for _, step := range []int{1, 7, 255, 256, 257, 1000} {
		var w world
		for at := 0; at < len(all); at += step {
			w.add(t, all[at:min(at+step, len(all))])
			w.check(t, all)
		}
		if w.tree.Root() != once.tree.Root() || !slices.Equal(w.stored, once.stored) {
			t.Errorf("in steps of %d the log is another", step)
		}
	}
}

// check reads all entries back from what is published, and the root from the tiles.
func (w *world) check(t *testing.T, all [][]byte) {
	t.Helper()
	tree := sumdb.Tree{N: w.tree.Size(), Hash: w.tree.Root()}
	reader := sumdb.TileHashReader(tree, tlog.NewTileReader(w.fetch))
	if got, err := sumdb.TreeHash(w.tree.Size(), reader); err != nil || got != w.tree.Root() {
		t.Fatalf("from its tiles the log of %d has the root %v, %v; want %v", w.tree.Size(), got, err, w.tree.Root())
	}
	last := (w.tree.Size() - 1) / tlog.TileWidth
	tile := sumdb.Tile{L: -1, N: last, W: int(w.tree.Size() - last*tlog.TileWidth)}
	got, err := tlog.ParseBundle(w.published[tlog.TilePath(tile)])
	if want := all[last*tlog.TileWidth : w.tree.Size()]; err != nil || !slices.EqualFunc(got, want, bytes.Equal) {
		t.Fatalf("the last bundle of %d: %v\n%s", w.tree.Size(), err, cmp.Diff(want, got))
	}
}

func TestAForgedTileIsNoticed(t *testing.T) {
	var w world
	w.add(t, entries(600))
	w.published["tile/0/001"][77] ^= 1
	reader := sumdb.TileHashReader(sumdb.Tree{N: w.tree.Size(), Hash: w.tree.Root()}, tlog.NewTileReader(w.fetch))
	if _, err := tlog.ProveInclusion(w.tree.Size(), 300, reader); err == nil {
		t.Error("a proof is made from a forged tile")
	}
	w.published["tile/0/001"] = w.published["tile/0/001"][:8191]
	if _, err := tlog.ProveInclusion(w.tree.Size(), 300, reader); err == nil {
		t.Error("a proof is made from a tile cut short")
	}
}

func TestInclusionAndConsistency(t *testing.T) {
	const most = 40
	all := entries(most)
	var w world
	roots := []tlog.Checkpoint{{Origin: "o", Root: tlog.EmptyRoot}}
	for i := range all {
		w.add(t, all[i:i+1])
		roots = append(roots, tlog.Checkpoint{Origin: "o", Size: w.tree.Size(), Root: w.tree.Root()})
	}
	for n := range int64(most + 1) {
		for i := range n {
			path, err := tlog.ProveInclusion(n, i, w.stored)
			leaf := tlog.LeafHash(all[i])
			if err != nil || tlog.CheckInclusion(path, n, roots[n].Root, i, leaf) != nil {
				t.Fatalf("entry %d of %d: %v", i, n, err)
			}
			if root := tlog.RootAfter(path, n, i, leaf); root != roots[i+1].Root {
				t.Errorf("the root after entry %d, by its proof in a log of %d, is %v, want %v", i, n, root, roots[i+1].Root)
			}
			for j := range most + 2 {
				if int64(j) != i && tlog.CheckInclusion(path, n, roots[n].Root, int64(j), leaf) == nil {
					t.Errorf("entry %d of %d passes for entry %d", i, n, j)
				}
			}
			if tlog.CheckInclusion(path, n, roots[n].Root, i, tlog.LeafHash([]byte("x"))) == nil {
				t.Errorf("anything is entry %d of %d", i, n)
			}
		}
		for m := range n + 1 {
			path, err := tlog.ProveConsistency(m, n, w.stored)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckConsistency(path, roots[m], roots[n]); err != nil {
				t.Errorf("%d begins %d: %v", m, n, err)
			}
			forged := roots[m]
			forged.Root[3] ^= 1
			if m > 0 && tlog.CheckConsistency(path, forged, roots[n]) == nil {
				t.Errorf("another log of %d begins %d", m, n)
			}
			if tlog.CheckConsistency(append(path, tlog.Hash{}), roots[m], roots[n]) == nil {
				t.Errorf("a longer proof that %d begins %d is accepted", m, n)
			}
		}
	}
	other := roots[4]
	other.Origin = "another"
	if tlog.CheckConsistency(nil, roots[4], other) == nil || tlog.CheckConsistency(nil, roots[4], roots[3]) == nil {
		t.Error("checkpoints of two logs, or of a log that shrank, are consistent")
	}
}

func TestProofsAndEntriesThatCannotBe(t *testing.T) {
	var w world
	w.add(t, entries(5))
	if _, err := tlog.Tiles(5, 6, w.stored); err == nil {
		t.Error("tiles of a log without its hashes")
	}
	for _, entry := range [][]byte{nil, make([]byte, tlog.MaxEntry+1)} {
		if bundle, err := tlog.AppendEntry(nil, entry); err == nil {
			t.Errorf("an entry of %d bytes is in a bundle of %d", len(entry), len(bundle))
		}
	}
	if _, err := tlog.ProveInclusion(5, 5, w.stored); err == nil {
		t.Error("entry 5 of 5 has a proof")
	}
	if _, err := tlog.ProveConsistency(6, 5, w.stored); err == nil {
		t.Error("6 begins 5")
	}
}

func TestBundles(t *testing.T) {
	bundle, err := tlog.AppendEntry([]byte{0, 1, 'a'}, bytes.Repeat([]byte{'b'}, 300))
	if err != nil || len(bundle) != 3+2+300 || bundle[3] != 1 || bundle[4] != 44 {
		t.Errorf("%x, %v", bundle, err)
	}
	got, err := tlog.ParseBundle(bundle)
	if err != nil || len(got) != 2 || string(got[0]) != "a" || len(got[1]) != 300 {
		t.Errorf("%q, %v", got, err)
	}
	full := bytes.Repeat([]byte{0, 1, 'a'}, 256)
	if got, err := tlog.ParseBundle(full); err != nil || len(got) != 256 {
		t.Errorf("a full bundle: %d, %v", len(got), err)
	}
	for _, bad := range [][]byte{{0}, {0, 0}, {0, 2, 'a'}, append(full, 0, 1, 'a')} {
		if got, err := tlog.ParseBundle(bad); err == nil {
			t.Errorf("%d bytes: %d entries", len(bad), len(got))
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 2, 'b', 'c'})
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := tlog.ParseBundle(data)
		if err != nil {
			return
		}
		var again []byte
		for _, e := range all {
			if again, err = tlog.AppendEntry(again, e); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(again, data) {
			t.Errorf("%x is written as %x", data, again)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	var tree tlog.CompactRange
	var stored []tlog.Hash
	for b.Loop() {
		stored = tree.Append(stored[:0], tlog.Hash{})
	}
}
