package registry_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quiniela/internal/registry"
)

// list is a registry of names.
type list struct {
	registry.History
	Names []string
}

func at(path string) registry.File[list, *list] {
	return registry.File[list, *list]{
		Path: path, What: "the list", New: func() *list { return new(list) },
		Parse: func(_ string, text []byte) (*list, error) {
			l := new(list)
			return l, json.Unmarshal(text, l)
		},
	}
}

// The changes of a registry are numbered without gaps, over all commands that make them, and say who made them.
func TestTheHistoryOfARegistry(t *testing.T) {
	t.Setenv("SUDO_USER", "maria")
	f := at(filepath.Join(t.TempDir(), "list.json"))
	when := time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC)
	id := ""
	for _, names := range [][]string{{"a"}, {"b", "c"}, {}, {"d"}} {
		err := f.Change(func(l *list) error {
			for _, name := range names {
				l.Names = append(l.Names, name)
				l.Note("add", name, "new", when)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		l, err := f.Read()
		if err != nil || l.ID == "" || id != "" && l.ID != id {
			t.Fatalf("%v, the ID was %q and is %q", err, id, l.ID)
		}
		id = l.ID
	}
	l, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	var want []registry.Change
	for i, name := range []string{"a", "b", "c", "d"} {
		want = append(want, registry.Change{N: uint64(i + 1), What: "add", Who: registry.LocalUser(), About: name, Note: "new", At: when})
	}
	if diff := cmp.Diff(want, l.Changes, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if who := registry.LocalUser(); who != "local:maria" && !strings.HasSuffix(who, " by maria") {
		t.Errorf("the user is %q", who)
	}
}

// A registry that is changed for years does not grow for ever, and its numbers go on.
func TestOldChangesLeaveTheFile(t *testing.T) {
	var h registry.History
	for range 10_005 {
		h.Note("add", "", "", time.Time{})
	}
	if n := len(h.Changes); n != 10_000 || h.Changes[0].N != 6 || h.Changes[n-1].N != 10_005 {
		t.Errorf("%d changes, from %d on", n, h.Changes[0].N)
	}
}
