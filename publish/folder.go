package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// folder writes files so that a reader, also one who comes after a crash, finds each whole or not at all.
type folder struct {
	root string
	temp string // on the same file system, beside root: nothing unfinished is ever below root
	// dirs are those that were made or got a file since the last flush.
	dirs map[string]bool
}

func openFolder(root string) (*folder, error) {
	f := &folder{root: root, temp: root + ".tmp", dirs: map[string]bool{}}
	if err := os.RemoveAll(f.temp); err != nil {
		return nil, err
	}
	for _, dir := range []string{f.temp, f.root} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	return f, syncDir(filepath.Dir(root))
}

func (f *folder) path(name string) string { return filepath.Join(f.root, filepath.FromSlash(name)) }

// has reports whether a file is there.
func (f *folder) has(name string) bool {
	_, err := os.Stat(f.path(name))
	return err == nil
}

// read returns a file's bytes, nil where there is none.
func (f *folder) read(name string) ([]byte, error) {
	data, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// put writes a file, whose name has slashes. It is durable after the next flush.
func (f *folder) put(name string, data []byte) error {
	path := f.path(name)
	if err := f.mkdir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	temp, err := os.CreateTemp(f.temp, "new-")
	if err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", name, errors.Join(err, os.Remove(temp.Name())))
	}
	f.dirs[filepath.Dir(path)] = true
	return nil
}

// mkdir makes a folder and those above it, and notes where they are, to be flushed.
func (f *folder) mkdir(dir string) error {
	if f.dirs[dir] {
		return nil
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	f.dirs[filepath.Dir(dir)] = true
	return os.Mkdir(dir, 0o755)
}

// flush makes durable what was put, the deepest folders first.
func (f *folder) flush() error {
	var dirs []string
	for dir := range f.dirs {
		dirs = append(dirs, dir)
	}
	slices.SortFunc(dirs, func(a, b string) int { return len(b) - len(a) })
	for _, dir := range dirs {
		if err := syncDir(dir); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	clear(f.dirs)
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
