package publish

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela/internal/ledger"
	"quiniela/tlog"
)

// Names in the public folder.
const (
	CheckpointName = "checkpoint"
	VerifierName   = "log.vkey"
	ContinuesName  = "continues" // the log's first entry, where it names an older log that it continues
)

// ReadCheckpoint returns the newest signed checkpoint of a public folder, verified with the key that lies beside it, and the
// zero Checkpoint where nothing was published. The key is the folder's own, so this finds rot, and not a forger.
func ReadCheckpoint(dir string) (tlog.Checkpoint, error) {
	f := &folder{root: dir}
	note, err := f.read(CheckpointName)
	if err != nil || note == nil {
		return tlog.Checkpoint{}, err
	}
	key, err := f.read(VerifierName)
	if err != nil {
		return tlog.Checkpoint{}, err
	}
	policy, err := tlog.TrustLog(strings.TrimSpace(string(key)))
	if err != nil {
		return tlog.Checkpoint{}, fmt.Errorf("%s: %w", f.path(VerifierName), err)
	}
	opened, err := policy.VerifyCheckpoint(note)
	if err != nil {
		return tlog.Checkpoint{}, fmt.Errorf("%s: %w", f.path(CheckpointName), err)
	}
	return opened.Checkpoint, nil
}

// Compare reports that what was published in dir is not of this log, for a server that does not publish: it must not go on
// with a journal that has lost what was shown.
func Compare(dir string, l *ledger.Ledger) error {
	seen, err := ReadCheckpoint(dir)
	if err == nil && seen.Size > 0 {
		_, err = begins(seen, l.Log())
	}
	if err != nil {
		return fmt.Errorf("compare with what is published in %s: %w", dir, err)
	}
	return nil
}

// begins returns the log as it was at a checkpoint, and an error where it does not begin with what the checkpoint says.
func begins(seen tlog.Checkpoint, now ledger.Log) (then ledger.Log, err error) {
	if seen.Size > now.Size {
		return then, fmt.Errorf("a checkpoint of %d entries was published, and the journal gives %d: entries were lost, or the folders do not belong together; "+
			"keep both as they are, and find the journal or the backup that has them all; "+
			"where nobody has, `quiniela restore --new-log` begins another log (docs/OPERATIONS.md)", seen.Size, now.Size)
	}
	root := new(tlog.CompactRange).Root()
	if seen.Size > 0 {
		if root, err = sumdb.TreeHash(seen.Size, now); err != nil {
			return then, err
		}
	}
	if root != seen.Root {
		return then, fmt.Errorf("the checkpoint that was published of %d entries is not of this journal: keep both as they are, and find the journal that it is of", seen.Size)
	}
	return now.At(seen.Size, root), nil
}

// spoiled decides what to do with a published checkpoint that does not verify. Where the folder is of this log's key and no
// tile of it says anything else than the log, only the checkpoint has rotted, and all is published again.
func (p *Publisher) spoiled(cause error, now ledger.Log) error {
	key, err := p.folder.read(VerifierName)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(key)) != p.Key.Verifier {
		return fmt.Errorf("its checkpoint: %w; is log.key another log's?", cause)
	}
	for n := int64(0); ; n++ {
		path := tlog.TilePath(sumdb.Tile{H: 8, L: 0, N: n, W: tlog.TileWidth})
		have, err := p.folder.read(path)
		if err != nil || have == nil {
			p.Log.Warn("publish_log", "result", "in_progress", "doing", "signing and publishing the log again", "error", cause)
			p.signed.Store(&signed{})
			return err
		}
		if (n+1)*tlog.TileWidth > now.Size {
			return fmt.Errorf("its checkpoint: %w; %s was published, and the journal gives %d entries: entries were lost", cause, path, now.Size)
		}
		want, err := sumdb.ReadTileData(sumdb.Tile{H: 8, L: 0, N: n, W: tlog.TileWidth}, now)
		if err != nil {
			return err
		}
		if !bytes.Equal(have, want) {
			return fmt.Errorf("its checkpoint: %w; and %s is not of this journal", cause, path)
		}
	}
}

// mend compares the tiles and bundles that were published before this start with the log, and publishes again what is missing
// or spoiled.
func (p *Publisher) mend(ctx context.Context, log ledger.Log) error {
	f := p.folder.another()
	mended := 0
	put := func(path string, want []byte) error {
		if have, err := f.read(path); err != nil || bytes.Equal(have, want) {
			return err
		}
		mended++
		return f.put(path, want)
	}
	const step = 64 * tlog.TileWidth
	for from := int64(0); from < log.Size && ctx.Err() == nil; from += step {
		until := min(from+step, log.Size)
		tiles, err := tlog.Tiles(from, until, log)
		if err != nil {
			return err
		}
		for _, tile := range tiles {
			if strings.Contains(tile.Path, ".p/") && until != log.Size {
				continue // of a size that was never published
			}
			if err := put(tile.Path, tile.Data); err != nil {
				return err
			}
		}
	}
	var e entries
	for n := int64(0); (n+1)*tlog.TileWidth <= log.Size && ctx.Err() == nil; n++ {
		if !f.has(tlog.BundlePath(n, tlog.TileWidth)) {
			continue // it waits for its draws, or is published again like a new one
		}
		_, bundle, err := e.read(log, n, tlog.TileWidth)
		if err == nil {
			err = put(tlog.BundlePath(n, tlog.TileWidth), bundle)
		}
		if err != nil {
			return err
		}
	}
	if mended > 0 {
		p.Log.Warn("publish_log", "result", "success", "published_again", mended, "error", "these files were missing or spoiled")
	}
	return f.flush()
}
