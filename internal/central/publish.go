package central

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quiniela"
	"quiniela/internal/publish"
	"quiniela/internal/server"
)

// PublicLog says how the public log is signed. It is published in the data folder, under publish.FolderName.
type PublicLog struct {
	Key    string // file of the key, made at the first start; "" is publish.KeyName in the data folder
	Origin string // the log's name, for a key that is made; "" is the key's, or publish.DefaultOrigin
	// Witnesses are asked to cosign the seal of each draw, and its outcome.
	Witnesses []Witness
	// Quorum is how many of them must have cosigned a checkpoint that is shown as final; 0: one, where there are any.
	Quorum int
	// Interval is the time between two checkpoints; 0: publish's own.
	Interval time.Duration
}

func (c *Central) publicFolder() string { return filepath.Join(c.options.Dir, publish.FolderName) }

// openPublisher opens the publisher, and has the server give proofs. Without a public log it only checks that the ledger has
// all that was published before.
func (c *Central) openPublisher(ctx context.Context) error {
	if c.options.PublicLog == nil {
		return publish.Compare(c.publicFolder(), c.Ledger)
	}
	if c.options.PublicLog.Key == "" && c.options.Journal.URL != "" {
		c.log.Warn("publish_log", "result", "fail", "error", "servers that share a journal share one log and one key: give it to each with SERVER_LOG_KEY. Until then this one publishes nothing and has no proofs")
		return nil
	}
	// The folder before the key: a start that fails for its folder leaves no key.
	if err := publish.Prepare(c.publicFolder()); err != nil {
		return err
	}
	key, err := c.loadLogKey()
	if err != nil {
		return err
	}
	o := publish.Options{Dir: c.publicFolder(), Key: key, Ledger: c.Ledger, Log: c.log, Interval: c.options.PublicLog.Interval}
	if len(c.options.PublicLog.Witnesses) > 0 {
		if o.Cosign, err = c.cosigner(key.Verifier); err != nil {
			return err
		}
	}
	if err := c.askWitnesses(ctx, key); err != nil {
		return err
	}
	p, err := publish.Open(ctx, o)
	if err != nil {
		return err
	}
	c.Publisher = p
	c.server.SetProofs(func(ctx context.Context, draw uint64, agency quiniela.Agency) (server.Lines, error) {
		return p.Proofs(ctx, draw, agency)
	})
	c.log.Info("publish_log", "result", "success", "key", key.Verifier)
	return nil
}

// loadLogKey reads the log's key, and makes it at the first start. A log with more than its first draw's opening was signed
// before: a new key would be another log under its name.
func (c *Central) loadLogKey() (publish.Key, error) {
	path := c.options.PublicLog.Key
	if path == "" {
		path = filepath.Join(c.options.Dir, publish.KeyName)
	}
	info, err := os.Stat(path)
	absent := errors.Is(err, fs.ErrNotExist)
	empty := err == nil && info.Size() == 0 // a first start that was cut off
	begun := c.Ledger.NewLog()
	if size := c.Ledger.Log().Size; (size > 1 || begun != nil) && (absent || empty) {
		return publish.Key{}, fmt.Errorf("the public log has %d entries, and its key %s is not there: put it back from where you keep it, or name its place with SERVER_LOG_KEY; "+
			"to take bets without signing or publishing anything until then: --no-public-log", size, path)
	}
	if empty {
		if err := os.Remove(path); err != nil {
			return publish.Key{}, fmt.Errorf("the log's key %s is empty: %w", path, err)
		}
	}
	key, err := publish.LoadKey(path, c.options.PublicLog.Origin)
	if err == nil && begun != nil && key.Verifier != begun.Key {
		err = fmt.Errorf("the key %s is of the log %s, and the journal began a new one, %s, when it was restored: its key was made in the folder of the restore", path, key.Verifier, begun.Key)
	}
	return key, err
}
