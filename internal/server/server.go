// Package server is the central's side of the protocol: it listens, serves each connection on its own, enforces the
// limits and deadlines, and drains on demand. What a request means is for the ledger to say.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"quiniela"
	"quiniela/internal/agencies"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/refusals"
)

// Options says how a server serves. Start from DefaultOptions.
type Options struct {
	Address      string          // host:port; an empty host is every interface
	Backlog      int             // connections that the kernel holds until they are accepted
	TLS          *tls.Config     // what Address speaks; nil: plain TCP
	PlainAddress string          // host:port of a second listener, which speaks plain TCP where Address speaks TLS; "": there is none
	Guard        *agencies.Guard // nil: anybody may speak for any agency
	Connections  int             // at once; further ones are refused
	PerAddress   int             // of one IPv4 address or IPv6 network of /64 at once; 0: no bound but Connections
	// With a registry, what one agency may have: connections at once, requests a second, and bytes a second of requests and of lists
	// of winners. What is over the last two waits. 0: no bound.
	PerAgency, AgencyRequests, AgencyBytes int

	MaskDNI    bool // in the log
	Limits     quiniela.Limits
	BodyMemory int64                 // bytes of the large requests of all connections that are in hand at once; further ones wait
	Read       time.Duration         // the longest wait for the next bytes of a request that has begun, and for a reply to be taken
	Request    time.Duration         // the longest that a request may take to arrive
	Idle       time.Duration         // the longest silence between requests
	Login      time.Duration         // with a registry, how soon a connection has to show who it is
	Settle     time.Duration         // the silence that ends a bare batch; 0: only its end or an empty line does
	Poll       time.Duration         // the longest that wait_winners waits
	Drain      time.Duration         // the longest that requests in hand may take once the server stops
	Metrics    prometheus.Registerer // nil: nowhere
	Window     int                   // requests of one connection that may be in hand at once
}

// DefaultOptions returns the settings that hold when nothing else is configured.
func DefaultOptions() Options {
	return Options{
		Address: ":12345", Backlog: 128, Connections: 10000, Limits: quiniela.DefaultLimits(), BodyMemory: 64 << 20,
		PerAgency: 100, AgencyRequests: 2000, AgencyBytes: 32 << 20,
		Read: 10 * time.Second, Request: time.Minute, Idle: 5 * time.Minute, Login: 10 * time.Second, Settle: time.Second, Poll: 30 * time.Second,
		Drain: 7 * time.Second, Window: 64,
	}
}

// Server serves one listener.
type Server struct {
	config    Options
	log       *slog.Logger
	group     *slog.Logger   // for the lines that the committer writes together
	ledger    *ledger.Ledger // nil in echo mode
	proofs    Proofs         // nil: there are none
	listeners []listener
	handle    func(*conn)

	mu sync.Mutex // protects admissions and draining, and so orders an admission against the beginning of the drain
	admissions
	draining bool
	running  context.Context            // ends when draining begins
	stop     func()                     // ends it
	quotas   map[quiniela.Agency]*quota // of the agencies that are connected; protected by mu
	working  context.Context            // ends when the drain has taken too long; the work of every session ends with it
	cutOff   func()                     // ends it
	bodies   *budget
	reading  chan struct{}  // holds a value for each page of a list, or last batch, that is being read
	sessions sync.WaitGroup // admitted connections: admit adds, leave takes away
	crew     *crew          // runs them
	spare    sync.Pool      // of *session, for the next connections
	refusing atomic.Int32   // refused connections that are being told why
	refused  *refusals.Log
}

// Proofs returns the operator's signed proof of an agency's batches in a draw, as lines.
type Proofs func(ctx context.Context, draw uint64, agency quiniela.Agency) (Lines, error)

// Lines are the lines of a reply that may be long.
type Lines interface {
	Count() uint32
	// AppendLines appends lines to dst, from the one with an index on, until dst has some bytes or there are no more, and returns the
	// index that comes next.
	AppendLines(ctx context.Context, dst []byte, from uint32, bytes int) (lines []byte, next uint32, err error)
}

// SetProofs says where proofs come from. Without it, or with nil, there are none. Call it before Serve.
func (s *Server) SetProofs(p Proofs) { s.proofs = p }

// Listen starts to listen. Connections are held by the kernel until Serve.
func Listen(c Options, l *ledger.Ledger, log *slog.Logger) (*Server, error) {
	s := newServer(c, log)
	s.ledger, s.handle = l, s.serveLottery
	s.register()
	return s, s.listen()
}

// ListenEcho starts to listen as the specification's echo server, which returns one message per connection.
func ListenEcho(c Options, log *slog.Logger) (*Server, error) {
	s := newServer(c, log)
	s.handle = s.serveEcho
	return s, s.listen()
}

func newServer(c Options, log *slog.Logger) *Server {
	s := &Server{
		config: c, log: log, group: logline.Deferred(log), admissions: newAdmissions(),
		refused: refusals.New(log, "quiniela_refusals_total", "Requests and connections refused, by code."), bodies: newBudget(c.BodyMemory), quotas: map[quiniela.Agency]*quota{}, reading: make(chan struct{}, mostReading),
	}
	s.running, s.stop = context.WithCancel(context.Background())
	s.working, s.cutOff = context.WithCancel(context.Background())
	s.crew = newCrew(s.running.Done())
	s.spare.New = func() any { return s.newSession() }
	return s
}

// register makes the server's figures known to Options.Metrics.
func (s *Server) register() {
	if s.config.Metrics == nil {
		return
	}
	s.config.Metrics.MustRegister(s.refused.Counter, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "quiniela_connections", Help: "Open connections of agencies.",
	}, func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.conns))
	}), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "quiniela_strangers", Help: "Of the open connections, those that have not yet shown who they are.",
	}, func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(s.unknown)
	}))
	s.config.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "quiniela_connections_limit", Help: "The most connections at once.",
	}, func() float64 { return float64(s.config.Connections) }))
}

// Close stops listening. It is for a server that never served; after Serve it does nothing.
func (s *Server) Close() (err error) {
	s.stop()
	for _, l := range s.listeners {
		if closing := l.Close(); !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
	}
	return err
}

// Addr returns the address that stands for Options.Address.
func (s *Server) Addr() net.Addr { return s.listeners[0].Addr() }

// Serve accepts connections until ctx ends or the ledger fails, then stops accepting, lets the requests in hand finish for
// Options.Drain at most, closes everything it opened, and returns: nil, or why the ledger failed. It is called once.
//
// Each listener has a goroutine, which ends when the listener is closed, and each admitted connection has one of the crew. Serve waits
// for the connections; one that comes in too late for the drain is refused by admit.
func (s *Server) Serve(ctx context.Context) error {
	s.log.Info("accept_connections", "result", "in_progress")
	for _, l := range s.listeners {
		go s.accept(l)
	}
	var failed <-chan struct{}
	if s.ledger != nil {
		failed = s.ledger.Failed()
	}
	var err error
	select {
	case <-ctx.Done():
	case <-failed:
		err = s.ledger.Err()
	}
	for _, l := range s.listeners {
		s.closed("listener", l.Close(), "address", l.Addr())
	}
	s.drain()
	s.refused.Stop()
	if err == nil && s.ledger != nil {
		err = s.ledger.Err()
	}
	return err
}

// closed logs the end of a resource.
func (s *Server) closed(what string, err error, args ...any) {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		s.log.Error("close_"+what, append([]any{"result", "fail"}, append(args, "error", err)...)...)
		return
	}
	s.log.Info("close_"+what, append([]any{"result", "success"}, args...)...)
}

// acceptPause is how long to wait when the process is out of descriptors or memory for a connection.
const acceptPause = 50 * time.Millisecond

func (s *Server) accept(l listener) {
	for {
		nc, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Error("accept_connections", "result", "fail", "error", err)
			time.Sleep(acceptPause)
			continue
		}
		c, refusal := s.admit(nc, l)
		if refusal != nil {
			s.refused.Add(nc.RemoteAddr().(*net.TCPAddr).IP.String(), string(quiniela.CodeOf(refusal)), 0)
			s.turnAway(nc, l, refusal)
			continue
		}
		if !s.guarded() {
			s.log.Info("accept_connections", "result", "success", "ip", c.ip)
		}
		s.crew.run(func() { s.serveConn(c) })
	}
}

// serveConn serves an admitted connection until it ends.
func (s *Server) serveConn(c *conn) {
	defer s.leave(c)
	if err := c.handshake(); err != nil {
		s.refuseHandshake(c, err)
		return
	}
	if err := s.welcomeCertified(c); err != nil {
		s.refused.Add(c.ip, string(quiniela.CodeOf(err)), 0)
		c.tell(err)
		return
	}
	s.handle(c)
}

// welcomeCertified notes that a connection's certificate has shown who it is, where it has one.
func (s *Server) welcomeCertified(c *conn) error {
	n := c.identity.Agency()
	if n == 0 {
		return nil
	}
	if s.guarded() {
		if err := s.join(c, n); err != nil {
			return err
		}
	}
	s.met(c)
	return nil
}

// turnedAway bounds how many refused connections are told why at once; a flood's others are just closed.
const turnedAway = 100

// turnAway closes a connection that was not admitted, and tells it why where that can be done. It does not wait: telling takes
// a goroutine, which ends after lingerTime at the latest.
func (s *Server) turnAway(nc *net.TCPConn, l listener, why error) {
	if l.tls != nil { // it could not read an answer before the handshake, which costs more than a refusal may
		_ = nc.Close()
		return
	}
	if s.refusing.Add(1) > turnedAway {
		s.refusing.Add(-1)
		_ = nc.Close()
		return
	}
	go func() {
		defer s.refusing.Add(-1)
		refuse(nc, why)
	}()
}

func (s *Server) leave(c *conn) {
	c.finish()
	s.mu.Lock()
	s.remove(c)
	s.part(c)
	draining := s.draining
	s.mu.Unlock()
	if draining {
		s.closed("connection", nil, "ip", c.ip)
	} else {
		s.log.Debug("close_connection", "result", "success", "ip", c.ip)
	}
	s.sessions.Done()
}

// drain ends the connections that are between requests, waits for the others, and cuts off those that take too long.
func (s *Server) drain() {
	s.mu.Lock()
	s.draining = true
	s.stop()
	for c := range s.conns {
		c.drain()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.sessions.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-time.After(s.config.Drain):
	}
	s.cutOff()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.tcp.Close() // the session sees it and leaves; TLS's own end would wait for a peer that reads nothing
	}
	s.mu.Unlock()
	<-done
}
