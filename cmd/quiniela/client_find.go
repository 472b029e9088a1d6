package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"quiniela"
	"quiniela/internal/client"
)

type clientFindCommand struct {
	Config   string `help:"File of settings." default:"config.yaml" placeholder:"FILE"`
	File     string `help:"The agency's file of bets." required:"" env:"CLI_FILE" key:"data.file" placeholder:"FILE"`
	Document string `help:"Whose bets, by the number of the document; dots and blanks are left out." required:"" placeholder:"N"`
	Proofs   string `help:"The operator's proofs, as the client has kept them: they are checked against the file, and tell where each bet is stored." env:"CLI_PROOFS" key:"proofs.file" placeholder:"FILE"`
	LogKey   string `help:"The log's verifier key: the proofs must have its signature." name:"log-key" env:"CLI_LOG_KEY" key:"proofs.key" placeholder:"VKEY"`
}

func (c *clientFindCommand) Run(e env) (err error) {
	digits := strings.NewReplacer(".", "", " ", "").Replace(c.Document)
	document, err := quiniela.ParseUint(digits, 32)
	if err != nil || len(digits) > quiniela.MaxDocumentDigits {
		return usageError{fmt.Errorf("the document %q: want 1 to %d digits", quiniela.Clip(c.Document), quiniela.MaxDocumentDigits)}
	}
	var proofs io.Reader
	if c.Proofs != "" {
		f, err := os.Open(c.Proofs)
		if err != nil {
			return fmt.Errorf("read the proofs: %w; the client keeps them while it sends, with --proofs FILE", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		proofs = f
	}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var all []client.Found
	keep := func(f client.Found) error { all = append(all, f); return nil }
	_, bad, err := client.Find(e.ctx, client.Options{File: c.File, Proofs: c.Proofs, LogKey: c.LogKey}, proofs, log, uint32(document), keep)
	if err != nil {
		return err
	}
	if bad > 0 {
		_, _ = printf(e.stderr, "quiniela: bad lines of %s, which were not searched: %s\n", c.File, humanize.Comma(int64(bad)))
	}
	if len(all) == 0 {
		return fmt.Errorf("%s has no bet of the document %s", c.File, c.Document)
	}
	return errors.Join(c.table(e, all), c.note(e, all[0]))
}

// table prints the bets, and where there are proofs, where each is stored.
func (c *clientFindCommand) table(e env, all []client.Found) error {
	head := "LINE\tFIRST NAME\tLAST NAME\tDOCUMENT\tBIRTHDATE\tNUMBER"
	if c.Proofs != "" {
		head += "\tDRAW\tBATCH\tLOG ENTRY"
	}
	w := table(e, head)
	for _, f := range all {
		b := f.Cells
		_, _ = printf(w, "%d\t%s\t%s\t%s\t%s\t%s", f.Line, b[0], b[1], b[2], b[3], b[4])
		if c.Proofs != "" {
			_, _ = printf(w, "\t%s\t%s\t%s", f.Draw, humanize.Comma(int64(f.Batch)), humanize.Comma(int64(f.Entry)))
		}
		_, _ = printf(w, "\n")
	}
	return w.Flush()
}

// note says what the table shows, and what comes next.
func (c *clientFindCommand) note(e env, f client.Found) error {
	text := "\nThis is what the agency's file has. That it was stored is shown by the operator's proofs: name them with --proofs FILE.\n"
	switch {
	case c.Proofs != "" && c.LogKey == "":
		text = fmt.Sprintf("\nThe log %s has all bets of this file, by its own signature, which was not checked: give its key with --log-key.\n", f.Signed)
	case c.Proofs != "":
		text = fmt.Sprintf("\nThe log %s has all bets of this file: the proofs and their signature are right.\n", f.Signed)
	}
	if c.Proofs != "" {
		text += "For the bettor's receipts: quiniela client receipts, with the same flags.\n"
	}
	_, err := io.WriteString(e.stdout, text)
	return err
}
