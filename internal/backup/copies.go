package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"quiniela/internal/durable"
	"quiniela/internal/journal"
	"quiniela/internal/registry"
)

// CopiesName is the name of a data folder's list of the copies that were made of it. It has a line of JSON, a Copy, for each.
const CopiesName = "copies.jsonl"

// What a Copy can be.
const (
	KindBackup = "backup" // all draws, up to an entry of the journal
	KindExport = "export" // the bets of one draw
)

// What a Copy's By can be, besides "", where somebody asked a server for it, and a user of the operating system (registry.LocalUser), who
// made it with a command.
const (
	BySchedule = "schedule" // the server made the backup by itself
	byRestore  = "restore"  // the data folder was restored from it
)

// StandardOutput is in the place of an export's path where it is not known where the bets went.
const StandardOutput = "-"

// Copy is a copy of a data folder's bets, with the names in them. forget lists them, since it cannot reach them.
type Copy struct {
	Kind string    `json:"kind"`
	By   string    `json:"by,omitempty"`
	Path string    `json:"path"` // absolute, as the machine or the container saw it that made the copy; or StandardOutput
	Made time.Time `json:"made"`
	Last uint64    `json:"last"`           // the journal's last entry then
	Draw string    `json:"draw,omitempty"` // of an export
}

// Unrecorded returns those of a data folder's copies that were made by commands, which have written them into no audit trail: as changes of
// a registry that has the list's ID.
func Unrecorded(data string) (acts []journal.Act, err error) {
	all, err := Copies(data)
	if len(all) == 0 {
		return nil, err
	}
	first := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", all[0].Kind, all[0].Path, all[0].Made))
	for i, c := range all {
		if !strings.HasPrefix(c.By, registry.LocalPrefix) {
			continue
		}
		acts = append(acts, journal.Act{
			What: c.Kind, Who: c.By, From: "command", Draw: c.Draw, About: c.Path, At: c.Made.UnixMicro(), Registry: fmt.Sprintf("copies-%x", first[:8]), Change: uint64(i) + 1,
		})
	}
	return acts, err
}

// Note adds a copy to the list of the data folder data, durably. It is called before the copy has a name in it, so that no copy
// is missing in the list after a crash. It returns false where the folder takes no note: it is a backup, which stays as it was
// made, it is not there, or its disk is read-only.
func Note(data string, c Copy) (noted bool, err error) {
	if info, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() || isBackup(data) {
		return false, nil
	}
	path := filepath.Join(data, CopiesName)
	text, err := json.Marshal(c)
	if err != nil {
		return false, err
	}
	err = appendLine(path, text)
	if errors.Is(err, syscall.EROFS) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("note the copy, so that `quiniela forget` can list it: %w", err)
	}
	return true, nil
}

func isBackup(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, ManifestName))
	return err == nil
}

// appendLine appends a line to a file for its owner only, and makes it where it is not there. A line that an earlier append left
// unfinished is ended first.
func appendLine(path string, line []byte) (err error) {
	_, err = os.Stat(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if isNew {
		durable.Inherit(path)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if size := info.Size(); size > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// Copies returns the copies that were made of a data folder, in the order in which they were made. The error names lines that
// cannot be read; the others are returned all the same.
func Copies(data string) (all []Copy, err error) {
	path := filepath.Join(data, CopiesName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var unread []error
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\n'}) {
		var c Copy
		if err := json.Unmarshal(line, &c); err != nil {
			unread = append(unread, fmt.Errorf("%s, line %d, cannot be read: %w", path, i+1, err))
			continue
		}
		all = append(all, c)
	}
	return all, errors.Join(unread...)
}
