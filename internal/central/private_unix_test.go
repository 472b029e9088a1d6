//go:build unix

package central_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela/internal/central"
	"quiniela/internal/logline"
)

// private starts a central on a folder, stops it, and returns its log.
func private(t *testing.T, dir string) string {
	t.Helper()
	var log bytes.Buffer
	o := whole(dir)
	handler := logline.New(&log, slog.LevelInfo)
	o.Log = slog.New(handler)
	c, err := central.Open(t.Context(), o)
	if err == nil {
		err = c.Close()
	}
	if err := errors.Join(err, handler.Close()); err != nil {
		t.Fatal(err)
	}
	return log.String()
}

// rights checks that a start leaves nothing secret to others: every file of the data folder, but for the public log, is in a folder that
// only its owner can enter, or is its owner's alone.
func rights(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		switch {
		case name == "public":
			return fs.SkipDir
		case name == "journal.end": // how many entries there are, and a checksum
		case info.Mode()&0o077 != 0:
			t.Errorf("%s: %v", name, info.Mode())
		case e.IsDir():
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// A folder that was made by hand or by Docker, with the usual rights, becomes the server's alone when the server first takes it.
func TestAnEmptyFolderBecomesPrivate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	log := private(t, dir)
	if m := mode(t, dir); m != 0o700 || strings.Contains(log, "permissions") {
		t.Errorf("the folder has %o\n%s", m, log)
	}
	rights(t, dir)
}

// Somebody has copied the data folder without its modes. What is in it is mended; its own rights are a warning.
func TestALooseDataFolderIsMended(t *testing.T) {
	dir := t.TempDir()
	private(t, dir)
	public := mode(t, filepath.Join(dir, "public"))
	for path, mode := range map[string]fs.FileMode{"": 0o755, "journal": 0o755, "state": 0o750} {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"agencies.json": `{"version":1,"agencies":[]}`, "operators.json": `{"version":1,"operators":[]}`, "operator.key": "a-key-of-before-0123456789",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	log := private(t, dir)
	rights(t, dir)
	for _, want := range []string{
		"WARNING  action: permissions | result: success | path: " + dir + "/journal | mode: 0755 | change: no longer for other users",
		"path: " + dir + "/state | mode: 0750", "path: " + dir + "/operator.key | mode: 0644", "path: " + dir + "/agencies.json | mode: 0644",
		"path: " + dir + "/operators.json | mode: 0644",
		"WARNING  action: permissions | result: fail | path: " + dir + " | mode: 0755 | advice: other users may list or change the data folder: chmod 700 it",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	if m := mode(t, dir); m != 0o755 {
		t.Errorf("the folder's own rights were changed to %o", m)
	}
	if m := mode(t, filepath.Join(dir, "public")); m != public {
		t.Errorf("the public log's rights were changed from %o to %o", public, m)
	}
	for _, quiet := range []fs.FileMode{0o711, 0o700} {
		if err := os.Chmod(dir, quiet); err != nil {
			t.Fatal(err)
		}
		if log := private(t, dir); strings.Contains(log, "permissions") {
			t.Errorf("a folder with %o:\n%s", quiet, log)
		}
	}
}
