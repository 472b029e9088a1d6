package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela/internal/console"
)

// Whatever a settings file holds, the answer is a start, or an error that names the file and does not start anything.
func FuzzSettings(f *testing.F) {
	f.Add(true, []byte("[DEFAULT]\nSERVER_PORT = 12345\nSERVER_LISTEN_BACKLOG=5\nLOGGING_LEVEL = INFO\n"))
	f.Add(true, []byte("[OTHER]\nx=1\n"))
	f.Add(true, []byte("SERVER_PORT=x\nSERVER_IP=\x00\n"))
	f.Add(false, []byte("id: 1\nserver:\n  address: \"a:1\"\nloop:\n  amount: 5\n  period: 5s\n"))
	f.Add(false, []byte("a: &a [*a]\n"))
	f.Add(false, []byte("batch:\n\t- x"))
	path := filepath.Join(f.TempDir(), "settings")
	f.Fuzz(func(t *testing.T, isINI bool, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		read := readYAML
		if isINI {
			read = readINI
		}
		values, err := read(path)
		if err != nil && !strings.Contains(err.Error(), path) && !isINI {
			t.Fatalf("an error that does not name the file: %v", err)
		}
		if err != nil || len(values) > 0 {
			// The flag stops a good file before it starts anything.
			command := "client"
			if isINI {
				command = "server"
			}
			var out, errs bytes.Buffer
			if err := run(t.Context(), []string{command, "--config", path, "--no-such-flag"}, &out, &errs); exitCode(err) != console.ExitUsage {
				t.Fatalf("ended with %v", err)
			}
		}
	})
}
