package central

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
)

// A server that is told to stop while it opens a draw says in its log that it did.
func TestAnOpeningIsLoggedThoughTheServerStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "draws.yaml")
	text := "zone: UTC\nagencies: 3\nsource: notary\nlead: 15m\nahead: 4h\ndraws:\n  - {name: night, time: 21:00}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) // nothing is due
	var log strings.Builder
	o := DefaultOptions(filepath.Join(dir, "data"))
	o.Schedule, o.Log, o.Now = file, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now }
	o.Seed = &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(quiniela.Number(1))}
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(6 * time.Hour)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	c.timetable.look(stopped)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "msg=draw_open result=success draw=2026-11-24-night") {
		t.Errorf("the log is\n%s", &log)
	}
}
