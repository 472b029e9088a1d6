// Package client is the agency's side: it checks its file of bets, sends it in batches, goes on after any loss from
// where the central says, and asks for its winners. It keeps nothing but the file, and says that something was done
// only when the central has acknowledged it.
package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"time"

	"quiniela"
)

// Options says what an agency sends, and where. Start from DefaultOptions.
type Options struct {
	Agency       quiniela.Agency
	Address      string        // host:port of the central; several with commas: servers of one central, tried in turn
	TLS          *tls.Config   // nil: plain TCP
	Draw         string        // name of the draw; empty: the open one that was opened first
	Token        string        // that shows the agency to be itself; empty where the server asks for none, or for a certificate
	MaskDNI      bool          // in the log
	File         string        // the agency's bets, CSV
	BatchBets    int           // the most bets in a batch; a batch is never over 8 kB either
	Plain        bool          // the specification's own form: a connection per unnumbered batch, no login, nothing can be resumed
	Lines        bool          // with Plain: the form of its exercise 6, which is the lines of the batches alone
	SkipBadLines bool          // send the good lines of a file that has bad ones
	AllowEmpty   bool          // a file without a bet is right; otherwise it is an error
	Window       int           // batches of a session that may be unanswered at once
	Timeout      time.Duration // the longest that the server may stay unreachable; 0: without limit
	Tries        int           // how often to ask for the winners, a second apart; 0: wait for the draw without limit
	Progress     func(Progress)
}

// Progress tells how far an agency is. It is called from one goroutine, at most every 50 ms within a stage and once
// at its beginning.
type Progress struct {
	Stage string // check, send, wait or done
	Bets  int    // checked so far, or stored
	Total int    // in the file; 0 while it is checked
}

// Report is what came of a run.
type Report struct {
	Bets      int // acknowledged, with those of earlier runs
	Batches   int
	Skipped   []BadLine // the first of them
	Documents []string  // the winners, in the order of their bets
}

// DefaultOptions returns the settings that hold when nothing else is configured.
func DefaultOptions() Options {
	return Options{Address: "localhost:12345", BatchBets: 150, Window: 16, Timeout: time.Minute}
}

// ErrInterrupted is wrapped by the error of a run that was asked to stop before all was done.
var ErrInterrupted = errors.New("interrupted")

// Run sends an agency's file, says that it is done, and waits for the winners. When ctx ends it closes everything: what
// was acknowledged stays, and the next Run goes on from there. That is an ErrInterrupted unless the agency has finished:
// then only the winners are left to ask for, and Run returns nil.
func Run(ctx context.Context, c Options, log *slog.Logger) (Report, error) {
	a := &agency{Options: c, log: log, ctx: ctx}
	report, err := a.run()
	if err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) && !lost(err) {
		return report, err
	}
	return report, a.interrupted()
}

// interrupted says what was acknowledged, and whether a further run goes on from there.
func (a *agency) interrupted() error {
	done := fmt.Sprintf("%d batches with %d bets of agency %d are acknowledged", a.report.Batches, a.report.Bets, a.Agency)
	switch {
	case a.finished:
		a.log.Warn("wait", "result", "in_progress", "error", "interrupted before the draw; "+done+", which is all: run it again to ask for the winners")
		return nil
	case a.file == nil:
		return fmt.Errorf("%w while the file was checked: nothing was sent; run it again", ErrInterrupted)
	case a.Plain:
		return fmt.Errorf("%w: %s, and one more batch may be stored; another run would send all of them again, as a plain client cannot "+
			"ask what is stored", ErrInterrupted, done)
	case !a.resumed:
		return fmt.Errorf("%w before the server said what it has of agency %d: nothing was sent; run it again", ErrInterrupted, a.Agency)
	}
	return fmt.Errorf("%w: %s; run it again with the same file, and it goes on after what is stored", ErrInterrupted, done)
}

// agency is a run under way.
type agency struct {
	Options
	log      *slog.Logger
	ctx      context.Context
	file     *checked
	resumed  bool // the server has said what it has; report holds that
	finished bool // the server has acknowledged that the agency has finished
	report   Report
	shown    time.Time
	stage    string
}

func (a *agency) run() (Report, error) {
	f, err := openChecked(a.ctx, a.File, a.SkipBadLines, a.AllowEmpty, func(bets int) { a.progress("check", bets) })
	if err != nil {
		return a.report, err
	}
	defer func() { a.closed("file", f.Close(), "name", f.Name()) }()
	a.file, a.report.Skipped = f, f.bad
	for _, bad := range f.bad {
		a.log.Warn("skip_line", "result", "success", "line", bad.Line, "reason", bad.Field)
	}
	send := a.sendSession
	if a.Plain {
		send = a.sendPlain
	}
	if err := send(); err != nil {
		return a.report, err
	}
	if a.Plain && a.Lines {
		a.log.Info("apuesta_enviada", "result", "success", "cantidad", a.report.Bets) // this form has no winners
	} else {
		a.log.Info("consulta_ganadores", "result", "success", "cant_ganadores", len(a.report.Documents))
	}
	a.progress("done", a.report.Bets)
	return a.report, nil
}

const progressEvery = 50 * time.Millisecond

func (a *agency) progress(stage string, bets int) {
	if a.Progress == nil {
		return
	}
	now := time.Now()
	if stage == a.stage && now.Sub(a.shown) < progressEvery {
		return
	}
	a.stage, a.shown = stage, now
	p := Progress{Stage: stage, Bets: bets}
	if a.file != nil {
		p.Total = a.file.bets
	}
	a.Progress(p)
}

func (a *agency) closed(what string, err error, args ...any) {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		a.log.Warn("close_"+what, append([]any{"result", "fail", "error", err}, args...)...)
		return
	}
	level := slog.LevelDebug
	if a.ctx.Err() != nil {
		level = slog.LevelInfo // asked to stop: one line for each resource
	}
	a.log.Log(context.Background(), level, "close_"+what, append([]any{"result", "success"}, args...)...)
}

// backoff paces attempts: it doubles from 50 ms to a second, with jitter, so that many agencies do not come back
// all at once.
type backoff struct {
	wait time.Duration
	last time.Time // the last sign of life, or the beginning
	turn int       // of the addresses: whose turn it is
}

const (
	firstWait   = 50 * time.Millisecond
	longestWait = time.Second
	dialTimeout = 5 * time.Second
)

func newBackoff() *backoff { return &backoff{wait: firstWait, last: time.Now()} }

func (b *backoff) alive() { b.wait, b.last = firstWait, time.Now() }

// pause waits before the next attempt, or returns why there is none: the server was silent for too long.
func (b *backoff) pause(ctx context.Context, c *Options, cause error) error {
	if c.Timeout > 0 && time.Since(b.last) >= c.Timeout {
		return fmt.Errorf("the server %s was unreachable for %v (%v): is its address right, and is it running?", c.Address, c.Timeout, cause)
	}
	b.turn++
	wait := time.Duration(float64(b.wait) * (0.5 + rand.Float64()))
	b.wait = min(2*b.wait, longestWait)
	return sleep(ctx, wait)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// stream is a TCP connection, or TLS over one.
type stream interface {
	net.Conn
	CloseWrite() error
}

// connect connects once.
func (c *Options) connect(ctx context.Context, address string) (stream, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if c.TLS != nil {
		conn, err := (&tls.Dialer{Config: c.TLS}).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return conn.(*tls.Conn), nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// untrusted reports whether err is of the server's certificate: another attempt would find the same.
func untrusted(err error) bool {
	var bad *tls.CertificateVerificationError
	var plain tls.RecordHeaderError // it does not speak TLS
	return errors.As(err, &bad) || errors.As(err, &plain)
}

// dial connects, trying again quietly while the server is still starting.
func dial(ctx context.Context, c *Options, b *backoff, log *slog.Logger) (stream, error) {
	for {
		addresses := strings.Split(c.Address, ",")
		conn, err := c.connect(ctx, strings.TrimSpace(addresses[b.turn%len(addresses)]))
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if untrusted(err) {
			return nil, fmt.Errorf("the server %s is not to be trusted: %w; nothing was sent: "+
				"is --tls-ca the authority of its certificate, is the address one that it names, and is this its port for TLS?", c.Address, err)
		}
		log.Debug("connect", "result", "in_progress", "server_address", c.Address, "error", err)
		if err := b.pause(ctx, c, err); err != nil {
			return nil, err
		}
	}
}

// lost reports whether err is of the connection, not of what was said on it.
func lost(err error) bool {
	var ne net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &ne)
}

// later reports whether the server refused for now only.
func later(err error) bool {
	switch quiniela.CodeOf(err) {
	case quiniela.Stopping, quiniela.Storage, quiniela.Busy:
		return true
	}
	return false
}
