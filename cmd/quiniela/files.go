package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"quiniela/internal/backup"
	"quiniela/internal/durable"
	"quiniela/internal/ledger"
	"quiniela/internal/registry"
	"quiniela/internal/sample"
)

type generateCommand struct {
	Game     string `help:"Game of the bets: specified, or quiniela with stakes." default:"specified" enum:"specified,quiniela"`
	Agencies int    `help:"How many agencies." default:"5"`
	Bets     int    `help:"Bets of each." default:"20000"`
	Seed     uint64 `help:"The same seed gives the same bytes." default:"1"`
	Out      string `help:"Folder to write agency-1.csv and so on to." default:".data" placeholder:"DIR"`
}

func (c *generateCommand) Run(e env) error {
	if c.Agencies < 1 || c.Bets < 0 {
		return usageError{errors.New("want at least one agency, and no negative number of bets")}
	}
	shown := newProgress(e.stderr)
	all := shown.add("generate", "bets", int64(c.Agencies)*int64(c.Bets))
	paths, err := sample.GameFiles(c.Out, c.Game, c.Agencies, c.Bets, c.Seed, func(bets int) { all.set(int64(bets)) })
	shown.end()
	for _, p := range paths {
		_, _ = printf(e.stdout, "%s: %s bets\n", p, humanize.Comma(int64(c.Bets)))
	}
	return err
}

type exportCommand struct {
	Data string `help:"The server's data folder; the server must not be running." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	journalFlags
	Draw string `help:"Which draw." default:"1" placeholder:"ID"`
	Out  string `help:"File to write; - is standard output." short:"o" default:"-" placeholder:"FILE"`

	Spreadsheet bool `help:"For a spreadsheet: put an apostrophe before a cell that it would run as a formula." name:"for-spreadsheet"`
}

func (c *exportCommand) Run(e env) (err error) {
	j, err := c.openToRead(e.ctx, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	last, err := j.Last(e.ctx)
	if err != nil {
		return err
	}
	out := e.stdout
	if c.Out != "-" {
		// A list of people's names and documents is for its owner only.
		f, failed := os.OpenFile(c.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if failed != nil {
			return fmt.Errorf("write the export: %w", failed)
		}
		defer func() {
			if err = errors.Join(err, f.Close()); err != nil {
				err = errors.Join(err, os.Remove(c.Out)) // a part of the bets is no export, and has names all the same
			}
		}()
		durable.Inherit(c.Out)
		out = f
	}
	shown := new(progress)
	if !terminal(out) { // on a terminal the bets themselves are what is seen
		shown = newProgress(e.stderr)
	}
	export := ledger.Export
	if c.Spreadsheet {
		export = ledger.ExportForSpreadsheet
	}
	noted := &notedWriter{Writer: out, note: func() error { return c.note(e, last.Position) }}
	bets, err := export(e.ctx, j, c.Draw, noted, shown.add("export", "entries", int64(last.Position)).entries)
	shown.end()
	if err == nil && c.Out != "-" {
		_, _ = printf(e.stdout, "%s: %s bets\n", c.Out, humanize.Comma(int64(bets)))
	}
	return err
}

// notedWriter calls note before the first byte is written.
type notedWriter struct {
	io.Writer
	note func() error // nil once it was called
}

func (w *notedWriter) Write(p []byte) (int, error) {
	if w.note != nil {
		if err := w.note(); err != nil {
			return 0, err
		}
		w.note = nil
	}
	return w.Writer.Write(p)
}

// note adds the export to the data folder's list of copies, before it has a name in it.
func (c *exportCommand) note(e env, last uint64) error {
	copied := backup.Copy{Kind: backup.KindExport, By: registry.LocalUser(), Path: backup.StandardOutput, Made: time.Now().UTC().Truncate(time.Second), Last: last, Draw: c.Draw}
	if c.Out != "-" {
		path, err := filepath.Abs(c.Out)
		if err != nil {
			return err
		}
		copied.Path = path
	}
	noted, err := backup.Note(c.Data, copied)
	if err == nil && !noted {
		_, _ = fmt.Fprintf(e.stderr, "%s is a backup, not there or read-only, and takes no note of this export: `quiniela forget` will not list it\n", c.Data)
	}
	return err
}
