package quiniela_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"quiniela"
)

func TestCheckLinesTrimsWhereTheyLie(t *testing.T) {
	const want = "Ana,Paz,1,1990-01-01,7\nEva,Gil,2,1991-01-01,08\n"
	for _, body := range []string{
		want, strings.TrimSuffix(want, "\n"), strings.ReplaceAll(want, "\n", "\r\n"), want + "\r\n \n\n",
		" \t" + strings.ReplaceAll(want, "\n", " \r\n\t"),
	} {
		buf := append(make([]byte, 0, len(body)+1), body...)
		lines, numbers, err := quiniela.Specified.CheckLines(buf, today, 2, nil, nil)
		if err != nil || string(lines) != want || !slices.Equal(numbers, []byte{0, 7, 0, 8}) {
			t.Errorf("%q: %q, %v, %v", body, lines, numbers, err)
			continue
		}
		if &lines[0] != &buf[:1][0] {
			t.Errorf("%q: the lines were copied", body)
		}
		packed, err := quiniela.Specified.PackPlays(nil, lines)
		if err != nil || !bytes.Equal(packed, numbers) {
			t.Errorf("%q: the stored lines give the numbers %v, %v; want %v", body, packed, err, numbers)
		}
	}
	for body, want := range map[string]string{
		"":                              "no bet",
		"\n\n":                          "no bet",
		"Ana,Paz,1,1990-01-01,7\n\nx\n": "line 2",
		"Ana,Paz,1,1990-01-01,7\nx,y\n": "line 2: 2 fields",
		strings.Repeat("A,B,1,1990-01-01,7\n", 3): "more than 2 bets",
	} {
		if _, _, err := quiniela.Specified.CheckLines([]byte(body), today, 2, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", body, err, want)
		}
	}
}

func TestStoredLines(t *testing.T) {
	check := func(fields []uint16) bool {
		var want []string
		for _, f := range fields {
			want = append(want, strings.Repeat("x", int(f%50)))
		}
		stored := strings.Join(want, "\n")
		if len(want) > 0 {
			stored += "\n"
		}
		var got []string
		for line := range quiniela.StoredLines([]byte(stored)) {
			got = append(got, string(line))
		}
		return slices.Equal(got, want)
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
	if d := quiniela.DocumentOf([]byte("Ana,Paz,123,1990-01-01,7")); string(d) != "123" {
		t.Errorf("document %q", d)
	}
}

func TestAGoodLineCostsNoAllocation(t *testing.T) {
	line := []byte("Santiago Nicolás,Fernández,30904465,1999-03-17,7574")
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := quiniela.Specified.ParseLine(line, today); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
	body := bytes.Repeat(append(line, '\n'), 150)
	numbers := make([]byte, 0, 300)
	if n := testing.AllocsPerRun(100, func() {
		if _, _, err := quiniela.Specified.CheckLines(body, today, 150, numbers, nil); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

// bySlowPath is what CheckLines does, line by line and with ParseLine alone.
func bySlowPath(game *quiniela.Terms, body []byte) (lines []byte, ok bool) {
	body = bytes.TrimRight(body, " \t\r\n")
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		line = quiniela.TrimLine(line)
		if _, err := game.ParseLine(line, today); err != nil {
			return nil, false
		}
		lines = append(append(lines, line...), '\n')
	}
	return lines, true
}

// Both ways of reading a line agree, in both games. Whatever is accepted can be stored and read back, and is accepted again as it was
// stored.
func FuzzCheckLines(f *testing.F) {
	f.Add([]byte("Ana,Paz,1,1990-01-01,7\n"), false)
	f.Add([]byte(" Ana,Paz,1,1990-01-01,7 \r\nEva,Ñandú,2,2000-02-29,0099"), false)
	f.Add([]byte("a,b,c,d,e\n\n\xff"), false)
	for _, line := range unusual {
		f.Add([]byte("Ana,Paz,1,1990-01-01,7\n"+line+"\nAna,Paz,1,1990-01-01,7\n"), false)
	}
	for _, play := range []string{"07,100", "0562,33.34,1-10", "7,100.5,1", "62,0.50", "62,1e3", "62,50000.01", "62,1.001,1-20", "62,1,20-1", "00000,1", "62,9999999,2-2", "62,1,01-2"} {
		f.Add([]byte("Ana,Paz,1,1990-01-01,"+play+"\nAna,Paz,1,1990-01-01,7,1\n"), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, stakes bool) {
		game := quiniela.Specified
		if stakes {
			game = evening()
		}
		lines, plays, err := game.CheckLines(bytes.Clone(body), today, 1000, nil, nil)
		if want, ok := bySlowPath(game, body); ok != (err == nil) && quiniela.CodeOf(err) != quiniela.TooLarge || err == nil && !bytes.Equal(lines, want) {
			t.Fatalf("%q becomes %q, %v; line by line it is %q, %t", body, lines, err, want, ok)
		}
		if err != nil {
			if quiniela.CodeOf(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		packed, err := game.PackPlays(nil, lines)
		if err != nil || !bytes.Equal(packed, plays) {
			t.Fatalf("%q packs to %v, %v; want %v", lines, packed, err, plays)
		}
		again, _, err := game.CheckLines(bytes.Clone(lines), today, 1000, nil, nil)
		if err != nil || !bytes.Equal(again, lines) || len(again) != len(lines) {
			t.Fatalf("%q becomes %q, %v", lines, again, err)
		}
		if n := bytes.Count(lines, []byte("\n")); n*game.PlaySize() != len(plays) {
			t.Fatalf("%d lines and %d plays", n, len(plays)/game.PlaySize())
		}
		for size := game.PlaySize(); len(plays) > 0; plays = plays[size:] {
			if p, err := game.UnpackPlay(plays[:size]); err != nil || game.CheckPlay(p) != nil {
				t.Fatalf("%q has the play %+v: %v, %v", lines, p, err, game.CheckPlay(p))
			}
		}
	})
}

// unusual lines, good and bad, that the fast way must leave to the slow one or see as it does.
var unusual = []string{
	"Ana ,Paz,1,1990-01-01,7", " Ana,Paz,1,1990-01-01,7\t", "Ana, Paz,1,1990-01-01,7", " ,Paz,1,1990-01-01,7", "Ana,,1,1990-01-01,7",
	"Jos\xc3\xa9,N\xc3\xba\xc3\xb1ez,1,1990-01-01,7", "Jos\xc3,Paz,1,1990-01-01,7", "Jos\xc3\xc3,Paz,1,1990-01-01,7", "\xc3\x7f,Paz,1,1990-01-01,7",
	"Łukasz,Paz,1,1990-01-01,7", "A\u00adna,Paz,1,1990-01-01,7", "A\u00d7na,Paz,1,1990-01-01,7", "A|na,Paz,1,1990-01-01,7", "A\x7f,Paz,1,1990-01-01,7",
	"Ana,Paz,,1990-01-01,7", "Ana,Paz,123456789,1990-01-01,7", "Ana,Paz,1234567890,1990-01-01,7", "Ana,Paz,12x,1990-01-01,7",
	"Ana,Paz,1,1990-02-30,7", "Ana,Paz,1,1900-02-29,7", "Ana,Paz,1,2000-02-29,7", "Ana,Paz,1,2999-01-01,7", "Ana,Paz,1,1990-1-1,7", "Ana,Paz,1,0000-01-01,7",
	"Ana,Paz,1,1990-01-01,", "Ana,Paz,1,1990-01-01,0", "Ana,Paz,1,1990-01-01,9999", "Ana,Paz,1,1990-01-01,10000", "Ana,Paz,1,1990-01-01,00007",
	"Ana,Paz,1,1990-01-01,7,", "Ana,Paz,1,1990-01-01,-1", "Ana,Paz,1,1990-01-01,7\r", "Ana,Paz,1,1990-01-01", "Ana,Paz,1,1990-01-01 ,7",
	strings.Repeat("a", 64) + ",Paz,1,1990-01-01,7", strings.Repeat("a", 65) + ",Paz,1,1990-01-01,7",
	strings.Repeat("é", 64) + ",Paz,1,1990-01-01,7", strings.Repeat("é", 65) + ",Paz,1,1990-01-01,7",
}

func BenchmarkCheckLines(b *testing.B) {
	for _, row := range []struct {
		name, line string
		game       *quiniela.Terms
	}{
		{"specified", "Santiago Nicolás,Fernández,30904465,1999-03-17,7574\n", quiniela.Specified},
		{"quiniela", "Santiago Nicolás,Fernández,30904465,1999-03-17,62,100,1-20\n", evening()},
	} {
		b.Run(row.name, func(b *testing.B) {
			body := bytes.Repeat([]byte(row.line), 150)
			plays := make([]byte, 0, 150*row.game.PlaySize())
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, _, err := row.game.CheckLines(body, today, 150, plays, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/150, "ns/line")
		})
	}
}
