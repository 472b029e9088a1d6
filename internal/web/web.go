// Package web shows a running lottery over HTTP: a page that follows it live, the same as JSON under /api/v1, what an
// operator may do, figures for Prometheus and health. It decides nothing about bets or draws: the ledger does.
package web

import (
	"context"
	"crypto/subtle"
	"embed"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
)

// Ledger is what is shown. *ledger.Ledger is one; its methods say what each promises.
type Ledger interface {
	Draws(ctx context.Context) ([]ledger.Draw, error)
	FindDraw(ctx context.Context, id string) (ledger.Draw, error)
	Progress(ctx context.Context, id string) ([]ledger.AgencyProgress, error)
	Tally(ctx context.Context, id string) (*[ledger.Numbers]uint64, error)
	AllWinners(ctx context.Context, id string) ([]ledger.AgencyWinners, error)
	OpenDraw(ctx context.Context, t ledger.Terms) (ledger.Draw, error)
	CloseDraw(ctx context.Context, id, note string) (ledger.Draw, error)
	EnterNumber(ctx context.Context, id string, n quiniela.Number, extract []byte) (ledger.Draw, error)
	EnterBeacon(ctx context.Context, id string, b draw.Beacon) (ledger.Draw, error)
	Failed() <-chan struct{}
	Err() error
}

// Options say what a site shows, and to whom.
type Options struct {
	Ledger Ledger
	Key    string   // the operator's; with an empty one nobody can log in
	Hosts  []string // names it may be asked for by, besides those of this machine; without a port
	// Backup copies the journal into a new folder while it is written, and returns its last position; nil: not offered.
	Backup  func(ctx context.Context, dir string) (last uint64, err error)
	Metrics prometheus.Gatherer // nil: none
	Pprof   bool
	// Published is the folder of the public log, served at /log/; "" is none.
	Published string
	// Connections bounds those of each listener at once; 0 is MostConnections.
	Connections int
	Log         *slog.Logger
}

//go:embed static pages
var files embed.FS

// Site serves the pages and the API. Its handlers may be used by several listeners.
type Site struct {
	Options
	sessions sessions
	feeds    feeds
	events   chan struct{} // holds a value per listener
	closing  chan struct{}
	closed   sync.Once
	mux      *http.ServeMux
}

// mostListeners bounds who may follow events at once.
const mostListeners = 200

// New makes a site.
func New(o Options) *Site {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Site{Options: o, events: make(chan struct{}, mostListeners), closing: make(chan struct{}), mux: http.NewServeMux()}
	for _, r := range s.routes() {
		s.mux.HandleFunc(r.method+" "+r.path, s.api(r))
	}
	s.mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, quiniela.Refuse(quiniela.Absent, "no such resource, or not with this method; /api/v1/openapi.json lists them"))
	})
	s.mux.Handle("GET /static/", http.FileServerFS(files))
	if o.Published != "" {
		s.mux.HandleFunc("GET /log/", published(os.DirFS(o.Published)))
	}
	s.mux.HandleFunc("GET /{$}", s.home)
	s.mux.HandleFunc("GET /draws/{id}", s.drawPage)
	s.mux.HandleFunc("GET /verify", s.verifyPage)
	s.mux.HandleFunc("GET /static/verify.wasm", verifier)
	s.mux.HandleFunc("POST /login", s.login)
	s.mux.HandleFunc("GET /login", s.loginPage)
	s.mux.HandleFunc("POST /logout", s.logout)
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	s.mux.HandleFunc("GET /readyz", s.ready)
	if o.Metrics != nil {
		s.mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}))
	}
	if o.Pprof {
		s.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		s.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		s.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return s
}

// ready answers 200 while bets are taken.
func (s *Site) ready(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-s.Ledger.Failed():
		writeProblem(w, quiniela.Refuse(quiniela.Internal, "the server has failed: %v", s.Ledger.Err()))
	case <-s.closing:
		writeProblem(w, quiniela.Refuse(quiniela.Stopping, "the server is going down"))
	default:
		_, _ = w.Write([]byte("ok\n"))
	}
}

// Public is the handler for a network address: it knows an operator by the key or by a login, and answers only to the
// site's own names, so that no other site's page can reach it by a name of its own.
func (s *Site) Public() http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		if !s.known(r.Host) {
			w.WriteHeader(http.StatusMisdirectedRequest)
			_, _ = w.Write([]byte("this site does not go by that name; see SERVER_HTTP_HOSTS\n"))
			return
		}
		if protection.Check(r) != nil {
			writeProblem(w, quiniela.Refuse(forbidden, "another site's page cannot do this in your name"))
			return
		}
		if s.authenticated(r) {
			r = r.WithContext(context.WithValue(r.Context(), operatorKey{}, true))
		}
		s.mux.ServeHTTP(w, r)
	})
}

// Trusted is the handler for a socket that only the operator can open.
func (s *Site) Trusted() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), operatorKey{}, true)))
	})
}

type operatorKey struct{}

// operator reports whether a request is the operator's.
func operator(r *http.Request) bool {
	yes, _ := r.Context().Value(operatorKey{}).(bool)
	return yes
}

// secure sets what every answer says to browsers. Nothing on a page is inline, and nothing comes from elsewhere.
func secure(h http.Header) {
	h.Set(securityPolicy, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
		"img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// known reports whether the site goes by a name: an address, this machine's own name for itself, or one of Hosts.
func (s *Site) known(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	return name == "localhost" || net.ParseIP(name) != nil || slices.ContainsFunc(s.Hosts, func(own string) bool { return strings.EqualFold(own, name) })
}

// authenticated reports whether a request carries the operator's key or a login.
func (s *Site) authenticated(r *http.Request) bool {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return s.sessions.attempt(address(r), s.rightKey(token))
	}
	c, err := r.Cookie(cookieName)
	return err == nil && s.sessions.valid(c.Value)
}

func (s *Site) rightKey(key string) bool {
	return s.Key != "" && subtle.ConstantTimeCompare([]byte(key), []byte(s.Key)) == 1
}

// Close says that the server is going down: /readyz answers so, and event streams end.
func (s *Site) Close() { s.closed.Do(func() { close(s.closing) }) }
