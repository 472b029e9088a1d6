package main

import (
	"errors"

	"quiniela/internal/books"
	"quiniela/internal/central"
	"quiniela/internal/checks"
	"quiniela/internal/journal/local"
)

type auditCommand struct {
	checks.Audit
	Data string `help:"The operator's data folder: its private journal is compared as well. Stop the server first, or take a backup's." name:"journal" placeholder:"DIR"`
}

func (c *auditCommand) Run(e env) (err error) {
	o, err := c.Options()
	if err != nil {
		return err
	}
	if c.Data != "" {
		j, failed := central.OpenLocal(c.Data, local.Options{ReadOnly: true})
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, j.Close()) }()
		o.Books = books.Of(j)
	}
	shown := newProgress(e.stderr)
	b := shown.add("audit", "entries", 0)
	o.Progress = func(done, total int64) {
		b.of(total)
		b.set(done)
	}
	report, err := c.Recompute(e.ctx, o)
	shown.end()
	if err != nil {
		return err
	}
	return c.Tell(e.stdout, report)
}
