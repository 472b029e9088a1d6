package logline

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Log is a handler that can also write many lines at once.
type Log interface {
	slog.Handler
	// Deferred returns a handler of the same log whose lines wait: for Flush, or for a line that does not wait.
	Deferred() slog.Handler
	// Flush returns once the waiting lines are written, by this call or a concurrent one. The error is the writer's first ever.
	Flush() error
	// Close flushes. Lines that are logged later are written at once.
	Close() error
}

// Deferred returns a logger like log whose lines wait until Flush(log), or until log itself writes one. The lines of a
// logger that is not of this package do not wait.
func Deferred(log *slog.Logger) *slog.Logger {
	if h, ok := log.Handler().(Log); ok {
		return slog.New(h.Deferred())
	}
	return log
}

// Flush writes the lines that wait in the logger's handler. If a line cannot be written, Close returns the error.
func Flush(log *slog.Logger) {
	if h, ok := log.Handler().(Log); ok {
		_ = h.Flush()
	}
}

// Open returns a handler that writes lines of at least the level to w: as the specification has them ("text"), or one
// JSON object each ("json") with time, level, action and the attributes.
func Open(w io.Writer, level slog.Leveler, format string) (Log, error) {
	text := New(w, level)
	switch format {
	case "text":
		return text, nil
	case "json":
		return jsonLog{Handler: slog.NewJSONHandler(lines{text.out}, &slog.HandlerOptions{Level: level, ReplaceAttr: named}), text: text}, nil
	}
	return nil, fmt.Errorf("unknown log format %q: write text or json", format)
}

// named gives the message the name that it has in the text form.
func named(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.MessageKey {
		a.Key = "action"
	}
	return a
}

// jsonLog writes JSON through the text handler's buffer: Handle puts a line there, which waits for a flush or is flushed.
type jsonLog struct {
	slog.Handler
	text *Handler
	wait bool // lines wait for a flush
}

// lines adds a JSON handler's lines to the buffer. The handler makes one call for each line.
type lines struct{ out *output }

func (l lines) Write(line []byte) (int, error) { return len(line), l.out.write(line, true) }

// Handle implements slog.Handler.
func (l jsonLog) Handle(ctx context.Context, r slog.Record) error {
	err := l.Handler.Handle(ctx, r)
	if err == nil && !l.wait {
		err = l.text.Flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (l jsonLog) WithAttrs(a []slog.Attr) slog.Handler {
	l.Handler = l.Handler.WithAttrs(a)
	return l
}

// WithGroup implements slog.Handler.
func (l jsonLog) WithGroup(name string) slog.Handler {
	l.Handler = l.Handler.WithGroup(name)
	return l
}

// Deferred implements Log.
func (l jsonLog) Deferred() slog.Handler {
	l.wait = true
	return l
}

// Flush implements Log.
func (l jsonLog) Flush() error { return l.text.Flush() }

// Close implements Log.
func (l jsonLog) Close() error { return l.text.Close() }
