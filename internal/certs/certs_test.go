package certs

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A key that cannot be used for a while, as after a renewal by another user, is taken as soon as it can, though nothing but
// its owner, its mode or its content in the same moment has changed.
func TestAKeyIsTriedUntilItCanBeUsed(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(dir, []string{"localhost"}, nil); err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem")
	good, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	f := &files{paths: []string{cert, key}, log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	first, moment := f.config, time.Now().Add(time.Minute)
	for _, text := range []string{"", string(good)} {
		if err := errors.Join(os.WriteFile(key, []byte(text), 0o600), os.Chtimes(key, moment, moment)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			f.checked = time.Time{}
			if got := f.current(); (got == first) != (text == "") {
				t.Errorf("with %d bytes of a key, the certificate of before: %t", len(text), got == first)
			}
		}
	}
	if fails, news := strings.Count(log.String(), "result=fail"), strings.Count(log.String(), "result=success"); fails != 1 || news != 1 {
		t.Errorf("want one failure and one success:\n%s", log.String())
	}
}
