//go:build !unix

package store

import (
	"io"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// lockFolder locks a file in the folder, which this system does not let anybody delete while it is open.
func lockFolder(dir string) (io.Closer, error) {
	l, err := vfs.Default.Lock(filepath.Join(dir, "LOCK"))
	if err != nil {
		return nil, ErrLocked
	}
	return l, nil
}
