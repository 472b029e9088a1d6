// Package registry keeps a registry of who may come, such as the agencies or the operators, in a file. The operator's commands change it,
// one at a time, and a running server reads it again when it has changed. It holds how such a file is read, written and watched, and the
// list of its changes for the audit trail; what stands in it is for the packages that use this one.
package registry

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"quiniela/internal/durable"
)

// History is the part of a registry that tells its changes. A registry embeds it.
type History struct {
	ID      string   `json:"id,omitempty"`      // random, made with the first change and never changed: two copies of a registry have the same
	Changes []Change `json:"changes,omitempty"` // the last ones, in order

	who string // makes the changes that are noted now
}

// Change is one change of a registry.
type Change struct {
	N     uint64    `json:"n"`    // 1, 2, 3, …
	What  string    `json:"what"` // one of the journal's Act… words
	Who   string    `json:"who"`
	About string    `json:"about"` // whom it is about
	Note  string    `json:"note,omitempty"`
	At    time.Time `json:"at"`
}

// mostChanges is how many changes stay in the file. Older ones are in the trail, unless no server has run for so many changes.
const mostChanges = 10_000

// Note adds a change to the history.
func (h *History) Note(what, about, note string, at time.Time) {
	if h.ID == "" {
		h.ID = rand.Text()
	}
	n := uint64(1)
	if len(h.Changes) > 0 {
		n = h.Changes[len(h.Changes)-1].N + 1
	}
	h.Changes = append(h.Changes, Change{n, what, h.who, about, note, at})
	if len(h.Changes) > mostChanges {
		h.Changes = h.Changes[len(h.Changes)-mostChanges:]
	}
}

func (h *History) history() *History { return h }

// registry is a pointer to a T that embeds a History.
type registry[T any] interface {
	*T
	history() *History
}

// File is where a registry of a kind is.
type File[T any, R registry[T]] struct {
	Path string
	What string // the registry's name, as in "the agencies' registry"
	// Parse reads the text of the file. Its errors name the path.
	Parse func(path string, text []byte) (R, error)
	New   func() R // returns an empty one
}

// Read reads the registry. Where there is none, the error wraps fs.ErrNotExist.
func (f File[T, R]) Read() (R, error) {
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.What, err)
	}
	return f.Parse(f.Path, text)
}

// Change reads the registry, or begins an empty one, lets edit change it, and writes it: whole or not at all, durably, and for its
// owner only (0600) where it is new. Its owner stays, whoever changes it. The registry's folder is locked meanwhile: a second process that
// wants to change a registry in it is refused at once.
func (f File[T, R]) Change(edit func(R) error) (err error) {
	dir := filepath.Dir(f.Path)
	if err := durable.MkdirPrivate(dir); err != nil {
		return fmt.Errorf("make the folder of %s: %w", f.What, err)
	}
	lock, err := durable.Lock(dir)
	switch {
	case errors.Is(err, durable.ErrLocked):
		return fmt.Errorf("%s %s is being changed by another quiniela: try again", f.What, f.Path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("lock %s: %w; run this as the user that the server runs as, or as root", f.What, err)
	case err != nil:
		return fmt.Errorf("lock %s: %w", f.What, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	r, err := f.Read()
	if errors.Is(err, fs.ErrNotExist) {
		r, err = f.New(), nil
	}
	if err != nil {
		return err
	}
	r.history().who = LocalUser()
	if err := edit(r); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.WriteFile(f.Path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", f.What, err)
	}
	return nil
}

// LocalUser names the user of the operating system who runs this program, as the audit trail does: "local:maria", or "local:root by maria"
// where sudo says so.
func LocalUser() string {
	name := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if by := os.Getenv("SUDO_USER"); by != "" && by != name {
		name += " by " + by
	}
	return LocalPrefix + name
}

// LocalPrefix begins the name of a user of the operating system in the audit trail. No operator's name has a colon.
const LocalPrefix = "local:"
