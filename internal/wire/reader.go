package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"slices"

	"quiniela"
)

// Phase says what a Reader is about to wait for, so that its owner can set the deadline of the next read.
type Phase uint8

const (
	// Between: the next request has not begun. If the wait is given up, nothing is lost.
	Between Phase = iota
	// Inside: a part of a request has arrived, and the rest must follow.
	Inside
	// Settling: a bare batch may be complete. If nothing arrives before the deadline, it is.
	Settling
)

// Reader reads the requests of one connection. It is not safe for concurrent use.
//
// A Reader sets no deadlines. It calls OnPhase before each wait, and there the owner sets the deadline of the next read. A read
// that is too late fails with an error for which errors.Is(err, os.ErrDeadlineExceeded) holds.
type Reader struct {
	Limits  quiniela.Limits
	OnPhase func(Phase)
	// Reserve is called with the size of a body, or the largest that it may have, before it is read. Its error ends the request.
	Reserve func(bytes int) error
	// Settle says that silence may end a bare batch (bare_batch_idle). Without it, a batch that does not end is refused.
	Settle bool

	br     *bufio.Reader
	framed bool // once framed, a connection stays so
}

// readerSize holds a few specification-sized batches, so that pipelined ones share a system call.
const readerSize = 16 << 10

// NewReader returns a Reader of src with the default limits.
func NewReader(src io.Reader) *Reader {
	return &Reader{
		Limits: quiniela.DefaultLimits(), OnPhase: func(Phase) {}, Reserve: func(int) error { return nil }, Settle: true,
		br: bufio.NewReaderSize(src, readerSize),
	}
}

// Reset makes the Reader one of src, with nothing read yet. The rest of it stays as it is.
func (r *Reader) Reset(src io.Reader) {
	r.br.Reset(src)
	r.framed = false
}

// Headroom is how many bytes Next leaves free in front of a body, for whoever stores it where it lies.
const Headroom = 144

// Await waits until a request begins. Next does that itself; a caller that waits with Await first needs no buffer meanwhile.
// When the connection ends between two requests, the error is io.EOF.
func (r *Reader) Await() error {
	if r.br.Buffered() > 0 {
		return nil
	}
	r.OnPhase(Between)
	_, err := r.br.Peek(1)
	return err
}

// maxHeaderDigits is how many digits a frame's length may have.
const maxHeaderDigits = 8

// Next reads one request body into buf's storage. That grows as bytes arrive: a frame's length alone costs no memory. The body
// starts Headroom bytes into the returned buffer, and at least one free byte follows it.
//
// framed says in which form the request came. When the connection ends between two requests, the error is io.EOF. A
// *quiniela.Error is for the peer to read; the connection cannot be used after it. Any other error is the connection's own.
func (r *Reader) Next(buf []byte) (buffer, body []byte, framed bool, err error) {
	if err := r.Await(); err != nil {
		return buf, nil, r.framed, err
	}
	size, framed, err := r.frameHeader()
	if err != nil {
		return buf, nil, framed, err
	}
	if !framed && r.framed {
		return buf, nil, true, quiniela.Refuse(quiniela.BadFrame, "want <length>;<body>; was the length before shorter than its body?")
	}
	r.framed = framed
	if !framed {
		size = r.Limits.BareBody
	}
	if err := r.Reserve(size); err != nil {
		return buf, nil, framed, err
	}
	buf = slices.Grow(buf[:0], Headroom+1)[:Headroom]
	if framed {
		buf, err = r.framedBody(buf, size)
	} else {
		buf, err = r.bareBody(buf)
	}
	if err != nil {
		return buf, nil, framed, err
	}
	return buf, buf[Headroom:], framed, nil
}

// frameHeader consumes `<length>;` if the request begins with that, and nothing otherwise.
func (r *Reader) frameHeader() (size int, framed bool, err error) {
	for n := 1; ; n++ {
		head, err := r.br.Peek(n)
		if err != nil && len(head) < n {
			if errors.Is(err, io.EOF) {
				return 0, false, nil // digits and no more: a bare request, which Parse refuses
			}
			return 0, false, err
		}
		c := head[n-1]
		if c == ';' && n > 1 {
			_, _ = r.br.Discard(n) // n bytes are buffered
			if size > r.Limits.FramedBody {
				return 0, true, quiniela.Refuse(quiniela.TooLarge, "a body of %d bytes, over %d", size, r.Limits.FramedBody)
			}
			return size, true, nil
		}
		if c < '0' || c > '9' {
			return 0, false, nil
		}
		if n > maxHeaderDigits {
			return 0, true, quiniela.Refuse(quiniela.BadFrame, "a length of more than %d digits", maxHeaderDigits)
		}
		size = size*10 + int(c-'0')
		if r.br.Buffered() == n {
			r.OnPhase(Inside)
		}
	}
}

// growStep is the most memory, in bytes, that is set aside for bytes that have not arrived.
const growStep = 64 << 10

// framedBody appends size bytes to buf.
func (r *Reader) framedBody(buf []byte, size int) ([]byte, error) {
	for size > 0 {
		step := min(size, growStep)
		buf = slices.Grow(buf, step+1)
		chunk := buf[len(buf) : len(buf)+step]
		for len(chunk) > 0 {
			if r.br.Buffered() == 0 {
				r.OnPhase(Inside)
			}
			n, err := r.br.Read(chunk)
			if err != nil {
				return buf, unexpected(err)
			}
			chunk, buf = chunk[n:], buf[:len(buf)+n]
		}
		size -= step
	}
	return buf, nil
}

// bareBody appends a bare request to buf: one line, or the lines of a batch. A batch ends at an empty line, where the peer
// closes its side, or, with Settle, where no line begins before the deadline.
func (r *Reader) bareBody(buf []byte) ([]byte, error) {
	buf, ended, err := r.bareLine(buf)
	if err != nil || ended || !isBatch(buf[Headroom:]) {
		return buf, err
	}
	for {
		more, err := r.batchGoesOn()
		if err != nil || !more {
			return buf, err
		}
		start := len(buf)
		buf, ended, err = r.bareLine(buf)
		if err != nil || ended {
			return buf, err
		}
		if len(quiniela.TrimLine(buf[start:])) == 0 {
			return buf, nil
		}
	}
}

// batchGoesOn waits, at the end of a line of a bare batch, until the next line begins or the batch has ended.
func (r *Reader) batchGoesOn() (bool, error) {
	if r.br.Buffered() > 0 {
		return true, nil
	}
	phase := Inside
	if r.Settle {
		phase = Settling
	}
	r.OnPhase(phase)
	_, err := r.br.Peek(1)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, io.EOF):
		return false, nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return false, err
	case r.Settle:
		return false, nil
	}
	return false, quiniela.Refuse(quiniela.BadFrame, "the batch did not end")
}

// bareLine appends one line to buf, with its '\n'. If the peer closes its side instead of ending the line, ended is true.
func (r *Reader) bareLine(buf []byte) (_ []byte, ended bool, err error) {
	for {
		if r.br.Buffered() == 0 {
			r.OnPhase(Inside)
		}
		if _, err := r.br.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				return buf, true, nil
			}
			return buf, false, err
		}
		arrived, _ := r.br.Peek(r.br.Buffered())
		take := len(arrived)
		end := bytes.IndexByte(arrived, '\n')
		if end >= 0 {
			take = end + 1
		}
		if len(buf)-Headroom+take > r.Limits.BareBody {
			return buf, false, quiniela.Refuse(quiniela.TooLarge, "a bare request over %d bytes", r.Limits.BareBody)
		}
		buf = append(slices.Grow(buf, take+1), arrived[:take]...)
		_, _ = r.br.Discard(take) // it is buffered
		if end >= 0 {
			return buf, false, nil
		}
	}
}

// unexpected is for an end of the connection inside a request.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
