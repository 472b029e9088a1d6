package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"quiniela/internal/backup"
	"quiniela/internal/durable"
	"quiniela/internal/journal/local"
	"quiniela/internal/publish"
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

const (
	defaultHTTP = "127.0.0.1:8080"
	keyName     = "operator.key"
)

// watcher is the page, the API and the operator's socket.
type watcher struct {
	site    *web.Site
	log     *slog.Logger
	served  []served
	ctx     context.Context // ends when it closes
	cancel  context.CancelFunc
	serving sync.WaitGroup
}

// served is one address, and what answers there.
type served struct {
	net.Listener
	handler http.Handler
}

// watch listens for the page, the API and the operator's socket; who comes waits until serve. Once parent has ended they say
// that the server is going down, and go on until close.
func (c *serverCommand) watch(parent context.Context, storage *storage, figures *prometheus.Registry, log *slog.Logger) (*watcher, error) {
	page, err := c.listenHTTP(log)
	if err != nil {
		return nil, err
	}
	key, err := operatorKey(filepath.Join(c.Data, keyName))
	if err != nil {
		return nil, errors.Join(err, closeListener(page))
	}
	o := web.Options{Ledger: storage.ledger, Key: key, Hosts: c.HTTPHosts, Metrics: figures, Pprof: c.Pprof, Connections: c.onlookers, Log: log}
	if c.PublicLog {
		o.Published = filepath.Join(c.Data, publish.FolderName)
	}
	if j, ok := storage.journal.(*local.Journal); ok {
		o.Backup = func(ctx context.Context, dir string) (uint64, error) {
			m, err := backup.Create(ctx, j, c.Data, dir)
			if err != nil {
				return 0, err
			}
			return m.Last, nil
		}
	}
	w := &watcher{site: web.New(o), log: log}
	context.AfterFunc(parent, w.site.Close)
	w.ctx, w.cancel = context.WithCancel(context.Background())
	socket, err := listenSocket(filepath.Join(c.Data, socketName))
	if err != nil {
		// A folder whose path is too long for a socket, or a file system without them.
		log.Warn("http", "result", "fail", "socket", filepath.Join(c.Data, socketName), "error", err)
	} else {
		w.served = append(w.served, served{socket, w.site.Trusted()})
	}
	if page != nil {
		w.served = append(w.served, served{page, w.site.Public()})
		log.Info("http", "result", "success", "page", "http://"+page.Addr().String()+"/")
	}
	return w, nil
}

// serve begins to answer.
func (w *watcher) serve() {
	for _, s := range w.served {
		w.serving.Go(func() {
			if err := w.site.Serve(w.ctx, s, s.handler); err != nil {
				w.log.Error("http", "result", "fail", "address", s.Addr(), "error", err)
			}
		})
	}
}

// close stops answering and listening.
func (w *watcher) close() (err error) {
	w.site.Close()
	w.cancel()
	w.serving.Wait()
	for _, s := range w.served {
		err = errors.Join(err, closeListener(s))
	}
	return err
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

// listenHTTP listens for the page. Where nobody has chosen the address and it is taken, bets matter more than the page.
func (c *serverCommand) listenHTTP(log *slog.Logger) (net.Listener, error) {
	if c.HTTP == "" || c.HTTP == "off" {
		return nil, nil
	}
	l, err := net.Listen("tcp", c.HTTP)
	if err != nil && c.HTTP == defaultHTTP {
		log.Warn("http", "result", "fail", "error", err, "advice", "there is no page; choose another address with SERVER_HTTP_ADDR")
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("SERVER_HTTP_ADDR %s: %w; choose another address, or off", c.HTTP, err)
	}
	return l, nil
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
	return l, os.Chmod(path, 0o600)
}

// operatorKey reads the operator's key, and makes it where there is none.
func operatorKey(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 { // a first start that was cut off by a full disk
		key := rand.Text() + rand.Text()
		if err := durable.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("write the operator's key: %w", err)
		}
		return key, nil
	}
	key := strings.TrimSpace(string(text))
	if err == nil && len(key) < 20 {
		err = fmt.Errorf("%s is too short to be a key: delete it, and the next start makes a new one", path)
	}
	if err != nil {
		return "", fmt.Errorf("read the operator's key: %w", err)
	}
	return key, nil
}
