package ledger_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
)

var (
	schedules = flag.Int("schedules", 0, "how many random schedules TestPowerLoss runs; 0: 200, and 20 with -short")
	firstSeed = flag.Uint64("seed", 0, "the first schedule's seed; 0 takes one from the clock")
)

// TestPowerLoss runs random schedules of batches, repeats, conflicts, gaps, finishes and queries, with the power lost
// at a random write or sync: the disk then holds what was synced and a random part of what was not. A model says what
// must be there when it is opened again. Each schedule goes through several such lives and ends with the draw.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	runs := int64(*schedules)
	switch {
	case runs == 0 && testing.Short():
		runs = 20
	case runs == 0:
		runs = 200
	}
	seed := *firstSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d schedules from seed %d on; repeat one: go test ./internal/ledger -run TestPowerLoss -schedules 1 -seed SEED", runs, seed)
	var next, lives, lost atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := next.Add(1); n <= runs && !t.Failed(); n = next.Add(1) {
				s := newSchedule(t, seed+uint64(n)-1)
				s.run()
				lives.Add(int64(s.lives))
				lost.Add(int64(s.lost))
			}
		})
	}
	wg.Wait()
	t.Logf("%d lives; in %d a batch that was on its way was not found", lives.Load(), lost.Load())
	if runs >= 100 && lost.Load() == 0 {
		t.Error("no power loss ever took anything: the schedules do not test what they should")
	}
}

const modelAgencies = 2

// model is what must be found of each agency.
type model struct {
	acked    [modelAgencies + 1][]string // the lines of each batch that was acknowledged
	sent     [modelAgencies + 1][]string // those of the batches sent after them, without an answer yet
	finished [modelAgencies + 1]bool     // acknowledged
	leaving  [modelAgencies + 1]bool     // said, without an answer yet
}

func (m *model) clone() model {
	c := *m
	for a := range c.acked {
		c.acked[a], c.sent[a] = slices.Clone(c.acked[a]), slices.Clone(c.sent[a])
	}
	return c
}

// schedule is one run, wholly determined by its seed but for the pace of goroutines.
type schedule struct {
	t     *testing.T
	seed  uint64
	r     *rand.Rand
	lives int
	lost  int // lives after which something unacknowledged was gone

	mu    sync.Mutex // held by the power loss, so that the model is of the same instant as the disk
	model model
	disk  *vfs.MemFS
	locks sync.Mutex // of files on the disk, see lockFS

	journal journal.Journal
	ledger  *ledger.Ledger
	crash   *powerLoss
}

// powerLoss takes a picture of the disk and of the model before the operation number at.
type powerLoss struct {
	s     *schedule
	at    int64
	keep  int // percent of unsynced data that survives
	r     *rand.Rand
	count atomic.Int64
	disk  *vfs.MemFS
	model model
}

func (p *powerLoss) String() string { return "power loss" }

// MaybeError implements errorfs.Injector.
func (p *powerLoss) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && p.count.Add(1) == p.at {
		p.take()
	}
	return nil
}

func (p *powerLoss) take() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.locks.Lock()
	defer p.s.locks.Unlock()
	p.disk = p.s.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: p.keep, RNG: p.r})
	p.model = p.s.model.clone()
}

// lockFS keeps the power from being lost while a file is being locked: MemFS.Lock takes the lock that CrashClone waits for
// twice, and the two of them then wait for each other for ever.
type lockFS struct {
	vfs.FS
	mu *sync.Mutex
}

func (fs lockFS) Lock(name string) (io.Closer, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.FS.Lock(name)
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	return &schedule{t: t, seed: seed, r: rand.New(rand.NewPCG(seed, 1)), disk: vfs.NewCrashableMem()}
}

func (s *schedule) fail(format string, args ...any) {
	s.t.Errorf("seed %d, life %d: %s", s.seed, s.lives, fmt.Sprintf(format, args...))
}

func (s *schedule) run() {
	for range 1 + s.r.IntN(4) {
		if !s.open() || !s.check() {
			return
		}
		s.act(5 + s.r.IntN(30))
		s.close()
		s.lives++
		if s.crash.disk == nil { // it came through; the power goes now
			s.crash.take()
		}
		s.disk, s.model = s.crash.disk, s.crash.model
	}
	if s.open() && s.check() {
		s.end()
		s.close()
	}
}

func (s *schedule) open() bool {
	s.crash = &powerLoss{s: s, at: 1 + s.r.Int64N(150), keep: []int{0, 0, 30, 100}[s.r.IntN(4)], r: rand.New(rand.NewPCG(s.seed, s.r.Uint64()))}
	fs := errorfs.Wrap(lockFS{s.disk, &s.locks}, s.crash)
	var err error
	if s.journal, err = local.Open("journal", local.Options{FS: fs, Reserve: 1}); err == nil {
		s.ledger, err = ledger.Open(context.Background(), s.journal, ledger.Options{Dir: "data", FS: fs, Public: true, Seed: seed(modelAgencies)})
	}
	if err != nil {
		s.fail("open: %v", err)
	}
	return err == nil
}

func (s *schedule) close() {
	if err := s.ledger.Close(); err != nil {
		s.fail("close: %v", err)
	}
	if err := s.journal.Close(); err != nil {
		s.fail("close: %v", err)
	}
}

// check compares what is there with the model, and takes into the model what it had left open. It holds no lock while
// it asks the ledger, which may be losing its power at that moment.
func (s *schedule) check() bool {
	stored := s.stored()
	for a := 1; a <= modelAgencies; a++ {
		all := append(slices.Clone(s.model.acked[a]), s.model.sent[a]...)
		n := batches(stored[a], all)
		if n < len(s.model.acked[a]) {
			s.fail("agency %d: %q is stored, and acknowledged was %q, on its way %q", a, stored[a], s.model.acked[a], s.model.sent[a])
			return false
		}
		if n < len(all) {
			s.lost++
		}
		resume, err := s.ledger.Resume(context.Background(), 0, quiniela.Agency(a))
		if err != nil || resume.Next != uint64(n)+1 || resume.Bets != uint64(strings.Count(stored[a], "\n")) {
			s.fail("agency %d goes on at %+v, %v; %d batches are stored", a, resume, err, n)
			return false
		}
		s.mu.Lock()
		s.model.acked[a], s.model.sent[a] = all[:n], nil
		s.mu.Unlock()
	}
	return s.checkFinished()
}

// checkFinished tries a batch of each agency: one that has finished takes none, for ever.
func (s *schedule) checkFinished() bool {
	for a := 1; a <= modelAgencies; a++ {
		probe := submission(quiniela.Agency(a), 1<<40, 1) // a gap, where it is not refused as finished
		if err := s.ledger.Submit(probe); err != nil {
			s.fail("submit: %v", err)
			return false
		}
		_, err := probe.Wait()
		finished := quiniela.CodeOf(err) == quiniela.Finished
		if !finished && quiniela.CodeOf(err) != quiniela.Gap || s.model.finished[a] && !finished || finished && !s.model.finished[a] && !s.model.leaving[a] {
			s.fail("agency %d: %v; it had finished: %t, or was about to: %t", a, err, s.model.finished[a], s.model.leaving[a])
			return false
		}
		s.mu.Lock()
		s.model.finished[a], s.model.leaving[a] = finished, false
		s.mu.Unlock()
	}
	return true
}

// stored returns the stored lines of each agency.
func (s *schedule) stored() (lines [modelAgencies + 1]string) {
	var b bytes.Buffer
	if _, err := ledger.Export(context.Background(), s.journal, "1", &b, nil); err != nil {
		s.fail("export: %v", err)
	}
	for line := range strings.Lines(b.String()) {
		lines[line[0]-'0'] += line[2:]
	}
	return lines
}

// batches returns how many of the batches the stored lines are, or -1 where they are something else.
func batches(stored string, all []string) int {
	for n, lines := range all {
		if stored == "" {
			return n
		}
		var ok bool
		if stored, ok = strings.CutPrefix(stored, lines); !ok {
			return -1
		}
	}
	if stored != "" {
		return -1
	}
	return len(all)
}

// act does n random things, several at a time, so that they share commits.
func (s *schedule) act(n int) {
	var wg sync.WaitGroup
	for a := 1; a <= modelAgencies; a++ {
		seed := s.r.Uint64()
		wg.Go(func() {
			agent := &agent{s, a, rand.New(rand.NewPCG(s.seed, seed))}
			for range n {
				agent.step()
			}
		})
	}
	wg.Wait()
}

// agent is one agency at work.
type agent struct {
	*schedule
	a int
	r *rand.Rand
}

func (g *agent) step() {
	switch p := g.r.IntN(20); {
	case p < 12:
		g.send(1 + g.r.IntN(4))
	case p < 15:
		g.again()
	case p == 15:
		g.expect(quiniela.Gap, uint64(g.stored())+2+g.r.Uint64N(9))
	case p < 19:
		g.query()
	default:
		g.finish()
	}
}

func (g *agent) stored() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.model.acked[g.a])
}

func (g *agent) finished() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.model.finished[g.a]
}

func (g *agent) bets() []int {
	numbers := make([]int, 1+g.r.IntN(5))
	for i := range numbers {
		numbers[i] = []int{7574, 7574, 1, 2 + g.r.IntN(1000)}[g.r.IntN(4)]
	}
	return numbers
}

func linesOf(s *ledger.Submission) string { return string(s.Frame[s.Start:]) }

// send sends the next n batches without waiting for an answer in between.
func (g *agent) send(n int) {
	next := uint64(g.stored()) + 1
	var all []*ledger.Submission
	for i := range n {
		number := next + uint64(i)
		sub := submission(quiniela.Agency(g.a), number, g.bets()...)
		if g.r.IntN(8) == 0 && n == 1 {
			sub.Batch = 0
		}
		g.mu.Lock()
		if !g.model.finished[g.a] {
			g.model.sent[g.a] = append(g.model.sent[g.a], linesOf(sub))
		}
		g.mu.Unlock()
		if err := g.ledger.Submit(sub); err != nil {
			g.fail("submit: %v", err)
			return
		}
		all = append(all, sub)
	}
	for _, sub := range all {
		g.answered(sub)
	}
}

func (g *agent) answered(sub *ledger.Submission) {
	bets, err := sub.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.model.finished[g.a] {
		if code := quiniela.CodeOf(err); code != quiniela.Finished {
			g.fail("agency %d has finished, and a batch got %v", g.a, err)
		}
		return
	}
	if err != nil || bets != strings.Count(linesOf(sub), "\n") {
		g.fail("batch %d of agency %d: %d bets, %v", sub.Batch, g.a, bets, err)
		return
	}
	g.model.acked[g.a] = append(g.model.acked[g.a], linesOf(sub))
	g.model.sent[g.a] = g.model.sent[g.a][1:]
}

// again repeats a stored batch, or sends another under its number.
func (g *agent) again() {
	n := g.stored()
	if n == 0 {
		return
	}
	i := g.r.IntN(n)
	g.mu.Lock()
	lines := g.model.acked[g.a][i]
	g.mu.Unlock()
	if g.r.IntN(3) == 0 {
		g.expect(quiniela.Conflict, uint64(i)+1)
		return
	}
	sub := &ledger.Submission{Agency: quiniela.Agency(g.a), Batch: uint64(i) + 1, Frame: []byte(lines)}
	if err := g.ledger.Submit(sub); err != nil {
		g.fail("submit: %v", err)
		return
	}
	if bets, err := sub.Wait(); err != nil || bets != strings.Count(lines, "\n") {
		g.fail("a repeat of batch %d of agency %d: %d bets, %v", i+1, g.a, bets, err)
	}
}

func (g *agent) expect(code quiniela.Code, number uint64) {
	if g.finished() && code == quiniela.Gap {
		code = quiniela.Finished
	}
	sub := submission(quiniela.Agency(g.a), number, 9999, 9998, 9997, 9996, 9995, 9994)
	if err := g.ledger.Submit(sub); err != nil {
		g.fail("submit: %v", err)
		return
	}
	if _, err := sub.Wait(); quiniela.CodeOf(err) != code {
		g.fail("batch %d of agency %d: %v, want %s", number, g.a, err, code)
	}
}

func (g *agent) query() {
	n := uint64(g.stored())
	if resume, err := g.ledger.Resume(context.Background(), 0, quiniela.Agency(g.a)); err != nil || resume.Next != n+1 {
		g.fail("agency %d goes on at %+v, %v; %d batches were acknowledged", g.a, resume, err, n)
	}
	if _, drawn, err := g.ledger.Winners(context.Background(), 0, quiniela.Agency(g.a)); err != nil || drawn && !g.finished() {
		g.fail("winners of agency %d: %t, %v", g.a, drawn, err)
	}
}

func (g *agent) finish() {
	g.mu.Lock()
	n := uint64(len(g.model.acked[g.a]))
	g.model.leaving[g.a] = true
	g.mu.Unlock()
	if err := g.ledger.Finish(context.Background(), 0, quiniela.Agency(g.a), n, nil); err != nil {
		g.fail("agency %d finishes: %v", g.a, err)
	}
	g.mu.Lock()
	g.model.finished[g.a], g.model.leaving[g.a] = true, false
	g.mu.Unlock()
}

// end finishes what has not, and checks the draw: one result, and each agency's winners.
func (s *schedule) end() {
	for a := 1; a <= modelAgencies; a++ {
		(&agent{s, a, s.r}).finish()
	}
	select {
	case <-s.ledger.Drawn(0):
	case <-s.ledger.Failed():
		s.fail("the ledger has failed: %v", s.ledger.Err())
		return
	case <-time.After(5 * time.Minute):
		s.fail("the draw did not come")
		return
	}
	for a := 1; a <= modelAgencies; a++ {
		var want []string
		for line := range strings.Lines(strings.Join(s.model.acked[a], "")) {
			if f := strings.Split(strings.TrimSpace(line), ","); f[4] == "7574" {
				want = append(want, f[2])
			}
		}
		if got, _, err := documents(s.ledger, 0, quiniela.Agency(a)); err != nil || !slices.Equal(got, want) {
			s.fail("winners of agency %d: %q, %v; want %q", a, got, err, want)
		}
	}
	kinds := map[journal.Kind]int{}
	for e, err := range s.journal.Entries(context.Background(), 1) {
		if err != nil {
			s.fail("read the journal: %v", err)
			return
		}
		kinds[journal.Kind(e.Data[0])]++
	}
	if kinds[journal.KindOpen] != 1 || kinds[journal.KindFinish] != modelAgencies || kinds[journal.KindSeal] != 1 || kinds[journal.KindResult] != 1 {
		s.fail("the journal has %v", kinds)
	}
}
