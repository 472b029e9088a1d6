package main

import (
	"io"

	"quiniela/internal/console"
)

// printf is console.Printf, by a name as short as every command wants it.
func printf(out io.Writer, format string, args ...any) (int, error) {
	return console.Printf(out, format, args...)
}
