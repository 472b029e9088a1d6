package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"quiniela/internal/durable"
)

// folder writes files so that a reader, also one who comes after a crash, finds each whole or not at all. Only one goroutine
// may use a folder; another one takes its own (another).
type folder struct {
	root string
	// temp holds what is being written. It is in root, which may be a mount of its own: a file system is never left by a
	// rename. Its name begins with a dot, so no file of a log is ever in it.
	temp string
	// dirs are those that were made or got a file since the last flush, and files those whose data is not on disk yet.
	dirs  map[string]bool
	files []string
}

// another returns the same folder for use by another goroutine: what it puts, it flushes.
func (f *folder) another() *folder {
	return &folder{root: f.root, temp: f.temp, dirs: map[string]bool{}}
}

// unfinished is the folder in a published log for files that are being written.
const unfinished = ".unfinished"

func openFolder(root string) (*folder, error) {
	f := &folder{root: root, temp: filepath.Join(root, unfinished), dirs: map[string]bool{}}
	// Earlier versions wrote beside root.
	if err := errors.Join(os.RemoveAll(root+".tmp"), os.RemoveAll(f.temp)); err != nil {
		return nil, err
	}
	if err := durable.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	return f, durable.Mkdir(f.temp, 0o700)
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

// put writes a file, whose name has slashes. It is durable after the next flush, together with all that was put since the one before: a
// sync for each file would take longer than all the rest of publishing. Until then a power loss can leave it cut or empty, which the next
// start mends, since all files are derived from the ledger; so a file that speaks of others is put after they are flushed.
func (f *folder) put(name string, data []byte) error {
	path := f.path(name)
	if err := f.mkdir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	temp, err := durable.CreateIn(f.temp, path, 0o644)
	if err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	if _, err := temp.Write(data); err != nil {
		return fmt.Errorf("publish %s: %w", name, errors.Join(err, temp.Discard()))
	}
	if err := temp.PlaceUnsynced(); err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	f.dirs[filepath.Dir(path)] = true
	f.files = append(f.files, path)
	return nil
}

// putChanged puts a file that is not there, or is there with other bytes.
func (f *folder) putChanged(name string, data []byte) error {
	have, err := f.read(name)
	if err == nil && have != nil && bytes.Equal(have, data) {
		return nil
	}
	return f.put(name, data)
}

// putLast puts a file that speaks of others: those that were put before are flushed first, and the file itself after it.
func (f *folder) putLast(name string, data []byte) error {
	if err := f.flush(); err != nil {
		return err
	}
	if err := f.put(name, data); err != nil {
		return err
	}
	return f.flush()
}

// remove removes a file that may be there.
func (f *folder) remove(name string) error {
	err := os.Remove(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f.dirs[filepath.Dir(f.path(name))] = true
	return err
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
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	durable.Inherit(dir)
	return nil
}

// flush makes durable what was put, the deepest folders first.
func (f *folder) flush() error {
	if len(f.files) > 0 {
		if err := durable.SyncFiles(f.root, f.files); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		f.files = f.files[:0]
	}
	var dirs []string
	for dir := range f.dirs {
		dirs = append(dirs, dir)
	}
	slices.SortFunc(dirs, func(a, b string) int { return len(b) - len(a) })
	for _, dir := range dirs {
		if err := durable.SyncDir(dir); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	clear(f.dirs)
	return nil
}
