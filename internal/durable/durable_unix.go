//go:build unix

package durable

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// hasModes says that the rights to a file are in its mode.
const hasModes = true

// SyncDir puts the names in a folder on disk. What was written into the files is theirs to sync.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func ownerOf(info fs.FileInfo) (owner, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return owner{}, false
	}
	return owner{int(stat.Uid), int(stat.Gid)}, true
}
