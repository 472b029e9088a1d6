package agencies_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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

// A token is typed behind --token: it never begins as an option does, and needs no quotes.
func TestATokenIsAWord(t *testing.T) {
	var registry agencies.Registry
	if _, err := registry.Add(1, "", "", time.Now()); err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile(`^[A-Z2-7]{52}$`)
	for range 1000 {
		if token, err := registry.Rotate(1, "", time.Now()); err != nil || !word.MatchString(token) {
			t.Fatalf("%q, %v", token, err)
		}
	}
}
