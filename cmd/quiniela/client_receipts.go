package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"

	"quiniela/internal/client"
	"quiniela/internal/durable"
	"quiniela/receipt"
)

type receiptsCommand struct {
	Config   string `help:"File of settings." default:"config.yaml" placeholder:"FILE"`
	File     string `help:"The agency's file of bets, as it was sent." required:"" env:"CLI_FILE" key:"data.file" placeholder:"FILE"`
	Proofs   string `help:"The operator's proofs, as the client has kept them." required:"" env:"CLI_PROOFS" key:"proofs.file" placeholder:"FILE"`
	LogKey   string `help:"The log's verifier key: the proofs must have its signature." name:"log-key" env:"CLI_LOG_KEY" key:"proofs.key" placeholder:"VKEY"`
	SkipBad  bool   `help:"The good lines of the file were sent, and the bad ones left out." name:"skip-bad-lines" env:"CLI_SKIP_BAD_LINES" key:"skip-bad-lines"`
	Line     int    `help:"The receipt of the bet in this line of the file, from 1." xor:"which" placeholder:"N"`
	Document string `help:"The receipts of the bets of this document." xor:"which" placeholder:"N"`
	All      bool   `help:"The receipts of all bets, as one file: receipts.jsonl, one receipt a line." xor:"which"`
	Out      string `help:"Folder for the files, receipt-<line>.json." default:"receipts" placeholder:"DIR"`
	printFlags
}

func (c *receiptsCommand) Run(e env) (err error) {
	if c.Line < 0 || c.Line == 0 && c.Document == "" && !c.All {
		return usageError{errors.New("which bets? Give --line N, --document N or --all")}
	}
	if err := c.printFlags.check(); err != nil {
		return err
	}
	proofs, err := os.Open(c.Proofs)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; the client keeps them while it sends, with --proofs FILE: run it again with that, and the same file of bets", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proofs.Close()) }()
	out, err := c.writer()
	if err != nil {
		return err
	}
	paper, err := c.printFlags.open(c.Out)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o := client.Options{File: c.File, Proofs: c.Proofs, LogKey: c.LogKey, SkipBadLines: c.SkipBad}
	made, err := client.Receipts(e.ctx, o, proofs, log, client.Wanted{Line: c.Line, Document: c.Document}, paper.save(out.save))
	if err = errors.Join(err, out.end(err), paper.end(err)); err != nil {
		return err
	}
	if made == 0 {
		return fmt.Errorf("no bet of %s is what you asked for", c.File)
	}
	noun := "receipts"
	if made == 1 {
		noun = "receipt"
	}
	_, _ = printf(e.stdout, "%s %s, the last in %s.\n", humanize.Comma(int64(made)), noun, out.last)
	_, err = printf(e.stdout, "Each shows who made its bet: give it to nobody else. To check one: quiniela verify RECEIPT --log LOG --policy FILE\n")
	return errors.Join(err, paper.say(e))
}

// receiptWriter writes receipts, each to a file of its own or all to one.
type receiptWriter struct {
	dir  string
	all  *durable.File // or nil
	last string        // the file that was written last
}

func (c *receiptsCommand) writer() (*receiptWriter, error) {
	w := &receiptWriter{dir: c.Out}
	if err := durable.MkdirAll(c.Out, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for the receipts: %w", err)
	}
	if !c.All {
		return w, nil
	}
	var err error
	w.last = filepath.Join(c.Out, "receipts.jsonl")
	w.all, err = durable.Create(w.last, 0o600)
	return w, err
}

func (w *receiptWriter) save(line int, r *receipt.Receipt) error {
	text, err := r.Encode()
	if err != nil {
		return err
	}
	if w.all == nil {
		w.last = filepath.Join(w.dir, fmt.Sprintf("receipt-%d.json", line))
		return durable.WriteFile(w.last, text, 0o600)
	}
	var one bytes.Buffer
	if err := json.Compact(&one, text); err != nil {
		return err
	}
	one.WriteByte('\n')
	_, err = w.all.Write(one.Bytes())
	return err
}

// end puts the one file in its place, where nothing failed.
func (w *receiptWriter) end(failed error) error {
	switch {
	case w.all == nil:
		return nil
	case failed != nil:
		return w.all.Discard()
	}
	return w.all.Commit()
}
