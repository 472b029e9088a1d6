package logline

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Log is a handler whose lines wait a little before they are written.
type Log interface {
	slog.Handler
	Flush() error // writes what waits; it returns the writer's first error ever
	Close() error // flushes, and makes later lines be written at once
}

// Open returns a handler that writes lines of at least the level to w: as the specification has them ("text"), or one
// JSON object each ("json") with time, level, action and the attributes.
func Open(w io.Writer, level slog.Leveler, format string) (Log, error) {
	text := New(w, level)
	switch format {
	case "text":
		return text, nil
	case "json":
		return jsonLog{slog.NewJSONHandler(lines{text.out}, &slog.HandlerOptions{Level: level, ReplaceAttr: named}), text}, nil
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

// jsonLog writes JSON through the text handler's buffer.
type jsonLog struct {
	slog.Handler
	text *Handler
}

// lines takes a JSON handler's lines; each comes in one call.
type lines struct{ out *output }

func (l lines) Write(line []byte) (int, error) { return len(line), l.out.write(line, false) }

// Handle implements slog.Handler.
func (l jsonLog) Handle(ctx context.Context, r slog.Record) error {
	err := l.Handler.Handle(ctx, r)
	if err == nil && r.Level >= slog.LevelWarn {
		err = l.text.Flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (l jsonLog) WithAttrs(a []slog.Attr) slog.Handler {
	return jsonLog{l.Handler.WithAttrs(a), l.text}
}

// WithGroup implements slog.Handler.
func (l jsonLog) WithGroup(name string) slog.Handler {
	return jsonLog{l.Handler.WithGroup(name), l.text}
}

// Flush implements Log.
func (l jsonLog) Flush() error { return l.text.Flush() }

// Close implements Log.
func (l jsonLog) Close() error { return l.text.Close() }
