package main

import (
	"io"
	"os"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"quiniela/internal/console"
)

// terminal reports whether a person watches out.
func terminal(out io.Writer) bool {
	f, ok := behind(out).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// behind returns the output behind a printer: bars move the cursor.
func behind(out io.Writer) io.Writer {
	if p, ok := out.(*console.Printer); ok {
		return p.Out
	}
	return out
}

// progress shows on a terminal how far long work is, with a bar for each part of it. Elsewhere its bars show nothing. Its
// methods, and those of its bars, may be called concurrently.
type progress struct {
	bars *mpb.Progress // nil: there is no terminal
	mu   sync.Mutex    // protects all
	all  []*mpb.Bar
}

func newProgress(out io.Writer) *progress {
	if !terminal(out) {
		return new(progress)
	}
	return &progress{bars: mpb.New(mpb.WithOutput(behind(out)), mpb.WithWidth(48))}
}

// bar is one bar of a progress. The zero value shows nothing.
type bar struct{ shown *mpb.Bar }

// add adds a bar for total of a unit; a total of 0 is not known yet.
func (p *progress) add(what, unit string, total int64) bar {
	if p.bars == nil {
		return bar{}
	}
	b := p.bars.AddBar(total, mpb.PrependDecorators(decor.Name(what+" ")), mpb.AppendDecorators(decor.CountersNoUnit("%d / %d"), decor.Name(" "+unit)))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, b)
	return bar{b}
}

// end leaves the bars as they stand, and the terminal to what comes next.
func (p *progress) end() {
	if p.bars == nil {
		return
	}
	for _, b := range p.all {
		b.Abort(false) // does nothing to one that is complete
	}
	p.bars.Wait()
}

// set says how much is done.
func (b bar) set(done int64) {
	if b.shown != nil {
		b.shown.SetCurrent(done)
	}
}

// entries is set for those who count in uint64.
func (b bar) entries(done uint64) { b.set(int64(done)) }

// of says how much there is, where add did not know it.
func (b bar) of(total int64) {
	if b.shown != nil && total > 0 {
		b.shown.SetTotal(total, false)
	}
}

// finish completes the bar at what is done.
func (b bar) finish() {
	if b.shown != nil {
		b.shown.SetTotal(-1, true)
	}
}

// remove takes the bar off the terminal.
func (b bar) remove() {
	if b.shown != nil {
		b.shown.Abort(true)
		b.shown.Wait()
	}
}
