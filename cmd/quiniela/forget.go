package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dustin/go-humanize"

	"quiniela/internal/central"
	"quiniela/internal/forget"
	"quiniela/internal/journal/local"
	"quiniela/internal/publish"
)

type forgetCommand struct {
	Draw   string `arg:"" help:"Name of the draw; it must have its result."`
	Data   string `help:"Data folder, of which the server must not be running." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	Public string `help:"Folder of the public log that has the draw; empty is public in the data folder." placeholder:"DIR"`
	askFlags
}

func (c *forgetCommand) Run(e env) (err error) {
	j, err := central.OpenLocal(c.Data, local.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	o := forget.Options{Data: c.Data, Journal: j, Public: c.Public, Draw: c.Draw}
	if o.Public == "" {
		o.Public = filepath.Join(c.Data, publish.FolderName)
	}
	last, err := j.Last(e.ctx)
	if err != nil {
		return err
	}
	shown := newProgress(e.stderr)
	o.Progress = shown.add("check", "entries", int64(last.Position)).entries
	task, err := forget.Prepare(e.ctx, o)
	shown.end()
	if err != nil {
		return err
	}
	what := fmt.Sprintf("Delete who bet in draw %s and who won it from %s, for ever; which numbers were bet stays. Backups keep all of it.", c.Draw, c.Data)
	if err := c.confirm(e, what, c.Draw); err != nil {
		return err
	}
	batches, err := task.Run(e.ctx)
	if err != nil {
		return err
	}
	_, err = printf(e.stdout, "draw %s: %s batches without names and documents\n", c.Draw, humanize.Comma(int64(batches)))
	return err
}
