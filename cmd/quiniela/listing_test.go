package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"
)

// drawsOf returns a list of draws with these names, as `draw list` shows it.
func drawsOf(names ...string) *listing {
	l := &listing{columns: []column{{head: "DRAW"}, {head: "STATE"}, {"BETS", true}, {"DONE", true}, {head: "CLOSES"}, {head: "NUMBER"}, {"WINNERS", true}}}
	for _, name := range names {
		l.add(name, "drawn", "1,000,000", "5/5", "2026-11-24 21:00", "0042", "102")
	}
	return l
}

func TestADrawWithALongNameFitsATerminal(t *testing.T) {
	for width, want := range map[int]string{
		80: `
DRAW                 STATE       BETS  DONE  CLOSES            NUMBER  WINNERS
2026-11-24-nocturna  drawn  1,000,000   5/5  2026-11-24 21:00  0042        102
night                drawn  1,000,000   5/5  2026-11-24 21:00  0042        102
`,
		70: `
DRAW         STATE       BETS  DONE  CLOSES            NUMBER  WINNERS
2026-11-24-nocturna
             drawn  1,000,000   5/5  2026-11-24 21:00  0042        102
night        drawn  1,000,000   5/5  2026-11-24 21:00  0042        102
`,
	} {
		var out strings.Builder
		if err := drawsOf("2026-11-24-nocturna", "night").write(&out, width); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, "\n"+out.String()); diff != "" {
			t.Errorf("%d: %s", width, diff)
		}
	}
}

// Names of any length and in any script are shown whole. On a terminal no line is wider than it is, elsewhere a row is one line.
func TestNothingOfAListingIsCutOff(t *testing.T) {
	names := []string{"n", strings.Repeat("x", 64), "Peña y Ñandú", "日本語の店", "e\u0301", "\u202eforged\nline"}
	for _, width := range []int{0, 66, 72, 80, 100, 200} {
		var out strings.Builder
		if err := drawsOf(names...).write(&out, width); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if width == 0 && len(lines) != 1+len(names) {
			t.Errorf("%d lines for %d rows:\n%s", len(lines), len(names), out.String())
		}
		for _, line := range lines {
			if width > 0 && runewidth.StringWidth(line) > width {
				t.Errorf("%d: %q is %d wide", width, line, runewidth.StringWidth(line))
			}
		}
		for _, want := range append(names[:5:5], `\u202eforged\u000aline`) {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%d: %q is not there:\n%s", width, want, out.String())
			}
		}
		if n := strings.Count(out.String(), "2026-11-24 21:00  0042        102\n"); n != len(names) {
			t.Errorf("%d: %d rows are whole:\n%s", width, n, out.String())
		}
	}
}

func TestALongFieldIsWrappedBesideItsLabel(t *testing.T) {
	fields := []field{{"draw", "night"}, {"note", "agency 2 without power since 18:40, as told by telephone"}}
	for width, want := range map[int]string{
		0:  "draw  night\nnote  agency 2 without power since 18:40, as told by telephone\n",
		40: "draw  night\nnote  agency 2 without power since\n      18:40, as told by telephone\n",
	} {
		var out strings.Builder
		if err := writeFields(&out, fields, width); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%d: %s", width, diff)
		}
	}
}
