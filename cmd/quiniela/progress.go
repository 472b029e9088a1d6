package main

import (
	"io"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// terminal reports whether a person watches out.
func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress shows on a terminal how far long work is, and nothing elsewhere: set says how much of total is done, and end
// leaves the bar as it stands.
func progress(out io.Writer, what string, total uint64) (set func(uint64), end func()) {
	if !terminal(out) {
		return func(uint64) {}, func() {}
	}
	bars := mpb.New(mpb.WithOutput(out), mpb.WithWidth(48))
	bar := bars.AddBar(int64(total),
		mpb.PrependDecorators(decor.Name(what+" ")), mpb.AppendDecorators(decor.CountersNoUnit("%d / %d"), decor.Name(" entries")))
	return func(n uint64) { bar.SetCurrent(int64(n)) }, func() {
		if !bar.Completed() {
			bar.Abort(false)
		}
		bars.Wait()
	}
}
