package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"quiniela"
)

// formatFlags choose what programs read in the place of a table for people. It is the same in every language.
type formatFlags struct {
	JSON bool `help:"Print one JSON document, with the names of the API." name:"json" xor:"format"`
	CSV  bool `help:"Print CSV (RFC 4180), with the columns' names in the first line." name:"csv" xor:"format"`
}

// printJSON writes a value as one JSON document.
func printJSON(out io.Writer, v any) error {
	to := json.NewEncoder(out)
	to.SetEscapeHTML(false)
	to.SetIndent("", "  ")
	return to.Encode(v)
}

// printCSV writes rows under the names of their columns. Control characters are escaped, so that a row is always one line, and a cell
// that a spreadsheet would run as a formula begins with an apostrophe.
func printCSV(out io.Writer, columns string, rows [][]string) error {
	to := csv.NewWriter(out)
	_ = to.Write(strings.Split(columns, ",")) // the Flush tells
	for _, row := range rows {
		for i, cell := range row {
			row[i] = quiniela.Cell(cell)
		}
		_ = to.Write(row)
	}
	to.Flush()
	return to.Error()
}

// fourDigits writes a number of the lottery with its leading zeros; nil is "".
func fourDigits(n *uint16) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%04d", *n)
}

// instant writes a time for programs; nil is "".
func instant(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
