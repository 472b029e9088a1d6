package ledger_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela/internal/ledger"
)

// odd are names that a CSV reader or a spreadsheet takes for something else, with what is written for a spreadsheet.
var odd = [][]string{
	{`"Ana`, `Paz`},
	{`Eva`, `O"Sol"`},
	{`""`, `"`},
	{`\.`, `a\b`},
	{`=1+1`, `@SUM(1)`},
	{`+54`, `-1`},
	{`=HYPERLINK("http://x.example")`, ` =1`},
	{`Zoë`, ` Ñandú`},
	{`O'Higgins`, `Paz-Gil`},
}

var harmless = map[string]string{
	`=1+1`: `'=1+1`, `@SUM(1)`: `'@SUM(1)`, `+54`: `'+54`, `-1`: `'-1`, ` =1`: `' =1`,
	`=HYPERLINK("http://x.example")`: `'=HYPERLINK("http://x.example")`,
}

// What any CSV reader reads of an export is what the agency sent, cell by cell.
func TestAnExportIsReadAsItWasSent(t *testing.T) {
	m := start(t, 1)
	var lines []byte
	var want, wantHarmless [][]string
	shown := func(name string) string {
		if s, ok := harmless[name]; ok {
			return s
		}
		return name
	}
	for _, n := range odd {
		lines = append(lines, n[0]+","+n[1]+",1,1990-01-01,0007\n"...)
		want = append(want, []string{"1", n[0], n[1], "1", "1990-01-01", "0007"})
		wantHarmless = append(wantHarmless, []string{"1", shown(n[0]), shown(n[1]), "1", "1990-01-01", "0007"})
	}
	if _, err := m.send(&ledger.Submission{Agency: 1, Batch: 1, Frame: lines}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		export func(*bytes.Buffer) (uint64, error)
		want   [][]string
	}{
		{"as it is", func(b *bytes.Buffer) (uint64, error) { return ledger.Export(context.Background(), m.j, "1", b, nil) }, want},
		{"for a spreadsheet", func(b *bytes.Buffer) (uint64, error) {
			return ledger.ExportForSpreadsheet(context.Background(), m.j, "1", b, nil)
		}, wantHarmless},
	} {
		var b, again bytes.Buffer
		bets, err := c.export(&b)
		if err != nil || bets != uint64(len(odd)) {
			t.Fatalf("%s: %d bets, %v", c.name, bets, err)
		}
		text := b.String()
		got, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v in\n%s", c.name, err, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
		if err := csv.NewWriter(&again).WriteAll(c.want); err != nil || again.String() != text {
			t.Errorf("%s: encoding/csv writes\n%s, %v, want\n%s", c.name, &again, err, text)
		}
	}
}
