package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"quiniela"
	"quiniela/internal/bench"
)

type benchCommand struct {
	Names       []string `arg:"" optional:"" help:"ingest, draw, audit, start, small, connections, plain; none is all of them."`
	Game        string   `help:"quiniela: measure ingest, draw, audit and start in that game too, each round beside the specified one." default:"specified" enum:"specified,quiniela"`
	Bets        []int    `help:"Bets that ingest, draw, audit and start store; several sizes show the growth." default:"10000000"`
	Rounds      int      `help:"How often to measure; the median counts." default:"3"`
	Agencies    int      `help:"Agencies that send at once." default:"5"`
	BatchBytes  int      `help:"Most bytes of a batch's request." default:"8192"`
	Window      int      `help:"Batches that an agency leaves unanswered." default:"16"`
	SmallCount  int      `help:"small: agencies, each with one batch unanswered." default:"1000" group:"small"`
	SmallBets   int      `help:"small: bets of a batch." default:"10" group:"small"`
	SmallSends  int      `help:"small: batches of each agency." default:"100" group:"small"`
	Connections int      `help:"connections: how many." default:"10000"`
	Dir         string   `help:"Folder to work in, on the disk that is to be measured." default:"." placeholder:"DIR"`
	Server      string   `help:"A running server to measure with ingest or small, in place of one of its own. It keeps the bets." placeholder:"ADDRESS"`
	LogLevel    string   `help:"Of its own server, which logs to a file." default:"INFO"`
	JSON        string   `help:"File to write the figures to as well." name:"json" placeholder:"FILE"`
}

func (c *benchCommand) check() error {
	for _, name := range c.Names {
		if !slices.Contains(bench.Names(), name) {
			return usageError{fmt.Errorf("there is no benchmark %q: want some of %s, or none for all", name, strings.Join(bench.Names(), ", "))}
		}
	}
	numbers := append([]int{c.Rounds, c.Agencies, c.Window, c.SmallCount, c.SmallBets, c.SmallSends, c.Connections}, c.Bets...)
	if slices.Min(numbers) < 1 || c.BatchBytes < 200 {
		return usageError{errors.New("every number must be at least 1, and --batch-bytes at least 200")}
	}
	measured := []string{bench.Ingest, bench.Draw, bench.Audit, bench.Start}
	if c.Game == quiniela.GameQuiniela && len(c.Names) > 0 && !slices.ContainsFunc(c.Names, func(name string) bool { return slices.Contains(measured, name) }) {
		return usageError{fmt.Errorf("the game %s is measured with %s: name one of them, or leave --game out", c.Game, strings.Join(measured, ", "))}
	}
	if c.Server == "" {
		return nil
	}
	if c.Game == quiniela.GameQuiniela {
		return usageError{errors.New("a running server is measured in its current draw: leave --game out, or --server")}
	}
	possible := slices.Equal(c.Names, []string{bench.Ingest}) || slices.Equal(c.Names, []string{bench.Small})
	if !possible || len(c.Bets) != 1 {
		return usageError{errors.New("a running server takes one of ingest or small, and one size: quiniela bench ingest --server host:port")}
	}
	return nil
}

func (c *benchCommand) Run(e env) error {
	if err := c.check(); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, to run it as the server: %w", err)
	}
	names := c.Names
	if len(names) == 0 {
		names = bench.Names()
	}
	show, end := benchProgress(e)
	rows, err := bench.Run(e.ctx, bench.Options{
		Names: names, Game: c.Game, Sizes: c.Bets, Rounds: c.Rounds, Agencies: c.Agencies, BatchBytes: c.BatchBytes, Window: c.Window,
		SmallCount: c.SmallCount, SmallBets: c.SmallBets, SmallSends: c.SmallSends, Connections: c.Connections,
		Dir: c.Dir, Server: c.Server, Program: program, LogLevel: c.LogLevel, Progress: show,
	})
	end()
	if err != nil {
		err = fmt.Errorf("bench: %w", err)
	}
	return errors.Join(err, c.tell(e, rows))
}

// tell prints the figures, and writes them to a file where one was named.
func (c *benchCommand) tell(e env, rows []bench.Row) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	_, _ = printf(w, "BENCH\tSIZE\tFIGURE\tMEDIAN\tUNIT\tLEAST\tMOST\tRATIO\n")
	for _, r := range rows {
		ratio := ""
		if r.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f of %s", r.Ratio, r.Reference)
		}
		_, _ = printf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Bench, humanize.Comma(int64(r.Size)), r.Figure,
			figure(r.Median), r.Unit, figure(slices.Min(r.Rounds)), figure(slices.Max(r.Rounds)), ratio)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the figures: %w", err)
	}
	_, _ = printf(e.stdout, "\nMedians of %d rounds on %d cores (%s/%s, %s). The load came from the same cores.\n",
		c.Rounds, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	if c.JSON == "" {
		return nil
	}
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.JSON, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

// figure writes a value with three significant digits, or whole.
func figure(v float64) string {
	switch {
	case v >= 1000:
		return humanize.Comma(int64(v + 0.5))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// benchProgress shows the step under way: as a bar on a terminal, as a line a step elsewhere.
func benchProgress(e env) (show func(step string, done, total int), end func()) {
	p := newProgress(e.stderr)
	current, last := bar{}, ""
	show = func(step string, done, total int) {
		if step != last {
			last = step
			if !terminal(e.stderr) {
				_, _ = printf(e.stderr, "%s\n", step)
			}
			current.remove()
			current = p.add(step, "", int64(max(total, 1)))
		}
		current.set(int64(done))
	}
	end = func() {
		current.remove()
		p.end()
	}
	return show, end
}
