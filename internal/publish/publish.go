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
	// Cosign, where it is set, asks the witnesses to cosign a checkpoint, with the log to prove to them that it only grew. It returns
	// the checkpoint with the cosignatures that it got, all verified, and whether they are enough for the operator to show it as final.
	// It must come back within a few seconds, whatever the witnesses do. It is asked again for what was not enough.
	Cosign func(ctx context.Context, signed []byte, log ledger.Log) (cosigned []byte, enough bool)
}

// Publisher publishes one ledger's log. Run has a goroutine for each kind of file, so that none waits for another: the seals of draws,
// the tiles with the checkpoint, the entries, and the results with their bets.
type Publisher struct {
	Options
	before ledger.Log // as it had been published when this server started

	tiles   growing // of the goroutine of the tiles, as folder
	folder  *folder
	entries entries // of the goroutine of the entries
	list    []byte  // of the goroutine of the seals: the list of draws as it was published

	mu    sync.Mutex       // guards what follows
	done  map[uint64]stage // how far each draw is, by its ordinal
	retry map[uint64]time.Time
	seals map[uint64]sealed // the final sealed checkpoints, by the draw's ordinal

	cosigning sync.Mutex // held while the witnesses are asked, so that they see the log grow
	signed    atomic.Pointer[signed]
	signing   sync.Mutex // held while the signed checkpoint is replaced
	newer     chan struct{}
}

// signed is a checkpoint that has been signed.
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
	p := &Publisher{
		Options: o, folder: f, done: map[uint64]stage{}, retry: map[uint64]time.Time{}, seals: map[uint64]sealed{}, newer: make(chan struct{}),
	}
	p.entries.folder = f.another()
	if err := p.resume(); err != nil {
		return nil, fmt.Errorf("publish the log in %s: %w", o.Dir, err)
	}
	if err := p.putBeginning(); err != nil {
		return nil, err
	}
	return p, p.publishLog(ctx)
}

// putBeginning puts what says which log this is: its key, and which older log it continues, where it does.
func (p *Publisher) putBeginning() error {
	if p.Ledger.NewLog() != nil {
		if err := p.putEntry(p.folder, ContinuesName, 0); err != nil {
			return err
		}
	}
	return p.folder.put(VerifierName, []byte(p.Key.Verifier+"\n"))
}

// own is the policy that believes this log's key.
func (p *Publisher) own() (*tlog.Policy, error) {
	return tlog.TrustLog(p.Key.Verifier)
}

// Run publishes until ctx ends: the log at each interval and once more at the end, and each draw's files when it has come so
// far. What fails is tried again, and said once.
func (p *Publisher) Run(ctx context.Context) {
	var all sync.WaitGroup
	if published := p.before; published.Size > 0 {
		all.Go(func() {
			if err := p.mend(ctx, published); err != nil && ctx.Err() == nil {
				p.Log.Error("publish_log", "result", "fail", "error", err, "next", "the next start compares the published files again")
			}
		})
	}
	all.Go(func() { p.repeat(ctx, "publish_seals", p.publishSeals) })
	all.Go(func() { p.repeat(ctx, "publish_log", p.publishLog) })
	all.Go(func() { p.repeat(ctx, "publish_entries", p.publishEntries) })
	all.Go(func() { p.repeat(ctx, "publish_draws", p.publishDraws) })
	all.Wait()
	last := context.WithoutCancel(ctx)
	if err := p.publishLog(last); err != nil {
		p.Log.Error("publish_log", "result", "fail", "error", err, "next", "the next start publishes it")
	}
	if err := p.publishEntries(last); err != nil {
		p.Log.Error("publish_entries", "result", "fail", "error", err, "next", "the next start publishes them")
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

func (p *Publisher) sign(log ledger.Log) ([]byte, error) {
	return tlog.SignCheckpoint(tlog.Checkpoint{Origin: p.Key.Signer.Name(), Size: log.Size, Root: log.Root}, p.Key.Signer)
}

// cosign asks the witnesses for their signatures of a checkpoint. Where no witness is asked, the log's own is enough.
func (p *Publisher) cosign(ctx context.Context, s signed) (note []byte, enough bool) {
	if p.Cosign == nil {
		return s.note, true
	}
	return p.Cosign(ctx, s.note, s.log)
}
