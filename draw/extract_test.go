package draw_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
)

var evening = []quiniela.Number{4563, 4290, 8068, 2532, 9658, 562, 1642, 7613, 3376, 7481, 4062, 3284, 7888, 13, 4533, 5321, 2662, 6884, 5828, 7511}

// extractFile writes an extract; each writes a line of it.
func extractFile(each func(prize int, n quiniela.Number) string) string {
	var text strings.Builder
	for i, n := range evening {
		text.WriteString(each(i+1, n))
	}
	return text.String()
}

func TestAnExtractIsReadInEitherForm(t *testing.T) {
	for name, text := range map[string]string{
		"numbers":       extractFile(func(_ int, n quiniela.Number) string { return fmt.Sprintf("%04d\n", n) }),
		"rows":          extractFile(func(i int, n quiniela.Number) string { return fmt.Sprintf("%d,%04d\n", i, n) }),
		"spreadsheet":   "\xef\xbb\xbf" + extractFile(func(i int, n quiniela.Number) string { return fmt.Sprintf("%d,%04d\r\n", i, n) }),
		"with blanks":   extractFile(func(i int, n quiniela.Number) string { return fmt.Sprintf(" %d, %04d \n\n", i, n) }),
		"no line's end": strings.TrimSpace(extractFile(func(_ int, n quiniela.Number) string { return fmt.Sprintf("%04d\n", n) })),
	} {
		got, err := draw.ParseExtract([]byte(text))
		if err != nil || !cmp.Equal(got, evening) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestAnExtractThatIsUnclearIsRefused: a number that is guessed would be a prize that is wrong.
func TestAnExtractThatIsUnclearIsRefused(t *testing.T) {
	rows := extractFile(func(i int, n quiniela.Number) string { return fmt.Sprintf("%d,%04d\n", i, n) })
	for name, c := range map[string]struct{ text, want string }{
		"empty":              {"", "0 numbers: want the 20"},
		"nineteen":           {rows[:strings.Index(rows, "20,")], "19 numbers: want the 20"},
		"twenty-one":         {rows + "21,0000\n", "line 21: a number more than the 20"},
		"zeros lost":         {strings.Replace(rows, "0562", "562", 1), `line 6: prize 6: the number "562": want its four digits`},
		"five digits":        {strings.Replace(rows, "8068", "80680", 1), `line 3: prize 3: the number "80680"`},
		"a sign":             {strings.Replace(rows, "8068", "-068", 1), `line 3: prize 3: the number "-068"`},
		"a letter":           {strings.Replace(rows, "8068", "8O68", 1), `line 3: prize 3: the number "8O68"`},
		"two are swapped":    {strings.Replace(strings.Replace(rows, "\n2,", "\nx,", 1), "\n3,", "\n2,", 1), `line 2: the prize "x": want 2`},
		"one twice":          {strings.Replace(rows, "\n3,", "\n2,", 1), `line 3: the prize "2": want 3`},
		"a header":           {"prize,number\n" + rows, `line 1: the prize "prize": want 1`},
		"two forms":          {strings.Replace(rows, "\n5,", "\n", 1), "line 5: \"9658\": want each line in the form of the first"},
		"semicolons":         {strings.ReplaceAll(rows, ",", ";"), "line 1: prize 1: the number"},
		"all in one line":    {strings.ReplaceAll(rows, "\n", " "), "line 1: "},
		"what is no extract": {"%PDF-1.7" + strings.Repeat("\x00", 9000), "too many for the numbers of an extract"},
	} {
		got, err := draw.ParseExtract([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, got, err, c.want)
		}
	}
}

// FuzzParseExtract: what is read as an extract is twenty numbers that are drawn, and written plainly they are read as the same.
func FuzzParseExtract(f *testing.F) {
	rows := extractFile(func(i int, n quiniela.Number) string { return fmt.Sprintf("%d,%04d\r\n", i, n) })
	f.Add([]byte(rows))
	f.Add([]byte("\xef\xbb\xbf" + strings.ReplaceAll(rows, "\r", "")))
	f.Add([]byte(extractFile(func(_ int, n quiniela.Number) string { return fmt.Sprintf(" %04d\n\n", n) })))
	f.Add([]byte(strings.Replace(rows, "0562", "562", 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		read, err := draw.ParseExtract(text)
		if err != nil {
			return
		}
		var plain strings.Builder
		for _, n := range read {
			if n > quiniela.MaxNumber {
				t.Fatalf("the number %d from %q", n, text)
			}
			fmt.Fprintf(&plain, "%04d\n", n)
		}
		if again, err := draw.ParseExtract([]byte(plain.String())); err != nil || len(read) != quiniela.PrizeCount || !cmp.Equal(again, read) {
			t.Fatalf("%q is read as %v, and that as %v, %v", text, read, again, err)
		}
	})
}
