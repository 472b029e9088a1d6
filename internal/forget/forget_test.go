package forget_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela"
	"quiniela/internal/forget"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/publish/publishtest"
)

// drawn returns the data folder of a stopped central whose draw 1 has its result, with two batches that are published.
func drawn(t *testing.T) *publishtest.Desk {
	t.Helper()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574, 2)
	d.Send(1, 1, 2, 5)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	d.Close()
	return d
}

func open(t *testing.T, dir string) *local.Journal {
	t.Helper()
	j, err := local.Open(filepath.Join(dir, "journal"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// kept returns how many batches of a journal have who bet, and how many entries say that a draw is forgotten.
func kept(t *testing.T, j journal.Journal) (batches, forgotten int) {
	t.Helper()
	for e, err := range j.Entries(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		entry, err := journal.Decode(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		switch v := entry.(type) {
		case *journal.Batch:
			if v.Plays == nil {
				batches++
			}
		case journal.Forget:
			forgotten++
		}
	}
	return batches, forgotten
}

func TestADrawIsForgotten(t *testing.T) {
	d := drawn(t)
	j := open(t, d.Dir)
	o := forget.Options{Data: d.Dir, Journal: j, Public: d.Path(""), Draw: "1"}
	task, err := forget.Prepare(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if batches, forgotten := kept(t, j); batches != 2 || forgotten != 0 {
		t.Errorf("Prepare left %d batches and %d marks, want 2 and none", batches, forgotten)
	}
	if done, err := task.Run(t.Context()); done.Batches != 2 || err != nil {
		t.Errorf("forgot %d batches, %v; want 2", done.Batches, err)
	}
	if batches, forgotten := kept(t, j); batches != 0 || forgotten != 1 {
		t.Errorf("left %d batches and %d marks, want none and 1", batches, forgotten)
	}
	if _, err := os.Stat(filepath.Join(d.Dir, ledger.StateName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the state, which has the winners, is there: %v", err)
	}
	// Again, as after a run that was cut off, and with the public log elsewhere by now: there is nothing left to do.
	o.Public = t.TempDir()
	if task, err = forget.Prepare(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if done, err := task.Run(t.Context()); done.Batches != 0 || err != nil {
		t.Errorf("the second run forgot %d batches, %v", done.Batches, err)
	}
	if _, forgotten := kept(t, j); forgotten != 1 {
		t.Errorf("%d marks, want 1", forgotten)
	}
}

// What cannot be shown any more must have been published, as the journal has it.
func TestOnlyWhatIsPublishedIsForgotten(t *testing.T) {
	d := drawn(t)
	j := open(t, d.Dir)
	other := publishtest.Start(t, 1)
	other.Send(1, 1, 1, 1, 2)
	other.Send(1, 1, 2, 5)
	other.Finish(1, 1)
	other.File("draws/1/outcome.json")
	for _, row := range []struct {
		name    string // of a published file
		replace bool   // by the other lottery's; else it is deleted
		want    string
	}{
		{"draws/1/outcome.json", false, "outcome.json"},
		{"draws/1/batches/0", false, "batches/0"},
		{"log.vkey", false, "log.vkey"},
		{"draws/1/batches/0", true, "does not have the bets"},
		{"draws/1/outcome.json", true, "outcome.json"},
		{"log.vkey", true, "outcome.json"},
	} {
		path := d.Path(row.name)
		whole, err := os.ReadFile(path)
		if err == nil {
			err = os.Remove(path)
		}
		if err == nil && row.replace {
			err = os.WriteFile(path, other.File(row.name), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = forget.Prepare(t.Context(), forget.Options{Data: d.Dir, Journal: j, Public: d.Path(""), Draw: "1"})
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "Nothing was forgotten") {
			t.Errorf("%s, replaced %v: %v; want %q", row.name, row.replace, err, row.want)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if batches, forgotten := kept(t, j); batches != 2 || forgotten != 0 {
		t.Errorf("left %d batches and %d marks, want 2 and none", batches, forgotten)
	}
}

func TestADrawThatCannotBeForgotten(t *testing.T) {
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574)
	d.Close()
	j := open(t, d.Dir)
	for id, want := range map[string]quiniela.Code{"1": quiniela.Invalid, "never": quiniela.NoDraw} {
		_, err := forget.Prepare(t.Context(), forget.Options{Data: d.Dir, Journal: j, Public: d.Path(""), Draw: id})
		if quiniela.CodeOf(err) != want {
			t.Errorf("draw %s: %v, want code %s", id, err, want)
		}
	}
}
