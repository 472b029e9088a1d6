package web

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
)

// visitor is who a request is from. The zero value is a stranger.
type visitor struct {
	role   operators.Role
	actor  ledger.Actor
	person operators.Person // with a key of the registry; zero: whoever has the data folder
	cookie string           // of the login that the request came with, or ""
}

type visitorKey struct{}

// as returns the request with its visitor.
func as(r *http.Request, v visitor) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
}

func visitorOf(r *http.Request) visitor {
	v, _ := r.Context().Value(visitorKey{}).(visitor)
	return v
}

// may reports whether a request's visitor may do what needs a role.
func may(r *http.Request, needs operators.Role) bool { return visitorOf(r).role.May(needs) }

// staff reports whether a request is from one of those who run the lottery, and not a stranger's.
func staff(r *http.Request) bool { return may(r, operators.Viewer) }

// authenticate returns who a request is from: by a key, or by a login. A wrong key is an error, and a login that has ended is a stranger's.
func (s *Site) authenticate(r *http.Request) (visitor, error) {
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		p, ok := s.attempt(r, "", func(g *operators.Guard) (operators.Person, bool) { return g.ByKey(key) })
		if !ok {
			return visitor{}, quiniela.Refuse(quiniela.Denied, "the key after `Authorization: Bearer` is no operator's")
		}
		return s.registered(r, p), nil
	}
	c, err := r.Cookie(cookieName)
	if err != nil || s.Operators == nil {
		return visitor{}, nil
	}
	came, ok := s.sessions.find(c.Value)
	if !ok {
		return visitor{}, nil
	}
	p, ok := s.Operators.Still(came)
	if !ok {
		s.sessions.end(c.Value)
		return visitor{}, nil
	}
	v := s.registered(r, p)
	v.cookie = c.Value
	return v, nil
}

func (s *Site) registered(r *http.Request, p operators.Person) visitor {
	return visitor{role: p.Role, person: p, actor: ledger.Actor{Name: p.Name, From: shown(s.address(r)), Registered: true}}
}

// still reports whether a visitor may go on with what takes long: the login has not ended, and the key has not been replaced.
func (s *Site) still(v visitor) bool {
	if v.person.Name == "" {
		return true // a stranger, or whoever has the data folder
	}
	p, ok := s.Operators.Still(v.person)
	if v.cookie != "" {
		_, in := s.sessions.find(v.cookie)
		ok = ok && in
	}
	return ok && p.Role == v.role
}

// attempt reports whose key a request shows, and otherwise records it and lets its answer wait. A right key is let in at once, whoever
// has tried a wrong one: from the same address may come the operator, behind a proxy. name is what was typed with the key, or "".
func (s *Site) attempt(r *http.Request, name string, find func(*operators.Guard) (operators.Person, bool)) (operators.Person, bool) {
	if s.Operators != nil {
		if p, ok := find(s.Operators); ok {
			return p, true
		}
	}
	s.refused.Add(shown(s.address(r)), "key", 0)
	s.knocks.add(shown(s.address(r)), name)
	select {
	case s.wrong <- struct{}{}:
	default:
		return operators.Person{}, false
	}
	defer func() { <-s.wrong }()
	select {
	case <-time.After(wrongWait):
	case <-r.Context().Done():
	case <-s.closing:
	}
	return operators.Person{}, false
}

const (
	cookieName   = "quiniela"
	sessionTime  = 12 * time.Hour
	mostSessions = 1000 // logins in memory; a login past the limit ends others, whichever come first
	mostWrong    = 16   // wrong keys whose answer waits at once; that to further ones comes at once
	wrongWait    = time.Second
)

// sessions are the logins, in memory alone: a restart ends every one.
type sessions struct {
	mu sync.Mutex // guards of
	of map[string]session
}

type session struct {
	person operators.Person // as they were when they logged in
	until  time.Time
}

func (s *sessions) begin(p operators.Person) (cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]session{}
	}
	for c, one := range s.of {
		if len(s.of) >= mostSessions || time.Now().After(one.until) {
			delete(s.of, c)
		}
	}
	cookie = rand.Text()
	s.of[cookie] = session{p, time.Now().Add(sessionTime)}
	return cookie
}

// find returns who has logged in with a cookie, while the login lasts.
func (s *sessions) find(cookie string) (operators.Person, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.of[cookie]
	return one.person, ok && time.Now().Before(one.until)
}

func (s *sessions) end(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, cookie)
}

type connectionKey struct{}

// keepConnection lets a handler look at its request's connection.
func keepConnection(ctx context.Context, c net.Conn) context.Context {
	if b, ok := c.(*boundedConn); ok {
		c = b.Conn
	}
	return context.WithValue(ctx, connectionKey{}, c)
}

// local returns whoever is at the other end of the operator's socket, who has the rights of its folder. With a key the person of the key
// acts, with that person's role: so also the commands on the server's machine can say who uses them.
func (s *Site) local(r *http.Request) (visitor, error) {
	if r.Header.Get("Authorization") != "" {
		return s.authenticate(r)
	}
	c, _ := r.Context().Value(connectionKey{}).(net.Conn)
	return visitor{role: operators.Operator, actor: ledger.Actor{Name: localName(c), From: "socket"}}, nil
}
