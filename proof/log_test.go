package proof_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"quiniela/proof"
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
	size      int64
	root      proof.Hash
	stored    []proof.Hash
	published map[string][]byte
}

func (w *world) ReadHashes(at []int64) ([]proof.Hash, error) {
	var found []proof.Hash
	for _, i := range at {
		if i >= int64(len(w.stored)) {
			return nil, fmt.Errorf("hash %d of %d", i, len(w.stored))
		}
		found = append(found, w.stored[i])
	}
	return found, nil
}

// add appends entries as a server would, and publishes.
func (w *world) add(t testing.TB, all [][]byte) {
	t.Helper()
	var leaves []proof.Hash
	for _, e := range all {
		leaves = append(leaves, proof.LeafHash(e))
	}
	g, err := proof.Grow(w.size, leaves, w)
	if err != nil {
		t.Fatal(err)
	}
	var partial []byte
	if n := int(w.size % proof.TileWidth); n > 0 {
		partial = w.published[proof.TilePath(tlog.Tile{L: -1, N: w.size / proof.TileWidth, W: n})]
	}
	bundles, err := proof.Bundles(w.size, partial, all)
	if err != nil {
		t.Fatal(err)
	}
	if w.published == nil {
		w.published = make(map[string][]byte)
	}
	for _, f := range append(g.Tiles, bundles...) {
		if was, ok := w.published[f.Path]; ok && !bytes.Equal(was, f.Data) {
			t.Errorf("%s is published twice, and differs", f.Path)
		}
		w.published[f.Path] = bytes.Clone(f.Data)
	}
	w.size, w.root, w.stored = g.Size, g.Root, append(w.stored, g.Stored...)
}

func (w *world) fetch(path string) ([]byte, error) {
	if data, ok := w.published[path]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("not found")
}

func TestTilePaths(t *testing.T) {
	for _, c := range []struct {
		tile tlog.Tile
		want string
	}{
		{tlog.Tile{H: 8, L: 0, N: 0, W: 256}, "tile/0/000"},
		{tlog.Tile{H: 8, L: 0, N: 1234067, W: 256}, "tile/0/x001/x234/067"},
		{tlog.Tile{H: 8, L: 1, N: 0, W: 17}, "tile/1/000.p/17"},
		{tlog.Tile{H: 8, L: -1, N: 273, W: 112}, "tile/entries/273.p/112"},
		{tlog.Tile{H: 8, L: -1, N: 1000, W: 256}, "tile/entries/x001/000"},
	} {
		if got := proof.TilePath(c.tile); got != c.want {
			t.Errorf("%+v is at %s, want %s", c.tile, got, c.want)
		}
		if got, err := proof.ParseTilePath(c.want); err != nil || got != c.tile {
			t.Errorf("%s is %+v, %v; want %+v", c.want, got, err, c.tile)
		}
	}
	for _, bad := range []string{"", "tile/", "tile/8/0/000", "tile/0/00", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/0000", "tile/data/000", "tile/0/x000/000",
		"tile/-1/000", "tile/00/000", "tile/64/000", "tile/0/000/", "/tile/0/000", "tile/0/../000", "tile/entries/entries/000", "tile/0/1000"} {
		if got, err := proof.ParseTilePath(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

// C2SP tlog-tiles's own example.
func TestThePublishedFilesOfALogOf70000(t *testing.T) {
	var w world
	w.add(t, entries(70000))
	count := map[string]int{}
	for path, data := range w.published {
		tile, err := proof.ParseTilePath(path)
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
	all := entries(1500)
	var once world
	once.add(t, all)
	for _, step := range []int{1, 7, 255, 256, 257, 1000} {
		var w world
		for at := 0; at < len(all); at += step {
			w.add(t, all[at:min(at+step, len(all))])
			w.check(t, all)
		}
		if w.root != once.root || !cmp.Equal(w.stored, once.stored) {
			t.Errorf("in steps of %d the log is another", step)
		}
	}
}

// check reads all entries back from what is published, and the root from the tiles.
func (w *world) check(t *testing.T, all [][]byte) {
	t.Helper()
	tree := tlog.Tree{N: w.size, Hash: w.root}
	reader := tlog.TileHashReader(tree, proof.NewTileReader(w.fetch))
	if got, err := tlog.TreeHash(w.size, reader); err != nil || got != w.root {
		t.Fatalf("from its tiles the log of %d has the root %v, %v; want %v", w.size, got, err, w.root)
	}
	last := (w.size - 1) / proof.TileWidth
	tile := tlog.Tile{L: -1, N: last, W: int(w.size - last*proof.TileWidth)}
	got, err := proof.ParseBundle(w.published[proof.TilePath(tile)])
	if want := all[last*proof.TileWidth : w.size]; err != nil || !cmp.Equal(got, want) {
		t.Fatalf("the last bundle of %d: %v\n%s", w.size, err, cmp.Diff(want, got))
	}
}

func TestAForgedTileIsNoticed(t *testing.T) {
	var w world
	w.add(t, entries(600))
	w.published["tile/0/001"][77] ^= 1
	reader := tlog.TileHashReader(tlog.Tree{N: w.size, Hash: w.root}, proof.NewTileReader(w.fetch))
	if _, err := proof.ProveInclusion(w.size, 300, reader); err == nil {
		t.Error("a proof is made from a forged tile")
	}
	w.published["tile/0/001"] = w.published["tile/0/001"][:8191]
	if _, err := proof.ProveInclusion(w.size, 300, reader); err == nil {
		t.Error("a proof is made from a tile cut short")
	}
}

func TestInclusionAndConsistency(t *testing.T) {
	const most = 40
	all := entries(most)
	var w world
	roots := []proof.Checkpoint{{Origin: "o", Root: proof.TreeHash(nil)}}
	for i := range all {
		w.add(t, all[i:i+1])
		roots = append(roots, proof.Checkpoint{Origin: "o", Size: w.size, Root: w.root})
	}
	for n := range int64(most + 1) {
		for i := range n {
			path, err := proof.ProveInclusion(n, i, &w)
			leaf := proof.LeafHash(all[i])
			if err != nil || proof.CheckInclusion(path, n, roots[n].Root, i, leaf) != nil {
				t.Fatalf("entry %d of %d: %v", i, n, err)
			}
			for j := range most + 2 {
				if int64(j) != i && proof.CheckInclusion(path, n, roots[n].Root, int64(j), leaf) == nil {
					t.Errorf("entry %d of %d passes for entry %d", i, n, j)
				}
			}
			if proof.CheckInclusion(path, n, roots[n].Root, i, proof.LeafHash([]byte("x"))) == nil {
				t.Errorf("anything is entry %d of %d", i, n)
			}
		}
		for m := range n + 1 {
			path, err := proof.ProveConsistency(m, n, &w)
			if err != nil {
				t.Fatal(err)
			}
			if err := proof.CheckConsistency(path, roots[m], roots[n]); err != nil {
				t.Errorf("%d begins %d: %v", m, n, err)
			}
			forged := roots[m]
			forged.Root[3] ^= 1
			if m > 0 && proof.CheckConsistency(path, forged, roots[n]) == nil {
				t.Errorf("another log of %d begins %d", m, n)
			}
			if proof.CheckConsistency(append(path, proof.Hash{}), roots[m], roots[n]) == nil {
				t.Errorf("a longer proof that %d begins %d is accepted", m, n)
			}
		}
	}
	other := roots[4]
	other.Origin = "another"
	if proof.CheckConsistency(nil, roots[4], other) == nil || proof.CheckConsistency(nil, roots[4], roots[3]) == nil {
		t.Error("checkpoints of two logs, or of a log that shrank, are consistent")
	}
}

func TestGrowthThatCannotBe(t *testing.T) {
	var w world
	w.add(t, entries(5))
	if _, err := proof.Grow(-1, nil, &w); err == nil {
		t.Error("a log of size -1 grows")
	}
	if _, err := proof.Grow(6, []proof.Hash{{}}, &world{}); err == nil {
		t.Error("a log grows without its hashes")
	}
	for _, c := range []struct {
		old     int64
		partial []byte
		entry   []byte
	}{{1, nil, []byte("x")}, {0, []byte{0, 1, 'x'}, []byte("x")}, {1, []byte{0, 2, 'x'}, []byte("x")}, {0, nil, nil}, {0, nil, make([]byte, 1<<16)}} {
		if files, err := proof.Bundles(c.old, c.partial, [][]byte{c.entry}); err == nil {
			t.Errorf("%d, %q: %v", c.old, c.partial, files)
		}
	}
	if _, err := proof.ProveInclusion(5, 5, &w); err == nil {
		t.Error("entry 5 of 5 has a proof")
	}
	if _, err := proof.ProveConsistency(6, 5, &w); err == nil {
		t.Error("6 begins 5")
	}
}

func TestBundles(t *testing.T) {
	bundle, err := proof.AppendEntry([]byte{0, 1, 'a'}, bytes.Repeat([]byte{'b'}, 300))
	if err != nil || len(bundle) != 3+2+300 || bundle[3] != 1 || bundle[4] != 44 {
		t.Errorf("%x, %v", bundle, err)
	}
	got, err := proof.ParseBundle(bundle)
	if err != nil || len(got) != 2 || string(got[0]) != "a" || len(got[1]) != 300 {
		t.Errorf("%q, %v", got, err)
	}
	full := bytes.Repeat([]byte{0, 1, 'a'}, 256)
	if got, err := proof.ParseBundle(full); err != nil || len(got) != 256 {
		t.Errorf("a full bundle: %d, %v", len(got), err)
	}
	for _, bad := range [][]byte{{0}, {0, 0}, {0, 2, 'a'}, append(full, 0, 1, 'a')} {
		if got, err := proof.ParseBundle(bad); err == nil {
			t.Errorf("%d bytes: %d entries", len(bad), len(got))
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 2, 'b', 'c'})
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := proof.ParseBundle(data)
		if err != nil {
			return
		}
		var again []byte
		for _, e := range all {
			if again, err = proof.AppendEntry(again, e); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(again, data) {
			t.Errorf("%x is written as %x", data, again)
		}
	})
}

func BenchmarkGrow(b *testing.B) {
	var w world
	w.add(b, entries(100000))
	leaves := make([]proof.Hash, 1000)
	for b.Loop() {
		if _, err := proof.Grow(w.size, leaves, &w); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(leaves)), "ns/batch")
}
