package forget

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"quiniela/internal/journal"
	"quiniela/internal/publish"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/verify"
)

// checkPublished compares the published batches and outcome of the draw with the journal.
func (t *Task) checkPublished(ctx context.Context) error {
	folder := filepath.Join(t.options.Public, "draws", t.options.Draw)
	bundles := &published{public: t.options.Public, folder: filepath.Join(folder, "batches")}
	return t.each(ctx, t.opened, func(_ journal.Entry, entry any) error {
		switch v := entry.(type) {
		case *journal.Batch:
			if v.Draw == t.draw {
				return bundles.same(v)
			}
		case journal.Result:
			if v.Draw == t.draw {
				return sameOutcome(t.options.Public, filepath.Join(folder, "outcome.json"), v)
			}
		}
		return nil
	})
}

// published is the published batches of a draw, which are in the order of the journal.
type published struct {
	public  string
	folder  string
	next    int    // the bundle that comes next
	path    string // of the one that batches are of
	batches []receipt.Bundled
}

// same compares the next published batch with the journal's.
func (p *published) same(b *journal.Batch) error {
	if len(p.batches) == 0 {
		p.path = filepath.Join(p.folder, strconv.Itoa(p.next))
		data, err := os.ReadFile(p.path)
		if err == nil {
			err = receipt.ReadBundle(data, func(b receipt.Bundled) error {
				p.batches = append(p.batches, b)
				return nil
			})
		}
		if err == nil && len(p.batches) == 0 {
			err = errors.New("it is empty")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.path, err)
		}
		p.next++
	}
	have := p.batches[0]
	p.batches = p.batches[1:]
	public, err := receipt.ReadRecords(have.Records, nil)
	if err == nil {
		err = public.Check(have.Entry)
	}
	if err != nil {
		return fmt.Errorf("%s: entry %d: %w", p.path, have.Index, err)
	}
	if b.Root == nil || have.Entry.Root != *b.Root || have.Entry.Agency != b.Agency || have.Entry.Batch != b.Batch || have.Entry.Count != b.Count {
		return fmt.Errorf("%s: entry %d does not have the bets that the journal has", p.path, have.Index)
	}
	leaf, err := p.leaf(int64(have.Index))
	if err == nil && leaf != tlog.LeafHash(have.Bytes) {
		err = fmt.Errorf("entry %d is not what the log has there", have.Index)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.path, err)
	}
	return nil
}

// leaf returns the leaf hash that the published log has of an entry: from its tile, or from the longest part of that.
func (p *published) leaf(index int64) (leaf tlog.Hash, err error) {
	tile := tlog.Tile{N: index / tlog.TileWidth, W: tlog.TileWidth}
	at := int(index%tlog.TileWidth) * tlog.HashSize
	for ; tile.W > int(index%tlog.TileWidth); tile.W-- {
		data, err := os.ReadFile(filepath.Join(p.public, filepath.FromSlash(tlog.TilePath(tile))))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || len(data) < at+tlog.HashSize {
			return leaf, errors.Join(err, fmt.Errorf("the tile of entry %d has %d bytes", index, len(data)))
		}
		return tlog.Hash(data[at:]), nil
	}
	return leaf, fmt.Errorf("the tile of entry %d is not there", index)
}

// sameOutcome compares a draw's published outcome with the journal's result. How its number follows from a beacon was checked
// before it was drawn.
func sameOutcome(public, path string, r journal.Result) error {
	keyPath := filepath.Join(public, publish.VerifierName)
	key, err := os.ReadFile(keyPath)
	if err != nil {
		return err
	}
	policy, err := tlog.TrustLog(strings.TrimSpace(string(key)))
	if err != nil {
		return fmt.Errorf("%s: %w", keyPath, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	found, proven := verify.Outcome(data, policy, nil)
	for _, f := range found {
		if f.State == verify.Failed && f.Step != verify.StepNumber {
			return fmt.Errorf("%s: %s: %w", path, f.Step, f.Err)
		}
	}
	if proven.Result.Number != r.Number || proven.Result.Winners != r.Winners || proven.Result.Drawn != uint64(r.At) {
		return fmt.Errorf("%s has another result than the journal", path)
	}
	return nil
}
