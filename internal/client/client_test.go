package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/client"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/sample"
	"quiniela/internal/server"
)

// central is a real server that can be stopped and started again on the same port and disk. The disk is in memory: what it
// keeps through a power loss is for the journal's own tests.
type central struct {
	t       *testing.T
	disk    vfs.FS
	address string
	agents  uint32

	cancel  context.CancelFunc
	served  chan error
	journal journal.Journal
	ledger  *ledger.Ledger
}

func start(t *testing.T, agencies uint32) *central {
	c := &central{t: t, disk: vfs.NewMem(), address: "127.0.0.1:0", agents: agencies}
	c.up()
	t.Cleanup(c.down)
	return c
}

func (c *central) up() {
	c.t.Helper()
	var err error
	if c.journal, err = local.Open("/journal", local.Options{FS: c.disk}); err != nil {
		c.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	c.ledger, err = ledger.Open(context.Background(), c.journal, ledger.Options{
		Dir: "/state", FS: c.disk, Seed: &ledger.Seed{ID: "1", Agencies: c.agents, Rule: draw.FixedNumber(7574)},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	config := server.DefaultOptions()
	config.Address, config.Poll = c.address, 100*time.Millisecond
	s, err := server.Listen(config, c.ledger, log)
	if err != nil {
		c.t.Fatal(err)
	}
	c.address = s.Addr().String()
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(context.Background())
	c.served = make(chan error, 1)
	go func() { c.served <- s.Serve(ctx) }()
}

func (c *central) down() {
	if c.cancel == nil {
		return
	}
	c.cancel()
	c.cancel = nil
	if err := errors.Join(<-c.served, c.ledger.Close(), c.journal.Close()); err != nil {
		c.t.Error(err)
	}
}

// stored returns the stored bets of each agency, in order.
func (c *central) stored() map[string][]string {
	c.t.Helper()
	var b bytes.Buffer
	if _, err := ledger.Export(context.Background(), c.journal, "1", &b, nil); err != nil {
		c.t.Fatal(err)
	}
	bets := map[string][]string{}
	for line := range strings.Lines(b.String()) {
		agency, bet, _ := strings.Cut(strings.TrimSpace(line), ",")
		bets[agency] = append(bets[agency], bet)
	}
	return bets
}

// check compares what is stored with the agencies' files, line by line.
func (c *central) check(files []string) {
	c.t.Helper()
	stored := c.stored()
	for i, file := range files {
		if got, want := stored[fmt.Sprint(i+1)], bets(c.t, file); !slices.Equal(got, want) {
			c.t.Fatalf("agency %d: %d bets are stored and the file has %d, or they differ", i+1, len(got), len(want))
		}
	}
}

func bets(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
}

// winners are the documents of a file's bets on 7574.
func winners(t *testing.T, file string) (documents []string) {
	for _, bet := range bets(t, file) {
		if f := strings.Split(bet, ","); f[4] == "7574" {
			documents = append(documents, f[2])
		}
	}
	return documents
}

func files(t *testing.T, agencies, n int) []string {
	t.Helper()
	paths, err := sample.Files(t.TempDir(), agencies, n, 1, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agency-1.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func config(agency int, address, file string) client.Options {
	c := client.DefaultOptions()
	c.Agency, c.Address, c.File = quiniela.Agency(agency), address, file
	return c
}

var quiet = slog.New(slog.DiscardHandler)

// runAll runs the agencies side by side and checks that each got its own winners.
func runAll(t *testing.T, files []string, address string, change func(*client.Options)) {
	t.Helper()
	var wg sync.WaitGroup
	for i, file := range files {
		wg.Go(func() {
			c := config(i+1, address, file)
			if change != nil {
				change(&c)
			}
			report, err := client.Run(t.Context(), c, quiet)
			if err != nil {
				t.Errorf("agency %d: %v", i+1, err)
			} else if want := winners(t, file); !slices.Equal(report.Documents, want) {
				t.Errorf("agency %d: winners %q, want %q", i+1, report.Documents, want)
			}
		})
	}
	wg.Wait()
}

func TestEveryAgencySendsItsFileAndGetsItsWinners(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*client.Options){
		"framed": nil, "plain": func(c *client.Options) { c.Plain = true },
		"asking": func(c *client.Options) { c.Tries = 30 }, "one by one": func(c *client.Options) { c.Window = 1 },
		"large batches": func(c *client.Options) { c.BatchBets = 100000 }, "small batches": func(c *client.Options) { c.BatchBets = 7 },
	} {
		if testing.Short() && (name == "plain" || name == "asking") {
			continue // they ask for the winners a second apart, as TestPlainIsTheSpecifiedForm does
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, paths := start(t, 3), files(t, 3, 3000)
			runAll(t, paths, c.address, change)
			c.check(paths)
		})
	}
}

// The line between the agencies and the central is cut after a random number of bytes, in both directions, again and
// again; each reply may be lost after the batch was stored.
func TestABadLineNeitherDropsNorDoubles(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c, paths := start(t, 3), files(t, 3, 4000)
	address := badLine(t, c.address, rand.New(rand.NewPCG(seed, 0)))
	runAll(t, paths, address, func(c *client.Options) { c.BatchBets = 40 })
	c.check(paths)
}

// badLine relays connections to an address and cuts each one. The cuts stop after a while, so that the test ends.
func badLine(t *testing.T, to string, r *rand.Rand) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 0; ; n++ {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			up, down := r.Int64N(60000), r.Int64N(600)
			if n > 60 {
				up, down = 1<<40, 1<<40
			}
			relay := func(dst, src net.Conn, most int64) {
				_, _ = io.CopyN(dst, src, most)
				_, _ = near.Close(), far.Close()
			}
			go relay(far, near, up)
			go relay(near, far, down)
		}
	}()
	return l.Addr().String()
}

// pauser is a log that holds a client up, within the call that says it, after each further step of acknowledged bets. The
// client goes on when the test has taken a value from reached.
type pauser struct {
	slog.Handler
	step, left int64
	reached    chan struct{}
}

func newPauser(step int64) *pauser {
	return &pauser{Handler: slog.DiscardHandler, step: step, left: step, reached: make(chan struct{})}
}

func (h *pauser) Enabled(context.Context, slog.Level) bool { return true }

func (h *pauser) Handle(_ context.Context, r slog.Record) error {
	if h.left -= acknowledged(r); h.left <= 0 {
		h.left = h.step
		h.reached <- struct{}{}
	}
	return nil
}

// acknowledged returns how many bets a line of the log says were acknowledged.
func acknowledged(r slog.Record) (bets int64) {
	if r.Message == "apuesta_enviada" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "cantidad" {
				bets = a.Value.Int64()
			}
			return true
		})
	}
	return bets
}

func TestItGoesOnWhenTheServerComesBack(t *testing.T) {
	t.Parallel()
	const restarts, between = 4, 500
	c, paths := start(t, 2), files(t, 2, (restarts+1)*between)
	log := newPauser(between)
	var agencies sync.WaitGroup
	for i, path := range paths {
		agencies.Go(func() {
			conf, to := config(i+1, c.address, path), quiet
			conf.BatchBets, conf.Window = 20, 2
			if i == 0 {
				to = slog.New(log)
			}
			if report, err := client.Run(t.Context(), conf, to); err != nil || !slices.Equal(report.Documents, winners(t, path)) {
				t.Errorf("agency %d: %+v, %v", i+1, report, err)
			}
		})
	}
	for range restarts {
		<-log.reached
		c.down()
		c.up()
	}
	go func() {
		for range log.reached { // the last step
		}
	}()
	agencies.Wait()
	close(log.reached)
	c.check(paths)
}

// interrupter is a log that interrupts a client, within the call that says it, when so many more bets are acknowledged.
type interrupter struct {
	slog.Handler
	left   int64
	cancel context.CancelFunc
}

func (h *interrupter) Enabled(context.Context, slog.Level) bool { return true }

func (h *interrupter) Handle(_ context.Context, r slog.Record) error {
	if h.left -= acknowledged(r); h.left <= 0 {
		h.cancel()
	}
	return nil
}

func TestItGoesOnAfterItsOwnRestartWithOtherBatches(t *testing.T) {
	t.Parallel()
	c, paths := start(t, 1), files(t, 1, 20000)
	for i, batch := range []int{10, 33, 150, 1} {
		ctx, cancel := context.WithCancel(t.Context())
		conf := config(1, c.address, paths[0])
		conf.BatchBets = batch
		before := len(c.stored()["1"])
		report, err := client.Run(ctx, conf, slog.New(&interrupter{slog.DiscardHandler, 1000, cancel}))
		want := fmt.Sprintf("%d bets of agency 1 are acknowledged; run it again", report.Bets)
		if !errors.Is(err, client.ErrInterrupted) || !strings.Contains(err.Error(), want) {
			t.Fatalf("%v, want %q", err, want)
		}
		if stored := len(c.stored()["1"]); report.Bets < before || report.Bets > stored || stored < (i+1)*1000 {
			t.Fatalf("%d bets are said to be acknowledged, and %d are stored, %d before", report.Bets, stored, before)
		}
		cancel()
	}
	runAll(t, paths, c.address, nil)
	c.check(paths)
	runAll(t, paths, c.address, nil) // all is done: it only asks again
	c.check(paths)
}

func TestAnotherFileIsRefused(t *testing.T) {
	t.Parallel()
	c, paths := start(t, 1), files(t, 1, 500)
	runAll(t, paths, c.address, nil)
	for name, text := range map[string]string{
		"shorter": strings.Join(bets(t, paths[0])[:100], "\n"), "other bets": strings.Replace(strings.Join(bets(t, paths[0]), "\n"), bets(t, paths[0])[499], "Ana,Paz,1,1990-01-01,7", 1),
	} {
		_, err := client.Run(t.Context(), config(1, c.address, write(t, text)), quiet)
		if err == nil || !strings.Contains(err.Error(), "is not the file whose beginning agency 1 has sent") {
			t.Errorf("%s: %v", name, err)
		}
	}
	longer := write(t, strings.Join(bets(t, paths[0]), "\n")+"\nAna,Paz,1,1990-01-01,7\n")
	if _, err := client.Run(t.Context(), config(1, c.address, longer), quiet); quiniela.CodeOf(err) != quiniela.Finished {
		t.Errorf("longer, after it had finished: %v", err)
	}
	c.check(paths)
}

func TestARefusalIsAnError(t *testing.T) {
	t.Parallel()
	c := start(t, 1)
	if _, err := client.Run(t.Context(), config(2, c.address, write(t, good)), quiet); quiniela.CodeOf(err) != quiniela.NoAgency {
		t.Errorf("framed: %v", err)
	}
	conf := config(2, c.address, write(t, good))
	conf.Plain = true
	if _, err := client.Run(t.Context(), conf, quiet); err == nil || !strings.Contains(err.Error(), "bets 1 to 1 of agency 2") {
		t.Errorf("plain: %v", err)
	}
}

func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return l.Addr().String()
}

func TestAServerThatStaysAwayIsAnError(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		conf := config(1, free(t), write(t, good))
		conf.Timeout, conf.Plain = 300*time.Millisecond, plain
		if _, err := client.Run(t.Context(), conf, quiet); err == nil || !strings.Contains(err.Error(), "was unreachable for 300ms") {
			t.Errorf("plain %t: %v", plain, err)
		}
	}
}

// firstWrite is a buffer that says when something was written to it for the first time.
type firstWrite struct {
	bytes.Buffer
	once    sync.Once
	written chan struct{}
}

func (w *firstWrite) Write(p []byte) (int, error) {
	defer w.once.Do(func() { close(w.written) })
	return w.Buffer.Write(p)
}

func TestItWaitsQuietlyForAServerThatIsStarting(t *testing.T) {
	t.Parallel()
	c := start(t, 1)
	c.down()
	out := firstWrite{written: make(chan struct{})}
	h := logline.New(&out, slog.LevelDebug)
	result := make(chan error, 1)
	go func() {
		_, err := client.Run(t.Context(), config(1, c.address, write(t, good)), slog.New(h))
		result <- err
	}()
	<-out.written
	c.up()
	if err := errors.Join(<-result, h.Close()); err != nil {
		t.Fatal(err)
	}
	s := out.String()
	if strings.Contains(s, "fail") || !strings.HasPrefix(s[len(time.DateTime):], " DEBUG    action: connect | result: in_progress") ||
		!strings.Contains(s, "INFO     action: consulta_ganadores | result: success | cant_ganadores: 1\n") {
		t.Fatalf("log:\n%s", s)
	}
}

func TestTheDrawMayNotCome(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		c := start(t, 2) // the other agency never comes
		conf := config(1, c.address, write(t, good))
		conf.Tries, conf.Plain = 1, plain
		if _, err := client.Run(t.Context(), conf, quiet); err == nil || !strings.Contains(err.Error(), "the draw was not done after 1 questions") {
			t.Errorf("plain %t: %v", plain, err)
		}
	}
}

func TestStoppingClosesEverythingAndIsNoError(t *testing.T) {
	t.Parallel()
	c := start(t, 2) // the other agency never comes
	var out bytes.Buffer
	h := logline.New(&out, slog.LevelInfo)
	ctx, cancel := context.WithCancel(t.Context())
	conf := config(1, c.address, write(t, good))
	conf.Progress = func(p client.Progress) {
		if p.Stage == "wait" {
			time.AfterFunc(20*time.Millisecond, cancel)
		}
	}
	_, err := client.Run(ctx, conf, slog.New(h))
	if err = errors.Join(err, h.Close()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"action: close_connection | result: success", "action: close_file | result: success"} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestBet(t *testing.T) {
	t.Parallel()
	c := start(t, 1)
	var out bytes.Buffer
	h := logline.New(&out, slog.LevelInfo)
	fields := client.BetFields{FirstName: "Santiago Lionel", LastName: "Lorca", Document: "30904465", Birthdate: "1999-03-17", Number: "7574"}
	if err := client.Bet(t.Context(), config(1, c.address, ""), fields, slog.New(h)); err != nil {
		t.Fatal(err)
	}
	_ = h.Close()
	if !strings.Contains(out.String(), "INFO     action: apuesta_enviada | result: success | dni: 30904465 | numero: 7574\n") {
		t.Fatalf("log:\n%s", out.String())
	}
	if got := c.stored()["1"]; !slices.Equal(got, []string{"Santiago Lionel,Lorca,30904465,1999-03-17,7574"}) {
		t.Fatalf("stored %q", got)
	}
	fields.Birthdate = "1999-02-30"
	if err := client.Bet(t.Context(), config(1, c.address, ""), fields, quiet); err == nil || !strings.Contains(err.Error(), "NACIMIENTO") {
		t.Fatalf("a bad bet: %v", err)
	}
	fields.Birthdate = "1999-02-28"
	if err := client.Bet(t.Context(), config(9, c.address, ""), fields, quiet); err == nil {
		t.Fatal("a bet of an unknown agency was taken")
	}
}

func TestEcho(t *testing.T) {
	t.Parallel()
	conf := server.DefaultOptions()
	conf.Address = "127.0.0.1:0"
	s, err := server.ListenEcho(conf, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	var out bytes.Buffer
	h := logline.New(&out, slog.LevelInfo)
	err = client.Echo(t.Context(), config(3, s.Addr().String(), ""), 2, time.Millisecond, slog.New(h))
	cancel()
	if err = errors.Join(err, <-served, h.Close()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"action: receive_message | result: success | client_id: 3 | msg: [CLIENT 3] Message N°1\n",
		"action: receive_message | result: success | client_id: 3 | msg: [CLIENT 3] Message N°2\n",
		"action: loop_finished | result: success | client_id: 3\n",
	} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestALyingEchoIsAnError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "[CLIENT 1] Message N°2\n")
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	if err := client.Echo(t.Context(), config(1, l.Addr().String(), ""), 1, 0, quiet); err == nil || !strings.Contains(err.Error(), "came back as") {
		t.Fatal(err)
	}
}
