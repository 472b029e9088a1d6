package web

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// MostConnections is the usual limit on connections to the page. It keeps onlookers from using up the file descriptors that agencies
// need. One client may have a tenth of them.
const MostConnections = 1000

const (
	writeTimeout    = time.Minute
	shutdownTimeout = 2 * time.Second
)

// Serve serves a listener, with TLS where there is a configuration and most connections at once, until ctx ends. It then gives open
// requests two seconds to finish, and returns nil. It returns an error if the listener fails.
func (s *Site) Serve(ctx context.Context, l net.Listener, config *tls.Config, most int, h http.Handler) error {
	b := &bounded{Listener: l, most: most, ofClient: max(1, most/10), group: s.group, clients: map[string]int{}, idle: list.New()}
	l = b
	if config != nil {
		l = tls.NewListener(b, config)
	}
	server := http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: writeTimeout, IdleTimeout: 15 * time.Second, ConnState: b.watch,
		ConnContext: keepConnection, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	// The function runs in a goroutine of its own once ctx ends. server.Serve returns as soon as the shutdown begins, so Serve
	// waits at the end until the shutdown is done.
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		late, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		if server.Shutdown(late) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(l)
	if !stop() {
		<-done
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
