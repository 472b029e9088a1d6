package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela/internal/backup"
)

// What was copied is known afterwards, also from a backup and in the folder that is restored from it.
func TestCopiesAreNoted(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	if all, err := backup.Copies(dir); len(all) != 0 || err != nil {
		t.Fatalf("%+v, %v before there is any", all, err)
	}
	export := backup.Copy{Kind: backup.KindExport, Path: "/elsewhere/bets.csv", Made: time.Unix(1792806000, 0).UTC(), Last: 50, Draw: "d0"}
	if noted, err := backup.Note(dir, export); !noted || err != nil {
		t.Fatal(noted, err)
	}
	to := filepath.Join(t.TempDir(), "copy")
	m, err := backup.Create(t.Context(), j, dir, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []backup.Copy{export, {Kind: backup.KindBackup, Path: to, Made: m.Made, Last: 50}}
	target := filepath.Join(t.TempDir(), "back")
	if _, err := backup.Restore(t.Context(), to, target, nil, nil); err != nil {
		t.Fatal(err)
	}
	restored := []backup.Copy{want[0], want[1]}
	restored[1].By = "restore"
	for folder, want := range map[string][]backup.Copy{dir: want, target: restored} {
		all, err := backup.Copies(folder)
		if err != nil || !cmp.Equal(all, want) {
			t.Errorf("%s: %v\n%s", folder, err, cmp.Diff(want, all))
		}
		info, err := os.Stat(filepath.Join(folder, backup.CopiesName))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the list has mode %v, %v", folder, info.Mode(), err)
		}
	}
	if all, err := backup.Copies(to); err != nil || !cmp.Equal(all, want[:1]) {
		t.Errorf("the backup knows %+v, %v", all, err)
	}
}

// A backup that cannot be noted is not made: nobody would find it again.
func TestABackupThatCannotBeNotedIsNotMade(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	if err := os.Mkdir(filepath.Join(dir, backup.CopiesName), 0o700); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Create(t.Context(), j, dir, to, nil); err == nil {
		t.Error("a backup was made")
	}
	wantNothing(t, to)
}

// Some folders take no note: nothing is made or changed there.
func TestWhatTakesNoNote(t *testing.T) {
	t.Parallel()
	dir, j := data(t)
	to := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Create(t.Context(), j, dir, to, nil); err != nil {
		t.Fatal(err)
	}
	for name, folder := range map[string]string{"a backup": to, "no folder": filepath.Join(t.TempDir(), "absent")} {
		if noted, err := backup.Note(folder, backup.Copy{Kind: backup.KindExport}); noted || err != nil {
			t.Errorf("%s: %t, %v", name, noted, err)
		}
	}
	if _, err := backup.Verify(t.Context(), to); err != nil {
		t.Error(err)
	}
}

// A line that a crash has cut off hides no other one.
func TestACutLineOfTheListIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, backup.CopiesName)
	note := func(where string) {
		t.Helper()
		if _, err := backup.Note(dir, backup.Copy{Kind: backup.KindBackup, Path: where}); err != nil {
			t.Fatal(err)
		}
	}
	note("/a")
	whole, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(whole, `{"kind":"exp`...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	note("/b")
	all, err := backup.Copies(dir)
	if len(all) != 2 || all[0].Path != "/a" || all[1].Path != "/b" || err == nil || !strings.Contains(err.Error(), "line 2, cannot be read") {
		t.Errorf("%+v, %v", all, err)
	}
}
