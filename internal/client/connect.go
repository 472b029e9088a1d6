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

// dial connects to the server. While the server does not listen yet it tries again, and logs that at the level DEBUG only.
func (a *agency) dial() (net.Conn, error) {
	addresses := strings.Split(a.Address, ",")
	for {
		conn, err := a.connect(strings.TrimSpace(addresses[a.backoff.turn%len(addresses)]))
		if err == nil {
			return conn, nil
		}
		if a.ctx.Err() != nil {
			return nil, a.ctx.Err()
		}
		if untrusted(err) {
			return nil, fmt.Errorf("the server %s cannot be trusted: %w; nothing was sent: "+
				"is --tls-ca the authority of its certificate, does the certificate name this address, and is this the port for TLS?", a.Address, err)
		}
		a.log.Debug("connect", "result", "in_progress", "server_address", a.Address, "error", err)
		if err := a.pause(err); err != nil {
			return nil, err
		}
	}
}

// connect tries once to connect.
func (a *agency) connect(address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(a.ctx, dialTimeout)
	defer cancel()
	if a.TLS != nil {
		return (&tls.Dialer{Config: a.TLS}).DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// untrusted reports whether TLS failed for a reason that another attempt would meet again: the server's certificate is not
// valid, or the port does not speak TLS.
func untrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &notTLS)
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
