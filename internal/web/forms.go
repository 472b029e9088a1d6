package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"quiniela"
	"quiniela/internal/operators"
)

// form is what a person has typed into a form, and what is wrong with it.
type form struct {
	Typed   map[string]string // by the field's name
	Wrong   map[string]string // by the field's name, in the page's language; "" is about all of it
	Detail  string            // what the ledger says of it, in English, where the page has no words of its own
	People  int               // who may enter a number
	Extract string            // the SHA-256, in hex, of the extract that was sent with a form that was refused
	Read    bool              // its numbers were read from a file, and are to be looked at
	bad     map[string]bool   // the fields of an extract that are to be corrected, by name
	file    sentFile          // that came with the form
}

// newForm returns a form with what the fields of a request's body have, which is mostBody long at most.
func newForm(w http.ResponseWriter, r *http.Request, fields ...string) form {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	f := form{Typed: map[string]string{}, Wrong: map[string]string{}}
	for _, name := range fields {
		f.Typed[name] = strings.TrimSpace(r.PostFormValue(name))
	}
	return f
}

// reject notes what is wrong with a field, unless something is already.
func (f *form) reject(field, why string) {
	if f.Wrong[field] == "" {
		f.Wrong[field] = why
	}
}

// refused notes a refusal that no field is to blame for. The log has the error (see Site.done).
func (f *form) refused(t texts, err error) {
	f.reject("", t.WrongRefused)
	f.Detail = "the server could not do it; see its log"
	var e *quiniela.Error
	if errors.As(err, &e) {
		f.Detail = e.Detail
	}
}

// field is an input of a form with its label, a hint and what is wrong with it. The templates make it.
type field struct {
	Name, Label, Hint, Kind, Value, Wrong string
}

// newField returns the input of a form with a name. kind is one of the template "field".
func newField(f form, name, kind, label, hint string) field {
	return field{Name: name, Label: label, Hint: hint, Kind: kind, Value: f.Typed[name], Wrong: f.Wrong[name]}
}

// Describes names the elements that describe the input, for its attribute aria-describedby.
func (f field) Describes() string {
	var ids []string
	if f.Wrong != "" {
		ids = append(ids, f.Name+"-wrong")
	}
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	return strings.Join(ids, " ")
}

// only returns a handler for those who may do what needs a role. A stranger is asked to log in first.
func (s *Site) only(needs operators.Role, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case may(r, needs):
			h(w, r)
		case staff(r):
			s.render(w, r, http.StatusForbidden, "forbidden", page{})
		default:
			next := r.URL.RequestURI()
			if r.Method != http.MethodGet {
				next = "/"
			}
			s.render(w, r, http.StatusUnauthorized, "login", page{Next: next})
		}
	}
}

// local reports whether an address is of a page of this site, however a browser reads it: it takes a backslash for a slash, and leaves out tabs.
func local(address string) bool {
	u, err := url.Parse(address) // refuses control characters
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.Contains(address, `\`)
}
