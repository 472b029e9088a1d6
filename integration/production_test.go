//go:build unix

package integration

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela/internal/certs"
)

// production is the production compose file in a folder of its own, as it is but for the ports of this machine, and a shorter wait
// for its health.
func production(t *testing.T) *lab {
	t.Helper()
	needDocker(t)
	if err := images(); err != nil {
		t.Fatal(err)
	}
	l := &lab{t, t.TempDir()}
	l.write("compose.yaml", readFile(t, "../deploy/production/compose.yaml"))
	l.write("ports.yaml", "services:\n  server:\n    ports: !reset []\n    healthcheck: {interval: 1s}\n")
	tls := filepath.Join(l.dir, "tls")
	if _, err := certs.Create(tls, []string{"server"}, nil); err != nil {
		t.Fatal(err)
	}
	// The containers' user is not this one.
	if err := errors.Join(os.Chmod(tls, 0o755), os.Chmod(filepath.Join(tls, "server-key.pem"), 0o644), os.Chmod(filepath.Join(tls, "ca.pem"), 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = command(t, nil, "docker", "compose", "-p", "quiniela", "down", "-v", "--remove-orphans")
	})
	return l
}

// compose runs docker compose on the production file.
func (l *lab) compose(args ...string) (string, error) {
	return l.run(nil, append([]string{"docker", "compose", "-f", "compose.yaml", "-f", "ports.yaml"}, args...)...)
}

func (l *lab) mustCompose(args ...string) string {
	l.t.Helper()
	out, err := l.compose(args...)
	if err != nil {
		l.t.Fatalf("docker compose %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// once runs a command of quiniela in a container of its own, before the server's first start, and returns its standard output.
func (l *lab) once(args ...string) string {
	l.t.Helper()
	args = append([]string{"docker", "compose", "-f", "compose.yaml", "-f", "ports.yaml", "run", "--rm", "-T", "server"}, args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = l.dir
	out, err := cmd.Output()
	if err != nil {
		l.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// In production the first start is refused until the log has its name and agencies are registered. Then an agency with its token sends
// its bets over TLS, and neither it nor a health check leaves a failed request in the log.
func TestTheProductionServerRuns(t *testing.T) {
	l := production(t)
	out, err := l.compose("run", "--rm", "-T", "server")
	for _, want := range []string{"quiniela init --origin lottery.example/log --data /data", "quiniela agency add 1 --data /data"} {
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("a first start with nothing: %v, want %q:\n%s", err, want, out)
		}
	}
	if out, err := l.compose("run", "--rm", "-T", "server", "init", "--origin", "https://lottery.example/log"); err == nil || !strings.Contains(out, "begins with a scheme") {
		t.Errorf("a name that is none: %v\n%s", err, out)
	}
	key := l.once("init", "--origin", "lottery.example/log")
	token := l.once("agency", "add", "1", "--name", "Rosario centro")
	if key := l.once("operator", "add", "ana"); strings.Count(key, "\n") != 1 {
		t.Errorf("an operator's key is %q", key)
	}
	if again := l.once("init"); again != key || !strings.HasPrefix(key, "lottery.example/log+") {
		t.Errorf("init prints %q, and then %q", key, again)
	}
	l.mustCompose("up", "-d")
	await(t, "the server is healthy", func() bool {
		out := l.mustCompose("ps", "-a")
		if strings.Contains(out, "Exit") || strings.Contains(out, "Restarting") {
			t.Fatalf("%s\n%s", out, l.mustCompose("logs"))
		}
		return strings.Contains(out, "(healthy)")
	})
	l.mustCompose("exec", "-T", "server", "/quiniela", "draw", "open", "night", "--agencies", "1", "--source", "fixed", "--number", "7574")
	l.send(token)
	if out := l.mustCompose("exec", "-T", "server", "/quiniela", "draw", "results", "night"); !strings.Contains(out, "7574") {
		t.Errorf("the results are %s", out)
	}
	l.mustCompose("exec", "-T", "server", "/quiniela", "backup", "/backups/one")
	time.Sleep(3 * time.Second) // some health checks
	log := l.mustCompose("logs", "--no-log-prefix")
	wantQuiet(t, log)
	if !strings.Contains(log, strings.TrimSpace(key)) {
		t.Errorf("the log is not signed by the key %s of init:\n%s", key, log)
	}
	l.mustCompose("restart")
	await(t, "the server answers", func() bool { _, err := l.compose("exec", "-T", "server", "/quiniela", "health"); return err == nil })
	if out := l.mustCompose("exec", "-T", "server", "/quiniela", "draw", "list"); !strings.Contains(out, "night") {
		t.Errorf("after a restart the draws are %s", out)
	}
}

// send has agency 1 send two bets, from a container on the server's network.
func (l *lab) send(token string) {
	l.t.Helper()
	l.write("agency/agency-1.csv", "Ana,Paz,1,1990-01-01,7574\r\nEva,Sol,2,1990-01-02,7\r\n")
	l.write("agency/token", token)
	out, err := l.run(nil, "docker", "run", "--rm", "--network", "quiniela_default", "-v", filepath.Join(l.dir, "agency")+":/app/.data:ro",
		"-v", filepath.Join(l.dir, "tls", "ca.pem")+":/ca.pem:ro", "client:latest", "--config", "/dev/null",
		"--id", "1", "--token-file", "/app/.data/token", "--tls-ca", "/ca.pem", "--server", "server:12345")
	if want := "action: consulta_ganadores | result: success | cant_ganadores: 1"; err != nil || !strings.Contains(out, want) {
		l.t.Fatalf("the agency: %v, want %q\n%s", err, want, out)
	}
}

// wantQuiet checks that each line of a log is JSON, and that none is of something that failed.
func wantQuiet(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var fields struct{ Level, Result string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("a line of the log is not JSON: %s", line)
		}
		if fields.Level == "WARN" || fields.Level == "WARNING" || fields.Level == "ERROR" || fields.Result == "fail" {
			t.Errorf("the log has: %s", line)
		}
	}
}
