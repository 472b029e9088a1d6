package backup

import (
	"errors"
	"fmt"
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
	}
	work, err := durable.MkdirTemp(in, ".quiniela-restore-")
	if err != nil {
		return "", fmt.Errorf("make a folder to prepare %s in: %w", target, err)
	}
	return work, nil
}

// place moves what was prepared in work to target. The journal comes last: a server does not start on the rest without it.
func place(work, target string) error {
	target = filepath.Clean(target)
	if filepath.Dir(work) != target {
		return errors.Join(os.Rename(work, target), durable.SyncDir(filepath.Dir(target)))
	}
	entries, err := os.ReadDir(work)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != journalName {
			err = errors.Join(err, os.Rename(filepath.Join(work, e.Name()), filepath.Join(target, e.Name())))
		}
	}
	if err := errors.Join(err, durable.SyncDir(target)); err != nil {
		return err
	}
	return errors.Join(os.Rename(filepath.Join(work, journalName), filepath.Join(target, journalName)), os.Remove(work), durable.SyncDir(target))
}
