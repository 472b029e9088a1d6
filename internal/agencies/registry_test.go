package agencies_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela/internal/agencies"
)

// While one process changes the registry, no other one can, and there is no lock's file that somebody could delete.
func TestOneChangeAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), agencies.FileName)
	nothing := func(*agencies.Registry) error { return nil }
	if err := agencies.Change(path, nothing); err != nil {
		t.Fatal(err)
	}
	err := agencies.Change(path, func(*agencies.Registry) error {
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Errorf("%v, %v: want the registry and no lock's file, which could be deleted", entries, err)
		}
		if err := agencies.Change(path, nothing); err == nil || !strings.Contains(err.Error(), "try again") {
			t.Errorf("a second change at once: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := agencies.Change(path, nothing); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
