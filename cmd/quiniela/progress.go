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
	out  io.Writer     // the terminal; nil: there is none
	mu   sync.Mutex    // protects what follows
	bars *mpb.Progress // nil before the first bar
	all  []*mpb.Bar
}

func newProgress(out io.Writer) *progress {
	if !terminal(out) {
		return new(progress)
	}
	return &progress{out: behind(out)}
}

// lines returns an output for whole lines that are written while there are bars. On the bars' own terminal the lines come above
// them; otherwise it is out itself.
func (p *progress) lines(out io.Writer) io.Writer {
	if p.out == nil || p.out != behind(out) {
		return out
	}
	return &console.Printer{Out: aboveBars{p}}
}

// aboveBars writes lines above the bars of a progress, and where there are none, before the first and after the end, where they come.
type aboveBars struct{ p *progress }

func (a aboveBars) Write(lines []byte) (int, error) {
	a.p.mu.Lock()
	bars := a.p.bars
	a.p.mu.Unlock()
	if bars != nil {
		if n, err := bars.Write(lines); err == nil {
			return n, nil
		}
	}
	return a.p.out.Write(lines)
}

// bar is one bar of a progress. The zero value shows nothing.
type bar struct{ shown *mpb.Bar }

// add adds a bar for total of a unit; a total of 0 is not known yet.
func (p *progress) add(what, unit string, total int64) bar {
	return p.addSaying(what, unit, total, func() string { return "" })
}

// addSaying is add with a text behind the counts that changes: it is what says returns.
func (p *progress) addSaying(what, unit string, total int64, says func() string) bar {
	if p.out == nil {
		return bar{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bars == nil {
		p.bars = mpb.New(mpb.WithOutput(p.out), mpb.WithWidth(48))
	}
	b := p.bars.AddBar(total, mpb.PrependDecorators(decor.Name(what+" ")),
		mpb.AppendDecorators(decor.CountersNoUnit("%d / %d"), decor.Name(" "+unit), decor.Any(func(decor.Statistics) string { return says() })))
	p.all = append(p.all, b)
	return bar{b}
}

// end leaves the bars as they stand, and the terminal to what comes next.
func (p *progress) end() {
	p.mu.Lock()
	bars, all := p.bars, p.all
	p.mu.Unlock()
	if bars == nil {
		return
	}
	for _, b := range all {
		b.Abort(false) // does nothing to one that is complete
	}
	bars.Wait()
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
