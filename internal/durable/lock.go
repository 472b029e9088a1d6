package durable

import (
	"errors"
	"os"
)

// ErrLocked says that another process has locked a folder.
var ErrLocked = errors.New("in use by another process")

// Locked is a folder that Lock has locked. It is unlocked once, by Close.
type Locked struct{ f *os.File }

// Close unlocks the folder.
func (l *Locked) Close() error { return l.f.Close() }
