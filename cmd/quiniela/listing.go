package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"

	"quiniela"
)

// gap separates the columns of a table.
const gap = "  "

// column is a column of a table.
type column struct {
	head  string
	right bool // for numbers
}

// listing is rows of cells under their heads, for a person. Programs get JSON or CSV.
type listing struct {
	columns []column
	long    int // the column whose cells may be too long for the line
	rows    [][]string
}

// add adds a row, with a cell for each column.
func (t *listing) add(cells ...string) {
	for i := range cells {
		cells[i] = quiniela.Printable(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// write writes the table for lines of a width; 0 is any width. A cell of the long column that does not fit ends its line, and the rest
// of the row follows in the next one, in its columns. Nothing is cut off.
func (t *listing) write(out io.Writer, width int) error {
	heads := make([]string, len(t.columns))
	for i, c := range t.columns {
		heads[i] = c.head
	}
	all := append([][]string{heads}, t.rows...)
	widths := t.widths(all, width)
	var text strings.Builder
	for _, row := range all {
		line := ""
		for i, cell := range row {
			if i > 0 {
				line += gap
			}
			line += t.pad(i, cell, widths[i])
			if i == t.long && runewidth.StringWidth(cell) > widths[i] {
				text.WriteString(strings.TrimRight(line, " ") + "\n")
				line = strings.Repeat(" ", sum(widths[:i+1])+i*len(gap))
			}
		}
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// dropEmpty leaves out the columns that have no cell in any row.
func (t *listing) dropEmpty() {
	for i := len(t.columns) - 1; i >= 0 && len(t.rows) > 0; i-- {
		if slices.ContainsFunc(t.rows, func(row []string) bool { return row[i] != "" }) {
			continue
		}
		t.columns = slices.Delete(t.columns, i, i+1)
		for j, row := range t.rows {
			t.rows[j] = slices.Delete(row, i, i+1)
		}
	}
}

// below writes the listing under what the command has written before, after an empty line, without empty columns.
func (t *listing) below(e env) error {
	t.dropEmpty()
	if _, err := io.WriteString(e.stdout, "\n"); err != nil {
		return err
	}
	return t.write(e.stdout, widthOf(e.stdout))
}

// widths returns the columns' widths. The long column gets what the others leave.
func (t *listing) widths(rows [][]string, width int) []int {
	widths := make([]int, len(t.columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	if over := sum(widths) + len(gap)*(len(widths)-1) - width; width > 0 && over > 0 {
		widths[t.long] = max(widths[t.long]-over, runewidth.StringWidth(t.columns[t.long].head))
	}
	return widths
}

func (t *listing) pad(i int, cell string, width int) string {
	space := strings.Repeat(" ", max(0, width-runewidth.StringWidth(cell)))
	if t.columns[i].right {
		return space + cell
	}
	return cell + space
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}

// table returns a writer of aligned columns, with their heads written, for short cells. Its Flush reports what could not be written.
func table(e env, head string) *tabwriter.Writer {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(w, head)
	return w
}

// field is a line of a description: a label and what there is to say. The text may be long.
type field struct{ label, text string }

// writeFields writes fields for lines of a width; 0 is any width. A long text is wrapped beside its label.
func writeFields(out io.Writer, fields []field, width int) error {
	labels := 0
	for _, f := range fields {
		labels = max(labels, runewidth.StringWidth(f.label))
	}
	beside := 0
	if width > 0 {
		beside = max(width-labels-len(gap), 20)
	}
	var text strings.Builder
	for _, f := range fields {
		label := f.label
		for _, line := range wrap(quiniela.Printable(f.text), beside) {
			text.WriteString(runewidth.FillRight(label, labels) + gap + line + "\n")
			label = ""
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// wrap breaks a text at spaces into lines of a width; 0 is any width. A word that is longer than a line has one of its own.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		switch {
		case line == "":
			line = word
		case width > 0 && runewidth.StringWidth(line)+1+runewidth.StringWidth(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// usualWidth is the width of a terminal that does not know its own.
const usualWidth = 80

// widthOf returns how many characters a line of an output has; 0 where nobody watches it on a terminal.
func widthOf(out io.Writer) int {
	f, ok := behind(out).(*os.File)
	if !ok || !terminal(out) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 1 {
		return usualWidth
	}
	return width
}
