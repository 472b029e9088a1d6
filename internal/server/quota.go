package server

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"quiniela"
	"quiniela/internal/agencies"
)

// quota is what one registered agency may take of the server, with all its connections together. An agency that wants more waits, and
// nobody else does. On an open server there are none: anybody could use up another's.
type quota struct {
	members  map[*conn]agencies.Identity // its connections, and what each has shown; protected by Server.mu
	requests *rate.Limiter               // nil: no limit
	bytes    *rate.Limiter               // of requests and lists; nil: no limit
	bodies   *semaphore.Weighted
	share    int64 // of the budget for bodies: how much bodies has
}

// bodyShare is which part of the budget for bodies one agency may hold.
const bodyShare = 8

func (c *Options) quota() *quota {
	q := &quota{members: map[*conn]agencies.Identity{}, share: max(c.BodyMemory/bodyShare, min(c.BodyMemory, int64(c.Limits.FramedBody)))}
	q.bodies = semaphore.NewWeighted(q.share)
	if n := c.AgencyRequests; n > 0 {
		q.requests = empty(n, n)
	}
	if n := c.AgencyBytes; n > 0 {
		q.bytes = empty(n, max(n, c.Limits.FramedBody, c.Limits.BareBody, 2*page))
	}
	return q
}

// empty returns a limiter that has saved nothing up yet: an agency gains nothing if it comes again.
func empty(perSecond, burst int) *rate.Limiter {
	l := rate.NewLimiter(rate.Limit(perSecond), burst)
	l.AllowN(time.Now(), burst)
	return l
}

// wait takes requests and bytes from the quota, and waits until they are there, or ctx ends. A nil quota has no limit.
func (q *quota) wait(ctx context.Context, requests, bytes int) error {
	if q == nil {
		return nil
	}
	if q.requests != nil && requests > 0 {
		if err := q.requests.WaitN(ctx, requests); err != nil {
			return err
		}
	}
	if q.bytes == nil {
		return nil
	}
	return q.bytes.WaitN(ctx, bytes)
}

// join counts a connection as one of an agency's, and no longer of the one that it was before. It refuses one too many.
func (s *Server) join(c *conn, n quiniela.Agency) error {
	if c.quota != nil && c.agency == n && c.joined.Same(c.identity) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.quotas[n]
	if q == nil {
		q = s.config.quota()
	}
	if most := s.config.PerAgency; most > 0 && c.quota != q && len(q.members) >= most && !s.expel(q, n) {
		return quiniela.Refuse(quiniela.Busy, "agency %d has %d connections open, the most it may have; close some", n, most)
	}
	s.part(c)
	q.members[c] = c.identity
	s.quotas[n] = q
	c.quota, c.agency, c.joined = q, n, c.identity
	return nil
}

// expel closes an agency's connections whose token or certificate has ended, so that who stole one keeps no place of the agency's. It
// reports whether there were any. Server.mu is held.
func (s *Server) expel(q *quota, n quiniela.Agency) (found bool) {
	for c, shown := range q.members {
		if quiniela.CodeOf(s.config.Guard.Allow(&shown, n)) == quiniela.Denied {
			delete(q.members, c)
			_ = c.tcp.Close() // its session sees it and leaves
			found = true
		}
	}
	return found
}

// part takes a connection from its agency's. With the last one the quota is forgotten. Server.mu is held.
func (s *Server) part(c *conn) {
	if c.quota == nil {
		return
	}
	delete(c.quota.members, c)
	if len(c.quota.members) == 0 && s.quotas[c.agency] == c.quota {
		delete(s.quotas, c.agency)
	}
	c.quota, c.agency = nil, 0
}
