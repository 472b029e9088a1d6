package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// MostConnections is the default of Options.Connections. It keeps onlookers from using up the file descriptors that agencies
// need.
const MostConnections = 1000

const (
	writeTimeout    = time.Minute
	shutdownTimeout = 2 * time.Second
)

// Serve serves a listener until ctx ends. It then gives open requests two seconds to finish, and returns nil. It returns an error
// if the listener fails.
func (s *Site) Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: writeTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
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
	err := server.Serve(&bounded{l, make(chan struct{}, cmp.Or(s.Connections, MostConnections))})
	if !stop() {
		<-done
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// bounded is a listener with a maximum number of open connections. It closes every further connection at once.
type bounded struct {
	net.Listener
	open chan struct{} // holds a value for each open connection; its capacity is the maximum
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.open <- struct{}{}:
			return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { <-b.open })}, nil
		default:
			_ = c.Close()
		}
	}
}

// boundedConn is a connection of a bounded listener.
type boundedConn struct {
	net.Conn
	leave func() // makes room for another connection; only its first call counts
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
