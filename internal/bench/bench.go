// Package bench measures the system from the outside, as its agencies see it: a server that is a process of its own (or
// one that is already running), real sockets, a real disk. It must be a process, since it is killed, and since its memory is
// measured. Beside each figure bench measures, in the same run, what the machine gives without the system: the journal alone, a
// plain file, the parser alone. It is no test: it asserts nothing.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The benchmarks.
const (
	Ingest      = "ingest"      // bets a second, each durable before its reply
	Draw        = "draw"        // from the last notification to the first answer
	Audit       = "audit"       // publishing a draw, and auditing it
	Start       = "start"       // from the start of the process to the first answer
	Small       = "small"       // many agencies, small batches: the reply's time
	Connections = "connections" // idle ones: what they cost
	Plain       = "plain"       // a connection for each batch, as the specification's own client has it
)

// Names returns all of them, in the order in which they run.
func Names() []string { return []string{Ingest, Draw, Audit, Start, Small, Connections, Plain} }

// Options says what to measure.
type Options struct {
	Names       []string
	Game        string // quiniela: Ingest, Draw, Audit and Start are measured in that game too, each beside the specified one
	Sizes       []int  // bets that Ingest, Draw, Audit and Start store
	Rounds      int    // of each; the median counts
	Agencies    int    // that send them, at once
	BatchBytes  int    // most bytes of a batch's request
	Window      int    // batches that an agency leaves unanswered
	SmallCount  int    // agencies of Small
	SmallBets   int    // of a batch of Small
	SmallSends  int    // batches of each
	Connections int    // of Connections
	Dir         string // to work in; on the disk that is to be measured
	Server      string // a running server's host:port, for Ingest and Small; empty: one of our own
	Program     string // the quiniela that serves
	LogLevel    string // of our own server
	// Progress is told how far the present step is.
	Progress func(step string, done, total int)
}

// Row is one figure.
type Row struct {
	Bench     string    `json:"bench"`
	Size      int       `json:"size,omitempty"` // bets stored, or connections
	Figure    string    `json:"figure"`
	Unit      string    `json:"unit"`
	Rounds    []float64 `json:"rounds"`
	Median    float64   `json:"median"`
	Reference string    `json:"reference,omitempty"` // the figure that Ratio compares with
	Ratio     float64   `json:"ratio,omitempty"`     // the median over the rounds of figure / reference
}

// table gathers rows.
type table struct{ rows []*Row }

// add adds a round's value. reference is the name of an earlier figure of the same bench and size, or empty.
func (t *table) add(bench string, size int, figure, unit string, value float64, reference string) {
	r := t.find(bench, size, figure)
	if r == nil {
		r = &Row{Bench: bench, Size: size, Figure: figure, Unit: unit, Reference: reference}
		t.rows = append(t.rows, r)
	}
	r.Rounds = append(r.Rounds, value)
}

func (t *table) find(bench string, size int, figure string) *Row {
	for _, r := range t.rows {
		if r.Bench == bench && r.Size == size && r.Figure == figure {
			return r
		}
	}
	return nil
}

// close works out medians and ratios.
func (t *table) close() []Row {
	var rows []Row
	for _, r := range t.rows {
		r.Median = median(r.Rounds)
		if ref := t.find(r.Bench, r.Size, r.Reference); ref != nil && len(ref.Rounds) == len(r.Rounds) {
			var ratios []float64
			for i, v := range r.Rounds {
				ratios = append(ratios, v/ref.Rounds[i])
			}
			r.Ratio = median(ratios)
		}
		rows = append(rows, *r)
	}
	return rows
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

// Run measures, and returns the figures it came to, also where it ends with an error.
func Run(ctx context.Context, c Options) (_ []Row, err error) {
	t := new(table)
	dir, err := os.MkdirTemp(c.Dir, "quiniela-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &runner{Options: c, ctx: ctx, table: t, dir: dir}
	for round := range c.Rounds {
		if err := r.round(round); err != nil {
			return t.close(), err
		}
	}
	return t.close(), nil
}

type runner struct {
	Options
	*table
	ctx   context.Context
	dir   string
	label string // of the present step
}

func (r *runner) wants(name string) bool { return slices.Contains(r.Names, name) }

func (r *runner) round(n int) error {
	r.label = fmt.Sprintf("round %d of %d", n+1, r.Rounds)
	for _, size := range r.Sizes {
		if r.wants(Ingest) || r.wants(Draw) || r.wants(Audit) || r.wants(Start) {
			if err := r.life(size); err != nil {
				return fmt.Errorf("%d bets: %w", size, err)
			}
		}
	}
	if r.wants(Small) {
		if err := r.small(); err != nil {
			return fmt.Errorf("small batches: %w", err)
		}
	}
	if r.wants(Connections) {
		if err := r.connections(); err != nil {
			return fmt.Errorf("connections: %w", err)
		}
	}
	if r.wants(Plain) {
		if err := r.plain(); err != nil {
			return fmt.Errorf("a connection a batch: %w", err)
		}
	}
	return nil
}

func (r *runner) progress(step string, done, total int) { r.Progress(r.label+": "+step, done, total) }

// life takes servers from their first bet to their winners: one of the specified game, and where it is asked for one of the game quiniela.
func (r *runner) life(size int) (err error) {
	if err := r.references(size); err != nil {
		return err
	}
	if err := r.unlogged(size); err != nil {
		return err
	}
	if err := r.lifeOf(specified, size); err != nil || r.Game != evening.name {
		return err
	}
	if err := r.lifeOf(evening, size); err != nil {
		return fmt.Errorf("the game %s: %w", evening.name, err)
	}
	return nil
}

func (r *runner) lifeOf(g game, size int) (err error) {
	s, err := r.central(r.Agencies)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	if g == evening {
		if err := s.openEvening(r.ctx, r.Agencies); err != nil {
			return err
		}
	}
	bets, elapsed, err := r.fill(s, g, size)
	if err != nil {
		return err
	}
	if done, err := r.ingested(s, g, size, bets, elapsed); done || err != nil {
		return err
	}
	if r.wants(Start) {
		if err := r.restarts(s, g, size); err != nil {
			return err
		}
	}
	if r.wants(Draw) || r.wants(Audit) {
		if err := r.draw(s, g, size); err != nil {
			return err
		}
	}
	if r.wants(Audit) {
		return r.audit(s, g, size, bets)
	}
	return nil
}

// ingested adds the figures of the bets that a server has taken. It is done with a server that is somebody's: that is neither killed nor
// drawn.
func (r *runner) ingested(s *central, g game, size, bets int, elapsed time.Duration) (done bool, err error) {
	reference := "journal alone"
	if g == evening {
		reference = acknowledged
	}
	rate := float64(bets) / elapsed.Seconds()
	r.add(Ingest, size, g.prefix+acknowledged, "bets/s", rate, reference)
	if r.Server != "" {
		return true, nil
	}
	if g == specified {
		r.add(Ingest, size, "bets acknowledged, of that", "bets/s", rate, unlogged)
	}
	if spent, ok := s.cpu(); ok {
		r.add(Ingest, size, g.prefix+"server CPU per bet", "ns", float64(spent.Nanoseconds())/float64(bets), "")
	}
	if peak, ok := s.memory("VmHWM"); ok {
		r.add(Ingest, size, g.prefix+"server memory, peak", "MB", peak, "")
	}
	disk, err := folderSize(s.dir)
	r.add(Ingest, size, g.prefix+"disk per bet", "bytes", float64(disk)/float64(bets), "")
	return false, err
}

// acknowledged is the figure of a server that keeps a public log, as it does by default.
const acknowledged = "bets acknowledged"

// unlogged is the figure of a server that keeps no public log.
const unlogged = "without the public log"

// unlogged measures a server that keeps no public log, to compare with one that does.
func (r *runner) unlogged(size int) (err error) {
	if r.Server != "" {
		return nil
	}
	s, err := r.central(r.Agencies, "--no-public-log")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	bets, elapsed, err := r.fill(s, specified, size)
	if err != nil {
		return err
	}
	r.add(Ingest, size, unlogged, "bets/s", float64(bets)/elapsed.Seconds(), "journal alone")
	return nil
}

// restarts kills the server and starts it, and stops it and starts it.
func (r *runner) restarts(s *central, g game, size int) error {
	if err := s.kill(); err != nil {
		return err
	}
	if err := r.restart(s, size, g.prefix+"start after SIGKILL"); err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	if err := r.restart(s, size, g.prefix+"start after a stop"); err != nil {
		return err
	}
	if now, ok := s.memory("VmRSS"); ok {
		r.add(Start, size, g.prefix+"server memory, after start", "MB", now, "")
	}
	return nil
}

// restart measures a start of a server that has ended.
func (r *runner) restart(s *central, size int, figure string) error {
	r.progress(figure, 0, 0)
	elapsed, err := s.start(r.ctx)
	if err != nil {
		return err
	}
	r.add(Start, size, figure, "s", elapsed.Seconds(), "")
	return nil
}

// queries is how many winners' queries are timed.
const queries = 1000

func (r *runner) draw(s *central, g game, size int) error {
	if g == evening {
		return r.drawEvening(s, size)
	}
	r.progress("draw", 0, 0)
	winners, elapsed, err := s.finish(r.Agencies)
	if err != nil {
		return err
	}
	r.add(Draw, size, "last notification to first answer", "s", elapsed.Seconds(), "")
	r.add(Draw, size, "winners", "", float64(winners), "")
	each, err := s.query(queries)
	if err != nil {
		return err
	}
	r.add(Draw, size, "a query of the winners", "ms", each.Seconds()*1e3, "")
	if peak, ok := s.memory("VmHWM"); ok {
		r.add(Draw, size, "server memory, peak", "MB", peak, "")
	}
	return nil
}

func (r *runner) small() (err error) {
	s, err := r.central(r.SmallCount)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	batches, took, elapsed, err := r.fillSmall(s)
	if err != nil {
		return err
	}
	r.add(Small, r.SmallCount, "batches acknowledged", "batches/s", float64(batches)/elapsed.Seconds(), "")
	for _, p := range []struct {
		name string
		at   float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}} {
		r.add(Small, r.SmallCount, "reply time "+p.name, "ms", took[int(p.at*float64(len(took)-1))].Seconds()*1e3, "")
	}
	return nil
}

func (r *runner) connections() (err error) {
	if r.Server != "" {
		return nil // its memory is not ours to see
	}
	s, err := r.central(r.Agencies)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	before, ok := s.memory("VmRSS")
	if !ok {
		return errors.New("this system does not tell a process's memory")
	}
	all, err := s.connect(r.ctx, r.Connections, func(n int) { r.progress("connections", n, r.Connections) })
	if err != nil {
		return err
	}
	time.Sleep(time.Second) // for the server to have taken each in
	after, _ := s.memory("VmRSS")
	r.add(Connections, len(all), "server memory, none", "MB", before, "")
	r.add(Connections, len(all), "server memory, all idle", "MB", after, "")
	each, err := s.query(queries)
	r.add(Connections, len(all), "a query beside them", "ms", each.Seconds()*1e3, "")
	for _, c := range all {
		err = errors.Join(err, c.Close())
	}
	return err
}

func folderSize(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil // compacted away
		}
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	})
	return size, err
}
