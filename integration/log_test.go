//go:build unix

package integration

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A server that is killed the moment an answer has arrived has told its log what it answered: its standard output is a
// pipe that nobody reads until the process is gone.
func TestAKillAfterTheAnswerTakesNoLine(t *testing.T) {
	t.Parallel()
	frame := func(bodies ...string) (s string) {
		for _, b := range bodies {
			s += fmt.Sprintf("%d;%s", len(b), b)
		}
		return s
	}
	const winner = "Win,Ner,30876370,1990-01-01,7574\n"
	for name, row := range map[string]struct{ request, reply, line string }{
		"batch":         {frame("agency_ID|1|1\n" + winner), "success|1\n", "apuesta_recibida | result: success | cantidad: 1"},
		"bare batch":    {"agency_ID|1\n" + winner + "\n", "success|1\n", "apuesta_recibida | result: success | cantidad: 1"},
		"bet lines":     {winner + winner + "\n", "success|2\n", "apuesta_recibida | result: success | cantidad: 2"},
		"refused batch": {frame("agency_ID|1|1\nx\n"), "fail|0|invalid|", "apuesta_recibida | result: fail | cantidad: 1"},
		"batch too far": {frame("agency_ID|1|7\n" + winner), "fail|0|gap|1\n", "apuesta_recibida | result: fail | cantidad: 1"},
		"single bet":    {"1~Ana~Paz~31~1990-01-01~7\n", "ok|31|7\n", "apuesta_almacenada | result: success | dni: 31 | numero: 7"},
		"winners":       {frame("notify_finished|1\n", "wait_winners|1\n"), "ack_notify\nok|0\n", "sorteo | result: success"},
		"unknown verb":  {frame("open_sesame|1\n"), "fail|0|unknown|", "receive_message | result: fail"},
		"connection":    {frame("query_winners|1\n"), "in_progress", "accept_connections | result: success | ip: 127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := answerAndKill(t, row.request, row.reply)
			if n := strings.Count(log, "action: "+row.line); n != 1 {
				t.Errorf("%d lines %q in the log:\n%s", n, row.line, log)
			}
		})
	}
}

// answerAndKill starts a server for one agency, sends it a request, kills it when the reply has come, and returns all that
// it had written.
func answerAndKill(t *testing.T, request, want string) string {
	path := program(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	cmd := exec.Command(path, "server", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "off", "--agencies", "1")
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	kill := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // what it returns is that it was killed
	}
	defer kill()
	_ = r.SetReadDeadline(time.Now().Add(patience))
	log := ""
	listening := regexp.MustCompile(`listen \| result: success \| address: (\S+)`)
	for buf := make([]byte, 4096); listening.FindString(log) == "" || !strings.Contains(log, "in_progress\n"); {
		n, err := r.Read(buf)
		if log += string(buf[:n]); err != nil {
			t.Fatalf("%v after %s", err, log)
		}
	}
	got := exchange(t, listening.FindStringSubmatch(log)[1], request, want)
	kill()
	rest, err := io.ReadAll(r)
	if err != nil || !strings.HasPrefix(got, want) {
		t.Fatalf("answered %q, want %q; %v", got, want, err)
	}
	return log + string(rest)
}

// exchange sends a request and returns what has come back as soon as it is as long as want.
func exchange(t *testing.T, address, request, want string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, len(want))
	if _, err := io.ReadFull(conn, reply); err != nil {
		t.Fatalf("%q: %v", reply, err)
	}
	return string(reply)
}
