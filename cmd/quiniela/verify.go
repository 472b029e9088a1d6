package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"quiniela/internal/checks"
	"quiniela/internal/web"
)

type verifyCommand struct {
	checks.Verify
	Page string `help:"Check nothing, and write the page that does the same in a browser: one file, to host or to open from disk, which asks nobody for anything." placeholder:"FILE"`
}

func (c *verifyCommand) Run(e env, check checks.Env) error {
	if c.Page != "" {
		return c.writePage(e)
	}
	return c.Check(check)
}

// writePage writes the page that checks receipts to a file, which must not be there.
func (c *verifyCommand) writePage(e env) error {
	if c.Verify != (checks.Verify{EvidenceTo: c.EvidenceTo}) {
		return usageError{errors.New("--page checks nothing: leave the documents and the other flags out")}
	}
	text, err := web.VerifyPage()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Page, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usageError{fmt.Errorf("%s is there already: name another file with --page, or remove it", c.Page)}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	_, err = printf(e.stdout, "The page is in %s. Open it with a browser, or host it. Its SHA-256 is the same for everybody with this version: %x\n", c.Page, sha256.Sum256(text))
	return err
}
