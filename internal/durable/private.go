package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// others are the rights of a file's group and of everybody else.
const others fs.FileMode = 0o077

// MkdirPrivate is MkdirAll for a folder of its owner only (0700). A folder that is there and empty becomes one, if it is this user's. One
// with something in it keeps its rights: they may be meant.
func MkdirPrivate(dir string) error {
	if err := MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if empty(dir) {
		_, _ = MakePrivate(dir)
	}
	return nil
}

func empty(dir string) bool {
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	_, err = d.Readdirnames(1)
	return d.Close() == nil && errors.Is(err, io.EOF)
}

// MakePrivate takes a file or folder from everybody but its owner. It returns the mode that it had, or 0 where nothing had to be done:
// nobody else had any right to it, or it does not exist.
func MakePrivate(path string) (was fs.FileMode, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil || !hasModes || info.Mode()&others == 0 {
		return 0, err
	}
	return info.Mode().Perm(), os.Chmod(path, info.Mode()&^others)
}

// Shared returns the mode of a folder that its group or others may list or write, and 0 for any other. The right to pass through it alone
// (0711) shows nothing that is not readable by itself.
func Shared(dir string) (fs.FileMode, error) {
	info, err := os.Stat(dir)
	if err != nil || !hasModes || info.Mode()&0o066 == 0 {
		return 0, err
	}
	return info.Mode().Perm(), nil
}
