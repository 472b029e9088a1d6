package publish

import (
	"context"
	"fmt"
	"path/filepath"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/internal/ledger"
	"quiniela/tlog"
)

// resume refuses to go on from a checkpoint that this log does not begin with: whoever has seen it could prove a fraud. Checkpoints are
// signed before their files are written, so those of the seals may be newer than the newest one.
func (p *Publisher) resume() error {
	old, err := p.folder.read(CheckpointName)
	if err != nil {
		return err
	}
	now := p.Ledger.Log()
	if err := p.compareSeals(now); err != nil {
		return err
	}
	if old == nil {
		p.signed.Store(&signed{})
		return nil
	}
	policy, err := p.own()
	if err != nil {
		return err
	}
	seen, err := policy.VerifyCheckpoint(old)
	if err != nil {
		return p.spoiled(err, now)
	}
	then, err := begins(seen.Checkpoint, now)
	if err != nil {
		return err
	}
	p.signed.Store(&signed{then, old})
	p.before = then
	return p.tiles.load(then)
}

// compareSeals refuses the seals of draws that were published and are not of this log. One that cannot be read, or is not this key's, is
// published again, or is a fault of the checkpoint as well.
func (p *Publisher) compareSeals(now ledger.Log) error {
	policy, err := p.own()
	if err != nil {
		return err
	}
	for _, pattern := range []string{sealedName, unwitnessedName} {
		paths, err := filepath.Glob(filepath.Join(p.folder.path("draws"), "*", pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			name, err := filepath.Rel(p.folder.root, path)
			if err != nil {
				return err
			}
			note, err := p.folder.read(filepath.ToSlash(name))
			if err != nil {
				return err
			}
			seen, bad := policy.VerifyCheckpoint(note)
			if bad != nil {
				continue
			}
			if _, err := begins(seen.Checkpoint, now); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// growing is the log's tiles as they are laid out so far: the hashes that each level's last, partial tile has. It is kept so that no hash
// is read back from the database.
type growing struct {
	size   int64
	levels [][]byte
}

// load reads the partial tiles of a log.
func (g *growing) load(log ledger.Log) error {
	*g = growing{size: log.Size}
	for level, n := 0, log.Size; n > 0; level, n = level+1, n/tlog.TileWidth {
		tile := sumdb.Tile{H: 8, L: level, N: n / tlog.TileWidth, W: int(n % tlog.TileWidth)}
		var hashes []byte
		if tile.W > 0 {
			var err error
			if hashes, err = sumdb.ReadTileData(tile, log); err != nil {
				return err
			}
		}
		g.levels = append(g.levels, hashes)
	}
	return nil
}

// add lays out one more entry, by the hashes that it adds to the tree, and calls full with each tile that becomes full.
func (g *growing) add(hashes []byte, full func(tlog.File) error) error {
	g.size++
	for level, n := 0, g.size; len(hashes) >= tlog.HashSize; level, n = level+1, n/tlog.TileWidth {
		if level == len(g.levels) {
			g.levels = append(g.levels, nil)
		}
		g.levels[level] = append(g.levels[level], hashes[:tlog.HashSize]...)
		if n%tlog.TileWidth != 0 {
			return nil
		}
		tile := sumdb.Tile{L: level, N: n/tlog.TileWidth - 1, W: tlog.TileWidth}
		if err := full(tlog.File{Path: tlog.TilePath(tile), Data: g.levels[level]}); err != nil {
			return err
		}
		g.levels[level] = nil
		hashes = hashes[min(tileHeight*tlog.HashSize, len(hashes)):]
	}
	return nil
}

// tileHeight is how many levels of the tree a tile has: its root is the next level's hash.
const tileHeight = 8

// partial returns the tiles that are not full.
func (g *growing) partial() (files []tlog.File) {
	for level, hashes := range g.levels {
		if len(hashes) > 0 {
			n := g.size >> (tileHeight * level) / tlog.TileWidth
			tile := sumdb.Tile{L: level, N: n, W: len(hashes) / tlog.HashSize}
			files = append(files, tlog.File{Path: tlog.TilePath(tile), Data: hashes})
		}
	}
	return files
}

// publishLog publishes what the log has more than the last checkpoint: first the tiles, and when they are durable the checkpoint that
// speaks of them.
func (p *Publisher) publishLog(context.Context) error {
	last, now := p.signed.Load(), p.Ledger.Log()
	if now.Size == last.log.Size && last.note != nil {
		return nil
	}
	if err := p.putTiles(now); err != nil {
		p.tiles = growing{} // which files are there is not known: the next time lays them out again
		return err
	}
	note, err := p.sign(now)
	if err != nil {
		return err
	}
	if err := p.folder.putLast(CheckpointName, note); err != nil {
		return err
	}
	p.signing.Lock()
	defer p.signing.Unlock()
	p.signed.Store(&signed{now, note})
	close(p.newer)
	p.newer = make(chan struct{})
	return nil
}

// putTiles puts the tiles that the log has more than were laid out.
func (p *Publisher) putTiles(now ledger.Log) error {
	if at := p.signed.Load().log; p.tiles.size < at.Size {
		if err := p.tiles.load(at); err != nil {
			return err
		}
	}
	put := func(f tlog.File) error { return p.folder.put(f.Path, f.Data) }
	err := now.Each(p.tiles.size, now.Size, func(_ int64, _, hashes []byte) error { return p.tiles.add(hashes, put) })
	if err != nil {
		return err
	}
	for _, f := range p.tiles.partial() {
		if err := put(f); err != nil {
			return err
		}
	}
	return nil
}
