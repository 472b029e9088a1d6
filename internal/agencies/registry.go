// Package agencies is the registry of those who may bet: who an agency is, and how it shows that it is itself. The
// registry is a file that the operator's commands change and a running server reads again when it has changed. It
// holds no token, only their SHA-256.
package agencies

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/registry"
)

// FileName is the registry's name in a data folder.
const FileName = "agencies.json"

// Agency is one that may bet.
type Agency struct {
	Number quiniela.Agency `json:"number"`
	Name   string          `json:"name"`
	// Token is the SHA-256 of its token, in hex; empty where it has none and comes with a certificate.
	Token string `json:"token_sha256,omitempty"`
	// Certificate is the SHA-256 of the only certificate it may come with, in hex. Empty: any that the server's authority has
	// signed for its number or, once Rotated is set, none.
	Certificate string     `json:"certificate_sha256,omitempty"`
	Added       time.Time  `json:"added"`
	Rotated     *time.Time `json:"rotated,omitempty"` // when its credentials were last replaced
	Revoked     *time.Time `json:"revoked,omitempty"`
}

// accepts reports whether the agency may come with a certificate of the server's authority that names it. The certificate's dates
// are not asked: an authority sets them back for the sake of clocks that differ, and so cannot say what is older than a rotation.
func (a *Agency) accepts(fingerprint string) bool {
	if a.Certificate == "" {
		return a.Rotated == nil
	}
	return fingerprint == a.Certificate
}

// Registry is the agencies, by number.
type Registry struct {
	Version int `json:"version"`
	registry.History
	Agencies []Agency `json:"agencies"`
}

const version = 1

// file returns where the registry at path is.
func file(path string) registry.File[Registry, *Registry] {
	return registry.File[Registry, *Registry]{
		Path: path, What: "the agencies' registry", Parse: parse, New: func() *Registry { return &Registry{Version: version} },
	}
}

// Read reads a registry. Where there is none, the error wraps fs.ErrNotExist.
func Read(path string) (*Registry, error) { return file(path).Read() }

// Change reads the registry, or begins an empty one, lets edit change it, and writes it. See registry.File.Change.
func Change(path string, edit func(*Registry) error) error { return file(path).Change(edit) }

func parse(path string, text []byte) (*Registry, error) {
	r := new(Registry)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w; restore it from a backup, or, where there is none, write {\"version\":1,\"agencies\":[]} into it and register each agency again with `quiniela agency add`", path, err)
	}
	if r.Version != version {
		return nil, fmt.Errorf("%s: version %d, and this program reads version %d", path, r.Version, version)
	}
	for i, a := range r.Agencies {
		if a.Number == quiniela.Unattributed || i > 0 && a.Number <= r.Agencies[i-1].Number {
			return nil, fmt.Errorf("%s: agency %d is out of order: numbers are 1 or more, and rise", path, a.Number)
		}
		for _, hash := range []string{a.Token, a.Certificate} {
			if b, err := hex.DecodeString(hash); err != nil || len(b) != 0 && len(b) != sha256.Size {
				return nil, fmt.Errorf("%s: agency %d: %q is not the hex of a SHA-256", path, a.Number, hash)
			}
		}
	}
	return r, nil
}

// Find returns the agency with a number, or nil.
func (r *Registry) Find(n quiniela.Agency) *Agency {
	i, ok := slices.BinarySearchFunc(r.Agencies, n, func(a Agency, n quiniela.Agency) int { return int(a.Number) - int(n) })
	if !ok {
		return nil
	}
	return &r.Agencies[i]
}

// maxName is the most characters of an agency's name.
const maxName = 64

// Add adds an agency and returns its token, which is kept nowhere. certificate may be empty.
func (r *Registry) Add(n quiniela.Agency, name, certificate string, now time.Time) (token string, err error) {
	switch old := r.Find(n); {
	case n == quiniela.Unattributed:
		return "", errors.New("an agency's number is 1 or more")
	case old != nil && old.Revoked == nil:
		return "", fmt.Errorf("agency %d is there already: give it a new token with `quiniela agency rotate %d`", n, n)
	case old != nil:
		return "", fmt.Errorf("agency %d was revoked: bring it back with `quiniela agency rotate %d`", n, n)
	case !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName:
		return "", fmt.Errorf("a name has at most %d characters of UTF-8", maxName)
	}
	a := Agency{Number: n, Name: name, Certificate: certificate, Added: now.UTC().Truncate(time.Second)}
	token = a.newToken()
	r.note(journal.ActAgencyAdd, &a, a.Added)
	r.Agencies = append(r.Agencies, a)
	slices.SortFunc(r.Agencies, func(x, y Agency) int { return int(x.Number) - int(y.Number) })
	return token, nil
}

// Rotate gives an agency a new token and returns it. Its old token and every certificate that it could come with are worth nothing
// from then on; certificate, which may be empty, is the only one that it may come with afterwards. It brings a revoked agency back.
func (r *Registry) Rotate(n quiniela.Agency, certificate string, now time.Time) (token string, err error) {
	a := r.Find(n)
	switch {
	case a == nil:
		return "", fmt.Errorf("there is no agency %d: `quiniela agency list` shows those there are", n)
	case certificate != "" && certificate == a.Certificate:
		return "", fmt.Errorf("this is the certificate that agency %d has now, and rotating ends it: make a new one, with a new key", n)
	}
	at := now.UTC().Truncate(time.Second)
	a.Rotated, a.Revoked, a.Certificate = &at, nil, certificate
	r.note(journal.ActAgencyRotate, a, at)
	return a.newToken(), nil
}

// Revoke shuts an agency out, with its token and its certificates. What it has bet stays.
func (r *Registry) Revoke(n quiniela.Agency, now time.Time) error {
	a := r.Find(n)
	if a == nil || a.Revoked != nil {
		return fmt.Errorf("there is no agency %d to revoke: `quiniela agency list` shows those there are", n)
	}
	at := now.UTC().Truncate(time.Second)
	a.Revoked, a.Token = &at, ""
	r.note(journal.ActAgencyRevoke, a, at)
	return nil
}

// note adds what was done to an agency to the history, for the audit trail.
func (r *Registry) note(what string, a *Agency, at time.Time) {
	r.Note(what, strconv.FormatUint(uint64(a.Number), 10), a.Name, at)
}

// newToken returns a new secret of 260 bits. It has letters and digits alone: one that began with "-" would read as an option
// where it follows --token.
func (a *Agency) newToken() string {
	token := rand.Text() + rand.Text()
	a.Token = hashToken(token)
	return token
}

func hashToken(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}
