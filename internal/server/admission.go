package server

import (
	"container/list"
	"net"

	"quiniela"
	"quiniela/internal/peer"
)

// admissions counts the connections, and the strangers among them: those that have not yet shown who they are, with a registry by a
// login or a certificate, on an open server by a first well-formed request. Strangers give way to agencies and to each other:
//
//   - with a registry they have Options.Login to show who they are, and are a tenth of Options.Connections at most;
//   - at a limit the oldest of them gives way to who comes next: of those from the address with the most of them, so that an address
//     that opens many loses its own.
//
// Server.mu protects it.
type admissions struct {
	conns     map[*conn]struct{}
	groups    map[string]int        // connections of each group of addresses; one without any has no entry
	strangers map[string]*list.List // of *conn, oldest first, by group; one without any has no entry
	unknown   int                   // strangers in all
}

func newAdmissions() admissions {
	return admissions{conns: map[*conn]struct{}{}, groups: map[string]int{}, strangers: map[string]*list.List{}}
}

// strangersShare is which part of all connections strangers may be.
const strangersShare = 10

// add registers a connection as a stranger.
func (a *admissions) add(c *conn) {
	a.conns[c] = struct{}{}
	a.groups[c.group]++
	of := a.strangers[c.group]
	if of == nil {
		of = list.New()
		a.strangers[c.group] = of
	}
	c.stranger = of.PushBack(c)
	a.unknown++
}

// met takes a connection from the strangers. Of one that is none it does nothing.
func (a *admissions) met(c *conn) {
	if c.stranger == nil {
		return
	}
	of := a.strangers[c.group]
	of.Remove(c.stranger)
	if of.Len() == 0 {
		delete(a.strangers, c.group)
	}
	c.stranger = nil
	a.unknown--
}

// remove forgets a connection. One that was forgotten already is left alone.
func (a *admissions) remove(c *conn) {
	if _, ok := a.conns[c]; !ok {
		return
	}
	a.met(c)
	delete(a.conns, c)
	if a.groups[c.group]--; a.groups[c.group] == 0 {
		delete(a.groups, c.group)
	}
}

// oldest returns the oldest stranger of a group, or nil.
func (a *admissions) oldest(group string) *conn {
	if of := a.strangers[group]; of != nil {
		return of.Front().Value.(*conn)
	}
	return nil
}

// crowd returns the group with the most strangers, or "".
func (a *admissions) crowd() (most string) {
	n := 0
	for g, of := range a.strangers {
		if of.Len() > n {
			most, n = g, of.Len()
		}
	}
	return most
}

// admit registers a connection of a listener, or says why not.
func (s *Server) admit(nc *net.TCPConn, l listener) (*conn, error) {
	address := nc.RemoteAddr().(*net.TCPAddr)
	c := &conn{tcp: nc, ip: address.IP.String(), group: peer.Group(address.AddrPort().Addr()), config: &s.config}
	c.stream = s.stream(c, l) // before others see the connection
	if s.guarded() {
		c.show(s.config.Login)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, quiniela.Refuse(quiniela.Stopping, "the server is going down; try again later")
	}
	if most := s.config.PerAddress; most > 0 && s.groups[c.group] >= most && !s.evict(c.group) {
		return nil, quiniela.Refuse(quiniela.Busy, "%d connections are open from your address, the most this server takes; close some", most)
	}
	if len(s.conns) >= s.config.Connections && !s.evict(s.crowd()) {
		return nil, quiniela.Refuse(quiniela.Busy, "%d connections are open, the most this server takes; try again later", len(s.conns))
	}
	if s.guarded() && s.unknown >= max(1, s.config.Connections/strangersShare) {
		s.evict(s.crowd())
	}
	s.add(c)
	s.sessions.Add(1)
	return c, nil
}

// guarded reports whether agencies have to show who they are.
func (s *Server) guarded() bool { return s.config.Guard != nil && !s.config.Guard.Open() }

// evict closes the oldest stranger of a group, whose place is free at once. It reports whether there was one.
func (s *Server) evict(group string) bool {
	c := s.oldest(group)
	if c == nil {
		return false
	}
	s.remove(c)
	_ = c.tcp.Close() // its session sees it and leaves
	s.refused.Add(c.ip, "evicted", 0)
	return true
}

// met notes that a connection has shown who it is.
func (s *Server) met(c *conn) {
	c.shown()
	s.mu.Lock()
	s.admissions.met(c)
	s.mu.Unlock()
}
