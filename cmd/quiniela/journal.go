package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"quiniela/internal/central"
	"quiniela/internal/journal"
)

// journalFlags say where the journal is.
type journalFlags struct {
	Journal      string `help:"Where the journal is: local is in the data folder; postgres://user@host1,host2,host3/name?target_session_attrs=read-write is a replicated database that several servers share." default:"local" env:"JOURNAL" placeholder:"URL"`
	UnsafeSingle bool   `help:"Accept a database that could lose what it acknowledges: for trials." env:"JOURNAL_UNSAFE_SINGLE"`
}

// localJournal is the JOURNAL that is in the data folder.
const localJournal = "local"

func (f journalFlags) check() error {
	if f.Journal == localJournal || strings.HasPrefix(f.Journal, "postgres://") || strings.HasPrefix(f.Journal, "postgresql://") {
		return nil
	}
	return usageError{errors.New("JOURNAL must be local, or begin with postgres://")}
}

func (f journalFlags) journalOptions() central.JournalOptions {
	o := central.JournalOptions{UnsafeSingle: f.UnsafeSingle}
	if f.Journal != localJournal {
		o.URL = f.Journal
	}
	return o
}

// openToRead opens the journal for a command that only reads it.
func (f journalFlags) openToRead(ctx context.Context, dir string) (journal.Journal, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	o := f.journalOptions()
	o.ReadOnly = true
	return central.OpenJournal(ctx, dir, o, slog.New(slog.DiscardHandler))
}

// shared reports whether several servers share the journal.
func (f journalFlags) shared() bool { return f.Journal != localJournal }
