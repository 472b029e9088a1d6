package backup

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"quiniela/internal/durable"
)

// makeWork makes the folder in which target is prepared. It is in target where that exists, since target may be a mount of
// its own, such as a container's volume, and beside it otherwise; in both cases what is in it can be renamed to its place.
// It belongs to the owner of the folder that it is in: a server that runs as that user starts on it, though root restored it.
func makeWork(target string) (string, error) {
	in := filepath.Clean(target)
	if _, err := os.Stat(in); err != nil {
		in = filepath.Dir(in)
	} else if err := durable.MkdirPrivate(in); err != nil {
		return "", err
	}
	work, err := durable.MkdirTemp(in, ".quiniela-restore-")
	if err != nil {
		return "", fmt.Errorf("make a folder to prepare %s in: %w", target, err)
	}
	return work, nil
}

// putInPlace moves the folder that was prepared in work to target, once all of it is on the disk. Where target exists already,
// work lies in it, and what is in work is moved out. When it returns nil, the names are on the disk as well.
func putInPlace(work, target string) error {
	if err := syncDirs(work); err != nil {
		return err
	}
	target = filepath.Clean(target)
	if filepath.Dir(work) == target {
		return moveOut(work, target)
	}
	if err := os.Rename(work, target); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(target))
}

// moveOut moves what is in the folder work into the folder target. The journal comes last: a server does not start on the rest
// without it.
func moveOut(work, target string) error {
	entries, err := os.ReadDir(work)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == journalName {
			continue
		}
		if err := os.Rename(filepath.Join(work, e.Name()), filepath.Join(target, e.Name())); err != nil {
			return err
		}
	}
	if err := durable.SyncDir(target); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(work, journalName), filepath.Join(target, journalName)); err != nil {
		return err
	}
	if err := os.Remove(work); err != nil {
		return err
	}
	return durable.SyncDir(target)
}

// syncDirs puts the names in a folder and in those in it on the disk, and the folder's own name.
func syncDirs(dir string) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return durable.SyncDir(path)
	})
	if err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(dir))
}
