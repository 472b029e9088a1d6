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
	// Between: the next request has not begun. Nothing is lost by giving up here.
	Between Phase = iota
	// Inside: part of a request has been read and the rest is due.
	Inside
	// Settling: a bare batch may be complete; silence ends it.
	Settling
)

// Reader reads the requests of one connection. The reads of src time out by returning an error that
// errors.Is os.ErrDeadlineExceeded; OnPhase, called before each wait, is where the owner sets when.
// It is not safe for concurrent use.
type Reader struct {
	Limits  quiniela.Limits
	OnPhase func(Phase)
	// Settle says that silence may end a bare batch (bare_batch_idle). Without it, such a batch is refused.
	Settle bool

	br     *bufio.Reader
	framed bool // once framed, a connection stays so
}

// readerSize holds a few specification-sized batches, so that pipelined ones share a system call.
const readerSize = 16 << 10

// NewReader returns a Reader of src with the default limits.
func NewReader(src io.Reader) *Reader {
	return &Reader{
		Limits: quiniela.DefaultLimits(), OnPhase: func(Phase) {}, Settle: true,
		br: bufio.NewReaderSize(src, readerSize),
	}
}

// Headroom is how many bytes Next leaves free in front of a body, for whoever stores it where it lies.
const Headroom = 144

// Await waits until a request begins. Next does so too; a caller that waits first need not hold a buffer meanwhile.
// At a clean end of the connection the error is io.EOF.
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

// Next reads one request body into buf's storage, which grows as bytes arrive, never on a length's word alone. The
// body starts Headroom bytes into the buffer it returns, and at least one free byte follows it.
//
// framed tells in which form the request came. At a clean end of the connection the error is io.EOF; a
// *quiniela.Error is for the peer to read, and the connection cannot go on after it; any other error is the
// connection's own.
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

// frameHeader consumes `<length>;` if that is what comes next, and nothing otherwise.
func (r *Reader) frameHeader() (size int, framed bool, err error) {
	for n := 1; ; n++ {
		head, err := r.br.Peek(n)
		if err != nil && len(head) < n {
			if errors.Is(err, io.EOF) {
				return 0, false, nil // digits alone: a bare request, and not a good one
			}
			return 0, false, err
		}
		c := head[n-1]
		switch {
		case c >= '0' && c <= '9' && n > maxHeaderDigits:
			return 0, true, quiniela.Refuse(quiniela.BadFrame, "a length of more than %d digits", maxHeaderDigits)
		case c >= '0' && c <= '9':
			size = size*10 + int(c-'0')
			if r.br.Buffered() == n {
				r.OnPhase(Inside)
			}
		case c == ';' && n > 1:
			_, _ = r.br.Discard(n) // n bytes are buffered
			if size > r.Limits.FramedBody {
				return 0, true, quiniela.Refuse(quiniela.TooLarge, "a body of %d bytes, over %d", size, r.Limits.FramedBody)
			}
			return size, true, nil
		default:
			return 0, false, nil
		}
	}
}

// growStep is the most that is set aside for bytes that have not arrived.
const growStep = 64 << 10

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

func (r *Reader) bareBody(buf []byte) ([]byte, error) {
	buf, ended, err := r.bareLine(buf)
	if err != nil || ended || !isBatch(buf[Headroom:]) {
		return buf, err
	}
	for {
		if r.br.Buffered() == 0 {
			if r.Settle {
				r.OnPhase(Settling)
			} else {
				r.OnPhase(Inside)
			}
			if _, err := r.br.Peek(1); err != nil {
				if errors.Is(err, io.EOF) || r.Settle && errors.Is(err, os.ErrDeadlineExceeded) {
					return buf, nil
				}
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return buf, quiniela.Refuse(quiniela.BadFrame, "the batch did not end")
				}
				return buf, err
			}
		}
		start := len(buf)
		if buf, ended, err = r.bareLine(buf); err != nil {
			return buf, err
		}
		if ended || len(quiniela.TrimLine(buf[start:])) == 0 {
			return buf, nil
		}
	}
}

// bareLine appends one line, with its '\n' unless the peer has closed its side.
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
		have, _ := r.br.Peek(r.br.Buffered())
		end := bytes.IndexByte(have, '\n')
		take := end + 1
		if end < 0 {
			take = len(have)
		}
		if len(buf)-Headroom+take > r.Limits.BareBody {
			return buf, false, quiniela.Refuse(quiniela.TooLarge, "a bare request over %d bytes", r.Limits.BareBody)
		}
		buf = slices.Grow(buf, take+1)
		buf = append(buf, have[:take]...)
		_, _ = r.br.Discard(take) // it is buffered
		if end >= 0 {
			return buf, false, nil
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
