package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"quiniela/internal/agencies"
	"quiniela/internal/wire"
)

// conn is a client's connection with its deadlines.
type conn struct {
	stream
	ip       string
	config   *Options
	identity agencies.Identity // used by the session's reader alone

	mu       sync.Mutex // protects what follows, and so orders a deadline against the beginning of the drain
	between  bool       // waiting for a request to begin
	began    time.Time  // the request that is being read; zero between requests
	draining bool
}

// stream is a TCP connection, or TLS over one.
type stream interface {
	net.Conn
	CloseWrite() error
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

// phase sets the deadline of the wait that begins now.
func (c *conn) phase(p wire.Phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.between = p == wire.Between
	if c.between {
		c.began = time.Time{}
		deadline := now.Add(c.config.Idle)
		if c.draining {
			deadline = now.Add(-time.Second) // the read fails at once
		}
		_ = c.SetReadDeadline(deadline) // on a closed connection the read says so
		return
	}
	if c.began.IsZero() {
		c.began = now
	}
	wait := c.config.Read
	if p == wire.Settling {
		wait = c.config.Settle
	}
	deadline := now.Add(wait)
	// A request that trickles in must end, too.
	if last := c.began.Add(c.config.Request); last.Before(deadline) {
		deadline = last
	}
	_ = c.SetReadDeadline(deadline)
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

// finish closes the connection so that what was written arrives.
func (c *conn) finish() {
	if c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, io.LimitReader(c.stream, lingerBytes))
	}
	_ = c.Close()
}

// refuse tells a connection that was not admitted why, and closes it.
func refuse(s stream, why error) {
	c := conn{stream: s}
	_ = c.SetWriteDeadline(time.Now().Add(lingerTime))
	_, _ = c.Write(wire.AppendError(nil, wire.Request{Verb: wire.Hello}, why))
	c.finish()
}
