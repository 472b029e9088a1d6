//go:build unix

package integration

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var faults = flag.Int("faults", 0, "how many random faults TestCluster injects; 0: 12 with -exhaustive, and 3 without")

// proxy is a way to a database that can be cut: nothing moves on it until it is mended.
type proxy struct {
	to   string
	l    net.Listener
	mu   sync.Mutex
	cond *sync.Cond
	cut  bool
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: to, l: l}
	p.cond = sync.NewCond(&p.mu)
	go p.serve()
	t.Cleanup(func() { _ = l.Close(); p.set(false) })
	return p
}

func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	p.cond.Broadcast()
}

func (p *proxy) serve() {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		go p.pump(in, out)
		go p.pump(out, in)
	}
}

func (p *proxy) pump(to, from net.Conn) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		for p.cut {
			p.cond.Wait()
		}
		p.mu.Unlock()
		if _, writeErr := to.Write(buf[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

// cluster is a lottery on two servers over three databases.
type cluster struct {
	*databases
	proxies []*proxy // the first server's way to the databases
	servers []*killing
	clients map[int]*process
	bag     []string // of faults to come
	count   map[string]int
	outages []time.Duration // from the primary's death to the next acknowledged batch
}

// Two servers over a primary and two standbys. While five agencies send the real files, servers, standbys and primaries are
// killed, the network is cut, and the database is made to show what it may lose, or to turn the servers away. Every agency
// comes to its winners, and each bet is stored once, in order.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat the moments with -kill-seed %d", seed)
	c := &cluster{databases: startDatabases(t, rand.New(rand.NewPCG(seed, 3))), count: map[string]int{}}
	via := map[string]string{}
	for _, n := range c.pg.Nodes {
		p := newProxy(t, fmt.Sprintf("127.0.0.1:%d", n.Port))
		c.proxies = append(c.proxies, p)
		via[n.Name] = p.l.Addr().String()
	}
	faults := sampled(*faults, 12, 3)
	for round, done := 1, 0; done < faults && !t.Failed(); round++ {
		database := fmt.Sprintf("round%d", round)
		c.create(database)
		c.start(c.url(database, via), c.url(database, nil))
		for len(c.clients) > 0 && done < faults && !t.Failed() {
			time.Sleep(time.Duration(c.rng.IntN(400)) * time.Millisecond)
			c.reap()
			if len(c.clients) > 0 {
				c.fault()
				done++
			}
		}
		c.end()
	}
	t.Logf("faults: %v", c.count)
	t.Logf("from the primary's death to the next acknowledged batch: %v", c.outages)
}

func (c *cluster) start(urls ...string) {
	c.t.Helper()
	c.servers, c.clients = nil, map[int]*process{}
	var addresses []string
	for _, url := range urls {
		k := &killing{lab: &lab{c.t, c.t.TempDir()}, rng: c.rng, address: "127.0.0.1:" + freePort(c.t), kills: map[string]int{}, options: []string{"--journal", url}}
		k.startServer()
		c.servers, addresses = append(c.servers, k), append(addresses, k.address)
	}
	c.servers[0].dataset()
	for id := 1; id <= 5; id++ {
		// Half of them begin with the one server, half with the other.
		both := addresses[id%2] + "," + addresses[1-id%2]
		c.clients[id] = c.servers[0].launch("client", "--id", strconv.Itoa(id), "--server", both, "--timeout", "2m",
			"--batch-max-amount", strconv.Itoa((2+c.rng.IntN(6))*batchScale()), "--window", strconv.Itoa(1+c.rng.IntN(4)))
	}
}

// reap takes in the clients that have ended.
func (c *cluster) reap() {
	c.t.Helper()
	for id, p := range c.clients {
		if strings.Contains(p.log(), "action: consulta_ganadores") || syscall.Kill(p.Process.Pid, 0) != nil {
			p.wait()
			want := fmt.Sprintf("cant_ganadores: %d\n", []int{2, 3, 3, 2, 0}[id-1])
			if !strings.Contains(p.log(), want) {
				c.t.Errorf("agency %d logged\n%s\nwant %q", id, tail(p.log()), want)
			}
			delete(c.clients, id)
		}
	}
}

func (c *cluster) fault() {
	c.t.Helper()
	kinds := map[string]func(){
		"server":  func() { c.servers[c.rng.IntN(2)].killServer() },
		"standby": c.killStandby,
		"primary": c.failOver,
		"network": c.cutNetwork,
		// What the primary shows and could lose.
		"cancel": c.cancel, "terminate": c.terminate, "restart": c.restart,
		"alone, back": func() { c.alone(); c.rejoined() },
		"alone, lost": func() { c.alone(); c.failOver() },
		"switched":    c.switched,
		// A server that starts ends at once with these.
		"asynchronous": func() { awaitStart(c.servers); c.asynchronous() },
		"locked out":   func() { awaitStart(c.servers); c.lockedOut() },
	}
	if len(c.bag) == 0 { // so that none is left out by chance
		c.bag = append(slices.Sorted(maps.Keys(kinds)), "server", "server")
		c.rng.Shuffle(len(c.bag), func(i, j int) { c.bag[i], c.bag[j] = c.bag[j], c.bag[i] })
	}
	kind := c.bag[0]
	c.bag = c.bag[1:]
	kinds[kind]()
	c.count[kind]++
}

func (c *cluster) killStandby() {
	c.t.Helper()
	n := c.standby()
	n.Kill()
	c.pause(500)
	n.Start()
}

func (c *cluster) cutNetwork() {
	c.cut(true)
	c.pause(3000)
	c.cut(false)
}

func (c *cluster) cut(cut bool) {
	for _, p := range c.proxies {
		p.set(cut)
	}
}

// failOver kills the primary, promotes the standby that has most, and lets the dead one come back as a standby.
func (c *cluster) failOver() {
	c.t.Helper()
	killed, before := time.Now(), c.acknowledged()
	dead := c.lost()
	for deadline := time.Now().Add(patience); c.acknowledged() == before && len(c.clients) > 0; time.Sleep(5 * time.Millisecond) {
		c.reap()
		if time.Now().After(deadline) {
			c.t.Fatalf("nothing was acknowledged within %v of the primary's loss:\n%s", patience, tail(c.servers[0].server.log()))
		}
	}
	if len(c.clients) > 0 {
		c.outages = append(c.outages, time.Since(killed).Round(10*time.Millisecond))
	}
	c.pg.Rejoin(dead, c.primary)
}

// acknowledged counts what the servers that run say they have stored.
func (c *cluster) acknowledged() (n int) {
	for _, k := range c.servers {
		n += strings.Count(k.server.log(), "apuesta_recibida | result: success")
	}
	return n
}

func (c *cluster) end() {
	c.t.Helper()
	for deadline := time.Now().Add(patience); len(c.clients) > 0; time.Sleep(20 * time.Millisecond) {
		if c.reap(); time.Now().After(deadline) {
			c.t.Fatalf("%d agencies do not end:\n%s", len(c.clients), tail(c.servers[0].server.log()))
		}
	}
	draws := 0
	awaitStart(c.servers)
	for _, k := range c.servers {
		wantDocuments(c.t, k.address)
		k.server.stop()
		draws += k.drawn + strings.Count(k.server.log(), "action: sorteo | result: success\n")
	}
	if draws > 1 {
		c.t.Errorf("the draw was logged %d times", draws)
	}
	wantExport(c.t, c.servers[0].lab, 5, c.servers[1].options...)
}

// What several connections of each agency are answered by two servers has one order, with either killed in between, and
// with a database that shows what it may lose, loses it, or turns the servers away.
func TestClusterHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	t.Parallel()
	d := startDatabases(t, rand.New(rand.NewPCG(1, 4)))
	faults := []func([]*killing){
		func([]*killing) { d.alone(); dead := d.lost(); d.pg.Rejoin(dead, d.primary) },
		func([]*killing) { d.cancel() },
		func([]*killing) { d.terminate() },
		func(servers []*killing) { awaitStart(servers); d.asynchronous() },
		func([]*killing) { d.restart() },
		func([]*killing) { d.alone(); d.rejoined() },
		func(servers []*killing) { awaitStart(servers); d.lockedOut() },
		func([]*killing) { d.switched() },
	}
	for n := range max(1, sampled(*histories, 10, 4)*2/5) {
		database := fmt.Sprintf("history%d", n)
		d.create(database)
		options := []string{"--journal", d.url(database, nil)}
		var some []func([]*killing) // of each history, so that few histories have them all
		for i := range 2 {
			some = append(some, faults[(2*n+i)%len(faults)])
		}
		checkHistory(t, recordHistory(t, uint64(1000+n), [][]string{options, options}, some...))
	}
}
