package central

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/operators"
	"quiniela/internal/registry"
)

// oldKeyName is the file with the one operator's key of before there were names.
const oldKeyName = "operator.key"

// oldOperator is the name that whoever has that key gets.
const oldOperator = "operator"

// openOperators reads the registry of those who run the lottery.
func (c *Central) openOperators() (*operators.Guard, error) {
	path := filepath.Join(c.options.Dir, operators.FileName)
	if err := c.takeOldKey(path); err != nil {
		return nil, err
	}
	g, err := operators.NewGuard(path, c.log)
	if err != nil {
		return nil, err
	}
	if g.Count(operators.Viewer) == 0 {
		c.log.Info("operators", "result", "success", "registered", 0, "login", "nobody can log in to the page yet: quiniela operator add NAME")
	}
	return g, nil
}

// takeOldKey registers the operator of a data folder that has a key in a file, and no registry yet. The file stays, since somebody may
// use it.
func (c *Central) takeOldKey(registry string) error {
	path := filepath.Join(c.options.Dir, oldKeyName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the operator's key of before: %w", err)
	}
	c.log.Warn("operators", "result", "success", "file", path, "advice", "the key of "+oldOperator+" stands in it, readable: hand it over, and delete the file")
	if _, err := os.Stat(registry); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key := strings.TrimSpace(string(text))
	if len(key) < 20 {
		return fmt.Errorf("%s is too short to be a key: delete it, and register the operators with `quiniela operator add`", path)
	}
	return operators.Change(registry, func(r *operators.Registry) error {
		return r.AddWithKey(oldOperator, operators.Operator, key, c.options.Now())
	})
}

// recordChanges writes into the audit trail how the registries have changed, until ctx ends. The commands change them also while no
// server runs, so it begins with what is new since the last one ran.
func (c *Central) recordChanges(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := c.recordNew(ctx); err != nil && quiniela.CodeOf(err) == "" {
			return // ctx has ended, or the ledger has failed, which says so by itself; a full disk is tried again
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *Central) recordNew(ctx context.Context) error {
	var histories []registry.History
	if r := c.options.Server.Guard.Registry(); r != nil {
		histories = append(histories, r.History)
	}
	if c.operators != nil {
		if r := c.operators.Registry(); r != nil {
			histories = append(histories, r.History)
		}
	}
	var acts []journal.Act
	for _, h := range histories {
		last := c.Ledger.LastChange(h.ID)
		for _, change := range h.Changes {
			if change.N > last {
				acts = append(acts, journal.Act{
					What: change.What, Who: change.Who, From: "command", About: change.About, Note: change.Note, Registry: h.ID, Change: change.N, At: change.At.UnixMicro(),
				})
			}
		}
	}
	return c.Ledger.Record(ctx, acts...)
}
