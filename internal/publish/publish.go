// Package publish writes the public log as files that any web server can serve: the tiles, entries and signed checkpoints
// of C2SP tlog-tiles, and for each draw what its result can be checked with. The folder is derived from the ledger and can
// be published again at any time; what must never happen is that it shows less, or anything else, than it has shown before.
// It decides nothing, and holds up no bet.
package publish

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"quiniela/internal/ledger"
	"quiniela/tlog"
)

// FolderName is the folder's name in a data folder.
const FolderName = "public"

// KeyName is the key's name in a data folder.
const KeyName = "log.key"

// usualInterval is how often a checkpoint is signed while the log grows. VERIFIABLE.md asks for one a second at least.
const usualInterval = 500 * time.Millisecond

// Options say what is published where.
type Options struct {
	Dir    string
	Key    Key
	Ledger *ledger.Ledger
	Log    *slog.Logger
	// Interval is the time between two checkpoints while the log grows; 0: half a second. Tests, which wait for files, shorten it.
	Interval time.Duration
	// Cosign, where it is set, is asked for the witnesses' signature lines on a draw's sealed checkpoint, with the log to
	// prove to them that it only grew. What it returns with an error is published all the same; it is not asked again.
	Cosign func(ctx context.Context, signed []byte, log ledger.Log) ([][]byte, error)
}

// Publisher publishes one ledger's log.
type Publisher struct {
	Options
	folder  *folder
	bundles int64 // full bundles of entries that are there
	partial int64 // the log's size when the last partial bundle was written
	done    map[uint64]stage
	before  ledger.Log // as it had been published when this server started

	treesMu sync.Mutex // held while a batch is read for a receipt
	trees   *simplelru.LRU[batchID, ledger.Stored]

	signed atomic.Pointer[signed]
	// witnessed is the newest one that witnesses have cosigned, or nil. It is what receipts show where it has their batch.
	witnessed atomic.Pointer[signed]
	signing   sync.Mutex // held while the signed checkpoint is replaced
	newer     chan struct{}
}

// signed is a checkpoint that has been published.
type signed struct {
	log  ledger.Log
	note []byte
}

// Prepare makes the folder where there is none. It is done before a key is made, so that a start that fails for its folder
// leaves no key.
func Prepare(dir string) error {
	if _, err := openFolder(dir); err != nil {
		return fmt.Errorf("publish the log: %w", err)
	}
	return nil
}

// Open checks that what has been published before is of this log, and publishes what is new.
func Open(ctx context.Context, o Options) (*Publisher, error) {
	if o.Interval == 0 {
		o.Interval = usualInterval
	}
	f, err := openFolder(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("publish the log: %w", err)
	}
	trees, err := simplelru.NewLRU[batchID, ledger.Stored](keptTrees, nil)
	if err != nil {
		return nil, err
	}
	p := &Publisher{Options: o, folder: f, done: map[uint64]stage{}, trees: trees, newer: make(chan struct{})}
	if err := p.resume(); err != nil {
		return nil, fmt.Errorf("publish the log in %s: %w", o.Dir, err)
	}
	if err := f.put(VerifierName, []byte(o.Key.Verifier+"\n")); err != nil {
		return nil, err
	}
	return p, p.publishLog(ctx)
}

// own is the policy that believes this log's key.
func (p *Publisher) own() (*tlog.Policy, error) {
	return tlog.TrustLog(p.Key.Verifier)
}

// resume refuses to go on from a checkpoint that this log does not begin with: whoever has seen it could prove a fraud.
func (p *Publisher) resume() error {
	old, err := p.folder.read(CheckpointName)
	if err != nil {
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
	now := p.Ledger.Log()
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
	for p.folder.has(tlog.BundlePath(p.bundles, tlog.TileWidth)) {
		p.bundles++
	}
	return nil
}

// Run publishes until ctx ends: the log at each interval and once more at the end, and each draw's files when it has come so
// far. What fails is tried again, and said once.
func (p *Publisher) Run(ctx context.Context) {
	var both sync.WaitGroup
	if published := p.before; published.Size > 0 {
		both.Go(func() {
			if err := p.mend(ctx, published); err != nil && ctx.Err() == nil {
				p.Log.Error("publish_log", "result", "fail", "error", err, "next", "the next start compares the published files again")
			}
		})
	}
	both.Go(func() { p.repeat(ctx, "publish_log", p.publishLog) })
	both.Go(func() { p.repeat(ctx, "publish_draws", p.publishDraws) })
	both.Wait()
	if err := p.publishLog(context.WithoutCancel(ctx)); err != nil {
		p.Log.Error("publish_log", "result", "fail", "error", err, "next", "the next start publishes it")
	}
}

func (p *Publisher) repeat(ctx context.Context, what string, do func(context.Context) error) {
	tick := time.NewTicker(p.Interval)
	defer tick.Stop()
	said := ""
	for {
		err := do(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && err.Error() != said:
			said = err.Error()
			p.Log.Error(what, "result", "fail", "error", err, "next", "it is tried again")
		case err == nil && said != "":
			said = ""
			p.Log.Info(what, "result", "success")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// publishLog publishes what the log has more than the last checkpoint: first tiles and entries, and when they are durable
// the checkpoint that speaks of them.
func (p *Publisher) publishLog(ctx context.Context) error {
	last, now := p.signed.Load(), p.Ledger.Log()
	if now.Size == last.log.Size && last.note != nil {
		return p.publishEntries(ctx, now)
	}
	tiles, err := tlog.Tiles(last.log.Size, now.Size, now)
	if err != nil {
		return err
	}
	for _, tile := range tiles {
		if err := p.folder.put(tile.Path, tile.Data); err != nil {
			return err
		}
	}
	if err := p.publishEntries(ctx, now); err != nil { // which flushes the tiles too
		return err
	}
	note, err := p.sign(now.Size, now.Root)
	if err != nil {
		return err
	}
	if err := p.folder.put(CheckpointName, note); err != nil {
		return err
	}
	if err := p.folder.flush(); err != nil {
		return err
	}
	p.signing.Lock()
	defer p.signing.Unlock()
	p.signed.Store(&signed{now, note})
	close(p.newer)
	p.newer = make(chan struct{})
	return nil
}

func (p *Publisher) sign(size int64, root tlog.Hash) ([]byte, error) {
	return tlog.SignCheckpoint(tlog.Checkpoint{Origin: p.Key.Signer.Name(), Size: size, Root: root}, p.Key.Signer)
}

// publishEntries publishes the entries that may be seen: a batch's shows how much its agency sells, which is nobody's
// business while its draw is open.
func (p *Publisher) publishEntries(ctx context.Context, now ledger.Log) error {
	open, err := p.shown(ctx, now)
	if err != nil {
		return err
	}
	for ; (p.bundles+1)*tlog.TileWidth <= open; p.bundles++ {
		if err := p.putBundle(now, p.bundles, tlog.TileWidth); err != nil {
			return err
		}
	}
	rest := now.Size % tlog.TileWidth
	if open == now.Size && rest != 0 && p.partial != now.Size {
		if err := p.putBundle(now, p.bundles, int(rest)); err != nil {
			return err
		}
		p.partial = now.Size
	}
	return p.folder.flush()
}

// shown returns how many entries may be seen: those before the first that can be a batch of an open draw.
func (p *Publisher) shown(ctx context.Context, now ledger.Log) (int64, error) {
	draws, err := p.Ledger.Draws(ctx) // later than now, so that a draw that has closed meanwhile is closed
	shown := now.Size
	for _, d := range draws {
		if d.Public && !d.Sealed {
			shown = min(shown, int64(d.OpenIndex)+1)
		}
	}
	return shown, err
}

func (p *Publisher) putBundle(log ledger.Log, n int64, width int) error {
	bundle, err := bundleOf(log, n, width)
	if err != nil {
		return err
	}
	return p.folder.put(tlog.BundlePath(n, width), bundle)
}

// bundleOf returns the entries of a bundle as it is published.
func bundleOf(log ledger.Log, n int64, width int) (bundle []byte, err error) {
	for i := range int64(width) {
		entry, err := log.Entry(n*tlog.TileWidth + i)
		if err == nil {
			bundle, err = tlog.AppendEntry(bundle, entry)
		}
		if err != nil {
			return nil, err
		}
	}
	return bundle, nil
}
