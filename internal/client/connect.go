package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"time"

	"quiniela"
)

const (
	firstWait   = 50 * time.Millisecond
	longestWait = time.Second
	dialTimeout = 5 * time.Second
)

// backoff paces the attempts to reach the server. The pause doubles from firstWait to longestWait, with jitter, so that many
// agencies do not come back at the same moment.
type backoff struct {
	wait  time.Duration // the next pause, without its jitter
	heard time.Time     // when the server last answered, or when the run began
	turn  int           // counts the addresses that were tried
}

func newBackoff() *backoff { return &backoff{wait: firstWait, heard: time.Now()} }

// alive notes that the server has answered: the pauses begin again from the shortest.
func (b *backoff) alive() { b.wait, b.heard = firstWait, time.Now() }

// pause waits before the next attempt, which is at the next address. It returns an error if the server has not answered for
// the whole of Options.Timeout; cause is what the last attempt failed with.
func (a *agency) pause(cause error) error {
	b := a.backoff
	if a.Timeout > 0 && time.Since(b.heard) >= a.Timeout {
		return fmt.Errorf("the server %s was unreachable for %v (%v): is its address right, and is it running?", a.Address, a.Timeout, cause)
	}
	b.turn++
	wait := time.Duration(float64(b.wait) * (0.5 + rand.Float64()))
	b.wait = min(2*b.wait, longestWait)
	return sleep(a.ctx, wait)
}

// sleep waits for d. It returns ctx's error if ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// ErrInClear is wrapped by the error of a run that would have sent the agency's token over a network without TLS. Nothing was sent.
var ErrInClear = errors.New("the agency's token would cross the network in clear")

// guardToken returns an ErrInClear if the token would go to one of these addresses without TLS. The way to this machine itself crosses
// no network.
func (a *agency) guardToken(addresses ...string) error {
	if a.Token == "" || a.Plain || a.TLS != nil || a.TokenInClear {
		return nil
	}
	for _, address := range addresses {
		if !local(strings.TrimSpace(address)) {
			return fmt.Errorf("%w to %s; nothing was sent: connect with TLS (--tls-ca FILE, or --tls), or, "+
				"on a network that you trust, say --token-in-clear", ErrInClear, address)
		}
	}
	return nil
}

// local reports whether an address, host:port, is this machine's.
func local(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || ip != nil && ip.IsLoopback()
}

// dial connects to the server. While the server does not listen yet it tries again, and logs that at the level DEBUG only.
func (a *agency) dial() (net.Conn, error) {
	addresses := strings.Split(a.Address, ",")
	if err := a.guardToken(addresses...); err != nil {
		return nil, err
	}
	for {
		conn, err := a.connect(strings.TrimSpace(addresses[a.backoff.turn%len(addresses)]))
		if err == nil {
			return conn, nil
		}
		if a.ctx.Err() != nil {
			return nil, a.ctx.Err()
		}
		if err := a.permanent(err); err != nil {
			return nil, err
		}
		a.log.Debug("connect", "result", "in_progress", "server_address", a.Address, "error", err)
		a.stalled(err)
		if err := a.pause(err); err != nil {
			return nil, err
		}
	}
}

// permanent returns what to tell of an error of connect that another attempt would meet again, or nil.
func (a *agency) permanent(err error) error {
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	switch {
	case errors.Is(err, ErrInClear):
		return err
	case errors.As(err, &certificate):
		return fmt.Errorf("the server %s cannot be trusted: %w; nothing was sent: "+
			"is --tls-ca the authority of its certificate, and does the certificate name this address?", a.Address, err)
	case errors.As(err, &notTLS):
		return fmt.Errorf("the server %s does not speak TLS on this port (%w); nothing was sent: give the address of the port that does, "+
			"or, where the server has none, leave out --tls, --tls-ca and --tls-cert", a.Address, err)
	}
	return nil
}

// connect tries once to connect.
func (a *agency) connect(address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(a.ctx, dialTimeout)
	defer cancel()
	dialer := new(net.Dialer)
	if a.Plain {
		dialer.KeepAlive = -1 // a connection for one reply, which has a deadline, needs no probes: four system calls less
	}
	if a.TLS != nil {
		return (&tls.Dialer{NetDialer: dialer, Config: a.TLS}).DialContext(ctx, "tcp", address)
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	// Names can mislead, also localhost: what counts is where the connection goes.
	if err := a.guardToken(conn.RemoteAddr().String()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &plainConn{TCPConn: conn.(*net.TCPConn)}, nil
}

// errTLSPort says that a server answered in TLS what was sent without.
var errTLSPort = errors.New("the server speaks TLS on this port: connect with TLS (--tls-ca FILE, or --tls)")

// plainConn is a TCP connection that knows TLS when it meets it. A quiniela server answers in plain text that its port speaks TLS; this is
// for what else may stand before one, such as a proxy.
type plainConn struct {
	*net.TCPConn
	begun bool
}

// Read implements io.Reader.
func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if c.begun || n == 0 {
		return n, err
	}
	c.begun = true
	const alert, major = 21, 3 // the first two bytes of TLS's answer to what is not TLS, which begin no reply
	if n >= 2 && b[0] == alert && b[1] == major {
		return 0, errTLSPort
	}
	return n, err
}

// lost reports whether err says that the connection broke. Otherwise err is about what was said on it.
func lost(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &network)
}

// temporary reports whether the server refused, and a later attempt may succeed.
func temporary(err error) bool {
	switch quiniela.CodeOf(err) {
	case quiniela.Stopping, quiniela.Storage, quiniela.Busy:
		return true
	}
	return false
}
