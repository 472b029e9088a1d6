package central

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/journal/postgres"
	"quiniela/internal/store"
)

// JournalOptions say where a journal is. The zero value is the data folder's own, to be written.
type JournalOptions struct {
	URL          string // of a PostgreSQL database; "" is the data folder's own
	UnsafeSingle bool   // accept a database that could lose what it acknowledges
	Reserve      uint64 // local: bytes that the disk must have free for bets to be taken
	ReadOnly     bool   // local: nothing is written, and there must be a journal
}

// OpenJournal opens the journal of a data folder, or the shared one that o names. A shared one works until ctx ends. The caller
// closes it.
func OpenJournal(ctx context.Context, dir string, o JournalOptions, log *slog.Logger) (journal.Journal, error) {
	if o.URL != "" {
		return postgres.Open(ctx, postgres.Options{URL: o.URL, UnsafeSingle: o.UnsafeSingle, Logger: log})
	}
	j, err := OpenLocal(dir, local.Options{Reserve: o.Reserve, ReadOnly: o.ReadOnly})
	if err != nil {
		return nil, err // not j, which would be an interface of a nil pointer
	}
	return j, nil
}

// JournalName is the folder of a local journal in a data folder.
const JournalName = "journal"

// OpenLocal opens the journal of a data folder. The caller closes it.
func OpenLocal(dir string, o local.Options) (*local.Journal, error) {
	j, err := local.Open(filepath.Join(dir, JournalName), o)
	if errors.Is(err, journal.ErrLocked) {
		return nil, fmt.Errorf("the data folder %s is in use by another quiniela: stop that one first, or name the right folder with --data", dir)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("there is no journal in %s: name the server's data folder with --data", dir)
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}
