package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"quiniela"
	"quiniela/internal/agencies"
	"quiniela/internal/wire"
)

// conn is a client's connection with its deadlines.
type conn struct {
	stream
	tcp      *net.TCPConn // under stream
	ip       string
	group    string // see peer.Group
	config   *Options
	stranger *list.Element     // guarded by Server.mu; nil once the connection has shown who it is
	identity agencies.Identity // used by the session's reader; while it waits for a reply that the writer makes, by the writer
	agency   quiniela.Agency   // that it counts as one of, with quota, which join and part set
	quota    *quota            // nil: of none
	joined   agencies.Identity // as which it counts there
	ended    bool              // the peer has said that it sends no more. Of the goroutine that reads

	mu       sync.Mutex // protects what follows, and so orders a deadline against the beginning of the drain
	between  bool       // waiting for a request to begin
	began    time.Time  // the request that is being read; zero between requests
	draining bool
	by       time.Time // when the connection must have shown who it is; zero: it has, or need not
}

// stream is a TCP connection, or TLS over one.
type stream interface {
	net.Conn
	CloseWrite() error
}

// Read implements io.Reader.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.stream.Read(b)
	if err == io.EOF { // as it is: TLS wraps what ends a connection by mistake
		c.ended = true
	}
	return n, err
}

// handshake makes the TLS connection and learns who the certificate says it is. On a plain connection it does nothing.
func (c *conn) handshake() error {
	t, ok := c.stream.(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.config.Read)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	certificates := t.ConnectionState().PeerCertificates
	if len(certificates) == 0 || c.config.Guard == nil {
		return nil
	}
	var err error
	c.identity, err = c.config.Guard.Certified(certificates[0])
	return err
}

// show gives the connection some time to show who it is.
func (c *conn) show(within time.Duration) { c.by = time.Now().Add(within) }

// shown takes that bound off: the connection has.
func (c *conn) shown() {
	c.mu.Lock()
	c.by = time.Time{}
	c.mu.Unlock()
}

// phase sets the deadline of the wait that begins now.
func (c *conn) phase(p wire.Phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.SetReadDeadline(c.deadline(p, time.Now())) // on a closed connection the read says so
}

// deadline returns when the wait that begins now has to end.
func (c *conn) deadline(p wire.Phase, now time.Time) time.Time {
	c.between = p == wire.Between
	last := c.by
	var deadline time.Time
	switch {
	case c.between && c.draining:
		return now.Add(-time.Second) // the read fails at once
	case c.between:
		c.began = time.Time{}
		deadline = now.Add(c.config.Idle)
	default:
		if c.began.IsZero() {
			c.began = now
		}
		deadline = now.Add(c.config.Read)
		if p == wire.Settling {
			deadline = now.Add(c.config.Settle)
		}
		// A request that trickles in must end, too.
		if request := c.began.Add(c.config.Request); last.IsZero() || request.Before(last) {
			last = request
		}
	}
	if !last.IsZero() && last.Before(deadline) {
		return last
	}
	return deadline
}

// restart begins the time that a request may take anew: it has waited for the server until now.
func (c *conn) restart() {
	c.mu.Lock()
	c.began = time.Time{}
	c.mu.Unlock()
}

// drain ends the wait for a next request, now or when it comes to it.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.between {
		_ = c.SetReadDeadline(time.Now().Add(-time.Second))
	}
}

// lingerTime and lingerBytes bound how much of a refused request is read away, so that closing does not reset the
// connection before the peer has read why.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// finish closes the connection so that what was written arrives. Where the peer has ended its side, everything that it sent has been
// read, and closing resets nothing.
func (c *conn) finish() {
	if !c.ended && c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, io.LimitReader(c.stream, lingerBytes))
	}
	_ = c.Close()
}

// refuse tells a connection that was not admitted why, and closes it.
func refuse(s stream, why error) {
	c := conn{stream: s}
	c.tell(why)
	c.finish()
}

// tell writes a refusal that answers no request.
func (c *conn) tell(why error) {
	_ = c.SetWriteDeadline(time.Now().Add(lingerTime))
	_, _ = c.Write(wire.AppendError(nil, wire.Request{Verb: wire.Hello}, why))
}
