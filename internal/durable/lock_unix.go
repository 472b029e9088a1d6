//go:build unix

package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Lock locks a folder for this process, and returns at once: the error wraps ErrLocked where another process, or another
// Lock of this one, has the folder. The lock ends with Close or with the process, whatever ends it.
//
// The folder itself is locked, and not a file in it: somebody may take such a file for rubbish, and a second process could
// then lock a new file of the same name.
func Lock(dir string) (*Locked, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(err, f.Close())
	}
	return &Locked{f}, nil
}
