package web

import (
	"crypto/rand"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	cookieName   = "quiniela"
	sessionTime  = 12 * time.Hour
	mostSessions = 1000  // logins in memory; a login past the limit ends others, whichever come first
	mostWaiting  = 10000 // addresses in memory that have to wait; past the limit all are forgotten
	// loginWait is how long an address waits after a wrong key.
	loginWait = time.Second
)

// sessions are the operator's logins and the addresses that have just tried a wrong key. They are in memory alone: a restart
// ends every login.
type sessions struct {
	mu      sync.Mutex           // guards both maps
	until   map[string]time.Time // when a login ends, by cookie
	waiting map[string]time.Time // when an address may try again
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

// attempt reports whether an address is let in; right says whether its key is the operator's. It checks and sets the wait under
// one lock, so that many attempts at once cannot avoid it. An attempt during the wait fails and does not make it longer.
func (s *sessions) attempt(ip string, right bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.waiting[ip]) {
		return false
	}
	if right {
		delete(s.waiting, ip)
		return true
	}
	if s.waiting == nil || len(s.waiting) >= mostWaiting {
		s.waiting = map[string]time.Time{}
	}
	s.waiting[ip] = time.Now().Add(loginWait)
	return false
}

func address(r *http.Request) string {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "socket"
	}
	return ip
}

func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	ip := address(r)
	if !s.sessions.attempt(ip, s.rightKey(r.PostFormValue("key"))) {
		s.Log.Warn("login", "result", "fail", "ip", ip)
		s.render(w, r, http.StatusUnauthorized, "login", page{Failed: true})
		return
	}
	s.Log.Info("login", "result", "success", "ip", ip)
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: s.sessions.begin(), Path: "/", MaxAge: int(sessionTime.Seconds()),
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
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
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
