// Package web is the lottery's site: pages with the draws and their results, a page that checks receipts in the browser, the JSON API
// under /api/v1 and the files of the public log. An operator logs in or sends a key, and sees live what is sold. Apart from it are
// the health checks, the metrics for Prometheus and, if asked for, profiles.
//
// It holds no rule of the lottery. It asks the ledger for everything about bets and draws, and passes the operator's requests
// on to it.
package web

import (
	"context"
	"embed"
	"io/fs"
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
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
	"quiniela/internal/refusals"
)

// Ledger is where the site reads draws and sends the operator's requests. *ledger.Ledger is one, and its methods document the
// contract. All of them may be called from several goroutines.
type Ledger interface {
	DrawsFrom(ctx context.Context, from uint64, most int) (draws []ledger.Draw, last uint64, err error)
	LastDraws(ctx context.Context, before uint64, most int, match func(ledger.Draw) bool) (draws []ledger.Draw, next uint64, err error)
	FindDraw(ctx context.Context, id string) (ledger.Draw, error)
	Progress(ctx context.Context, id string, from quiniela.Agency, most int) ([]ledger.AgencyProgress, error)
	Unfinished(ctx context.Context, id string, most int) ([]ledger.AgencyProgress, error)
	Tally(ctx context.Context, id string) (*ledger.Tally, error)
	CountWinners(ctx context.Context, id string, from quiniela.Agency, most int) ([]ledger.AgencyCount, error)
	OperatorsWinners(ctx context.Context, draw uint64, agency quiniela.Agency) (w ledger.Winners, drawn bool, err error)
	EachPrize(ctx context.Context, id string, f func(ledger.Prize) error) error
	Payouts(ctx context.Context, id string, from quiniela.Agency, most int) ([]ledger.AgencyPayout, error)
	OpenDraw(ctx context.Context, by ledger.Actor, t ledger.Terms) (ledger.Draw, error)
	CloseDraw(ctx context.Context, by ledger.Actor, id, note string) (ledger.Draw, error)
	EnterNumber(ctx context.Context, by ledger.Actor, id string, n quiniela.Number, extract []byte) (ledger.Draw, error)
	EnterPrizes(ctx context.Context, by ledger.Actor, id string, prizes []quiniela.Number, extract []byte) (ledger.Draw, error)
	EnterBeacon(ctx context.Context, by ledger.Actor, id string, b draw.Beacon) (ledger.Draw, error)
	FindBets(ctx context.Context, id string, document uint32, most int) ([]ledger.FoundBet, error)
	Record(ctx context.Context, acts ...journal.Act) error
	Trail(ctx context.Context, from uint64, most int, match func(journal.Act) bool) (acts []ledger.Recorded, before uint64, err error)
	Failed() <-chan struct{}
	Err() error
}

// Options are the settings of a site.
type Options struct {
	Ledger Ledger
	// Operators says who comes with a key. nil: nobody can log in.
	Operators *operators.Guard
	Hosts     []string                     // the site's own host names, without a port; localhost and IP addresses are always accepted
	Names     func(quiniela.Agency) string // an agency's name in the registry, or ""; nil: there are no names
	// Backup copies the journal into a new folder while the lottery goes on, and returns the position of the last entry copied.
	// nil: the site offers no backup.
	Backup func(ctx context.Context, dir string) (last uint64, err error)
	// Backups says how the backups stand that the server makes by itself. nil: it makes none.
	Backups func() Backups
	Version string               // of the program, for the pages' footer; "": not shown
	Metrics *prometheus.Registry // with the figures of the site itself; nil: not served
	Pprof   bool                 // serve profiles
	Proxies Proxies
	// Published is the folder of the public log, served at /log/. "": not served.
	Published string
	Log       *slog.Logger // nil: no log
}

//go:embed static pages
var files embed.FS

// Site serves the pages and the API. Several listeners may use its handlers at once. It starts no goroutine of its own.
type Site struct {
	Options
	sessions sessions
	feeds    feeds
	clients  clients
	refused  *refusals.Log
	knocks   knocks
	wrong    chan struct{} // holds a value for each wrong key whose answer waits
	closing  chan struct{} // closed by Close
	closed   sync.Once     // closes closing
	mux      *http.ServeMux
	admin    *http.ServeMux // what is not for the public
}

// New creates a site. The caller ends it with Close.
func New(o Options) *Site {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Site{Options: o, wrong: make(chan struct{}, mostWrong), closing: make(chan struct{}), mux: http.NewServeMux(), admin: http.NewServeMux()}
	s.refused = refusals.New(o.Log, "quiniela_http_refusals_total", "Requests to the page that were refused: wrong keys (key), and too many (busy).")
	s.knocks.record = o.Ledger.Record
	for _, r := range s.routes() {
		s.mux.HandleFunc(r.method+" "+r.path, s.api(r))
	}
	s.mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, quiniela.Refuse(quiniela.Absent, "no such resource, or not with this method; /api/v1/openapi.json lists them"))
	})
	s.mux.HandleFunc("GET /static/{file}", static)
	if o.Published != "" {
		s.mux.HandleFunc("GET /log/", published(os.DirFS(o.Published)))
	}
	s.routePages()
	s.mux.HandleFunc("GET /resultados", s.findResults)
	s.mux.HandleFunc("GET /resultados/{id}", s.resultsPage)
	s.mux.HandleFunc("GET /verify", s.verifyPage)
	s.mux.HandleFunc("GET /verify.html", s.oneFile)
	s.mux.HandleFunc("GET /static/verify.wasm", verifier)
	s.mux.HandleFunc("POST /login", s.login)
	s.mux.HandleFunc("GET /login", s.loginPage)
	s.mux.HandleFunc("POST /logout", s.logout)
	s.routeAdmin()
	return s
}

// routePages has the pages with draws, and what is done on them.
func (s *Site) routePages() {
	s.mux.HandleFunc("GET /{$}", s.home)
	s.mux.HandleFunc("GET /draws", s.drawsPage)
	s.mux.HandleFunc("GET /draws/{id}", s.drawPage)
	for path, h := range map[string]http.HandlerFunc{
		"GET /draws/{id}/act":                 s.actPage,
		"GET /draws/{id}/winners.csv":         s.winnersCSV,
		"GET /draws/{id}/prizes.csv":          s.prizesPage,
		"GET /draws/{id}/settlement":          s.settlementPage,
		"GET /draws/{id}/settlement/{agency}": s.sheetPage,
		"GET /draws/{id}/settlement.csv":      s.settlementCSV,
		"GET /trail":                          s.trailPage,
		"GET /trail.csv":                      s.trailCSV,
		"GET /backups":                        s.backupsPage,
	} {
		s.mux.HandleFunc(path, s.only(operators.Viewer, h))
	}
	s.mux.HandleFunc("GET /draws/{id}/number", s.only(operators.Notary, s.numberForm))
	s.mux.HandleFunc("POST /draws/{id}/number", s.only(operators.Notary, s.takeNumber))
	s.mux.HandleFunc("GET /draws/{id}/documents.csv", s.only(operators.Notary, s.documentsCSV))
	s.mux.HandleFunc("GET /open", s.only(operators.Operator, s.openForm))
	s.mux.HandleFunc("POST /draws", s.only(operators.Operator, s.takeTerms))
	s.mux.HandleFunc("GET /draws/{id}/close", s.only(operators.Operator, s.closeForm))
	s.mux.HandleFunc("POST /draws/{id}/close", s.only(operators.Operator, s.takeClose))
}

// routeAdmin has what is served apart from the public site.
func (s *Site) routeAdmin() {
	s.admin.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	s.admin.HandleFunc("GET /readyz", s.ready)
	if s.Metrics != nil {
		s.Metrics.MustRegister(s.refused.Counter)
		s.admin.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
	}
	if s.Pprof {
		s.admin.HandleFunc("GET /debug/pprof/", pprof.Index)
		s.admin.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		s.admin.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
}

// static answers with a file of the pages, by its name.
func static(w http.ResponseWriter, r *http.Request) {
	name := "static/" + r.PathValue("file")
	if info, err := fs.Stat(files, name); err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	http.ServeFileFS(w, r, files, name)
}

// ready answers 200 while the server accepts bets.
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

// Public is the handler for a network address. It recognises those who run the lottery by a key or by a login. It answers only requests for
// the site's own host names: otherwise another site could point a name of its own at this address, and its pages could read
// the answers.
func (s *Site) Public() http.Handler {
	protection := http.NewCrossOriginProtection()
	return s.own(func(w http.ResponseWriter, r *http.Request) {
		if protection.Check(r) != nil {
			writeProblem(w, quiniela.Refuse(forbidden, "a page of another site sent this request"))
			return
		}
		v, err := s.authenticate(r)
		if err != nil {
			writeProblem(w, err)
			return
		}
		if r = as(r, v); !staff(r) {
			if err := s.limit(r); err != nil {
				w.Header().Set("Retry-After", "1")
				writeProblem(w, err)
				return
			}
		}
		s.mux.ServeHTTP(w, r)
	})
}

// limit refuses a stranger's request that is one too many. Files cost little, and a check of the public log reads many. The operator
// may come to log in from an address that others use as well.
func (s *Site) limit(r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/log/") || strings.HasPrefix(r.URL.Path, "/static/") || r.URL.Path == "/login" {
		return nil
	}
	err := s.clients.allow(s.address(r))
	if err != nil {
		s.refused.Add(shown(s.address(r)), string(quiniela.CodeOf(err)), 0)
	}
	return err
}

// Admin is the handler for the operator's monitoring: health checks, metrics and profiles. It asks for no login.
func (s *Site) Admin() http.Handler { return s.own(s.admin.ServeHTTP) }

// own answers only requests for the site's own host names, and restricts what a browser does with the answer.
func (s *Site) own(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		if !s.known(r.Host) {
			w.WriteHeader(http.StatusMisdirectedRequest)
			_, _ = w.Write([]byte("this is not a host name of this site; see SERVER_HTTP_HOSTS\n"))
			return
		}
		h(w, r)
	})
}

// Trusted is the handler for a socket that only the owner of the data folder can open, who may do everything. It has what Public and
// Admin have.
func (s *Site) Trusted() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := s.admin.Handler(r); pattern != "" {
			s.admin.ServeHTTP(w, r)
			return
		}
		v, err := s.local(r)
		if err != nil {
			writeProblem(w, err)
			return
		}
		s.mux.ServeHTTP(w, as(r, v))
	})
}

// secure sets the headers that restrict a browser: it runs no inline script, loads nothing from other sites, and shows no page
// inside another site's.
func secure(h http.Header) {
	h.Set(securityPolicy, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
		"img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// known reports whether a request's host is the site's: localhost, any IP address, or one of Hosts.
func (s *Site) known(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if name == "localhost" || net.ParseIP(name) != nil {
		return true
	}
	return slices.ContainsFunc(s.Hosts, func(own string) bool { return strings.EqualFold(own, name) })
}

// Close announces that the server is going down: /readyz answers 503, and event streams end. It may be called several times.
func (s *Site) Close() {
	s.closed.Do(func() {
		close(s.closing)
		s.refused.Stop()
		s.knocks.stop()
	})
}
