// Package checks has the commands of those who check a lottery, as a person types them: verify a receipt, audit a log, run a witness. The
// programs quiniela and quiniela-verify share them. They need nothing of the operator's; what is checked, and how, is for the packages
// verify, audit and witness.
package checks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"quiniela/audit"
	"quiniela/internal/console"
	"quiniela/receipt"
)

// Env is what a command gets from its program.
type Env struct {
	Ctx     context.Context
	Program string    // its name, for advice
	Out     io.Writer // a console.Printer
}

// OpenLog returns the published log in a folder, or below a URL.
func OpenLog(where string) (audit.Source, error) {
	if strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://") {
		return audit.Web(where), nil
	}
	if _, err := os.Stat(where); err != nil {
		return nil, console.Usage(fmt.Errorf("the log: %w", err))
	}
	return audit.Folder(where), nil
}

// readDocument reads a file, and refuses one that is larger than any document.
func readDocument(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, receipt.MaxDocument+1))
	err = errors.Join(err, f.Close())
	if err == nil && len(data) > receipt.MaxDocument {
		err = fmt.Errorf("%s: over %d bytes: no document is so large", path, receipt.MaxDocument)
	}
	return data, err
}
