package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"quiniela"
	"quiniela/internal/peer"
)

// What one client may have. A client is an IPv4 address or an IPv6 network of /64.
const (
	requestsPerSecond = 50 // of pages and the API; files have no limit but that on connections
	requestsAtOnce    = 200
	streamsOfClient   = 10  // open event streams
	mostStreams       = 200 // of all clients, but for the operator's
	mostClients       = 10_000
)

// clients bounds what each client may ask for. The operator has no bounds, whoever else comes from the same address.
type clients struct {
	mu      sync.Mutex // guards what follows
	of      map[string]*client
	streams int
}

type client struct {
	requests *rate.Limiter
	streams  int
}

// get returns a client. Past mostClients, those that have asked for nothing lately are forgotten. mu is held.
func (c *clients) get(address netip.Addr) *client {
	group := peer.Group(address)
	if c.of[group] != nil {
		return c.of[group]
	}
	if len(c.of) >= mostClients {
		for g, old := range c.of {
			if old.streams == 0 && old.requests.Tokens() >= requestsAtOnce {
				delete(c.of, g)
			}
		}
	}
	if len(c.of) >= mostClients {
		group = "others" // share one's bounds
	}
	if c.of == nil {
		c.of = map[string]*client{}
	}
	if c.of[group] == nil {
		c.of[group] = &client{requests: rate.NewLimiter(requestsPerSecond, requestsAtOnce)}
	}
	return c.of[group]
}

// allow takes one request from a client's bounds.
func (c *clients) allow(address netip.Addr) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.get(address).requests.Allow() {
		return nil
	}
	return quiniela.Refuse(quiniela.Busy, "over %d requests a second from your address; ask again in a second", requestsPerSecond)
}

// follow takes one event stream from a client's bounds, until leave is called.
func (c *clients) follow(address netip.Addr, operator bool) (leave func(), err error) {
	if operator {
		return func() {}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.get(address)
	if one.streams >= streamsOfClient || c.streams >= mostStreams {
		return nil, quiniela.Refuse(quiniela.Busy, "too many event streams are open, %d of them from your address; read /api/v1/draws from time to time instead", one.streams)
	}
	one.streams++
	c.streams++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		one.streams--
		c.streams--
	}, nil
}

// Proxies are those in front of the site, whose word is taken for where a request comes from.
type Proxies struct {
	From   []netip.Prefix
	Header string // with the client's address; the last ones in it that are not a proxy's own. "": X-Forwarded-For
}

// has reports whether an address is a proxy's.
func (p Proxies) has(a netip.Addr) bool {
	for _, from := range p.From {
		if from.Contains(a) {
			return true
		}
	}
	return false
}

// remote returns the address at the other end of a request's connection; the zero address on a socket.
func remote(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

// address returns where a request comes from. Behind a proxy it is what the proxy has seen: the header's last address that is not a
// proxy's. What stands before it was written by the client, and anybody else's header counts for nothing.
func (s *Site) address(r *http.Request) netip.Addr {
	a := remote(r)
	if !s.Proxies.has(a) {
		return a
	}
	header := s.Proxies.Header
	if header == "" {
		header = "X-Forwarded-For"
	}
	hops := strings.Split(strings.Join(r.Header.Values(header), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			return a
		}
		if a = hop.Unmap(); !s.Proxies.has(a) {
			return a
		}
	}
	return a
}

// parseHop reads an address of a proxy's header, which some write with a port.
func parseHop(text string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return a, nil
	}
	a, err := netip.ParseAddrPort(text)
	return a.Addr(), err
}

// secured reports whether nobody on the network can read a request: it came over TLS, to this site or to its proxy.
func (s *Site) secured(r *http.Request) bool {
	return r.TLS != nil || s.Proxies.has(remote(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// shown is an address for the log.
func shown(a netip.Addr) string {
	if !a.IsValid() {
		return "socket"
	}
	return a.String()
}

// group is what connections are counted by. A proxy's are its clients', and are not counted together.
func (s *Site) group(c net.Conn) string {
	a, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil || s.Proxies.has(a.Addr().Unmap()) {
		return ""
	}
	return peer.Group(a.Addr())
}
