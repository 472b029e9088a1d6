//go:build !unix && !windows

package durable

import (
	"errors"
	"os"
)

// Lock fails: this system has no lock that ends with its process.
func Lock(dir string) (*Locked, error) {
	return nil, &os.PathError{Op: "lock", Path: dir, Err: errors.ErrUnsupported}
}
