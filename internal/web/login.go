package web

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

const (
	cookieName   = "quiniela"
	sessionTime  = 12 * time.Hour
	mostSessions = 1000 // logins in memory; a login past the limit ends others, whichever come first
	mostWrong    = 16   // wrong keys whose answer waits at once; that to further ones comes at once
	wrongWait    = time.Second
)

// sessions are the operator's logins, in memory alone: a restart ends every one.
type sessions struct {
	mu    sync.Mutex           // guards until
	until map[string]time.Time // when a login ends, by cookie
}

func (s *sessions) begin() (cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = map[string]time.Time{}
	}
	for c, t := range s.until {
		if len(s.until) >= mostSessions || time.Now().After(t) {
			delete(s.until, c)
		}
	}
	cookie = rand.Text()
	s.until[cookie] = time.Now().Add(sessionTime)
	return cookie
}

func (s *sessions) valid(cookie string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.until[cookie])
}

func (s *sessions) end(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.until, cookie)
}

// attempt reports whether a request shows the operator's key, and otherwise logs it and lets its answer wait. The right key is let in at once,
// whoever has tried a wrong one: from the same address may come the operator, behind a proxy.
func (s *Site) attempt(r *http.Request, key string) bool {
	if s.rightKey(key) {
		return true
	}
	s.refused.Add(shown(s.address(r)), "key", 0)
	select {
	case s.wrong <- struct{}{}:
	default:
		return false
	}
	defer func() { <-s.wrong }()
	select {
	case <-time.After(wrongWait):
	case <-r.Context().Done():
	case <-s.closing:
	}
	return false
}

func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if !s.attempt(r, r.PostFormValue("key")) {
		s.render(w, r, http.StatusUnauthorized, "login", page{Failed: true})
		return
	}
	s.Log.Info("login", "result", "success", "ip", shown(s.address(r)))
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: s.sessions.begin(), Path: "/", MaxAge: int(sessionTime.Seconds()),
		HttpOnly: true, Secure: s.secured(r), SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
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
