package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

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
		_, _ = printf(e.stderr, "quiniela: bad lines of %s, which were not searched: %s\n", c.File, e.count(uint64(bad)))
	}
	if len(all) == 0 {
		return fmt.Errorf("%s has no bet of the document %s", c.File, c.Document)
	}
	return errors.Join(c.table(e, all), c.note(e, all[0]))
}

// table prints the bets, and where there are proofs, where each is stored.
func (c *clientFindCommand) table(e env, all []client.Found) error {
	t := &listing{long: 1, columns: []column{{e.say("LINE"), true}, {head: e.say("FIRST NAME")}, {head: e.say("LAST NAME")}, {head: e.say("DOCUMENT")},
		{head: e.say("BIRTHDATE")}, {head: e.say("NUMBER")}}}
	stakes := slices.ContainsFunc(all, func(f client.Found) bool { return len(f.Cells) > quiniela.Fields })
	if stakes {
		t.columns = append(t.columns, column{e.say("STAKE"), true}, column{head: e.say("PRIZES")})
	}
	if c.Proofs != "" {
		t.columns = append(t.columns, column{head: e.say("DRAW")}, column{e.say("BATCH"), true}, column{e.say("LOG ENTRY"), true})
	}
	for _, f := range all {
		row := append([]string{fmt.Sprint(f.Line)}, f.Cells...)
		if stakes && len(f.Cells) < quiniela.MostFields {
			row = append(row, "1") // no prizes are named: the first one
		}
		if c.Proofs != "" {
			row = append(row, f.Draw, fmt.Sprint(f.Batch), fmt.Sprint(f.Entry))
		}
		t.add(row...)
	}
	return t.write(e.stdout, widthOf(e.stdout))
}

// note says what the table shows, and what comes next.
func (c *clientFindCommand) note(e env, f client.Found) error {
	if c.Proofs == "" {
		_, err := printf(e.stdout, "\n%s\n", e.say("This is what the agency's file has. The operator's proofs show that it was stored: name them with --proofs FILE."))
		return err
	}
	text := e.say("The log %s has all bets of this file: the proofs and their signature are right.")
	if c.LogKey == "" {
		text = e.say("The log %s has all bets of this file, by its own signature, which was not checked: give its key with --log-key.")
	}
	_, err := printf(e.stdout, "\n%s\n%s\n", fmt.Sprintf(text, f.Signed), e.say("For the bettor's receipts: quiniela client receipts, with the same flags."))
	return err
}
