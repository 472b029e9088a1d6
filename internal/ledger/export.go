package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"quiniela"
	"quiniela/internal/journal"
)

// Export writes the stored bets of a draw to w as CSV, `agency,first_name,last_name,document,birthdate,number`, in
// stored order, and returns how many there were. It needs no more than the journal, reads it once, and holds one
// batch in memory. Fields are quoted as RFC 4180 says where they need it; no field can hold a comma or a line end. An
// empty draw ID means draw 1.
// progress, where it is not nil, is told now and then how far in the journal it is.
func Export(ctx context.Context, j journal.Journal, drawID string, w io.Writer, progress func(entries uint64)) (bets uint64, err error) {
	return export(ctx, j, drawID, w, writeBets, progress)
}

// ExportForSpreadsheet is Export for a program that runs formulas: a field that could be one begins with an apostrophe,
// so that it is shown and not run. The names are then no longer what the agency sent.
func ExportForSpreadsheet(ctx context.Context, j journal.Journal, drawID string, w io.Writer, progress func(entries uint64)) (bets uint64, err error) {
	return export(ctx, j, drawID, w, writeHarmlessBets, progress)
}

func export(ctx context.Context, j journal.Journal, drawID string, w io.Writer, write func(*bufio.Writer, *journal.Batch), progress func(uint64)) (bets uint64, err error) {
	out := bufio.NewWriterSize(w, 1<<20)
	var want uint64
	for e, err := range j.Entries(ctx, 1) {
		if err != nil {
			return bets, err
		}
		if e.Position%1024 == 0 && progress != nil {
			progress(e.Position)
		}
		v, err := journal.Decode(e.Data)
		if err != nil {
			return bets, fmt.Errorf("journal entry %d: %w", e.Position, err)
		}
		switch v := v.(type) {
		case journal.Open:
			if v.ID == drawID || drawID == "" && v.Draw == 1 {
				want = v.Draw
			}
		case *journal.Batch:
			if v.Draw == want {
				if v.Plays != nil {
					return bets, quiniela.Refuse(quiniela.Absent, "who bet in draw %s was forgotten: its bets cannot be exported", drawID)
				}
				bets += uint64(v.Count)
				write(out, v)
			}
		}
	}
	if want == 0 {
		return 0, quiniela.Refuse(quiniela.NoDraw, "no draw %q in this journal", drawID)
	}
	if err := out.Flush(); err != nil {
		return bets, fmt.Errorf("write the export: %w", err)
	}
	return bets, nil
}

// writeBets leaves errors to the Flush that follows: a bufio.Writer keeps its first.
func writeBets(out *bufio.Writer, b *journal.Batch) {
	agency := strconv.FormatUint(uint64(b.Agency), 10)
	quoted := csv.NewWriter(out) // has no buffer of its own, as out is one
	for line := range quiniela.StoredLines(b.Lines) {
		if needsQuotes(line) {
			_ = quoted.Write(fields(agency, line))
			continue
		}
		_, _ = out.WriteString(agency)
		_ = out.WriteByte(',')
		_, _ = out.Write(line)
		_ = out.WriteByte('\n')
	}
}

// needsQuotes reports whether encoding/csv may quote a field of a line: for a quote in it, for a space that it begins
// with, or because it is `\.`.
func needsQuotes(line []byte) bool {
	return bytes.IndexByte(line, '"') >= 0 || bytes.IndexByte(line, '\\') >= 0 || bytes.Contains(line, []byte(", "))
}

func fields(agency string, line []byte) []string {
	return append([]string{agency}, strings.Split(string(line), ",")...)
}

func writeHarmlessBets(out *bufio.Writer, b *journal.Batch) {
	agency := strconv.FormatUint(uint64(b.Agency), 10)
	quoted := csv.NewWriter(out)
	for line := range quiniela.StoredLines(b.Lines) {
		cells := fields(agency, line)
		for i, c := range cells {
			if start := strings.TrimLeft(c, " "); start != "" && strings.IndexByte("=+-@\t\r", start[0]) >= 0 {
				cells[i] = "'" + c
			}
		}
		_ = quoted.Write(cells)
	}
}
