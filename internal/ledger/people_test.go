package ledger_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/fsck"
	"quiniela/internal/journal"
	"quiniela/internal/journal/journaltest"
	"quiniela/internal/ledger"
)

func person(name string) ledger.Actor {
	return ledger.Actor{Name: name, From: "192.0.2.7", Registered: true}
}

// waitsForTwo opens and closes a draw whose number two people must enter.
func (m *machine) waitsForTwo(id string) {
	m.t.Helper()
	ana := person("ana")
	terms := ledger.Terms{ID: id, Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}, Two: true}
	if _, err := m.OpenDraw(m.t.Context(), ana, terms); err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.CloseDraw(m.t.Context(), ana, id, "the time has come"); err != nil {
		m.t.Fatal(err)
	}
}

// trail returns the acts, the oldest first, as "who what note".
func trail(t *testing.T, l *ledger.Ledger) (lines []string) {
	t.Helper()
	acts, _, err := l.Trail(t.Context(), 0, 1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range acts {
		lines = append([]string{a.Who + " " + a.What + " " + a.Draw + a.About + " " + a.Note}, lines...)
	}
	return lines
}

func TestTwoPeopleEnterANumber(t *testing.T) {
	m := start(t, 1)
	m.waitsForTwo("night")
	extract, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	steps := []struct {
		who     ledger.Actor
		number  quiniela.Number
		extract []byte
		want    quiniela.Code
	}{
		{ledger.Actor{Name: "local:root"}, 42, nil, quiniela.Denied}, // nobody who could come twice
		{ledger.Actor{}, 42, nil, quiniela.Denied},
		{person("ana"), 41, extract, ""},
		{person("ana"), 42, extract, ""}, // she has mistyped it: the same person is not a second one
		{person("eva"), 43, extract, quiniela.Conflict},
		{person("eva"), 42, extract, ""}, // she is the first now: the difference has taken both back
		{person("ana"), 42, other, quiniela.Conflict},
		{person("ana"), 42, other, ""},
	}
	for i, s := range steps {
		d, err := m.EnterNumber(t.Context(), s.who, "night", s.number, s.extract)
		if quiniela.CodeOf(err) != s.want || s.want == "" && err != nil {
			t.Fatalf("step %d: %v, want code %q", i, err, s.want)
		}
		if d.Entered != nil {
			t.Fatalf("step %d: the number is in effect", i)
		}
	}
	for range 2 { // also after a restart, and with a state that is built anew
		d, err := m.FindDraw(t.Context(), "night")
		if err != nil || d.First == nil || d.First.Who != "ana" || d.State() != "sealed" {
			t.Fatalf("%+v, %v", d, err)
		}
		m.restart(1)
	}
	if _, err := m.EnterNumber(t.Context(), person("eva"), "night", 42, other); err != nil {
		t.Fatal(err)
	}
	m.wait("night", "drawn")
	if _, err := m.EnterNumber(t.Context(), person("ana"), "night", 43, other); quiniela.CodeOf(err) != quiniela.Conflict {
		t.Fatalf("a number after the number: %v", err)
	}
	m.stop()
	m.fs = vfs.NewMem()
	m.open(1)
	d := m.wait("night", "drawn")
	if *d.Entered != 42 || !bytes.Equal(d.Extract, other) || d.First != nil || !cmp.Equal(d.EnteredBy, []string{"ana", "eva"}) {
		t.Fatalf("recorded as %+v", d)
	}
	want := []string{
		"ana open night ", "ana close night the time has come",
		"ana enter night the first of two", "ana enter night the first of two",
		"eva differ night ana and eva entered different numbers",
		"eva enter night the first of two",
		"ana differ night eva and ana entered different extracts",
		"ana enter night the first of two", "eva enter night 0042",
	}
	if diff := cmp.Diff(want, trail(t, m.Ledger)); diff != "" {
		t.Error(diff)
	}
	if r, err := fsck.Check(t.Context(), m.j, nil); err != nil || !r.OK() {
		t.Errorf("%v, %q", err, r.Findings)
	}
}

func TestTwoPeopleAreForANotarysNumber(t *testing.T) {
	m := start(t, 1)
	_, err := m.OpenDraw(t.Context(), person("ana"), ledger.Terms{ID: "x", Agencies: 1, Rule: draw.FixedNumber(1), Two: true})
	if quiniela.CodeOf(err) != quiniela.Invalid {
		t.Fatal(err)
	}
	m.openDraw("y", 1, time.Time{}, draw.Rule{Source: quiniela.SourceNotary}) // by the lottery itself
	if got := trail(t, m.Ledger); got != nil {
		t.Errorf("what nobody has done is in the trail: %q", got)
	}
}

// A journal in which the rule was not kept is refused, also where its entries fit the chain.
func TestAJournalThatBreaksTheRuleOfTwoIsRefused(t *testing.T) {
	entered := func(who string, n quiniela.Number) journal.Entered {
		return journal.Entered{Draw: 1, Number: n, Who: who, At: 3}
	}
	number := func(n quiniela.Number, by ...string) journal.Number {
		return journal.Number{Draw: 1, Number: n, By: by, At: 4}
	}
	for name, row := range map[string]struct {
		two     bool
		entries []any
		good    bool
	}{
		"as it should be":        {true, []any{entered("ana", 7), number(7, "ana", "eva")}, true},
		"after a difference":     {true, []any{entered("ana", 7), entered("eva", 8), entered("eva", 7), number(7, "eva", "ana")}, true},
		"one person alone":       {true, []any{number(7, "ana")}, false},
		"one person twice":       {true, []any{entered("ana", 7), number(7, "ana", "ana")}, false},
		"nobody first":           {true, []any{number(7, "ana", "eva")}, false},
		"another number":         {true, []any{entered("ana", 7), number(8, "ana", "eva")}, false},
		"another first person":   {true, []any{entered("ana", 7), number(7, "eva", "ana")}, false},
		"both taken back":        {true, []any{entered("ana", 7), entered("eva", 8), number(7, "ana", "eva")}, false},
		"the same without sense": {true, []any{entered("ana", 7), entered("eva", 7)}, false},
		"nobody's name":          {true, []any{entered("", 7)}, false},
		"two where one is said":  {false, []any{number(7, "ana", "eva")}, false},
		"one of no two":          {false, []any{entered("ana", 7)}, false},
		"one where one is said":  {false, []any{number(7, "ana")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			j := journalOf(t, append([]any{
				journal.Open{Draw: 1, ID: "x", Agencies: 1, Source: quiniela.SourceNotary, Two: row.two, At: 1},
				journal.Seal{Draw: 1, By: journal.SealedByOperator, Missing: 1, At: 2},
			}, row.entries...))
			l, err := ledger.Open(t.Context(), j, ledger.Options{Dir: "data", FS: vfs.NewMem()})
			if err == nil {
				err = l.Close()
			}
			report, broken := fsck.Check(t.Context(), j, nil)
			if broken != nil {
				t.Fatal(broken)
			}
			if (err == nil) != row.good || report.OK() != row.good {
				t.Errorf("the ledger says %v, and fsck %q", err, report.Findings)
			}
		})
	}
}

// journalOf returns a new journal with some entries.
func journalOf(t *testing.T, entries []any) journal.Journal {
	t.Helper()
	var disk journaltest.Disk
	j, err := disk.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	var all [][]byte
	for _, e := range entries {
		all = append(all, journal.Encode(e))
	}
	if _, err := j.Append(t.Context(), journal.Head{}, all); err != nil {
		t.Fatal(err)
	}
	return j
}
