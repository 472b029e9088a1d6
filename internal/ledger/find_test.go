package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
)

func TestAPersonsBetsAreFound(t *testing.T) {
	m := start(t, 2)
	night := m.openDraw("night", 2, time.Time{}, draw.FixedNumber(9))
	bet := func(d uint64, agency quiniela.Agency, batch uint64, lines string) {
		t.Helper()
		s := &ledger.Submission{Draw: d, Agency: agency, Batch: batch, Frame: []byte(lines)}
		if _, err := m.send(s); err != nil {
			t.Fatal(err)
		}
	}
	bet(1, 1, 1, "Ana,Paz,30904465,1990-01-01,7574\nEva,Sol,2,1990-01-01,12\n")
	bet(1, 1, 2, "Eva,Sol,2,1990-01-01,12\nAna,Paz,30904465,1990-01-01,9\n")
	bet(night.Seq, 2, 1, "Eva,Sol,20,1990-01-01,9\nAna,Paz,030904465,1990-01-01,9\n")
	bet(night.Seq, 1, 1, "Leo,Gil,130904465,1990-01-01,9\n") // ends alike, and is another
	find := func(id string, document uint32, most int) (all []string) {
		t.Helper()
		found, err := m.FindBets(t.Context(), id, document, most)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range found {
			all = append(all, fmt.Sprintf("%s %d.%d.%d %04d %t", b.Draw.ID, b.Agency, b.Batch, b.Line, b.Play.Number, b.Won()))
		}
		return all
	}
	for round := range 2 {
		won := round == 1
		for name, row := range map[string]struct {
			id       string
			document uint32
			most     int
			want     []string
		}{
			"all":      {"", 30904465, 10, []string{fmt.Sprintf("1 1.1.1 7574 %t", won), "1 1.2.2 0009 false", fmt.Sprintf("night 2.1.2 0009 %t", won)}},
			"a draw":   {"night", 30904465, 10, []string{fmt.Sprintf("night 2.1.2 0009 %t", won)}},
			"some":     {"", 30904465, 2, []string{fmt.Sprintf("1 1.1.1 7574 %t", won), "1 1.2.2 0009 false"}},
			"another":  {"", 2, 10, []string{"1 1.1.2 0012 false", "1 1.2.1 0012 false"}},
			"a number": {"", 7574, 10, nil},
			"nobody":   {"night", 2, 10, nil},
		} {
			if diff := cmp.Diff(row.want, find(row.id, row.document, row.most)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		for a := range quiniela.Agency(2) {
			for d := range uint64(2) {
				if err := m.Finish(t.Context(), d+1, a+1, 0, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		m.wait("1", "drawn")
		m.wait("night", "drawn")
	}
	if _, err := m.FindBets(t.Context(), "none", 1, 1); quiniela.CodeOf(err) != quiniela.NoDraw {
		t.Errorf("in a draw that is not there: %v", err)
	}
}
