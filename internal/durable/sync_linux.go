package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// SyncFiles puts the data of files on disk, all of which are in the tree of dir, on one file system. Their names are there once SyncDir
// of their folders has returned. One call of the system does it for all of them, together with whatever else the file system has to
// write.
func SyncFiles(dir string, _ []string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(os.NewSyscallError("syncfs", unix.Syncfs(int(d.Fd()))), d.Close())
}
