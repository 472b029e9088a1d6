//go:build unix

package integration

import (
	"bytes"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"quiniela/internal/sidebyside"
)

// binary builds quiniela once, for the tests that run it as processes of this machine.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := filepath.Abs(filepath.Join("..", "bin"))
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "quiniela-under-test")
	if err := touchSources(); err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", path, "../cmd/quiniela").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return path, nil
})

// program returns the path of the program under test. With -short no test starts it.
func program(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts the program: not with -short")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// touchSources looks at each source file, so that `go test` knows of them and runs these tests again when one changes.
func touchSources() error {
	return filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".go" {
			_, err = os.Stat(path)
		}
		return err
	})
}

// process is a quiniela that runs.
type process struct {
	*exec.Cmd
	t   testing.TB
	mu  sync.Mutex
	out bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// launch starts quiniela in the lab's folder.
func (l *lab) launch(args ...string) *process {
	l.t.Helper()
	return l.start(exec.Command(program(l.t), args...))
}

// start starts a command in the lab's folder.
func (l *lab) start(cmd *exec.Cmd) *process {
	l.t.Helper()
	p := &process{Cmd: cmd, t: l.t}
	p.Dir, p.Stdout, p.Stderr = l.dir, p, p
	if err := p.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// serve starts a server on a free port of this machine, and returns it with its address.
func (l *lab) serve(args ...string) (*process, string) {
	l.t.Helper()
	server := l.launch(append([]string{"server", "--ip", "127.0.0.1", "--port", freePort(l.t)}, args...)...)
	return server, server.address()
}

// freePort returns a port that is the test's until it ends, for a server that is started again.
func freePort(t testing.TB) string {
	t.Helper()
	port, release, err := sidebyside.Port()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return strconv.Itoa(port)
}

// address waits until a server takes connections, and returns where.
func (p *process) address() string {
	p.t.Helper()
	return p.await(`listen \| result: success \| address: (\S+)`)
}

// stop asks for the end, and waits for it.
func (p *process) stop() {
	p.t.Helper()
	_ = p.Process.Signal(syscall.SIGTERM)
	p.wait()
}

// wait waits for the end, and checks that it was a good one.
func (p *process) wait() {
	p.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.Process.Kill() })
	defer timer.Stop()
	if err := p.Cmd.Wait(); err != nil {
		p.t.Errorf("%s: %v\n%s", strings.Join(p.Args[1:], " "), err, tail(p.log()))
	}
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

// await waits for a line and returns its first group.
func (p *process) await(pattern string) string {
	p.t.Helper()
	r := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if m := r.FindStringSubmatch(p.log()); m != nil {
			return m[len(m)-1]
		}
		if state, err := os.ReadFile("/proc/" + strconv.Itoa(p.Process.Pid) + "/stat"); err == nil && bytes.Contains(state, []byte(") Z ")) {
			break // it has ended
		}
	}
	p.t.Fatalf("%s never logged %s:\n%s", strings.Join(p.Args[1:], " "), pattern, tail(p.log()))
	return ""
}

// The real files, as processes: the documents of the winners are those that the files' own description names.
func TestRealFilesNatively(t *testing.T) {
	t.Parallel()
	l := &lab{t, t.TempDir()}
	l.dataset()
	server := l.launch("server", "--port", "0")
	address := "127.0.0.1:" + server.await(`listen \| result: success \| address: \[::\]:(\d+)`)
	var clients []*process
	for id := 1; id <= 5; id++ {
		clients = append(clients, l.launch("client", "--id", strconv.Itoa(id), "--server", address))
	}
	for i, winners := range []int{2, 3, 3, 2, 0} {
		clients[i].wait()
		want := "action: consulta_ganadores | result: success | cant_ganadores: " + strconv.Itoa(winners) + "\n"
		if !strings.Contains(clients[i].log(), want) {
			t.Errorf("agency %d logged\n%s\nwant %q", i+1, clients[i].log(), want)
		}
	}
	wantDocuments(t, address)
	server.stop()
	if n := strings.Count(server.log(), "action: sorteo | result: success\n"); n != 1 {
		t.Errorf("the draw was logged %d times, want 1", n)
	}
	wantExport(t, l, 5)
}

// The fifth agency comes a minute late, which is longer than one wait_winners: the others wait, and get their winners.
func TestTheLastAgencyComesAMinuteLate(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	t.Parallel()
	l := &lab{t, t.TempDir()}
	l.dataset()
	server, address := l.serve()
	var clients []*process
	for id := 1; id <= 5; id++ {
		if id == 5 {
			time.Sleep(time.Duration(sampled(0, 60, 10)) * time.Second)
			if strings.Contains(server.log(), "action: sorteo") {
				t.Error("the draw did not wait for the fifth agency")
			}
		}
		clients = append(clients, l.launch("client", "--id", strconv.Itoa(id), "--server", address))
	}
	for i, winners := range []int{2, 3, 3, 2, 0} {
		clients[i].wait()
		if !strings.Contains(clients[i].log(), "cant_ganadores: "+strconv.Itoa(winners)+"\n") {
			t.Errorf("agency %d logged\n%s\nwant %d winners", i+1, tail(clients[i].log()), winners)
		}
	}
}

func wantDocuments(t testing.TB, address string) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	for i, documents := range [][]string{
		{"30876370", "24807259"}, {"33791469", "31660107", "24813860"}, {"22737492", "23328212", "28188111"}, {"34963649", "35635602"}, nil,
	} {
		want := "ok|" + strconv.Itoa(len(documents)) + "\n"
		for _, d := range documents {
			want += d + "\n"
		}
		if got := ask(t, host+":"+port, "query_winners|"+strconv.Itoa(i+1)+"\n"); got != want {
			t.Errorf("agency %d: %q, want %q", i+1, got, want)
		}
	}
}

// wantExport checks that the export is the bets of n agencies' files, each agency's in the order of its file.
func wantExport(t testing.TB, l *lab, n int, options ...string) {
	t.Helper()
	export := l.launch(append([]string{"export", "-o", "bets.csv"}, options...)...)
	export.wait()
	stored := map[string][]string{}
	for line := range strings.Lines(l.read("bets.csv")) {
		agency, bet, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ",")
		stored[agency] = append(stored[agency], bet)
	}
	for id := 1; id <= n; id++ {
		var want []string
		for line := range strings.Lines(l.read(".data/agency-" + strconv.Itoa(id) + ".csv")) {
			want = append(want, strings.TrimRight(line, "\r\n"))
		}
		if got := stored[strconv.Itoa(id)]; !slices.Equal(got, want) {
			t.Errorf("agency %d: %d bets are stored and its file has %d, or they differ", id, len(got), len(want))
		}
	}
}

// ask sends a bare request and returns all that comes back.
func ask(t testing.TB, address, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(reply)
}
