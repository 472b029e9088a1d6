// Package logline is a slog handler for the specification's log lines,
//
//	2026-01-31 22:11:15 INFO     action: config | result: success | key: value
//
// The record's message is the action, and its first attribute is the result. Nothing in a value can break a line or add a field
// to it. A line is written before the call that logs it returns, so that a process that is killed afterwards has lost no line.
// Code that logs many lines at once uses Deferred, and one Flush at the end. It is not a general format: values are not quoted,
// and a line cannot be parsed back.
package logline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// mostBuffered is the most bytes that wait for a flush. A deferred line beyond it is written at once, with all before it, so
	// that memory stays bounded even if nobody flushes.
	mostBuffered = 64 << 10
	// mostValue is the most bytes of one rendered value.
	mostValue = 1024
)

// Handler is a slog.Handler. It and the handlers derived from it share one buffer. Their methods may be called concurrently.
type Handler struct {
	level  slog.Leveler
	out    *output
	wait   bool   // lines wait for a flush
	prefix string // of keys, from WithGroup
	attrs  []byte // rendered, from WithAttrs
}

// output is the buffer in front of the writer. Whoever logs a line that may not wait, or flushes, writes the buffer itself:
// there is no goroutine behind it.
type output struct {
	// writing is held for a whole write, so that blocks reach w in the order in which they were filled. It is taken before mu.
	writing sync.Mutex
	w       io.Writer // used under writing

	mu     sync.Mutex // protects what follows; held briefly, never during a write, so that others can go on logging
	buf    []byte     // lines that are not written yet
	spare  []byte     // the block of the write before, for the next buf
	closed bool       // no line waits any more
	err    error      // the writer's first
}

// New returns a handler that writes lines of at least the level to w. Close it at the end.
func New(w io.Writer, level slog.Leveler) *Handler {
	return &Handler{level: level, out: &output{w: w}}
}

// ParseLevel reads a level as the specification's configuration files write it, in any case.
func ParseLevel(s string) (slog.Level, error) {
	switch strings.ToUpper(strings.TrimSpace(s)) {
	case "DEBUG":
		return slog.LevelDebug, nil
	case "INFO":
		return slog.LevelInfo, nil
	case "WARNING", "WARN":
		return slog.LevelWarn, nil
	case "ERROR", "CRITICAL":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("unknown log level %q: write DEBUG, INFO, WARNING or ERROR", s)
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

// Handle implements slog.Handler.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	p := buffers.Get().(*[]byte)
	line := (*p)[:0]
	if !r.Time.IsZero() {
		line = append(r.Time.AppendFormat(line, time.DateTime), ' ')
	}
	line = append(append(line, levelName(r.Level)...), " action: "...)
	line = appendClean(line, r.Message)
	line = append(line, h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		line = appendAttr(line, h.prefix, a)
		return true
	})
	line = append(line, '\n')
	err := h.out.write(line, h.wait)
	*p = line
	buffers.Put(p)
	return err
}

// levelName is padded to eight characters, as Python's logging pads it.
func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "ERROR   "
	case l >= slog.LevelWarn:
		return "WARNING "
	case l >= slog.LevelInfo:
		return "INFO    "
	}
	return "DEBUG   "
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append([]byte(nil), h.attrs...)
	for _, a := range attrs {
		c.attrs = appendAttr(c.attrs, h.prefix, a)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	c := *h
	if name != "" {
		c.prefix += name + "."
	}
	return &c
}

func appendAttr(dst []byte, prefix string, a slog.Attr) []byte {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, inner := range v.Group() {
			dst = appendAttr(dst, prefix, inner)
		}
		return dst
	}
	if a.Equal(slog.Attr{}) {
		return dst
	}
	dst = append(dst, " | "...)
	dst = appendClean(dst, prefix)
	dst = append(appendClean(dst, a.Key), ": "...)
	return appendValue(dst, v)
}

func appendValue(dst []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindInt64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(dst, v.Uint64(), 10)
	case slog.KindTime:
		return v.Time().AppendFormat(dst, time.RFC3339)
	}
	return appendClean(dst, v.String())
}

// appendClean appends s as printable text without the field separator: `|` becomes `/`, and whatever does not print,
// be it a line end, an escape or a character that reorders text, becomes a space. What is not UTF-8 becomes U+FFFD.
func appendClean(dst []byte, s string) []byte {
	cut := len(s) > mostValue
	if cut {
		s = withoutLastRune(s[:mostValue])
	}
	for _, r := range s {
		switch {
		case r == '|':
			dst = append(dst, '/')
		case r < utf8.RuneSelf && r >= ' ' && r != 0x7f:
			dst = append(dst, byte(r))
		case r >= utf8.RuneSelf && unicode.IsPrint(r), r == utf8.RuneError:
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, ' ')
		}
	}
	if cut {
		dst = append(dst, "…"...)
	}
	return dst
}

// withoutLastRune removes a character of several bytes from the end of s: it may have been cut.
func withoutLastRune(s string) string {
	for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	if len(s) > 0 && s[len(s)-1] >= utf8.RuneSelf {
		s = s[:len(s)-1]
	}
	return s
}

// write adds a line to the buffer and, unless the line may wait, writes the buffer.
func (o *output) write(line []byte, wait bool) error {
	o.mu.Lock()
	o.buf = append(o.buf, line...)
	wait = wait && !o.closed && len(o.buf) < mostBuffered
	o.mu.Unlock()
	if wait {
		return nil
	}
	return o.flush()
}

// flush returns once every line that was added before the call is written. Concurrent calls share a write: the first takes the
// whole buffer, and the others wait for it and find nothing left. The error is the writer's first, of this call or an earlier one.
func (o *output) flush() error {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.mu.Lock()
	block := o.buf
	o.buf = o.spare[:0]
	o.mu.Unlock()
	var err error
	if len(block) > 0 {
		_, err = o.w.Write(block)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spare = block
	if o.err == nil {
		o.err = err
	}
	return o.err
}

// Deferred implements Log.
func (h *Handler) Deferred() slog.Handler {
	c := *h
	c.wait = true
	return &c
}

// Flush writes what is buffered. It returns the writer's first error ever.
func (h *Handler) Flush() error { return h.out.flush() }

// Close flushes. A line logged later is written at once.
func (h *Handler) Close() error {
	h.out.mu.Lock()
	h.out.closed = true
	h.out.mu.Unlock()
	if err := h.out.flush(); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}
