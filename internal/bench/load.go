package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"quiniela"
	"quiniela/internal/sample"
	"quiniela/internal/wire"
)

// cycle is how many different batches an agency has; it sends them over and over, under new numbers. Making bets takes
// longer than taking them, so they are made before the clock starts.
const cycle = 64

// batch is a batch's lines.
type batch struct {
	lines []byte
	bets  int
}

// batches makes an agency's batches, each a request of at most bytes bytes and at most bets bets.
func batches(g game, agency, bytesMost, bets int) ([]batch, error) {
	var text bytes.Buffer
	if err := sample.WriteGame(&text, g.name, 1, agency, cycle*(min(bytesMost/40, bets)+1)); err != nil {
		return nil, err
	}
	lines := bytes.ReplaceAll(text.Bytes(), []byte("\r\n"), []byte("\n"))
	const header = 64 // more than any
	all := make([]batch, 0, cycle)
	var b batch
	for line := range bytes.Lines(lines) {
		if b.bets == bets || len(b.lines)+len(line)+header > bytesMost {
			all = append(all, b)
			b = batch{}
		}
		b.lines, b.bets = append(b.lines, line...), b.bets+1
		if len(all) == cycle {
			break
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no bet fits into %d bytes", bytesMost)
	}
	return all, nil
}

// sender is one agency's connection.
type sender struct {
	conn    net.Conn
	r       *bufio.Reader
	w       *bufio.Writer
	agency  quiniela.Agency
	next    uint64
	batches []batch
	waiting []int // bets of each batch that is unanswered, the oldest first
	head    []byte
	frame   []byte
}

func dial(address string, g game, agency int, all []batch) (*sender, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &sender{conn: conn, r: bufio.NewReaderSize(conn, 4<<10), w: bufio.NewWriterSize(conn, 64<<10), agency: quiniela.Agency(agency), batches: all}
	if _, err := conn.Write(wire.AppendFrame(nil, wire.AppendHello(nil, s.agency, "", g.hello))); err != nil {
		return nil, err
	}
	resume, err := wire.ReadResume(s.r)
	s.next = resume.Next
	return s, err
}

// write puts the next batch into the buffer.
func (s *sender) write() (bets int, err error) {
	b := s.batches[s.next%uint64(len(s.batches))]
	s.head = wire.AppendBatchHeader(s.head[:0], s.agency, s.next)
	s.frame = fmt.Appendf(s.frame[:0], "%d;%s", len(s.head)+len(b.lines), s.head)
	s.next++
	_, _ = s.w.Write(s.frame) // a bufio.Writer keeps its first error
	_, err = s.w.Write(b.lines)
	return b.bets, err
}

// send sends batches with at most window of them unanswered until bets bets are acknowledged, and tells acked of each.
func (s *sender) send(bets, window int, acked func(bets int)) error {
	for sent := 0; sent < bets || len(s.waiting) > 0; {
		if sent < bets && len(s.waiting) < window {
			n, err := s.write()
			if err != nil {
				return err
			}
			sent += n
			s.waiting = append(s.waiting, n)
			continue
		}
		if err := s.w.Flush(); err != nil {
			return err
		}
		if err := s.readReply(acked); err != nil {
			return err
		}
		for len(s.waiting) > 0 && s.r.Buffered() > 0 { // what came with it costs no further read
			if err := s.readReply(acked); err != nil {
				return err
			}
		}
	}
	return nil
}

// readReply waits for the reply to the oldest batch that is unanswered.
func (s *sender) readReply(acked func(bets int)) error {
	n, err := wire.ReadBatchReply(s.r)
	if err != nil {
		return err
	}
	if n != s.waiting[0] {
		return fmt.Errorf("%d bets were acknowledged of %d", n, s.waiting[0])
	}
	s.waiting = s.waiting[1:]
	acked(n)
	return nil
}

// fill stores size bets of a game, from all agencies at once.
func (r *runner) fill(s *central, g game, size int) (bets int, elapsed time.Duration, err error) {
	senders := make([]*sender, r.Agencies)
	for i := range senders {
		mine, err := batches(g, i+1, r.BatchBytes, size)
		if err != nil {
			return 0, 0, err
		}
		if senders[i], err = dial(s.address, g, i+1, mine); err != nil {
			return 0, 0, err
		}
		defer func() { _ = senders[i].conn.Close() }()
	}
	var done atomic.Int64
	stop := r.watch(g.prefix+"ingest", &done, size)
	defer stop()
	all, ctx := errgroup.WithContext(r.ctx)
	began := time.Now()
	for i, s := range senders {
		share := size / r.Agencies
		if i < size%r.Agencies {
			share++
		}
		all.Go(func() error {
			return s.send(share, r.Window, func(n int) { done.Add(int64(n)) })
		})
	}
	go func() { // an interrupt, or the first failure, ends the reads; Wait ends ctx, and with it this goroutine
		<-ctx.Done()
		for _, s := range senders {
			_ = s.conn.SetDeadline(time.Now())
		}
	}()
	err = all.Wait()
	elapsed = time.Since(began)
	if r.ctx.Err() != nil {
		err = r.ctx.Err()
	}
	return int(done.Load()), elapsed, err
}

// fillSmall lets many agencies send small batches, one at a time each, and returns the replies' times in order.
func (r *runner) fillSmall(s *central) (count int, took []time.Duration, elapsed time.Duration, err error) {
	all, err := batches(specified, 1, r.BatchBytes, r.SmallBets)
	if err != nil {
		return 0, nil, 0, err
	}
	senders := make([]*sender, r.SmallCount)
	for i := range senders {
		if senders[i], err = dial(s.address, specified, i+1, all); err != nil {
			return 0, nil, 0, err
		}
		defer func() { _ = senders[i].conn.Close() }()
	}
	var done atomic.Int64
	stop := r.watch("small batches", &done, r.SmallCount*r.SmallSends)
	defer stop()
	times := make([][]time.Duration, r.SmallCount)
	var g errgroup.Group
	began := time.Now()
	for i, s := range senders {
		g.Go(func() error {
			for range r.SmallSends {
				at := time.Now()
				if err := s.send(1, 1, func(int) {}); err != nil {
					return err
				}
				times[i] = append(times[i], time.Since(at))
				done.Add(1)
			}
			return r.ctx.Err()
		})
	}
	err = g.Wait()
	elapsed = time.Since(began)
	took = slices.Concat(times...)
	slices.Sort(took)
	return len(took), took, elapsed, err
}

// watch reports progress until it is stopped; then nothing more is reported.
func (r *runner) watch(step string, done *atomic.Int64, total int) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-tick.C:
				r.progress(step, int(done.Load()), total)
			case <-end:
				tick.Stop()
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}
