package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"quiniela/internal/durable"
	"quiniela/internal/paper"
	"quiniela/receipt"
)

// printFlags say how receipts are printed, if they are.
type printFlags struct {
	Print string `help:"Also write the receipts for a printer, with a QR code each: ${enum}. The file is receipts.html; a browser prints it." default:"no" enum:"no,80mm,a6" placeholder:"80mm|a6"`
	Site  string `help:"Address of the lottery's page, which the codes open, such as https://lottery.example." env:"CLI_SITE" key:"site" placeholder:"URL"`
	Lang  string `help:"Language of what is printed: ${enum}." default:"es" enum:"es,en" placeholder:"es|en"`
}

// printed writes the file for the printer; nil writes none.
type printed struct {
	path  string
	file  *durable.File
	sheet *paper.Sheet
}

// check returns an error where the flags do not go together.
func (f printFlags) check() error {
	if f.Print != "no" && f.Site == "" {
		return usageError{errors.New("which page do the codes open? Give the lottery's address: --site https://lottery.example, CLI_SITE, or `site` in the file")}
	}
	return nil
}

// open begins the file in a folder that is there.
func (f printFlags) open(dir string) (*printed, error) {
	if f.Print == "no" {
		return nil, nil
	}
	p := &printed{path: filepath.Join(dir, "receipts.html")}
	var err error
	if p.file, err = durable.Create(p.path, 0o600); err != nil {
		return nil, fmt.Errorf("print the receipts: %w", err)
	}
	if p.sheet, err = paper.New(p.file, paper.Options{Paper: f.Print, Site: f.Site, Lang: f.Lang}); err != nil {
		return nil, usageError{errors.Join(err, p.file.Discard())}
	}
	return p, nil
}

// save returns what saves a receipt with save, and prints it.
func (p *printed) save(save func(line int, r *receipt.Receipt) error) func(line int, r *receipt.Receipt) error {
	if p == nil {
		return save
	}
	return func(line int, r *receipt.Receipt) error {
		if err := save(line, r); err != nil {
			return err
		}
		return p.sheet.Add(fmt.Sprintf("receipt-%d.json", line), r)
	}
}

// end puts the file in its place, where nothing failed.
func (p *printed) end(failed error) error {
	switch {
	case p == nil:
		return nil
	case failed != nil:
		return p.file.Discard()
	}
	if err := p.sheet.End(); err != nil {
		return errors.Join(err, p.file.Discard())
	}
	return p.file.Commit()
}

// say says where the file is, if there is one.
func (p *printed) say(e env) error {
	if p == nil {
		return nil
	}
	_, err := printf(e.stdout, "For the printer: %s. Open it with a browser, and print it in its own size (100 %%) and without margins.\n", p.path)
	return err
}
