package web

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// bounded is a listener with a maximum number of open connections, of all clients and of each. At a limit the oldest connection without
// a request gives way to the new one; where there is none, the new one is closed at once.
type bounded struct {
	net.Listener
	most, ofClient int
	group          func(net.Conn) string // the client that a connection is counted for; "": none

	mu      sync.Mutex // guards what follows, and the fields of each connection
	open    int
	clients map[string]int
	idle    *list.List // of *boundedConn: without a request, the oldest first
}

// boundedConn is a connection of a bounded listener.
type boundedConn struct {
	net.Conn
	of     *bounded
	client string
	idle   *list.Element // nil while a request is served, and once it is closed
	closed bool
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if admitted := b.admit(c); admitted != nil {
			return admitted, nil
		}
		_ = c.Close()
	}
}

// admit counts a connection, or returns nil.
func (b *bounded) admit(c net.Conn) net.Conn {
	client := b.group(c)
	b.mu.Lock()
	defer b.mu.Unlock()
	if client != "" && b.clients[client] >= b.ofClient && !b.evict(client) {
		return nil
	}
	if b.open >= b.most && !b.evict("") {
		return nil
	}
	b.open++
	b.clients[client]++
	admitted := &boundedConn{Conn: c, of: b, client: client}
	admitted.idle = b.idle.PushBack(admitted)
	return admitted
}

// evict closes the oldest connection of a client without a request; "" is any client. mu is held.
func (b *bounded) evict(client string) bool {
	for e := b.idle.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*boundedConn); client == "" || c.client == client {
			b.forget(c)
			_ = c.Conn.Close() // its server sees it
			return true
		}
	}
	return false
}

// forget makes room for another connection. mu is held.
func (b *bounded) forget(c *boundedConn) {
	if c.closed {
		return
	}
	c.closed = true
	b.rest(c, false)
	b.open--
	if b.clients[c.client]--; b.clients[c.client] == 0 {
		delete(b.clients, c.client)
	}
}

// rest notes that a connection has no request, or has one. mu is held.
func (b *bounded) rest(c *boundedConn, idle bool) {
	if c.idle != nil {
		b.idle.Remove(c.idle)
		c.idle = nil
	}
	if idle && !c.closed {
		c.idle = b.idle.PushBack(c)
	}
}

// watch is for http.Server.ConnState.
func (b *bounded) watch(c net.Conn, state http.ConnState) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if state == http.StateActive || state == http.StateIdle {
		b.mu.Lock()
		b.rest(c.(*boundedConn), state == http.StateIdle)
		b.mu.Unlock()
	}
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	c.of.mu.Lock()
	c.of.forget(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
