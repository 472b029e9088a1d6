package audit_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"quiniela"
	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/backup"
	"quiniela/internal/books"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/internal/publish/publishtest"
	"quiniela/tlog"
)

// restored is a lottery that lost a batch, was restored from a backup that has it not, and began a new log. It returns what it published
// before, and what after.
func restored(t *testing.T) (before, after *log) {
	d := publishtest.Start(t, 1)
	open := func(id string, source draw.Source) ledger.Draw {
		o, err := d.Ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: id, Agencies: 1, Rule: draw.Rule{Source: source}})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	night := open("night", quiniela.SourceNotary)
	d.Send(1, 1, 1, 7574, 5)
	d.Finish(1, 1)
	d.Send(night.Seq, 1, 1, 33)
	d.File("draws/1/outcome.json")
	copied := filepath.Join(t.TempDir(), "backup")
	if _, err := backup.Create(t.Context(), d.Journal, d.Dir, copied, nil); err != nil {
		t.Fatal(err)
	}
	d.Send(night.Seq, 1, 2, 34) // which is lost
	d.Close()
	before = asPublished(d)

	n := &backup.NewLog{Origin: "lottery.example/log-2"}
	var err error
	n.Old, n.OldKey, err = publish.NewestShown(func(name string) ([]byte, error) { return os.ReadFile(d.Path(name)) })
	if err != nil {
		t.Fatal(err)
	}
	d.Dir = filepath.Join(t.TempDir(), "data")
	other := *n
	other.OldKey = published().key.Verifier // of the same name
	if _, err := backup.Restore(t.Context(), copied, d.Dir, &other, nil); err == nil || !strings.Contains(err.Error(), "the backup is of the log") {
		t.Errorf("behind another log: %v", err)
	}
	if _, err := backup.Restore(t.Context(), copied, d.Dir, n, nil); err != nil {
		t.Fatal(err)
	}
	if err := d.Try(1); err == nil || !strings.Contains(err.Error(), "one name for ever") {
		t.Fatalf("it starts under the old log's name: %v", err)
	}
	d.Origin = n.Origin
	d.Open(1)
	if d.Key.Verifier != n.Key {
		t.Errorf("the key is %s, and %s was said", d.Key.Verifier, n.Key)
	}
	d.Send(night.Seq, 1, 2, 34)
	d.Finish(night.Seq, 1)
	morning := open("morning", quiniela.SourceNotary)
	d.Send(morning.Seq, 1, 1, 33)
	d.Finish(morning.Seq, 1)
	for _, id := range []string{"night", "morning"} {
		if _, err := d.Ledger.EnterNumber(t.Context(), ledger.Actor{}, id, 33, nil); err != nil {
			t.Fatal(err)
		}
		d.File("draws/" + id + "/outcome.json")
	}
	size := d.Ledger.Log().Size
	d.File(tlog.BundlePath(0, int(size)))
	d.Close()
	return before, asPublished(d)
}

func TestANewLogAfterALossIsAudited(t *testing.T) {
	t.Parallel()
	before, after := restored(t)
	j := after.journal(t)
	seen := func(c []byte) func(*audit.Options) {
		return func(o *audit.Options) { o.Retained = map[string][]byte{"kept": c} }
	}
	r := after.run(t, after.files, func(o *audit.Options) {
		o.Books = books.Of(j)
		seen(before.files["checkpoint"])(o)
	})
	for _, c := range r.Checks {
		if len(c.Findings) > 0 || c.Not != "" && c.Name != "witnesses" || c.Checked == 0 && c.Name != "witnesses" {
			t.Errorf("%s: %+v", c.Name, c)
		}
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], before.key.Verifier) || !strings.Contains(r.Warnings[0], "had 7 entries") {
		t.Errorf("it warns %q", r.Warnings)
	}
	if len(r.Draws) != 2 || r.Draws[0].ID != "night" || r.Draws[0].Bets != 2 || r.Draws[1].ID != "morning" {
		t.Errorf("%+v", r.Draws)
	}

	// The older log's checkpoints against what the new one says of its end.
	sign := func(size int64, root tlog.Hash, by note.Signer) []byte {
		c, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: by.Name(), Size: size, Root: root}, by)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	old := before.key.Signer
	wantFinding(t, after.run(t, after.files, seen(sign(8, tlog.Hash{1}, old))), "retained checkpoints", "entries were kept quiet")
	wantFinding(t, after.run(t, after.files, seen(sign(7, tlog.Hash{1}, old))), "retained checkpoints", "another root")
	wantFinding(t, before.run(t, before.files, seen(sign(2, tlog.Hash{1}, after.key.Signer))), "retained checkpoints", "kept: ")
	r = after.run(t, after.files, seen(sign(6, tlog.Hash{1}, old)))
	if i := slices.IndexFunc(r.Checks, func(c *audit.Check) bool { return c.Name == "retained checkpoints" }); !r.OK || r.Checks[i].Checked != 0 || !strings.Contains(r.Checks[i].Not, "audit the older log") {
		t.Errorf("a shorter one: %+v", r.Checks[i])
	}

	// What says where the log begins cannot be changed, nor a draw of the older log be slipped in.
	entry := after.files["continues"]
	for i := range entry {
		f := maps.Clone(after.files)
		f["continues"] = bytes.Clone(entry)
		f["continues"][i] ^= 1
		if after.run(t, f, nil).OK {
			t.Errorf("byte %d of continues was changed", i)
		}
	}
	f := maps.Clone(after.files)
	delete(f, "continues")
	wantFinding(t, after.run(t, f, nil), "files", "continues is missing")
	f = maps.Clone(after.files)
	f["draws.txt"] = bytes.Replace(f["draws.txt"], []byte("2 night"), []byte("1 night"), 1)
	wantFinding(t, after.run(t, f, nil), "files", "draws.txt", "the number 1")
	f = maps.Clone(after.files)
	f["draws/1/open"] = before.files["draws/1/open"]
	wantFinding(t, after.run(t, f, nil), "files", "draws/1/open")
	f = maps.Clone(before.files)
	f["continues"] = entry
	wantFinding(t, before.run(t, f, nil), "files", "continues: nothing in the log accounts for it")

	forged := after.forge(t)
	forged.entries = append(forged.entries, entry)
	wantFinding(t, after.run(t, forged.publish(), nil), "entries", "only its first entry can")
}
