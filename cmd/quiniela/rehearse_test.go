package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela"
	"quiniela/internal/backup"
	"quiniela/internal/fsck"
	"quiniela/internal/publish/publishtest"
	"quiniela/internal/web"
)

// stopAt ends a context once a line of the output begins with a word.
type stopAt struct {
	word string
	stop context.CancelFunc
}

func (s stopAt) Write(text []byte) (int, error) {
	if strings.HasPrefix(string(text), s.word) {
		s.stop()
	}
	return len(text), nil
}

// Wherever a rehearsal is interrupted, it says so, and nothing of what it restored is left.
func TestAnInterruptedRehearsalLeavesNothing(t *testing.T) {
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574, 2)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	copied := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Create(t.Context(), d.Journal, d.Dir, copied, nil); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"backup", "journal", "public log", "server"} {
		ctx, stop := context.WithCancel(t.Context())
		temp := t.TempDir()
		err := run(ctx, []string{"rehearse", copied, "--temp", temp}, stopAt{word, stop}, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), "the rehearsal was interrupted, and what it had restored is removed") {
			t.Errorf("interrupted at %q: %v", word, err)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("interrupted at %q: %q is left, %v", word, left, err)
		}
		stop()
	}
	if _, err := backup.Verify(t.Context(), copied); err != nil {
		t.Error(err)
	}
}

// Every difference between what the server says of a draw and what its journal holds is told; what the server only went on with is none.
func TestARehearsalTellsDifferences(t *testing.T) {
	made := time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC)
	number, winners, other := quiniela.Number(7574), uint64(3), uint64(4)
	drawn := fsck.Draw{ID: "a", Batches: 2, Bets: 30, State: "drawn", Number: &number, Winners: winners}
	says := func(change func(*web.Draw)) web.Draw {
		n, w := uint16(number), winners
		d := web.Draw{ID: "a", State: "drawn", Figures: &web.Figures{Batches: 2, Bets: 30}, Number: &n, Winners: &w}
		change(&d)
		return d
	}
	with := func(change func(*fsck.Draw)) fsck.Draw {
		d := drawn
		change(&d)
		return d
	}
	for what, c := range map[string]struct {
		says  web.Draw
		holds fsck.Draw
		want  string // "" is no difference
	}{
		"the same":           {says(func(*web.Draw) {}), drawn, ""},
		"another name":       {says(func(d *web.Draw) { d.ID = "b" }), drawn, "the server says draw b"},
		"fewer bets":         {says(func(d *web.Draw) { d.Bets = 29 }), drawn, "bets: 29, and it should be 30"},
		"fewer batches":      {says(func(d *web.Draw) { d.Batches = 1 }), drawn, "batches: 1, and it should be 2"},
		"another number":     {says(func(d *web.Draw) { *d.Number = 1 }), drawn, "its number: 1, and it should be 7574"},
		"other winners":      {says(func(d *web.Draw) { d.Winners = &other }), drawn, "winners: 4, and it should be 3"},
		"other stakes":       {says(func(d *web.Draw) { d.Staked = 100 }), with(func(d *fsck.Draw) { d.Staked = 101 }), "cents that are staked: 100, and it should be 101"},
		"other prizes":       {says(func(d *web.Draw) { d.Payout = &web.Payout{Due: 7, Paid: 5} }), with(func(d *fsck.Draw) { d.Due, d.Paid = 8, 5 }), "cents that are due: 7, and it should be 8"},
		"other share":        {says(func(d *web.Draw) { d.Payout = &web.Payout{Due: 8, Paid: 4} }), with(func(d *fsck.Draw) { d.Due, d.Paid = 8, 5 }), "cents that are paid: 4, and it should be 5"},
		"no prizes":          {says(func(*web.Draw) {}), with(func(d *fsck.Draw) { d.Due, d.Paid = 8, 5 }), "cents that are paid: 0, and it should be 5"},
		"the prizes":         {says(func(d *web.Draw) { d.Payout = &web.Payout{Due: 8, Paid: 5} }), with(func(d *fsck.Draw) { d.Due, d.Paid = 8, 5 }), ""},
		"no result":          {says(func(d *web.Draw) { d.Winners = nil }), drawn, "the server gives none"},
		"back to sealed":     {says(func(d *web.Draw) { d.State = "sealed" }), drawn, "the journal says a, drawn"},
		"drawn meanwhile":    {says(func(*web.Draw) {}), with(func(d *fsck.Draw) { d.State = "sealed" }), ""},
		"drawn by no number": {says(func(*web.Draw) {}), with(func(d *fsck.Draw) { d.State, d.Number = "sealed", nil }), "the journal says a, sealed"},
		"forgotten":          {says(func(*web.Draw) {}), with(func(d *fsck.Draw) { d.State = "forgotten" }), ""},
		"closed early": {says(func(d *web.Draw) { d.State = "sealed" }), with(func(d *fsck.Draw) { d.State, d.Closes = "open", made.Add(time.Second) }),
			"the journal says a, open"},
		"closed in time": {says(func(d *web.Draw) { d.State = "sealed" }), with(func(d *fsck.Draw) { d.State, d.Closes = "open", made }), ""},
	} {
		var out bytes.Buffer
		r := &rehearsal{e: env{ctx: t.Context(), stdout: &out, stderr: &out}, made: &backup.Manifest{Made: made}}
		r.compare(c.says, c.holds)
		if (r.wrong > 0) != (c.want != "") || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %d differences, want %q:\n%s", what, r.wrong, c.want, out.String())
		}
	}
}
