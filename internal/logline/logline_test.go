package logline_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela/internal/logline"
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

// recorder keeps each write apart, and holds the writes up while gate is closed.
type recorder struct {
	mu     sync.Mutex
	writes []string
	began  chan struct{} // gets a value as each write begins
	gate   chan struct{}
}

func newRecorder() *recorder {
	r := &recorder{began: make(chan struct{}, 1000), gate: make(chan struct{})}
	close(r.gate)
	return r
}

func (r *recorder) Write(p []byte) (int, error) {
	r.began <- struct{}{}
	<-r.gate
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, string(p))
	return len(p), nil
}

// lines returns how many lines each write had.
func (r *recorder) lines() (counts []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.writes {
		counts = append(counts, strings.Count(w, "\n"))
	}
	return counts
}

func TestALineIsWrittenBeforeTheCallReturns(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		w := newRecorder()
		h, err := logline.Open(w, slog.LevelDebug, format)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(h).With("x", 1).WithGroup("g")
		for i, say := range []func(string, ...any){log.Debug, log.Info, log.Warn, log.Error} {
			if say("a", "k", i); len(w.lines()) != i+1 {
				t.Errorf("%s: %v after %d lines", format, w.lines(), i+1)
			}
		}
	}
}

func TestDeferredLinesAreOneWrite(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		w := newRecorder()
		h, err := logline.Open(w, slog.LevelInfo, format)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(h)
		group := logline.Deferred(log).With("x", 1).WithGroup("g")
		group.Info("a")
		group.Warn("b")
		if got := w.lines(); got != nil {
			t.Errorf("%s: %v before the flush", format, got)
		}
		logline.Flush(log)
		logline.Flush(group)
		group.Info("c")
		log.Info("d") // takes along what waits, in order
		if got := w.lines(); !slices.Equal(got, []int{2, 2}) || strings.Index(w.writes[1], "c") > strings.Index(w.writes[1], "d") {
			t.Errorf("%s: %v lines in each write: %q", format, got, w.writes)
		}
		for range 2000 {
			group.Info("apuesta_recibida", "result", "success", "cantidad", 100)
		}
		if got := w.lines(); len(got) < 3 {
			t.Errorf("%s: 2000 lines wait for ever", format)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		before := len(w.lines())
		if group.Info("e"); len(w.lines()) != before+1 {
			t.Errorf("%s: a line after Close was not written at once", format)
		}
	}
	other := slog.New(slog.NewTextHandler(io.Discard, nil))
	if logline.Deferred(other) != other {
		t.Error("a logger of another handler was changed")
	}
	logline.Flush(other)
}

// Flushes that come while a write is under way share the next one, and none returns before its line is written.
func TestFlushesShareAWrite(t *testing.T) {
	w := newRecorder()
	w.gate = make(chan struct{})
	log := slog.New(logline.New(w, slog.LevelInfo))
	group := logline.Deferred(log)
	var flushes sync.WaitGroup
	flush := func(lines int) {
		group.Info("a")
		flushes.Go(func() {
			logline.Flush(log)
			n := 0
			for _, c := range w.lines() {
				n += c
			}
			if n < lines {
				t.Errorf("a flush returned with %d lines written, and %d were logged before it", n, lines)
			}
		})
	}
	flush(1)
	<-w.began
	for i := range 50 {
		flush(2 + i)
	}
	close(w.gate)
	flushes.Wait()
	if got := w.lines(); !slices.Equal(got, []int{1, 50}) {
		t.Errorf("%v lines in each write", got)
	}
}

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
