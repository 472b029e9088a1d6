//go:build linux

package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestHonestAgenciesKeepTheirRate sends batches at a steady rate from some agencies, first alone, and then beside strangers and an
// agency that do what they can against the server. The honest ones keep their rate, log in when they want to, and nothing that was
// acknowledged to them is lost. The share that they keep, how long a batch takes, and the server's memory are in the test's log:
//
//	go test ./integration -run TestHonestAgenciesKeepTheirRate -v
func TestHonestAgenciesKeepTheirRate(t *testing.T) {
	const honest, perSecond, phase = 4, 50, 4 * time.Second
	l := &lab{t, t.TempDir()}
	var tokens []string
	for n := 1; n <= honest+1; n++ {
		tokens = append(tokens, l.must(nil, program(t), "agency", "add", strconv.Itoa(n)))
	}
	server, address := l.serve("--agencies", strconv.Itoa(honest+1), "--http-addr", "off")

	agencies := make([]*honestAgency, honest)
	for i := range agencies {
		agencies[i] = &honestAgency{number: i + 1, token: tokenIn(tokens[i]), address: address, perSecond: perSecond}
	}
	alone := measureAgencies(t, agencies, phase)
	// They are a process of the lowest priority. They would be other machines: with an equal one the test would measure how the two
	// ends share this machine's cores.
	hostile := exec.Command("nice", "-n", "19", os.Args[0], "-test.run", "^TestHostileClients$", "-test.timeout", "5m")
	hostile.Env = append(os.Environ(), attackVariable+"="+fmt.Sprintf("%s %d %s", address, honest+1, tokenIn(tokens[honest])))
	attack := l.start(hostile)
	time.Sleep(2 * time.Second) // until they have taken what they can
	beside := measureAgencies(t, agencies, phase)
	memory := highWater(t, server.Process.Pid)
	attack.stop()

	share := beside.rate / alone.rate
	t.Logf("alone: %s", alone)
	t.Logf("beside hostile clients: %s", beside)
	t.Logf("the honest agencies keep %.2f of their rate; the server had %d MiB of memory at most", share, memory>>20)
	// On fewer cores than that the clients' own share of them is felt, and what other tests run beside this one.
	least := 0.8
	if runtime.NumCPU() < 4 {
		least = 0.5
	}
	if share < least {
		t.Errorf("the honest agencies keep %.2f of their rate, want %.1f at least", share, least)
	}
	if let := float64(beside.logins) / float64(beside.tries); let < 0.8 {
		t.Errorf("%d of %d logins were let in", beside.logins, beside.tries)
	}
	for _, a := range agencies {
		if stored := a.stored(t); stored != a.acknowledged.Load() {
			t.Errorf("agency %d: %d bets are stored, and %d were acknowledged", a.number, stored, a.acknowledged.Load())
		}
	}
	server.stop()
}

// attackVariable says what TestHostileClients attacks: an address, an agency and its token.
const attackVariable = "QUINIELA_ATTACK"

// TestHostileClients is no test, but the process that attacks the server of TestHonestAgenciesKeepTheirRate, until it is stopped.
func TestHostileClients(t *testing.T) {
	var address, token string
	var agency int
	if _, err := fmt.Sscan(os.Getenv(attackVariable), &address, &agency, &token); err != nil {
		return
	}
	ctx, over := signal.NotifyContext(t.Context(), syscall.SIGTERM)
	defer over()
	var all sync.WaitGroup
	for _, attacker := range attackers(address, agency, token) {
		all.Go(func() { attacker(ctx) })
	}
	all.Wait()
}

// tokenIn finds the token in what `quiniela agency add` prints.
func tokenIn(output string) string { return regexp.MustCompile(`[A-Z2-7]{52}`).FindString(output) }

// figures are what the agencies reached together.
type figures struct {
	rate          float64 // batches acknowledged a second
	took          []time.Duration
	logins, tries int
}

func (f figures) String() string {
	slices.Sort(f.took)
	at := func(share float64) time.Duration {
		return f.took[int(share*float64(len(f.took)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%.0f batches/s, each in %s (median), %s (99 of 100), %s (the slowest); %d of %d logins let in",
		f.rate, at(0.5), at(0.99), at(1), f.logins, f.tries)
}

// measureAgencies lets the agencies send for some time. Beside them one logs in again and again.
func measureAgencies(t *testing.T, agencies []*honestAgency, phase time.Duration) (f figures) {
	t.Helper()
	during, over := context.WithTimeout(t.Context(), phase)
	defer over()
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, a := range agencies {
		all.Go(func() {
			took, err := a.send(during)
			if err != nil {
				t.Errorf("agency %d: %v", a.number, err)
			}
			mu.Lock()
			f.took = append(f.took, took...)
			mu.Unlock()
		})
	}
	all.Go(func() {
		for ; during.Err() == nil; time.Sleep(50 * time.Millisecond) {
			f.tries++
			if conn, err := agencies[0].login(); err == nil {
				f.logins++
				_ = conn.Close()
			}
		}
	})
	all.Wait()
	f.rate = float64(len(f.took)) / phase.Seconds()
	return f
}

// honestAgency sends a batch of a hundred bets perSecond times a second, and waits for each answer.
type honestAgency struct {
	number       int
	token        string
	address      string
	perSecond    int
	batches      int
	acknowledged atomic.Int64 // bets
}

func (a *honestAgency) login() (*session, error) {
	conn, err := net.DialTimeout("tcp", a.address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	s := &session{Conn: conn, replies: bufio.NewReader(conn)}
	reply, err := s.say(fmt.Sprintf("hello|%d|%s", a.number, a.token))
	if err == nil && !strings.HasPrefix(reply, "ok|") {
		err = fmt.Errorf("hello is answered %q", reply)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	s.hello = reply
	return s, nil
}

// send sends batches until ctx ends, and returns how long each took. A batch that is late is not made up for.
func (a *honestAgency) send(ctx context.Context) (took []time.Duration, err error) {
	s, err := a.login()
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	const bets = 100
	lines := strings.Repeat("Ana,Paz,1,1990-01-01,7\n", bets)
	tick := time.NewTicker(time.Second / time.Duration(a.perSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return took, nil
		case <-tick.C:
		}
		began := time.Now()
		reply, err := s.say(fmt.Sprintf("agency_ID|%d|%d\n%s", a.number, a.batches+1, lines))
		if err != nil || reply != fmt.Sprintf("success|%d", bets) {
			return took, fmt.Errorf("batch %d is answered %q, %v", a.batches+1, reply, err)
		}
		a.batches++
		a.acknowledged.Add(bets)
		took = append(took, time.Since(began))
	}
}

// stored asks how many bets the server has.
func (a *honestAgency) stored(t *testing.T) int64 {
	t.Helper()
	s, err := a.login()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	n, err := strconv.ParseInt(strings.Split(s.hello, "|")[2], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type session struct {
	net.Conn
	replies *bufio.Reader
	hello   string // the reply
}

func (s *session) say(body string) (reply string, err error) {
	_ = s.SetDeadline(time.Now().Add(5 * time.Minute))
	if _, err := fmt.Fprintf(s, "%d;%s", len(body), body); err != nil {
		return "", err
	}
	reply, err = s.replies.ReadString('\n')
	return strings.TrimSuffix(reply, "\n"), err
}

// attackers are what goes on against the server until the context ends: strangers from other addresses of this machine, and an agency.
func attackers(address string, agency int, token string) (all []func(context.Context)) {
	again := func(pause time.Duration, attack func(conn net.Conn)) {
		from := fmt.Sprintf("127.0.1.%d", 1+len(all)%20)
		all = append(all, func(ctx context.Context) {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: time.Second}
			for ; ctx.Err() == nil; time.Sleep(pause) {
				conn, err := d.DialContext(ctx, "tcp", address)
				if err != nil {
					continue
				}
				stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
				attack(conn)
				stop()
				_ = conn.Close()
			}
		})
	}
	frame := func(bodies ...string) (text string) {
		for _, body := range bodies {
			text += fmt.Sprintf("%d;%s", len(body), body)
		}
		return text
	}
	answered := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = io.WriteString(conn, text)
			_, _ = io.Copy(io.Discard, conn)
		}
	}
	for range 500 { // silent, for as long as they may
		again(10*time.Millisecond, answered(""))
	}
	for range 20 {
		again(10*time.Millisecond, answered(frame(fmt.Sprintf("hello|%d|wrong", agency))))
		again(10*time.Millisecond, answered(frame("query_winners|1", "nothing", "agency_ID|1|1\nAna,Paz,1,1990-01-01,7", "1~x", "hello|x")))
		again(10*time.Millisecond, answered("1048576;agency_ID|1|1\n"+strings.Repeat("x", 1<<20-100)))
	}
	login := frame(fmt.Sprintf("hello|%d|%s", agency, token))
	for range 10 { // what an agency may send, as fast as it may
		again(10*time.Millisecond, func(conn net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			one := login + frame(slices.Repeat([]string{fmt.Sprintf("agency_ID|%d\nAna,Paz,1,1990-01-01,7", agency)}, 1000)...)
			for {
				if _, err := io.WriteString(conn, one); err != nil {
					return
				}
			}
		})
		again(10*time.Millisecond, answered(login+"1048576;agency_ID|1|1\nAna"))
		again(10*time.Millisecond, answered(login+strings.Repeat(frame(fmt.Sprintf("wait_winners|%d", agency)), 50)))
		again(10*time.Millisecond, func(conn net.Conn) { _, _ = io.WriteString(conn, login+strings.Repeat(login, 1000)) })
	}
	return all
}

// highWater returns the most memory that a process has had, in bytes.
func highWater(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatal("there is no VmHWM")
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n << 10
}
