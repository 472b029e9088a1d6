package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"quiniela"
)

// listener is one address listened on.
type listener struct {
	*net.TCPListener
	tls *tls.Config // nil: plain
}

// listen opens Options.Address, and where that speaks TLS and a plain one is wanted as well, Options.PlainAddress.
func (s *Server) listen() error {
	c := &s.config
	if err := s.listenOn(c.Address, c.TLS); err != nil {
		return err
	}
	if c.TLS != nil && c.PlainAddress != "" {
		return s.listenOn(c.PlainAddress, nil)
	}
	return nil
}

func (s *Server) listenOn(address string, tls *tls.Config) error {
	config := listenConfig()
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return errors.Join(fmt.Errorf("listen on %s: %w", address, err), s.Close())
	}
	s.listeners = append(s.listeners, listener{l.(*net.TCPListener), tls})
	if err := setBacklog(l.(*net.TCPListener), s.config.Backlog); err != nil {
		return errors.Join(fmt.Errorf("set the listen backlog to %d: %w", s.config.Backlog, err), s.Close())
	}
	form := "plain"
	if tls != nil {
		form = "TLS"
	}
	s.log.Info("listen", "result", "success", "address", l.Addr(), "form", form)
	if tls == nil && s.guarded() && !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		s.log.Warn("listen", "result", "success", "address", l.Addr(),
			"tokens", "come in clear, so whoever reads the network learns them; serve with TLS (SERVER_TLS_CERT, SERVER_TLS_KEY)")
	}
	return nil
}

// What refusals of the wrong form are counted as.
const (
	plainOnTLS = "plain_on_tls"
	tlsOnPlain = "tls_on_plain"
)

// What a peer that meets the wrong port is told.
var (
	errPlainOnTLS = quiniela.Refuse(quiniela.BadFrame, "this port speaks TLS: connect with TLS (quiniela client --tls-ca FILE); nothing was stored")
	errTLSOnPlain = quiniela.Refuse(quiniela.BadFrame, "this port does not speak TLS: connect to the port that does; nothing was stored")
)

// stream returns what a connection reads and writes, in the form that its listener speaks.
func (s *Server) stream(c *conn, l listener) stream {
	if l.tls != nil {
		return tls.Server(c.tcp, l.tls)
	}
	return &plain{TCPConn: c.tcp, onTLS: func() {
		s.refused.Add(c.ip, tlsOnPlain, 0)
		c.tell(errTLSOnPlain)
	}}
}

// refuseHandshake counts a handshake that failed, or one whose certificate is not good here, and tells the peer of the latter. One that
// speaks plain TCP is told so in plain text, which it can read.
func (s *Server) refuseHandshake(c *conn, err error) {
	code := string(quiniela.CodeOf(err))
	var record tls.RecordHeaderError
	switch {
	case code != "":
		c.tell(err)
	case errors.As(err, &record) && record.Conn != nil: // set where the first bytes are not TLS's
		code = plainOnTLS
		refuse(c.tcp, errPlainOnTLS)
	default:
		code = "tls"
	}
	s.refused.Add(c.ip, code, 0)
	s.log.Debug("tls_handshake", "result", "fail", "ip", c.ip, "error", err)
}

// plain is a TCP connection that ends when the peer begins to speak TLS on it. Otherwise the beginning of TLS would be read as a batch
// of the specification's form, and answered after a second with what is wrong with its line 1.
type plain struct {
	*net.TCPConn
	onTLS func()
	begun bool
}

// Read implements io.Reader.
func (p *plain) Read(b []byte) (int, error) {
	n, err := p.TCPConn.Read(b)
	if p.begun || n == 0 {
		return n, err
	}
	p.begun = true
	const handshake, major = 22, 3 // the first two bytes of a TLS connection, which begin no request
	if n >= 2 && b[0] == handshake && b[1] == major {
		p.onTLS()
		return 0, errTLSOnPlain // no io.EOF: the peer goes on sending
	}
	return n, err
}
