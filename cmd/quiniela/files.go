package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/dustin/go-humanize"

	"quiniela/internal/durable"
	"quiniela/internal/ledger"
	"quiniela/internal/sample"
)

type generateCommand struct {
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
	paths, err := sample.Files(c.Out, c.Agencies, c.Bets, c.Seed, func(bets int) { all.set(int64(bets)) })
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
	out := e.stdout
	if c.Out != "-" {
		// A list of people's names and documents is for its owner only.
		f, failed := os.OpenFile(c.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if failed != nil {
			return fmt.Errorf("write the export: %w", failed)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		durable.Inherit(c.Out)
		out = f
	}
	last, err := j.Last(e.ctx)
	if err != nil {
		return err
	}
	shown := new(progress)
	if !terminal(out) { // on a terminal the bets themselves are what is seen
		shown = newProgress(e.stderr)
	}
	export := ledger.Export
	if c.Spreadsheet {
		export = ledger.ExportForSpreadsheet
	}
	bets, err := export(e.ctx, j, c.Draw, out, shown.add("export", "entries", int64(last.Position)).entries)
	shown.end()
	if err == nil && c.Out != "-" {
		_, _ = printf(e.stdout, "%s: %s bets\n", c.Out, humanize.Comma(int64(bets)))
	}
	return err
}
