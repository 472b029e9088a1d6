package ledger

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"

	"quiniela"
	"quiniela/journal"
)

// Export writes the stored bets of a draw to w as CSV, `agency,first_name,last_name,document,birthdate,number`, in
// stored order, and returns how many there were. It needs no more than the journal, reads it once, and holds one
// batch in memory. The lines are as the agency sent them; no field can hold a comma or a line end, so none is
// quoted. An empty draw ID means draw 1.
// progress, where it is not nil, is told now and then how far in the journal it is.
func Export(ctx context.Context, j journal.Journal, drawID string, w io.Writer, progress func(entries uint64)) (bets uint64, err error) {
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
				if v.Numbers != nil {
					return bets, quiniela.Refuse(quiniela.Absent, "who bet in draw %s was forgotten: its bets cannot be exported", drawID)
				}
				bets += uint64(v.Count)
				writeBets(out, v)
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
	agency := strconv.AppendUint(nil, uint64(b.Agency), 10)
	for line := range quiniela.StoredLines(b.Lines) {
		_, _ = out.Write(agency)
		_ = out.WriteByte(',')
		_, _ = out.Write(line)
		_ = out.WriteByte('\n')
	}
}
