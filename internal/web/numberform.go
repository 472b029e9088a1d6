package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"quiniela"
)

// An extract may have mostExtract bytes, and take extractTime to come. It is hashed as it comes, and kept nowhere.
const (
	mostExtract = 64 << 20
	extractTime = 5 * time.Minute
)

// numberForm asks for the number of a draw.
func (s *Site) numberForm(w http.ResponseWriter, r *http.Request) {
	s.showNumber(w, r, http.StatusOK, newForm(w, r))
}

func (s *Site) showNumber(w http.ResponseWriter, r *http.Request, status int, f form) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, status, "enter", page{Draw: newDraw(d, true), Form: f})
}

// takeNumber enters the number of a form that was sent. Where one person is enough, it is typed twice; where two are needed, each types it
// once, and what the first has typed is shown to nobody.
func (s *Site) takeNumber(w http.ResponseWriter, r *http.Request) {
	t := language(r)
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	f, extract, err := readNumber(w, r)
	if err != nil {
		f.reject("extract", t.WrongExtract)
	}
	if d.Game != nil {
		s.takeExtract(w, r, d, f, extract)
		return
	}
	n, err := fourDigits(f.Typed["number"])
	if err != nil {
		f.reject("number", t.WrongNumber)
	} else if !d.Two && f.Typed["again"] != f.Typed["number"] {
		f.reject("again", t.WrongAgainNumber)
	}
	if len(f.Wrong) == 0 {
		if _, err = s.enter(r, []quiniela.Number{quiniela.Number(*n)}, extract); err == nil {
			http.Redirect(w, r, "/draws/"+d.ID, http.StatusSeeOther)
			return
		}
		s.refusedNumber(r, &f, err)
	}
	s.showNumber(w, r, http.StatusUnprocessableEntity, f)
}

// refusedNumber notes why the ledger refused a number.
func (s *Site) refusedNumber(r *http.Request, f *form, err error) {
	t := language(r)
	switch quiniela.CodeOf(err) {
	case quiniela.Conflict:
		if d, found := s.Ledger.FindDraw(r.Context(), r.PathValue("id")); found == nil && d.Entered == nil {
			f.reject("number", t.WrongDiffer)
			f.Typed, f.Extract = nil, "" // both look at the extract again, and not at what they typed
			return
		}
		f.reject("", t.WrongEntered)
	case quiniela.Denied:
		f.reject("", t.WrongNameless)
	default:
		f.refused(t, err)
	}
}

// readNumber reads the form part by part: the extract, which may be large, is hashed and not kept. extract is nil where there is none.
func readNumber(w http.ResponseWriter, r *http.Request) (f form, extract []byte, err error) {
	f = form{Typed: map[string]string{}, Wrong: map[string]string{}}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(extractTime)) // a reader without deadlines does without
	r.Body = http.MaxBytesReader(w, r.Body, mostExtract)
	parts, err := r.MultipartReader()
	if err != nil {
		return f, nil, err
	}
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return f, extract, nil
		case err != nil:
			return f, nil, err
		}
		if err := f.take(part, &extract); err != nil {
			return f, nil, err
		}
		if extract != nil {
			f.Extract = hex.EncodeToString(extract)
		}
	}
}

// take reads one part of the form. A file takes the place of the hash of one that was sent before.
func (f *form) take(part *multipart.Part, extract *[]byte) error {
	if name := part.FormName(); name != "file" {
		text, err := io.ReadAll(io.LimitReader(part, mostBody))
		f.Typed[name] = strings.TrimSpace(string(text))
		if err == nil && name == "extract" && f.Typed[name] != "" {
			*extract, err = hex.DecodeString(f.Typed[name])
		}
		return err
	}
	hash := sha256.New()
	f.file = sentFile{name: part.FileName()}
	size, err := io.Copy(io.MultiWriter(hash, &f.file), part)
	if size > 0 {
		*extract = hash.Sum(nil)
	}
	return err
}
