//go:build !linux

package durable

import (
	"errors"
	"os"
)

// SyncFiles puts the data of files on disk, all of which are in the tree of dir. Their names are there once SyncDir of their folders
// has returned.
func SyncFiles(_ string, files []string) error {
	for _, name := range files {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
