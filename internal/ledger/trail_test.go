package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"quiniela/internal/journal"
	"quiniela/internal/ledger"
)

func TestTheTrailIsReadInParts(t *testing.T) {
	m := start(t, 1)
	for i := range 25 {
		what := journal.ActBackup
		if i%5 == 0 {
			what = journal.ActRefused
		}
		if err := m.Record(t.Context(), journal.Act{What: what, Who: "ana", About: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	backups := func(a journal.Act) bool { return a.What == journal.ActBackup }
	for name, row := range map[string]struct {
		match func(journal.Act) bool
		want  int
	}{"all": {nil, 25}, "backups": {backups, 20}} {
		last, parts, from := 25, 0, uint64(0)
		count := 0
		for {
			acts, before, err := m.Trail(t.Context(), from, 10, row.match)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range acts {
				var i int
				if _, err := fmt.Sscan(a.About, &i); err != nil || i >= last || a.At == 0 || a.Who != "ana" {
					t.Fatalf("%s: %+v after %d", name, a, last)
				}
				last = i
				count++
			}
			parts++
			if from = before; from == 0 {
				break
			}
		}
		if count != row.want || parts != (row.want+9)/10 {
			t.Errorf("%s: %d acts in %d parts", name, count, parts)
		}
	}
}

// Every server that has a registry records its changes, and again after each start. Each is there once.
func TestAChangeOfARegistryIsRecordedOnce(t *testing.T) {
	m := start(t, 1)
	change := func(registry string, n uint64) journal.Act {
		return journal.Act{What: journal.ActAgencyAdd, Who: "local:root", Registry: registry, Change: n, About: fmt.Sprint(n), At: int64(n)}
	}
	record := func(acts ...journal.Act) {
		t.Helper()
		if err := m.Record(t.Context(), acts...); err != nil {
			t.Fatal(err)
		}
	}
	record(change("a", 1), change("a", 1), change("a", 2), change("b", 1))
	record(change("a", 1), change("a", 2), change("a", 3))
	m.restart(1)
	record(change("a", 3), change("b", 1), change("b", 2))
	m.stop()
	m.fs = vfs.NewMem() // the state is built anew
	m.open(1)
	record(change("a", 3), change("a", 4), change("b", 2))
	want := []string{
		"local:root agency_add 1 ", "local:root agency_add 2 ", "local:root agency_add 1 ", "local:root agency_add 3 ", "local:root agency_add 2 ", "local:root agency_add 4 ",
	}
	if diff := cmp.Diff(want, trail(t, m.Ledger)); diff != "" {
		t.Error(diff)
	}
	if a, b := m.LastChange("a"), m.LastChange("b"); a != 4 || b != 2 {
		t.Errorf("the last changes are %d and %d", a, b)
	}
	j := journalOf(t, []any{change("a", 2), change("a", 1)})
	if l, err := ledger.Open(t.Context(), j, ledger.Options{Dir: "data", FS: vfs.NewMem()}); err == nil {
		t.Errorf("a journal whose changes go back is taken: %v", l.Close())
	}
}

// What a stranger types stands in the trail cut and printable.
func TestWhatIsLongInTheTrailIsCut(t *testing.T) {
	m := start(t, 1)
	if err := m.Record(t.Context(), journal.Act{What: journal.ActRefused, About: strings.Repeat("é", 1000), Note: "a\x1b[2J\n|"}); err != nil {
		t.Fatal(err)
	}
	acts, _, err := m.Trail(t.Context(), 0, 1, nil)
	if err != nil || len(acts) != 1 {
		t.Fatal(acts, err)
	}
	if a := acts[0]; len(a.About) > 300 || !utf8.ValidString(a.About) || !strings.HasSuffix(a.About, "é…") || strings.ContainsAny(a.Note, "\x1b\n") {
		t.Errorf("%+v", a)
	}
}
