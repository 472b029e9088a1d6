package store

import (
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela/internal/durable"
)

// Files is the operating system's file system, as every database here uses it.
var Files vfs.FS = ownedFS{vfs.Default}

// ownedFS is the operating system's file system, on which root's commands leave no file that the owner of a database
// cannot write: what they make belongs to the owner of its folder.
type ownedFS struct{ vfs.FS }

func (fs ownedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	if err == nil {
		durable.Inherit(name)
	}
	return f, err
}

func (fs ownedFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := fs.FS.OpenReadWrite(name, category, opts...)
	if err == nil {
		durable.Inherit(name)
	}
	return f, err
}

func (fs ownedFS) MkdirAll(dir string, perm os.FileMode) error { return durable.MkdirAll(dir, perm) }

func (fs ownedFS) Lock(name string) (io.Closer, error) {
	l, err := fs.FS.Lock(name)
	if err == nil {
		durable.Inherit(name)
	}
	return l, err
}

// Unwrap implements vfs.FS.
func (fs ownedFS) Unwrap() vfs.FS { return fs.FS }
