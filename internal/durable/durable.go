// Package durable writes files and folders so that they are there after a power loss, whole or not at all, and belong to
// whom they should: a file that is replaced keeps its owner and its mode, and what root's commands write into another
// user's folder belongs to that user. It is the only place in this project that replaces a file.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces the file path by one with data, or makes it. When it returns nil, the data and the name are on disk.
// After an error the old file is there as it was, unless the error came from syncing the folder after the rename.
//
// The owner, the group and the mode of a file that is replaced stay. A new file has exactly the mode perm, whatever the
// umask; where root makes it in a folder of another user, it gets the folder's owner and group. Where path is a symbolic
// link, the link is replaced, not what it points to.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	f, err := Create(path, perm)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Discard())
	}
	return f.Commit()
}

// WriteNew is WriteFile for a file that must not exist: where it does, the error wraps fs.ErrExist and the file stays as it
// is.
func WriteNew(path string, data []byte, perm fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	f, err := Create(path, perm)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Discard())
	}
	if err := f.finish(); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	// Unlike a rename, a link fails where another process has made the file since.
	err = os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(f.Name(), path) // a file system without links
		return errors.Join(err, removeIf(err, f.Name()), SyncDir(filepath.Dir(path)))
	}
	return errors.Join(err, os.Remove(f.Name()), SyncDir(filepath.Dir(path)))
}

// File is a file that is being written under a temporary name. It ends with one call of Commit, Place or Discard.
type File struct {
	*os.File
	path string
	perm fs.FileMode
}

// Create begins to write the file path, with the rules of WriteFile. The temporary file is in the same folder, and its name
// begins with a dot.
func Create(path string, perm fs.FileMode) (*File, error) {
	return CreateIn(filepath.Dir(path), path, perm)
}

// CreateIn is Create with the temporary file in the folder temp, which must be on the same file system as path.
func CreateIn(temp, path string, perm fs.FileMode) (*File, error) {
	f, err := os.CreateTemp(temp, "."+filepath.Base(path)+".new-*") // 0600
	if err != nil {
		return nil, err
	}
	return &File{f, path, perm}, nil
}

// Commit puts the file in its place. When it returns nil, its data and its name are on disk.
func (f *File) Commit() error {
	if err := f.Place(); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(f.path))
}

// Place is Commit without the sync of the folder: the data is on disk, and the name is once SyncDir of its folder has
// returned. After an error nothing is left of the temporary file.
func (f *File) Place() error {
	err := f.finish()
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	return errors.Join(err, removeIf(err, f.Name()))
}

// PlaceUnsynced is Place without the sync of the data, which is on disk once SyncFiles has returned. Until then a power loss can leave
// the file empty, cut or gone. It is for what can be written again.
func (f *File) PlaceUnsynced() error {
	err := errors.Join(f.dress(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	return errors.Join(err, removeIf(err, f.Name()))
}

// Discard ends the file without putting it in its place.
func (f *File) Discard() error {
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// finish gives the temporary file its owner and mode, and syncs and closes it.
func (f *File) finish() error {
	return errors.Join(f.dress(), f.Sync(), f.Close())
}

// dress gives the temporary file the owner and the mode of the file that it replaces, or those of a new file.
func (f *File) dress() error {
	old, err := os.Lstat(f.path)
	if err != nil || old.Mode()&fs.ModeSymlink != 0 {
		f.inherit()
		return f.Chmod(f.perm)
	}
	if !old.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.path)
	}
	mode := old.Mode().Perm()
	if err := f.keepOwner(old); err != nil {
		if os.Geteuid() == 0 {
			return fmt.Errorf("keep the owner of %s: %w", f.path, err)
		}
		mode &^= 0o070 // another group than the one that this mode was for
	}
	return f.Chmod(mode)
}

// keepOwner gives the temporary file the owner and the group of old. Only root can give a file away: for anybody else the
// new file is their own, and keeping the group is enough.
func (f *File) keepOwner(old fs.FileInfo) error {
	want, ok := ownerOf(old)
	now, err := f.Stat()
	if !ok || err != nil {
		return err
	}
	if has, _ := ownerOf(now); has == want {
		return nil
	}
	if os.Geteuid() != 0 {
		want.uid = -1
	}
	return f.Chown(want.uid, want.gid)
}

// inherit gives a new file of root's the owner of its folder. A container's root may not be allowed to; the file is then
// root's, like everything else that it writes.
func (f *File) inherit() {
	if to, ok := heir(filepath.Dir(f.path)); ok {
		_ = f.Chown(to.uid, to.gid)
	}
}

// MkdirAll makes a folder and those above it that are missing, durably. Where root makes them in a folder of another user,
// they get its owner and group.
func MkdirAll(dir string, perm fs.FileMode) error {
	dir = filepath.Clean(dir)
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	return Mkdir(dir, perm)
}

// Mkdir makes a folder in one that is there, with the rules of MkdirAll. A folder that exists already is no error.
func Mkdir(dir string, perm fs.FileMode) error {
	if err := os.Mkdir(dir, perm); err != nil {
		if info, statErr := os.Stat(dir); statErr == nil && info.IsDir() {
			return nil // another process was faster
		}
		return err
	}
	Inherit(dir)
	return SyncDir(filepath.Dir(filepath.Clean(dir)))
}

// MkdirTemp makes a folder for its owner only (0700) in dir, named like os.MkdirTemp's, with the rules of MkdirAll.
func MkdirTemp(dir, pattern string) (string, error) {
	path, err := os.MkdirTemp(dir, pattern)
	if err != nil {
		return "", err
	}
	Inherit(path)
	return path, SyncDir(dir)
}

// Inherit gives a file or folder that root has just made, and all that is in it, the owner and group of the folder it is
// in. It does nothing for anybody but root, and where the folder is root's. Like a new file's in WriteFile, an owner that
// cannot be given is no error. A file with a second name elsewhere changes its owner there as well.
func Inherit(path string) {
	to, ok := heir(filepath.Dir(filepath.Clean(path)))
	if !ok {
		return
	}
	_ = filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, to.uid, to.gid))
	})
}

// owner is the user and group that a file belongs to.
type owner struct{ uid, gid int }

// heir returns who gets what is made in a folder, and whether that is somebody else than this process.
func heir(dir string) (owner, bool) {
	if os.Geteuid() != 0 {
		return owner{}, false
	}
	info, err := os.Stat(dir)
	if err != nil {
		return owner{}, false
	}
	to, ok := ownerOf(info)
	return to, ok && to.uid != 0
}

func removeIf(failed error, path string) error {
	if failed == nil {
		return nil
	}
	return os.Remove(path)
}
