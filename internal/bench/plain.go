package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"quiniela"
	"quiniela/internal/wire"
)

const (
	plainBets  = 100  // of a batch: what the specification's settings say
	plainSends = 1000 // connections of each agency, in each form
)

// form is how a client uses a connection that carries one request.
type form struct {
	figure string
	frame  bool // the request is framed; else it is bare
	ends   bool // the client ends its side once it has sent; else it closes when it has the reply
	asks   bool // the request asks for the winners; else it is a batch
}

// forms are our own client's with --plain, and those of others: one that ends nothing, and asks for the winners over and over.
var forms = []form{
	{figure: "framed, ended", frame: true, ends: true},
	{figure: "framed", frame: true},
	{figure: "bare, ended", ends: true},
	{figure: "query", frame: true, asks: true},
}

// plain measures a connection that carries one request, in each form, without the public log and with it.
func (r *runner) plain() error {
	if r.Server != "" {
		return nil // it is somebody's: it keeps a public log or not
	}
	if err := r.plainCentral("no log, ", "--no-public-log"); err != nil {
		return err
	}
	return r.plainCentral("")
}

func (r *runner) plainCentral(prefix string, flags ...string) (err error) {
	s, err := r.central(r.Agencies, flags...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	for _, f := range forms {
		before, known := s.cpu()
		elapsed, err := r.plainForm(s, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.figure, err)
		}
		after, _ := s.cpu()
		n := float64(r.Agencies * plainSends)
		r.add(Plain, int(n), prefix+f.figure, "connections/s", n/elapsed.Seconds(), "")
		if known {
			r.add(Plain, int(n), prefix+f.figure+", server", "µs CPU each", (after-before).Seconds()*1e6/n, "")
		}
	}
	return nil
}

// plainForm lets all agencies send at once, each one request after the other.
func (r *runner) plainForm(s *central, f form) (time.Duration, error) {
	address, err := net.ResolveTCPAddr("tcp", s.address)
	if err != nil {
		return 0, err
	}
	requests := make([][][]byte, r.Agencies)
	for i := range requests {
		if requests[i], err = f.requests(quiniela.Agency(i + 1)); err != nil {
			return 0, err
		}
	}
	var done atomic.Int64
	stop := r.watch(f.figure, &done, r.Agencies*plainSends)
	defer stop()
	g, began := new(errgroup.Group), time.Now()
	for _, of := range requests {
		g.Go(func() error {
			reply := make([]byte, 512)
			for i := range plainSends {
				if err := f.exchange(address, of[i%len(of)], reply); err != nil {
					return err
				}
				done.Add(1)
			}
			return r.ctx.Err()
		})
	}
	err = g.Wait()
	return time.Since(began), err
}

// requests makes an agency's requests, as they are sent.
func (f form) requests(n quiniela.Agency) (all [][]byte, err error) {
	var bodies [][]byte
	if f.asks {
		bodies = append(bodies, wire.AppendQuery(nil, n, false))
	} else {
		made, err := batches(specified, int(n), quiniela.DefaultLimits().BareBody, plainBets)
		if err != nil {
			return nil, err
		}
		for _, b := range made {
			bodies = append(bodies, append(wire.AppendBatchHeader(nil, n, 0), b.lines...))
		}
	}
	for _, b := range bodies {
		if f.frame {
			b = wire.AppendFrame(nil, b)
		}
		all = append(all, b)
	}
	return all, nil
}

// exchange sends a request on a connection of its own, and reads the reply into buf.
func (f form) exchange(address *net.TCPAddr, request, buf []byte) (err error) {
	conn, err := net.DialTCP("tcp", nil, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.Write(request); err != nil {
		return err
	}
	if f.ends {
		if err := conn.CloseWrite(); err != nil {
			return err
		}
	}
	n := 0
	for n == 0 || buf[n-1] != '\n' {
		read, err := conn.Read(buf[n:])
		if err != nil {
			return errors.Join(err, io.ErrUnexpectedEOF)
		}
		n += read
	}
	if reply := buf[:n]; !f.asks && !bytes.HasPrefix(reply, []byte("success|")) {
		return fmt.Errorf("the reply to a batch is %q", reply)
	}
	return nil
}

// tick is the unit of a process's account of its time: Linux has it so on all that Go runs on.
const tick = 10 * time.Millisecond

// cpu returns the time that the server's process has run for, in user and system mode. It is known on Linux, of a server of our own.
func (s *central) cpu() (_ time.Duration, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Pid))
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // the name of the program, before it, may have spaces
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, false
	}
	u, errUser := strconv.ParseInt(string(fields[user]), 10, 64)
	k, errSystem := strconv.ParseInt(string(fields[system]), 10, 64)
	return time.Duration(u+k) * tick, errUser == nil && errSystem == nil
}
