//go:build unix

package integration

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	kills    = flag.Int("kills", 0, "SIGKILLs per test of TestKills; 0: 20 with -exhaustive, and 5 without")
	killSeed = flag.Uint64("kill-seed", 0, "seed of the moments of TestKills; 0 takes a new one")
)

// killsPerRound is the most SIGKILLs that one lottery gets: more would be more of the same state.
const killsPerRound = 20

// The server, the clients or both are killed at random moments, again and again, and started again. Every client
// comes to its winners, and the central holds each bet of the files once, in order.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for _, victims := range []string{"server", "clients", "both"} {
		t.Run(victims, func(t *testing.T) {
			t.Logf("repeat the moments with -kill-seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			for left := sampled(*kills, 20, 5); left > 0 && !t.Failed(); left -= killsPerRound {
				killRound(t, rng, victims, min(left, killsPerRound))
			}
		})
	}
}

// killing is one lottery under fire.
type killing struct {
	*lab
	rng     *rand.Rand
	address string
	options []string // of the server
	server  *process
	clients map[int]*process // that have not ended well
	kills   map[string]int
	drawn   int // times that a server said so
}

func killRound(t *testing.T, rng *rand.Rand, victims string, want int) {
	k := &killing{lab: &lab{t, t.TempDir()}, rng: rng, address: "127.0.0.1:" + freePort(t), clients: map[int]*process{}, kills: map[string]int{}}
	k.dataset()
	k.startServer()
	for id := 1; id <= 5; id++ {
		k.startClient(id)
	}
	for deadline := time.Now().Add(patience); k.kills["server"]+k.kills["client"] < want; {
		if time.Now().After(deadline) || len(k.clients) == 0 {
			t.Fatalf("after %v the lottery was over, with %d clients at work: it is too short to be killed %d times", k.kills, len(k.clients), want)
		}
		time.Sleep(time.Duration(k.rng.IntN(120)) * time.Millisecond)
		if victims == "server" || victims == "both" && k.rng.IntN(2) == 0 {
			k.killServer()
		} else {
			k.killClient()
		}
	}
	for id, c := range k.clients {
		c.wait()
		k.ended(id, c)
	}
	t.Logf("kills: %v", k.kills)
	k.check()
}

// startServer starts the server, on the same port each time. From the second time on it may be killed before it listens.
func (k *killing) startServer() {
	k.t.Helper()
	first := k.server == nil
	_, port, _ := strings.Cut(k.address, ":")
	k.server = k.launch(append([]string{"server", "--ip", "127.0.0.1", "--port", port}, k.options...)...)
	if first {
		k.server.address()
	}
}

// startClient starts an agency with a batch size that it may not have had before. The batches are small, smallest in an exhaustive
// run, and few are on their way at once, so that there is time to be killed.
func (k *killing) startClient(id int) {
	k.t.Helper()
	batch := (1 + k.rng.IntN(6)) * batchScale()
	k.clients[id] = k.launch("client", "--id", strconv.Itoa(id), "--server", k.address,
		"--batch-max-amount", strconv.Itoa(batch), "--window", strconv.Itoa(1+k.rng.IntN(8)))
}

func (k *killing) killServer() {
	k.t.Helper()
	k.kill(k.server, "server")
	k.drawn += strings.Count(k.server.log(), "action: sorteo | result: success\n")
	k.startServer()
}

func (k *killing) killClient() {
	k.t.Helper()
	id := 1 + k.rng.IntN(5)
	c := k.clients[id]
	if c == nil {
		return
	}
	if k.kill(c, "client") {
		k.startClient(id)
	} else {
		k.ended(id, c)
	}
}

// kill kills a process, and reports whether that is what ended it.
func (k *killing) kill(p *process, what string) bool {
	k.t.Helper()
	_ = p.Process.Signal(syscall.SIGKILL)
	var exit *exec.ExitError
	err := p.Cmd.Wait()
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		k.kills[what]++
		return true
	}
	if err != nil || what == "server" {
		k.t.Fatalf("%s ended by itself: %v\n%s", what, err, tail(p.log()))
	}
	return false
}

// ended checks a client that came to its end.
func (k *killing) ended(id int, c *process) {
	k.t.Helper()
	delete(k.clients, id)
	want := fmt.Sprintf("action: consulta_ganadores | result: success | cant_ganadores: %d\n", []int{2, 3, 3, 2, 0}[id-1])
	if !strings.Contains(c.log(), want) {
		k.t.Errorf("agency %d logged\n%s\nwant %q", id, tail(c.log()), want)
	}
}

func (k *killing) check() {
	k.t.Helper()
	wantDocuments(k.t, k.address)
	k.server.stop()
	// A server that is killed between the result and its line has drawn and not said so.
	if k.drawn += strings.Count(k.server.log(), "action: sorteo | result: success\n"); k.drawn > 1 {
		k.t.Errorf("the draw was logged %d times", k.drawn)
	}
	wantExport(k.t, k.lab, 5)
	if k.t.Failed() {
		k.t.Logf("the data folder was %s", filepath.Join(k.dir, "data"))
	}
}
