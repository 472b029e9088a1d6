//go:build unix

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela/internal/central"
	"quiniela/internal/ledger"
	"quiniela/internal/web"
)

// This file is the lottery that the tests of the game quiniela run: its servers, which are killed and started again, its agencies and its people.

// gameServer is one server of a lottery, which is killed and started again on the same data and the same port.
type gameServer struct {
	*process
	data   string
	port   string
	launch func() *process
	http   http.Client
}

// evening is a lottery of two agencies and two people, over one or more servers.
type evening struct {
	*lab
	servers []*gameServer
	journal []string // flags of the journal
	steps   int
	agency  map[int]string // tokens
	keys    map[string]string
	clients []*process
	draws   []gameDraw
}

// openEvening starts as many servers as there are data folders, each with what starts it.
func openEvening(t *testing.T, draws []gameDraw, journal []string, data []string, start func(e *evening, s *gameServer) *process) *evening {
	t.Helper()
	program(t)
	e := &evening{lab: &lab{t, t.TempDir()}, journal: journal, agency: map[int]string{}, keys: map[string]string{}, draws: draws}
	for agency := 1; agency <= 2; agency++ {
		out := e.quiniela("agency", "add", strconv.Itoa(agency), "--name", fmt.Sprintf("Agencia %d", agency), "--data", data[0])
		e.agency[agency] = tokenIn(out)
		for _, d := range draws {
			lines, _ := d.file(agency)
			e.write(fmt.Sprintf("%s-%d.csv", d.id, agency), lines)
		}
	}
	for _, who := range []string{"ana", "eva"} {
		e.keys[who] = tokenIn(e.quiniela("operator", "add", who, "--data", data[0]))
	}
	for i, folder := range data {
		if i > 0 { // everybody is known to each server
			e.must(nil, "cp", "-rp", data[0], folder)
		}
		e.open(folder, start)
	}
	return e
}

// open starts a server with a data folder.
func (e *evening) open(folder string, start func(e *evening, s *gameServer) *process) *gameServer {
	e.t.Helper()
	s := &gameServer{data: folder, port: freePort(e.t)}
	s.launch = func() *process { return start(e, s) }
	s.http.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(e.dir, folder, central.SocketName))
	}}
	e.servers = append(e.servers, s)
	e.start(s)
	return s
}

func (e *evening) start(s *gameServer) {
	e.t.Helper()
	s.process = s.launch()
	s.address()
	await(e.t, "the operator's socket answers", func() bool {
		status, _, err := e.try(s, "", "GET", "/api/v1/draws", "")
		return err == nil && status == 200
	})
}

// quiniela runs the program in the lab's folder, and expects that it is content.
func (e *evening) quiniela(args ...string) string {
	e.t.Helper()
	return e.must([]string{"LC_ALL=C"}, append([]string{program(e.t)}, args...)...)
}

// try asks a server's API on its socket, as the owner of the folder or as a person.
func (e *evening) try(s *gameServer, who, method, path, body string) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(e.t.Context(), method, "http://quiniela"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		request.Header.Set("Authorization", "Bearer "+e.keys[who])
	}
	response, err := s.http.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}

// current is the server that was started last.
func (e *evening) current() *gameServer { return e.servers[(e.steps+len(e.servers)-1)%len(e.servers)] }

func (e *evening) get(path string) string {
	e.t.Helper()
	status, text, err := e.try(e.current(), "", "GET", path, "")
	if err != nil || status != 200 {
		e.t.Fatalf("GET %s: %d %s %v\n%s", path, status, text, err, tail(e.current().log()))
	}
	return text
}

func (e *evening) post(who, path, body string, want int) string {
	e.t.Helper()
	status, text, err := e.try(e.current(), who, "POST", path, body)
	if err != nil || status != want {
		e.t.Fatalf("POST %s %s: %d %s %v\n%s", path, body, status, text, err, tail(e.current().log()))
	}
	return text
}

// shown is all that the API of a server says of the draws and their money.
func (e *evening) shown(s *gameServer) (all string) {
	e.t.Helper()
	for _, d := range e.draws {
		for _, what := range []string{"", "/payouts", "/winners", "/prizes.csv"} {
			status, text, err := e.try(s, "", "GET", "/api/v1/draws/"+d.id+what, "")
			if err != nil {
				e.t.Fatal(err)
			}
			all += fmt.Sprintf("%s%s: %d %s\n", d.id, what, status, text)
		}
	}
	return all
}

// again kills a server, another one each time, starts it again, and wants every server to say the same as before.
func (e *evening) again(step string) {
	e.t.Helper()
	e.restarted(step, func(*gameServer) {})
}

// anew is again, and the state is lost meanwhile: the server has the journal alone.
func (e *evening) anew(step string) {
	e.t.Helper()
	e.restarted(step, func(s *gameServer) { e.must(nil, "rm", "-r", filepath.Join(s.data, ledger.StateName)) })
}

func (e *evening) restarted(step string, meanwhile func(*gameServer)) {
	e.t.Helper()
	before := e.shown(e.current())
	s := e.servers[e.steps%len(e.servers)]
	e.steps++
	_ = s.Process.Kill()
	_ = s.Wait() // it was killed
	meanwhile(s)
	e.start(s)
	for _, s := range e.servers {
		after := ""
		for deadline := time.Now().Add(patience); after != before; time.Sleep(20 * time.Millisecond) { // over a shared journal one may be behind
			if after = e.shown(s); after != before && (len(e.servers) == 1 || time.Now().After(deadline)) {
				e.t.Fatalf("%s a restart changes what %s says:\n%s", step, s.data, cmp.Diff(before, after))
			}
		}
	}
}

// draw is what the API says of a draw.
func (e *evening) draw(id string) (d web.Draw) {
	e.t.Helper()
	if err := json.Unmarshal([]byte(e.get("/api/v1/draws/"+id)), &d); err != nil {
		e.t.Fatal(err)
	}
	return d
}

// untilAll waits until every draw is as f says.
func (e *evening) untilAll(what string, f func(web.Draw) bool) {
	e.t.Helper()
	for _, d := range e.draws {
		await(e.t, "draw "+d.id+" "+what, func() bool { return f(e.draw(d.id)) })
	}
}

// firstBatch sends the first batch of an agency's file by hand.
func (e *evening) firstBatch(d gameDraw, agency int) {
	e.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+e.current().port)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	lines, _ := d.file(agency)
	batch := strings.Join(strings.SplitAfter(lines, "\n")[:gameBatch], "")
	hello, send := fmt.Sprintf("hello|%d|%s|%s", agency, e.agency[agency], d.id), fmt.Sprintf("agency_ID|%d|1\n%s", agency, batch)
	if _, err := fmt.Fprintf(conn, "%d;%s%d;%s", len(hello), hello, len(send), send); err != nil {
		e.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	got := ""
	for buf := make([]byte, 4096); !strings.HasSuffix(got, fmt.Sprintf("success|%d\n", gameBatch)); {
		n, err := conn.Read(buf)
		if got += string(buf[:n]); err != nil {
			e.t.Fatalf("answered %q: %v", got, err)
		}
	}
}

// client starts an agency's client, which keeps its proofs and writes its winning rows.
func (e *evening) client(d gameDraw, agency int) *process {
	e.t.Helper()
	var addresses []string
	for _, s := range e.servers {
		addresses = append(addresses, "127.0.0.1:"+s.port)
	}
	name := fmt.Sprintf("%s-%d", d.id, agency)
	return e.launch("client", "--id", strconv.Itoa(agency), "--server", strings.Join(addresses, ","), "--draw", d.id, "--token", e.agency[agency],
		"--file", name+".csv", "--batch-max-amount", strconv.Itoa(gameBatch), "--timeout", "3m", "--winners", name+".winners", "--proofs", name+".proofs")
}

func (e *evening) clientsOf(agency int) {
	e.t.Helper()
	for _, d := range e.draws {
		e.clients = append(e.clients, e.client(d, agency))
	}
}
