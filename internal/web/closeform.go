package web

import (
	"net/http"

	"quiniela"
)

// closeForm asks why a draw is to be closed.
func (s *Site) closeForm(w http.ResponseWriter, r *http.Request) {
	s.showClose(w, r, http.StatusOK, newForm(w, r))
}

// showClose shows the form with the draw and who is missing in it.
func (s *Site) showClose(w http.ResponseWriter, r *http.Request, status int, f form) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := page{Draw: newDraw(d, true), Form: f}
	if err := s.collectMissing(&p, r, d); err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, status, "close", p)
}

// takeClose closes the draw of a form that was sent.
func (s *Site) takeClose(w http.ResponseWriter, r *http.Request) {
	t, id, f := language(r), r.PathValue("id"), newForm(w, r, "note", "again")
	if f.Typed["note"] == "" {
		f.reject("note", t.WrongNoteEmpty)
	}
	if f.Typed["again"] != id {
		f.reject("again", t.WrongAgain)
	}
	if len(f.Wrong) == 0 {
		_, err := s.close(r, f.Typed["note"])
		switch quiniela.CodeOf(err) {
		case quiniela.NoDraw:
			s.fail(w, r, err)
			return
		case quiniela.Invalid:
			f.reject("note", t.WrongNote)
		case quiniela.Closed:
			f.reject("", t.WrongClosed)
		default:
			if err == nil {
				http.Redirect(w, r, "/draws/"+id, http.StatusSeeOther)
				return
			}
			f.refused(t, err)
		}
	}
	s.showClose(w, r, http.StatusUnprocessableEntity, f)
}
