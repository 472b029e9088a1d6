package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"quiniela/internal/client"
	"quiniela/internal/wire"
)

type clientStatusCommand struct {
	agencyFlags
	fileFlags
	Timeout time.Duration `help:"How long to try to reach the server; 0: no limit." default:"5s"`
}

func (c *clientStatusCommand) Run(e env) error {
	if err := c.agencyFlags.check(); err != nil {
		return err
	}
	if c.Timeout < 0 {
		return usageError{errors.New("times cannot be negative")}
	}
	path := c.path(*c.ID)
	config := client.Options{Agency: c.agency(), Draw: c.Draw, Address: c.Server, File: path, SkipBadLines: c.SkipBad, Timeout: c.Timeout}
	if err := c.secure(&config); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if _, err := os.Stat(path); c.File == "" && errors.Is(err, fs.ErrNotExist) {
		config.File = "" // which was not asked for by name
	}
	s, err := client.Stand(e.ctx, config, log)
	if err != nil {
		return c.explain(err, path, *c.ID)
	}
	return c.describe(e, s, path)
}

// describe prints where the agency stands, and last what is left to do.
func (c *clientStatusCommand) describe(e env, s client.Standing, path string) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 3, ' ', 0)
	row := func(name, format string, args ...any) { _, _ = printf(w, name+"\t"+format+"\n", args...) }
	row("agency", "%d", *c.ID)
	row("draw", "%s, %s", s.Draw, c.state(s))
	word := "the agency has not finished"
	if s.Finished {
		word = "the agency has finished"
	}
	row("stored", "%s in %s; %s", count(int(s.Bets), "bet"), batches(s.Batches), word)
	switch {
	case s.Sent == nil:
		row("file", "%s is not there: nothing to compare with", path)
	case s.Sent.Other != nil:
		row("file", "%v", s.Sent.Other)
	case s.Missing() == 0:
		row("file", "%s: %s, all stored", path, count(s.Sent.Bets, "bet"))
	default:
		row("file", "%s: %s, of which %s %s not stored", path, count(s.Sent.Bets, "bet"), humanize.Comma(int64(s.Missing())), isAre(s.Missing()))
	}
	if s.State == wire.Drawn {
		row("result", "the number %04d, with %s of this agency", s.Number, count(int(s.Winners), "winner"))
	}
	row("missing", "%s", missing(s))
	return w.Flush()
}

func (c *clientStatusCommand) state(s client.Standing) string {
	switch {
	case s.State == wire.Drawn:
		return "drawn"
	case s.State == wire.Sealed:
		return "closed; its winners are not known yet"
	case s.Closes.IsZero():
		return "open until all agencies have finished"
	}
	return "open until " + s.Closes.Local().Format("2006-01-02 15:04:05 MST")
}

// missing says what is left to do, and how.
func missing(s client.Standing) string {
	const run = "run `quiniela client`"
	switch {
	case s.Sent != nil && s.Sent.Other != nil:
		return "unknown: name the file that was sent with --file"
	case s.State != wire.Open && !s.Finished:
		return "the agency had not finished when the draw closed; it takes no more bets"
	case s.Missing() > 0 && !s.Finished:
		return count(s.Missing(), "bet") + ", and to finish: " + run + " with this file, which goes on after what is stored"
	case s.Missing() > 0:
		return count(s.Missing(), "bet") + " that came into the file after the agency had finished, and cannot be sent any more"
	case !s.Finished && s.Sent == nil:
		return "the rest of the file, if there is more, and to finish: " + run + " with the file"
	case !s.Finished:
		return "to finish: " + run + " with this file"
	case s.State == wire.Drawn:
		return "nothing; for the winners " + run + ", with --winners FILE for the rows"
	}
	return "nothing; the agency waits for the draw"
}

func batches(n uint64) string {
	if n == 1 {
		return "1 batch"
	}
	return humanize.Comma(int64(n)) + " batches"
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
