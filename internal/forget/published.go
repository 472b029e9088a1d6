package forget

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"quiniela/internal/journal"
	"quiniela/internal/publish"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/verify"
)

// checkPublished compares the published records and outcome of the draw with the journal.
func (t *Task) checkPublished(ctx context.Context) error {
	folder := filepath.Join(t.options.Public, "draws", t.options.Draw)
	return t.each(ctx, t.opened, func(_ journal.Entry, entry any) error {
		switch v := entry.(type) {
		case *journal.Batch:
			if v.Draw == t.draw {
				return sameRecords(filepath.Join(folder, "bets", fmt.Sprint(v.Agency), fmt.Sprintf("%d.pub", v.Batch)), v)
			}
		case journal.Result:
			if v.Draw == t.draw {
				return sameOutcome(t.options.Public, filepath.Join(folder, "outcome.json"), v)
			}
		}
		return nil
	})
}

// sameRecords compares a file of published records with the journal's batch.
func sameRecords(path string, b *journal.Batch) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	root, count, err := receipt.RecordsRoot(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if b.Root == nil || root != *b.Root || count != int(b.Count) {
		return fmt.Errorf("%s does not have the bets that the journal has", path)
	}
	return nil
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
	found, proven := verify.Outcome(data, policy, nil, nil)
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
