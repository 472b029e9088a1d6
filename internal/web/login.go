package web

import (
	"net/http"

	"quiniela/internal/journal"
	"quiniela/internal/operators"
)

func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	name, key := r.PostFormValue("name"), r.PostFormValue("key")
	p, ok := s.attempt(r, name, func(g *operators.Guard) (operators.Person, bool) { return g.Login(name, key) })
	if !ok {
		s.render(w, r, http.StatusUnauthorized, "login", page{Failed: true, Next: r.PostFormValue("next")})
		return
	}
	s.record(r, s.registered(r, p), journal.Act{What: journal.ActLogin}, nil)
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: s.sessions.begin(p), Path: "/", MaxAge: int(sessionTime.Seconds()),
		HttpOnly: true, Secure: s.secured(r), SameSite: http.SameSiteStrictMode,
	})
	next := r.PostFormValue("next")
	if !local(next) {
		next = "/"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *Site) loginPage(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "login", page{})
}

func (s *Site) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		s.sessions.end(c.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secured(r), SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
