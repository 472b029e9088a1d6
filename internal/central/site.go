package central

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"quiniela/internal/backup"
	"quiniela/internal/journal/local"
	"quiniela/internal/operators"
	"quiniela/internal/web"
)

// newFigures returns where the server's figures are registered, with those of the process and of the disk.
func newFigures(dir string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "quiniela_disk_free_bytes", Help: "Bytes free on the disk of the data folder.",
		}, func() float64 {
			usage, err := vfs.Default.GetDiskUsage(dir)
			if err != nil {
				return 0
			}
			return float64(usage.AvailBytes)
		}))
	return r
}

// SocketName is the operator's socket in a data folder. Who can open it is the operator: the folder is its owner's.
const SocketName = "admin.sock"

// Site says where the page and the API are served, and where the figures are. The page and the API are also served on the operator's
// socket, SocketName.
type Site struct {
	Address       string   // of the page and the API, host:port; "" is none but the socket
	Optional      bool     // an address that is taken is a warning, and no error
	TLS           TLS      // of Address; without files there is none
	Hosts         []string // names that the page may be asked for by, besides this machine's addresses
	Proxies       web.Proxies
	Version       string // of the program, which the pages show; "" is not shown
	Admin         string // of the health checks, the figures and the profiles, host:port; "" is none
	AdminOptional bool   // as Optional
	Pprof         bool   // serve profiles
}

// site is the page, the API and the operator's socket. A nil one serves nothing.
//
// openSite opens its listeners, serve starts a goroutine for each, and close ends and awaits them. The web.Site closes first,
// so that event streams, which last as long as their readers like, end by themselves.
type site struct {
	pages     *web.Site
	page      net.Listener // nil: none
	tls       *tls.Config  // of page; nil: none
	admin     net.Listener // nil: none
	socket    net.Listener // nil: none
	log       *slog.Logger
	stop      context.CancelFunc // set by serve
	serving   sync.WaitGroup     // a goroutine for each listener
	onlookers int                // connections of the page, and of the socket, at once
}

// openSite listens for the page, the API, the monitoring and the operator's socket; who comes waits until serve.
func (c *Central) openSite() (err error) {
	if c.options.Site == nil {
		return nil
	}
	c.site = &site{log: c.log, onlookers: c.onlookers}
	o := c.options.Site
	if o.TLS.Cert != "" {
		if c.site.tls, err = c.certificate(o.TLS); err != nil {
			return err
		}
	}
	c.figures.MustRegister(expiryFigure(c.certificates))
	if c.site.page, err = c.listenHTTP("SERVER_HTTP_ADDR", o.Address, o.Optional); err != nil {
		return err
	}
	if c.site.admin, err = c.listenHTTP("SERVER_ADMIN_ADDR", o.Admin, o.AdminOptional); err != nil {
		return err
	}
	if c.operators, err = c.openOperators(); err != nil {
		return err
	}
	c.site.pages = web.New(c.siteOptions())
	path := filepath.Join(c.options.Dir, SocketName)
	if c.site.socket, err = listenSocket(path); err != nil {
		// A folder whose path is too long for a socket, or a file system without them.
		c.log.Warn("http", "result", "fail", "socket", path, "error", err)
	}
	if c.site.page != nil {
		scheme := "http"
		if c.site.tls != nil {
			scheme = "https"
		}
		c.log.Info("http", "result", "success", "page", scheme+"://"+c.site.page.Addr().String()+"/", "operators", c.operators.Count(operators.Viewer))
	}
	if c.site.admin != nil {
		c.log.Info("http", "result", "success", "metrics", "http://"+c.site.admin.Addr().String()+"/metrics")
	}
	return nil
}

func (c *Central) siteOptions() web.Options {
	s := c.options.Site
	o := web.Options{
		Ledger: c.Ledger, Operators: c.operators, Hosts: s.Hosts, Proxies: s.Proxies, Metrics: c.figures, Pprof: s.Pprof, Version: s.Version, Log: c.log,
	}
	if c.backups != nil {
		o.Backups = func() web.Backups { return c.backups.state(c.options.Now()) }
	}
	if guard := c.options.Server.Guard; guard != nil {
		o.Names = guard.Name
	}
	if c.options.PublicLog != nil {
		o.Published = c.publicFolder()
	}
	j, ok := c.Journal.(*local.Journal)
	if !ok {
		return o // a shared journal has the database's own backups
	}
	o.Backup = func(ctx context.Context, dir string) (uint64, error) {
		m, err := backup.Create(ctx, j, c.options.Dir, dir, nil)
		if err != nil {
			return 0, err
		}
		return m.Last, nil
	}
	return o
}

// serve begins to answer, and goes on until close. From the end of ctx on the pages say that the server is going down.
func (s *site) serve(ctx context.Context) {
	if s == nil {
		return
	}
	context.AfterFunc(ctx, s.pages.Close)
	open, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.answer(open, s.socket, nil, s.onlookers, s.pages.Trusted())
	s.answer(open, s.page, s.tls, s.onlookers, s.pages.Public())
	s.answer(open, s.admin, nil, monitors, s.pages.Admin())
}

// monitors is the most connections to the health checks and the figures.
const monitors = 32

// answer starts to answer at a listener, which may be nil.
func (s *site) answer(ctx context.Context, l net.Listener, config *tls.Config, most int, handler http.Handler) {
	if l == nil {
		return
	}
	s.serving.Go(func() {
		if err := s.pages.Serve(ctx, l, config, most, handler); err != nil {
			s.log.Error("http", "result", "fail", "address", l.Addr(), "error", err)
		}
	})
}

// close stops answering and listening. It may be called again.
func (s *site) close() error {
	if s == nil {
		return nil
	}
	if s.stop != nil {
		s.pages.Close()
		s.stop()
		s.serving.Wait()
	}
	return errors.Join(closeListener(s.socket), closeListener(s.page), closeListener(s.admin))
}

// closeListener closes a listener, which may be nil or closed.
func closeListener(l net.Listener) error {
	if l == nil {
		return nil
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// listenHTTP listens at the address that a setting names, or returns nil where there is to be nothing.
func (c *Central) listenHTTP(setting, address string, optional bool) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	if optional {
		c.log.Warn("http", "result", "fail", "error", err, "advice", "nothing is served there; choose another address with "+setting)
		return nil, nil
	}
	return nil, fmt.Errorf("%s %s: %w; choose another address, or off", setting, address, err)
}

// listenSocket listens on a unix socket for its owner only. One that is there is a dead server's: the data folder is
// this one's.
func listenSocket(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
