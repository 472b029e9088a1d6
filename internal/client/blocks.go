package client

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
)

// blockSize is how much of a file is hashed at once, in bytes. The hashes cost 8 bytes a block: 320 kB for 10 GB.
const blockSize = 256 << 10

// blocks is an open file that is read more than once. The first reading remembers a hash of every block. Every later reading
// compares a block's hash before it hands out a byte of it, so that it never returns what the first reading did not see. It
// belongs to one goroutine.
type blocks struct {
	*os.File
	before   os.FileInfo // from before the first reading
	block    int64       // size of a block, in bytes; buf holds one
	buf      []byte
	seed     maphash.Seed
	hashes   []uint64 // of the blocks that have been read
	readOnce bool     // the first reading is done
	sent     bool     // all bets are acknowledged, and the agency has finished
}

func openBlocks(name string) (*blocks, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the agency's bets: %w", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file: the agency's bets must be in one, since they are read twice, to check them and to send them", name)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	size := min(blockSize, info.Size()+1) // at least 1: fill reads a byte past the last block
	return &blocks{File: file, before: info, block: size, buf: make([]byte, size), seed: maphash.MakeSeed()}, nil
}

// errChanged is wrapped by every error that says that a file changed while it was in use.
var errChanged = errors.New("the file changed")

// changed returns an error that says how the file changed, and what to do.
func (b *blocks) changed(how string) error {
	if !b.readOnce {
		return fmt.Errorf("%w: %s %s while it was checked; nothing was sent: run it again when the file is complete", errChanged, b.Name(), how)
	}
	if b.sent {
		return fmt.Errorf("%w: %s %s after it was sent; all its bets are stored, and the agency has finished: "+
			"restore the file and run it again for what is left", errChanged, b.Name(), how)
	}
	return fmt.Errorf("%w: %s %s while it was sent; only bets that were checked were sent, and the agency has not finished: "+
		"restore the file and run it again: it goes on after the bets that are stored", errChanged, b.Name(), how)
}

// unchanged returns an error if the file was written to, or another put in its place, since it was opened.
func (b *blocks) unchanged() error {
	now, err := b.Stat()
	if err != nil {
		return fmt.Errorf("look at the agency's bets again: %w", err)
	}
	switch {
	case now.Size() < b.before.Size():
		return b.changed("was cut")
	case now.Size() > b.before.Size():
		return b.changed("has grown")
	case !now.ModTime().Equal(b.before.ModTime()):
		return b.changed("was written to")
	}
	named, err := os.Stat(b.Name())
	if err != nil || !os.SameFile(named, now) {
		return b.changed("was replaced or removed")
	}
	return nil
}

// reader reads the file from its beginning. Only one reader may be in use at a time: they share a buffer.
func (b *blocks) reader() io.Reader { return &blockReader{b: b} }

type blockReader struct {
	b    *blocks
	next int    // the block to read
	rest []byte // of the block before it
}

func (r *blockReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// fill reads the next block. Past the last one it tries to read one byte more, to see whether the file has grown.
func (r *blockReader) fill() error {
	b, at := r.b, int64(r.next)*r.b.block
	want := min(b.block, max(b.before.Size()-at, 0))
	block := b.buf[:max(want, 1)]
	n, err := b.ReadAt(block, at)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("read the agency's bets: %v", err) // not %w: its errno would pass for a lost connection
	case want == 0 && n == 0:
		return io.EOF
	case want == 0:
		return b.changed("has grown")
	case int64(n) < want:
		return b.changed("was cut")
	}
	hash := maphash.Bytes(b.seed, block)
	if r.next == len(b.hashes) {
		b.hashes = append(b.hashes, hash)
	} else if hash != b.hashes[r.next] {
		return b.changed("was rewritten")
	}
	r.next++
	r.rest = block
	return nil
}
