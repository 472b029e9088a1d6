package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"quiniela/draw"
	"quiniela/internal/ledger"
)

// Following next gives every draw that matches once, the newest first.
func TestTheLastDrawsComeInParts(t *testing.T) {
	m := start(t, 1)
	for i := range 9 {
		m.openDraw(fmt.Sprintf("d%d", i), 1, time.Time{}, draw.FixedNumber(1))
	}
	var found []string
	parts := 0
	even := func(d ledger.Draw) bool { return d.Seq%2 == 0 } // d0, d2, …, of 2, 4, …
	for before := uint64(0); before != 0 || parts == 0; parts++ {
		draws, next, err := m.LastDraws(t.Context(), before, 2, even)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range draws {
			found = append(found, d.ID)
		}
		before = next
	}
	if want := []string{"d8", "d6", "d4", "d2", "d0"}; parts != 3 || !slices.Equal(found, want) {
		t.Errorf("%d parts with %q, want 3 with %q", parts, found, want)
	}
	if draws, next, err := m.LastDraws(t.Context(), 0, 5, even); len(draws) != 5 || next != 0 || err != nil {
		t.Errorf("all at once: %d, and %d next, %v", len(draws), next, err)
	}
}

// When an agency was last seen is known after a restart too.
func TestWhoHasNotFinishedAndWhenTheyWereSeen(t *testing.T) {
	m := start(t, 4)
	began := time.Now().Add(-time.Second)
	m.mustSend(1, 1, 5)
	m.finish(1, 1, "")
	m.mustSend(3, 1, 5)
	check := func() {
		t.Helper()
		missing, err := m.Unfinished(t.Context(), "1", 2)
		if err != nil || len(missing) != 2 || missing[0].Agency != 2 || missing[1].Agency != 3 || missing[1].Bets != 1 {
			t.Fatalf("not finished: %+v, %v", missing, err)
		}
		all, err := m.Progress(t.Context(), "1", 1, 10)
		if err != nil || len(all) != 4 {
			t.Fatalf("%+v, %v", all, err)
		}
		for i, want := range []bool{true, false, true, false} {
			if got := all[i].Seen.After(began); got != want {
				t.Errorf("agency %d was seen at %v, want %v", i+1, all[i].Seen, want)
			}
		}
	}
	check()
	m.restart(4)
	check()
}
