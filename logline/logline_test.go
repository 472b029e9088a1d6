package logline_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"quiniela/logline"
)

// lines logs through f and returns what was written, without the time.
func lines(t *testing.T, f func(*slog.Logger)) string {
	t.Helper()
	var b bytes.Buffer
	h := logline.New(&b, slog.LevelDebug)
	f(slog.New(h))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	stamp := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d `)
	if got, want := len(stamp.FindAllString(b.String(), -1)), strings.Count(b.String(), "\n"); got != want {
		t.Fatalf("%d of %d lines begin with the time:\n%s", got, want, b.String())
	}
	return stamp.ReplaceAllString(b.String(), "")
}

func TestLines(t *testing.T) {
	for _, row := range []struct {
		want string
		log  func(*slog.Logger)
	}{
		{"INFO     action: config | result: success | port: 12345\n", func(l *slog.Logger) { l.Info("config", "result", "success", "port", 12345) }},
		{"WARNING  action: a | result: fail\n", func(l *slog.Logger) { l.Warn("a", "result", "fail") }},
		{"ERROR    action: a | result: fail | error: no\n", func(l *slog.Logger) { l.Error("a", "result", "fail", "error", errors.New("no")) }},
		{"DEBUG    action: a | d: 5s | u: 7 | b: true\n", func(l *slog.Logger) { l.Debug("a", "d", 5*time.Second, "u", uint64(7), "b", true) }},
		{"INFO     action: a | x: 1 | g.y: 2 | g.h.z: 3\n", func(l *slog.Logger) {
			l.With("x", 1).WithGroup("g").With("y", 2).WithGroup("h").Info("a", "z", 3)
		}},
		{"INFO     action: a | g.x: 1\n", func(l *slog.Logger) { l.Info("a", slog.Group("g", "x", 1), slog.Attr{}) }},
		{"INFO     action: a | msg: [CLIENT 1] Message N°1\n", func(l *slog.Logger) { l.Info("a", "msg", "[CLIENT 1] Message N°1") }},
		{"INFO     action: a b | k /: x / result: success\n", func(l *slog.Logger) { l.Info("a\nb", "k |", "x | result: success") }},
		{"INFO     action: a | k:   [31m  x � \n", func(l *slog.Logger) { l.Info("a", "k", "\r\x1b[31m\u2028\u202ex \xff\x00") }},
		{"INFO     action: a | k: " + strings.Repeat("x", 1024) + "…\n", func(l *slog.Logger) { l.Info("a", "k", strings.Repeat("x", 5000)) }},
	} {
		if got := lines(t, row.log); got != row.want {
			t.Errorf("got  %q\nwant %q", got, row.want)
		}
	}
}

func TestLevels(t *testing.T) {
	var b bytes.Buffer
	h := logline.New(&b, slog.LevelWarn)
	slog.New(h).Info("quiet")
	slog.New(h).Warn("loud")
	_ = h.Close()
	if s := b.String(); strings.Contains(s, "quiet") || !strings.Contains(s, "loud") {
		t.Fatalf("at WARNING: %q", s)
	}
	for s, want := range map[string]slog.Level{"debug": slog.LevelDebug, "INFO": slog.LevelInfo, "Warning": slog.LevelWarn, "WARN": slog.LevelWarn, "error": slog.LevelError, "CRITICAL": slog.LevelError} {
		if got, err := logline.ParseLevel(s); err != nil || got != want {
			t.Errorf("%q is %v, %v", s, got, err)
		}
	}
	if _, err := logline.ParseLevel("verbose"); err == nil || !strings.Contains(err.Error(), "DEBUG, INFO") {
		t.Errorf("an unknown level: %v", err)
	}
}

func TestALineIsWrittenSoonAndAWarningAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var b bytes.Buffer
		h := logline.New(writer(func(p []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return b.Write(p)
		}), slog.LevelInfo)
		written := func() int { mu.Lock(); defer mu.Unlock(); return strings.Count(b.String(), "\n") }
		slog.New(h).Info("a")
		if written() != 0 {
			t.Error("an INFO line was not buffered")
		}
		time.Sleep(51 * time.Millisecond)
		synctest.Wait()
		if written() != 1 {
			t.Error("an INFO line was not written after 50 ms")
		}
		slog.New(h).Warn("b")
		if written() != 2 {
			t.Error("a WARNING waited")
		}
		_ = h.Close()
		slog.New(h).Info("c")
		if written() != 3 {
			t.Error("a line after Close was not written at once")
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestConcurrentLinesStayWhole(t *testing.T) {
	got := lines(t, func(l *slog.Logger) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 2000 {
					l.Info("apuesta_recibida", "result", "success", "cantidad", 100)
				}
			})
		}
		wg.Wait()
	})
	if want := strings.Repeat("INFO     action: apuesta_recibida | result: success | cantidad: 100\n", 16000); got != want {
		t.Fatalf("%d bytes, want %d", len(got), len(want))
	}
}

func TestALineCostsNoAllocation(t *testing.T) {
	h := logline.New(io.Discard, slog.LevelInfo)
	l := slog.New(h)
	if n := testing.AllocsPerRun(1000, func() { l.Info("apuesta_recibida", "result", "success", "cantidad", 100) }); n > 1 {
		t.Errorf("%v allocations a line", n)
	}
	if n := testing.AllocsPerRun(1000, func() { l.Debug("quiet", "result", "success") }); n > 0 {
		t.Errorf("%v allocations a line whose level is off", n)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("config", "key", "value")
	f.Add("a\nb", "k|", "x | result: success\r\n\x1b[31m")
	f.Add("\xff\u2028", "", strings.Repeat("ñ", 2000))
	f.Fuzz(func(t *testing.T, action, key, value string) {
		if key == "" {
			key = "k"
		}
		got := lines(t, func(l *slog.Logger) { l.Info(action, "result", "success", slog.String(key, value)) })
		if strings.Count(got, "\n") != 1 || strings.Count(got, " | ") != 2 || strings.ContainsAny(got, "\r\x1b\u2028\x00") {
			t.Fatalf("%q", got)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	l := slog.New(logline.New(io.Discard, slog.LevelInfo))
	b.ReportAllocs()
	for b.Loop() {
		l.Info("apuesta_recibida", "result", "success", "cantidad", 100)
	}
}
