package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"quiniela"
	"quiniela/internal/wire"
)

// central is the server that is measured.
type central struct {
	address string
	dir     string // of its data; empty where it is not ours
	log     string
	command []string
	process *os.Process // nil: none runs
	ended   chan error  // gets what the process ended with, once; a goroutine of start waits for it
}

// central starts a server of our own in a new folder, with some more flags, or takes the one that was named.
func (r *runner) central(agencies int, flags ...string) (*central, error) {
	if r.Server != "" {
		return &central{address: r.Server}, nil
	}
	dir, err := os.MkdirTemp(r.dir, "central-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &central{address: net.JoinHostPort("127.0.0.1", port), dir: filepath.Join(dir, "data"), log: filepath.Join(dir, "log")}
	s.command = []string{
		r.Program, "server", "--config", os.DevNull, "--ip", "127.0.0.1", "--port", port, "--data", s.dir, "--agencies", strconv.Itoa(agencies),
		"--log-level", r.LogLevel, "--connections", strconv.Itoa(r.Connections + 100), "--connections-per-address", "0", "--listen-backlog", "4096", "--http-addr", "off",
		"--tls-cert=", "--tls-key=", "--tls-client-ca=", "--plain-port=0", // whatever the environment says
	}
	s.command = append(s.command, flags...)
	if _, err := s.start(r.ctx); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// freePort returns a port that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// patience bounds a start.
const patience = 5 * time.Minute

// start starts the server, and returns how long it took until it answered. kill, stop or remove ends it.
func (s *central) start(ctx context.Context) (time.Duration, error) {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { _ = log.Close() }()
	command := exec.Command(s.command[0], s.command[1:]...)
	command.Stdout, command.Stderr = log, log
	began := time.Now()
	if err := command.Start(); err != nil {
		return 0, err
	}
	s.process, s.ended = command.Process, make(chan error, 1)
	go func() { s.ended <- command.Wait() }()
	for time.Since(began) < patience && ctx.Err() == nil && len(s.ended) == 0 {
		if _, err := s.query(1); err == nil {
			return time.Since(began), nil
		}
		time.Sleep(time.Millisecond)
	}
	text, _ := os.ReadFile(s.log)
	failed := []error{errors.New("the server did not start; its log ends with these lines")}
	for line := range strings.Lines(string(text[max(0, len(text)-1000):])) {
		failed = append(failed, errors.New(strings.TrimSuffix(line, "\n")))
	}
	return 0, errors.Join(failed...)
}

// kill ends the server at once, if it runs.
func (s *central) kill() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.ended // says that it was killed
	s.process = nil
	return nil
}

// stop asks the server to stop, and waits until it has.
func (s *central) stop() error {
	if err := s.process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	s.process = nil
	return <-s.ended
}

// remove ends the server and removes its folder, where they are our own.
func (s *central) remove() error {
	if s.dir == "" {
		return nil
	}
	return errors.Join(s.kill(), os.RemoveAll(filepath.Dir(s.dir)))
}

// memory returns a line of the process's memory account, in MB.
func (s *central) memory(line string) (megabytes float64, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Pid))
	if err != nil {
		return 0, false
	}
	for l := range bytes.Lines(text) {
		if f := bytes.Fields(l); len(f) >= 2 && string(f[0]) == line+":" {
			kb, err := strconv.ParseFloat(string(f[1]), 64)
			return kb * 1024 / 1e6, err == nil
		}
	}
	return 0, false
}

// query asks agency 1's winners n times on one connection, and returns the mean time.
func (s *central) query(n int) (time.Duration, error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	frame := wire.AppendFrame(nil, wire.AppendQuery(nil, 1, false))
	began := time.Now()
	for range n {
		if _, err := conn.Write(frame); err != nil {
			return 0, err
		}
		if _, _, err := wire.ReadWinnersReply(r); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / time.Duration(n), nil
}

// finish lets every agency say that it has finished, and returns how long after the last of them was told its winners,
// and how many winners there are in all.
func (s *central) finish(agencies int) (winners int, elapsed time.Duration, err error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	var last time.Time
	for a := 1; a <= agencies; a++ {
		last = time.Now()
		if _, err := conn.Write(wire.AppendFrame(nil, wire.AppendFinish(nil, quiniela.Agency(a), 0))); err != nil {
			return 0, 0, err
		}
		if err := wire.ReadFinishReply(r); err != nil {
			return 0, 0, err
		}
	}
	for a := agencies; a >= 1; a-- {
		if _, err := conn.Write(wire.AppendFrame(nil, wire.AppendQuery(nil, quiniela.Agency(a), true))); err != nil {
			return 0, 0, err
		}
		documents, drawn, err := wire.ReadWinnersReply(r)
		if err != nil {
			return 0, 0, err
		}
		if !drawn {
			return 0, 0, errors.New("the draw took longer than wait_winners waits")
		}
		if a == agencies {
			elapsed = time.Since(last)
		}
		winners += len(documents)
	}
	return winners, elapsed, nil
}

// connect opens n connections that say nothing.
func (s *central) connect(ctx context.Context, n int, progress func(int)) (all []net.Conn, err error) {
	var d net.Dialer
	for i := range n {
		conn, err := d.DialContext(ctx, "tcp", s.address)
		if err != nil {
			return all, fmt.Errorf("connection %d: %w (is the limit of open files high enough? see ulimit -n)", i+1, err)
		}
		all = append(all, conn)
		if i%100 == 99 {
			progress(i + 1)
		}
	}
	return all, nil
}
