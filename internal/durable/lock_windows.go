package durable

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// Lock locks a folder for this process, by a file LOCK in it that nobody else may open or delete meanwhile. It returns at
// once: the error wraps ErrLocked where another process, or another Lock of this one, has the folder. The lock ends with Close
// or with the process, whatever ends it.
func Lock(dir string) (*Locked, error) {
	path := filepath.Join(dir, "LOCK")
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const alone = 0 // the share mode
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, alone, nil, windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			err = ErrLocked
		}
		return nil, err
	}
	return &Locked{os.NewFile(uintptr(h), path)}, nil
}
