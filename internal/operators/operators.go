// Package operators is the registry of the people who run a lottery: their names, what each may do, and how they show who they are. It
// holds no key, only their SHA-256.
package operators

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"quiniela/internal/journal"
	"quiniela/internal/registry"
)

// FileName is the registry's name in a data folder.
const FileName = "operators.json"

// Role is what a person may do. Each of them may do what those before it may.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // sees what is sold, the draws, the trail; no names or documents of bettors
	Notary   Role = "notary"   // also enters numbers, and sees who won
	Operator Role = "operator" // also opens and closes draws, makes backups, looks for bets
)

var roles = []Role{"", Viewer, Notary, Operator}

// May reports whether the role may do what needs another one. "" is a stranger, who may do what needs nothing.
func (r Role) May(needs Role) bool {
	return slices.Index(roles, r) >= slices.Index(roles, needs)
}

// Person is one who may come.
type Person struct {
	Name    string     `json:"name"`
	Role    Role       `json:"role"`
	Key     string     `json:"key_sha256,omitempty"` // in hex; "" once revoked
	Added   time.Time  `json:"added"`
	Rotated *time.Time `json:"rotated,omitempty"` // when the key was last replaced
	Revoked *time.Time `json:"revoked,omitempty"`
}

// has reports whether a key is the person's.
func (p *Person) has(key string) bool {
	return p.Key != "" && subtle.ConstantTimeCompare([]byte(hashKey(key)), []byte(p.Key)) == 1
}

// Registry is the people, in the order of their names.
type Registry struct {
	Version int `json:"version"`
	registry.History
	Operators []Person `json:"operators"`
}

const version = 1

func file(path string) registry.File[Registry, *Registry] {
	return registry.File[Registry, *Registry]{
		Path: path, What: "the operators' registry", Parse: parse, New: func() *Registry { return &Registry{Version: version} },
	}
}

// Read reads a registry. Where there is none, the error wraps fs.ErrNotExist.
func Read(path string) (*Registry, error) { return file(path).Read() }

// Change reads the registry, or begins an empty one, lets edit change it, and writes it. See registry.File.Change.
func Change(path string, edit func(*Registry) error) error { return file(path).Change(edit) }

func parse(path string, text []byte) (*Registry, error) {
	r := new(Registry)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w; restore it from a backup, or move it away and register each operator again with `quiniela operator add`", path, err)
	}
	if r.Version != version {
		return nil, fmt.Errorf("%s: version %d, and this program reads version %d", path, r.Version, version)
	}
	for i, p := range r.Operators {
		if err := checkName(p.Name); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if i > 0 && p.Name <= r.Operators[i-1].Name {
			return nil, fmt.Errorf("%s: operator %s is out of order: names rise", path, p.Name)
		}
		if _, err := ParseRole(string(p.Role)); err != nil {
			return nil, fmt.Errorf("%s: operator %s: %w", path, p.Name, err)
		}
		if b, err := hex.DecodeString(p.Key); err != nil || len(b) != 0 && len(b) != sha256.Size {
			return nil, fmt.Errorf("%s: operator %s: %q is not the hex of a SHA-256", path, p.Name, p.Key)
		}
	}
	return r, nil
}

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	if r := Role(s); r != "" && slices.Contains(roles, r) {
		return r, nil
	}
	return "", fmt.Errorf("the role %q: want operator, notary or viewer", s)
}

// names are what an operator may be called: they stand in logs, the trail and acts, and never look like anything else there.
var names = regexp.MustCompile(`^[\p{Ll}\p{Lu}\d][\p{Ll}\p{Lu}\d._-]{0,31}$`)

func checkName(name string) error {
	if !names.MatchString(name) {
		return fmt.Errorf("the operator's name %q: want 1 to 32 letters, digits, '.', '_' or '-', the first a letter or digit", name)
	}
	return nil
}

// Find returns the person with a name, or nil.
func (r *Registry) Find(name string) *Person {
	i, ok := slices.BinarySearchFunc(r.Operators, name, func(p Person, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return nil
	}
	return &r.Operators[i]
}

// Add adds a person and returns the key, which is kept nowhere.
func (r *Registry) Add(name string, role Role, now time.Time) (key string, err error) {
	key = rand.Text() + rand.Text()
	return key, r.AddWithKey(name, role, key, now)
}

// AddWithKey adds a person who has a key already.
func (r *Registry) AddWithKey(name string, role Role, key string, now time.Time) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := ParseRole(string(role)); err != nil {
		return err
	}
	switch old := r.Find(name); {
	case old != nil && old.Revoked == nil:
		return fmt.Errorf("operator %s is there already: give a new key with `quiniela operator rotate %s`", name, name)
	case old != nil:
		return fmt.Errorf("operator %s was revoked: a name stays one person's; bring the same person back with `quiniela operator rotate %s`, and give another one another name", name, name)
	}
	p := Person{Name: name, Role: role, Key: hashKey(key), Added: now.UTC().Truncate(time.Second)}
	r.Note(journal.ActOperatorAdd, name, string(role), p.Added)
	r.Operators = append(r.Operators, p)
	slices.SortFunc(r.Operators, func(a, b Person) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// Rotate gives a person a new key and returns it. The old one, and every login with it, is worth nothing from then on. It brings a
// revoked person back.
func (r *Registry) Rotate(name string, now time.Time) (key string, err error) {
	p := r.Find(name)
	if p == nil {
		return "", fmt.Errorf("there is no operator %s: `quiniela operator list` shows those there are", name)
	}
	key = rand.Text() + rand.Text()
	at := now.UTC().Truncate(time.Second)
	p.Key, p.Rotated, p.Revoked = hashKey(key), &at, nil
	r.Note(journal.ActOperatorRotate, name, string(p.Role), at)
	return key, nil
}

// Revoke shuts a person out. The name stays in the registry, since the trail has it.
func (r *Registry) Revoke(name string, now time.Time) error {
	p := r.Find(name)
	if p == nil || p.Revoked != nil {
		return fmt.Errorf("there is no operator %s to revoke: `quiniela operator list` shows those there are", name)
	}
	at := now.UTC().Truncate(time.Second)
	p.Key, p.Revoked = "", &at
	r.Note(journal.ActOperatorRevoke, name, string(p.Role), at)
	return nil
}

func hashKey(key string) string {
	h := sha256.Sum256([]byte(key))
	return hex.EncodeToString(h[:])
}

// Guard tells who comes with a key. Where there is no registry, or it cannot be read, a key is nobody's: whoever has the data folder can
// still act on its socket. It is safe for concurrent use.
type Guard struct {
	watched *registry.Watched[Registry, *Registry]
}

// NewGuard reads the registry at path, which need not be there.
func NewGuard(path string, log *slog.Logger) (*Guard, error) {
	watched, err := registry.Watch(file(path),
		func(r *Registry) { log.Info("operators", "result", "success", "registered", r.active(Viewer)) },
		func(err error) {
			log.Error("operators", "result", "fail", "error", err, "operators", "nobody can log in until it can be read")
		})
	if err != nil {
		return nil, err
	}
	return &Guard{watched}, nil
}

// Registry returns the registry as it was at most a second ago, which must not be changed; nil where there is none, or it cannot be read.
func (g *Guard) Registry() *Registry { return g.watched.State().Registry }

// ByKey returns the person whose key it is. A key that is not known is looked for in the file as it is now: whoever has just been
// registered comes at once.
func (g *Guard) ByKey(key string) (Person, bool) {
	if p, ok := find(g.Registry(), key); ok {
		return p, true
	}
	g.watched.Recheck()
	return find(g.Registry(), key)
}

func find(r *Registry, key string) (Person, bool) {
	if r == nil {
		return Person{}, false
	}
	for i := range r.Operators {
		if r.Operators[i].has(key) {
			return r.Operators[i], true
		}
	}
	return Person{}, false
}

// Login returns the person of a name, where the key is theirs.
func (g *Guard) Login(name, key string) (Person, bool) {
	p, ok := g.ByKey(key)
	return p, ok && p.Name == name
}

// Still returns the person as they are now, and false where they have been revoked or have another key than they came with.
func (g *Guard) Still(came Person) (Person, bool) {
	r := g.Registry()
	if r == nil {
		return Person{}, false
	}
	p := r.Find(came.Name)
	if p == nil || p.Key == "" || p.Key != came.Key {
		return Person{}, false
	}
	return *p, true
}

// Count returns how many people may do what needs a role, by the file as it is now.
func (g *Guard) Count(needs Role) int {
	g.watched.Recheck()
	r := g.Registry()
	if r == nil {
		return 0
	}
	return r.active(needs)
}

func (r *Registry) active(needs Role) (n int) {
	for _, p := range r.Operators {
		if p.Revoked == nil && p.Role.May(needs) {
			n++
		}
	}
	return n
}
