//go:build unix

// The system in containers, as the specification describes it: built from the Dockerfiles, started from a generated
// compose file, judged by exit codes and by their logs.

// Package integration holds tests of the whole system: its scripts, its images and its processes, from the outside.
package integration

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestImagesBuildWithEitherBuilder(t *testing.T) {
	t.Parallel()
	needDocker(t)
	builders := map[string]func() error{"default": images}
	if *exhaustive {
		builders["legacy"] = func() error { return build("DOCKER_BUILDKIT=0") }
		builders["buildkit"] = func() error { return build("DOCKER_BUILDKIT=1") }
	}
	for name, builder := range builders {
		t.Run(name, func(t *testing.T) {
			if err := builder(); err != nil {
				t.Fatal(err)
			}
			for image, want := range map[string]string{
				"server": `"65532:65532" ["/quiniela","server"] ["--config","/config.ini"] "/" {"12345/tcp":{},"8080/tcp":{}} {"/data":{}} ["CMD","/quiniela","health"] quiniela server`,
				"client": `"65532:65532" ["/quiniela","client"] ["--config","/config.yaml"] "/app" null null none quiniela client`,
			} {
				const format = "{{json .Config.User}} {{json .Config.Entrypoint}} {{json .Config.Cmd}} {{json .Config.WorkingDir}} {{json .Config.ExposedPorts}} " +
					`{{json .Config.Volumes}} {{with .Config.Healthcheck}}{{json .Test}}{{else}}none{{end}} {{index .Config.Labels "org.opencontainers.image.title"}}`
				got, err := command(t, nil, "docker", "image", "inspect", "-f", format, image+":latest")
				if strings.TrimSpace(got) != want {
					t.Errorf("%s is %s (%v), want %s", image, got, err, want)
				}
				if out, err := command(t, nil, "docker", "run", "--rm", "--entrypoint", "/quiniela", image+":latest", "version"); err != nil {
					t.Errorf("%s does not run: %v\n%s", image, err, out)
				}
			}
		})
	}
	if *exhaustive {
		t.Run("another platform", wantOtherPlatform)
	}
}

// wantOtherPlatform builds the server's image for a platform that is not this one: the compiler runs here all the same.
func wantOtherPlatform(t *testing.T) {
	architecture, want := "arm64", elf.EM_AARCH64
	if runtime.GOARCH == architecture {
		architecture, want = "amd64", elf.EM_X86_64
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "docker", buildArgs("server", "--platform", "linux/"+architecture, "-o", "type=local,dest="+dir)...)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "DOCKER_BUILDKIT=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := elf.Open(filepath.Join(dir, "quiniela"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	if program.Machine != want {
		t.Errorf("the program is for %v, want %v", program.Machine, want)
	}
}

// A changed setting, script, document or test compiles nothing again.
func TestOnlyTheProgramsSourcesMakeAnImage(t *testing.T) {
	t.Parallel()
	needDocker(t)
	if err := images(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "copy")
	files, err := command(t, func(cmd *exec.Cmd) { cmd.Dir = ".." }, "git", "ls-files", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Fatal(err, files)
	}
	changed := 0
	for _, name := range strings.Fields(files) {
		text, err := os.ReadFile(filepath.Join("..", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not committed
		}
		source := filepath.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "testdata/")
		embedded := strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "verify/")
		if !source && !embedded && name != ".dockerignore" && !strings.HasPrefix(filepath.Base(name), "go.") && filepath.Base(name) != "Dockerfile" {
			text = fmt.Appendf(text, "%d\n", time.Now().UnixNano()) // as no earlier build had it
			changed++
		}
		path := filepath.Join(dir, name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if changed < 50 {
		t.Fatalf("%d files were changed", changed)
	}
	// Not the image's ID: what is compiled again is the same program.
	step := regexp.MustCompile(`(?m)^(#\d+) \[build .*\] (COPY|RUN) `)
	for _, image := range []string{"server", "client"} {
		out, err := command(t, func(cmd *exec.Cmd) { cmd.Dir, cmd.Env = dir, append(os.Environ(), "DOCKER_BUILDKIT=1") },
			append([]string{"docker"}, buildArgs(image, "--progress", "plain")...)...)
		steps := step.FindAllStringSubmatch(out, -1)
		if err != nil || len(steps) < 4 {
			t.Fatalf("%s: %v, %d steps\n%s", image, err, len(steps), out)
		}
		for _, s := range steps {
			if !strings.Contains(out, "\n"+s[1]+" CACHED\n") {
				t.Errorf("%s: a change that is not of the program runs this step again: %s", image, s[0])
			}
		}
	}
}

func TestEchoReturnsEachClientItsMessages(t *testing.T) {
	haveDocker(t)
	agencies := []int{5}
	if *exhaustive {
		agencies = append(agencies, 1)
	}
	for _, n := range agencies {
		t.Run(fmt.Sprintf("N=%d", n), func(t *testing.T) {
			l := openLab(t, "echo", n)
			l.up()
			var sent []string
			for id := 1; id <= n; id++ {
				client := fmt.Sprintf("client%d", id)
				l.wantExit(client, "0")
				log := l.logs(client)
				var want []string
				for m := 1; m <= 5; m++ {
					msg := fmt.Sprintf("msg: [CLIENT %d] Message N°%d", id, m)
					sent = append(sent, msg)
					want = append(want, fmt.Sprintf("action: receive_message | result: success | client_id: %d | %s", id, msg))
				}
				if diff := cmp.Diff(want, actions(log, "receive_message")); diff != "" {
					t.Errorf("%s: -want +got\n%s", client, diff)
				}
				end := fmt.Sprintf("action: loop_finished | result: success | client_id: %d", id)
				if diff := cmp.Diff([]string{end}, actions(log, "loop_finished")); diff != "" {
					t.Errorf("%s: -want +got\n%s", client, diff)
				}
			}
			wantEchoServer(t, l, sent)
		})
	}
}

// wantEchoServer checks that the server logged every message once, and still serves.
func wantEchoServer(t *testing.T, l *lab, sent []string) {
	t.Helper()
	log := l.logs("server")
	accepts := actions(log, "accept_connections")
	if len(accepts) != 1+len(sent) || accepts[0] != "action: accept_connections | result: in_progress" {
		t.Errorf("the server accepted so: %q; want in_progress and then %d connections", accepts, len(sent))
	}
	for _, line := range accepts[1:] {
		if !strings.HasPrefix(line, "action: accept_connections | result: success | ip: 172.25.125.") {
			t.Errorf("the server logged %q", line)
		}
	}
	var got []string
	for _, line := range actions(log, "receive_message") {
		address, msg, _ := strings.Cut(strings.TrimPrefix(line, "action: receive_message | result: success | ip: "), " | ")
		if !strings.HasPrefix(address, "172.25.125.") {
			t.Errorf("the server logged %q", line)
		}
		got = append(got, msg)
	}
	slices.Sort(got)
	slices.Sort(sent)
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("messages at the server: -want +got\n%s", diff)
	}
	l.wantRunning("server")
	l.wantValid("success")
}

func TestConfigurationIsReadAtEachStartWithoutRebuild(t *testing.T) {
	l := openLab(t, "echo", 1)
	l.up()
	l.wantExit("client1", "0")
	wantConfig(t, l, "port: 12345", "logging_level: INFO", "loop_amount: 5", "loop_period: 200ms")

	l.replace("server/config.ini", "SERVER_PORT = 12345", "SERVER_PORT = 23456")
	l.replace("server/config.ini", "LOGGING_LEVEL = INFO", "LOGGING_LEVEL = DEBUG")
	l.replace("client/config.yaml", "server:12345", "server:23456")
	l.replace("client/config.yaml", "amount: 5", "amount: 2")
	l.replace("client/config.yaml", `"200ms"`, `"100ms"`)
	l.must(nil, "docker", "compose", "-f", "compose.yaml", "down", "-t", "8")
	l.up()
	l.wantExit("client1", "0")
	wantConfig(t, l, "port: 23456", "logging_level: DEBUG", "loop_amount: 2", "loop_period: 100ms")
	if lines := actions(l.logs("client1"), "receive_message"); len(lines) != 2 {
		t.Errorf("the client logged %q, want 2 messages", lines)
	}
	if !strings.Contains(l.logs("server"), " DEBUG ") {
		t.Error("the server logged nothing at debug level")
	}
	l.wantValid("success") // at the port of the changed file
}

// wantConfig checks fields of the lines in which server and client log their configuration, two of each.
func wantConfig(t *testing.T, l *lab, fields ...string) {
	t.Helper()
	for i, service := range []string{"server", "server", "client1", "client1"} {
		lines := actions(l.logs(service), "config")
		if len(lines) != 1 || !strings.Contains(lines[0]+" |", "| "+fields[i]+" |") {
			t.Errorf("%s logged the configuration %q, want one line with %q", service, lines, fields[i])
		}
	}
}

// wantValid runs the validator, from another folder.
func (l *lab) wantValid(result string) {
	l.t.Helper()
	code := map[string]string{"success": "0", "fail": "1"}[result]
	out, _ := l.run(nil, "sh", "-c", `cd / && sh "$0"; echo "exit code $?"`, filepath.Join(l.dir, "validar-echo-server.sh"))
	if want := "action: test_echo_server | result: " + result + "\nexit code " + code + "\n"; out != want {
		l.t.Errorf("the validator prints %q, want %q", out, want)
	}
}

func TestValidatorTellsAHealthyServerFromALyingOne(t *testing.T) {
	l := openLab(t, "echo", 0)
	l.wantValid("fail") // there is not even a network
	l.up()
	l.waitLog("server", "action: accept_connections | result: in_progress")
	l.wantValid("success")
	l.wantValid("success") // and the server goes on
	l.must(nil, "docker", "stop", "-t", "8", "server")
	l.wantValid("fail")
	l.must(nil, "docker", "rm", "-v", "server")

	lies := map[string]string{
		"another text":    "echo hello",
		"more than sent":  "cat; echo",
		"a byte more":     `cat; printf '\000'`,
		"less than sent":  "head -c 4",
		"nothing":         "true",
		"the first twice": "read -r m; echo $m; echo $m",
	}
	if *exhaustive {
		lies["never"] = "sleep 60" // the validator waits for ten seconds
	}
	l.write("answer", "")
	l.must(nil, "docker", "run", "-d", "--name", "server", "--network", "tp0_testing_net", "-v", filepath.Join(l.dir, "answer")+":/answer:ro",
		"busybox:latest", "nc", "-ll", "-p", "12345", "-e", "sh", "/answer")
	t.Cleanup(func() { _, _ = l.run(nil, "docker", "rm", "-f", "server") })
	for name, answer := range lies {
		t.Run(name, func(t *testing.T) {
			l.write("answer", answer)
			l.wantValid("fail")
		})
	}
	// The same stand-in, telling the truth: what failed above failed for the answer alone.
	l.write("answer", `read -r m; echo "$m"`)
	l.wantValid("success")
}

// The containers run as nobody, without capabilities, on a file system that cannot be written, and tell their health.
func TestContainersAreConfined(t *testing.T) {
	l := openLab(t, "batch", 1)
	l.write(".data/agency-1.csv", "Ana,Paz,1,1990-01-01,7\r\n")
	l.up()
	l.wantExit("client1", "0")
	for _, container := range []string{"server", "client1"} {
		const format = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Privileged}}"
		got := strings.TrimSpace(l.must(nil, "docker", "inspect", "-f", format, container))
		if want := "65532:65532 true [ALL] [no-new-privileges:true] false"; got != want {
			t.Errorf("%s runs as %q, want %q", container, got, want)
		}
	}
	if got := l.must(nil, "docker", "exec", "server", "/quiniela", "health"); got != "healthy\n" {
		t.Errorf("the server's health is %q", got)
	}
	if got := l.must(nil, "docker", "inspect", "-f", "{{json .Config.Healthcheck.Test}}", "server"); got != `["CMD","/quiniela","health"]`+"\n" {
		t.Errorf("the health check is %s", got)
	}
	if out, err := l.run(nil, "docker", "exec", "server", "/quiniela", "generate", "--out", "/elsewhere"); err == nil || !strings.Contains(out, "read-only file system") {
		t.Errorf("writing outside /data: %v, %s", err, out)
	}
}

// With 320 MiB the server takes three million bets and is not killed for its memory.
func TestTheServerKeepsToItsMemoryLimit(t *testing.T) {
	l := openLab(t, "batch", 0)
	l.must(nil, "docker", "run", "-d", "--name", "server", "-m", "320m", "--memory-swap", "320m", "server:latest", "--agencies", "5")
	t.Cleanup(func() { _, _ = l.run(nil, "docker", "rm", "-f", "-v", "server") })
	l.waitLog("server", "action: listen | result: success")
	ip := strings.TrimSpace(l.must(nil, "docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", "server"))
	l.launch("bench", "ingest", "--server", ip+":12345", "--bets", "3000000", "--rounds", "1").wait()
	if got := l.must(nil, "docker", "inspect", "-f", "{{.State.Running}} {{.State.OOMKilled}}", "server"); got != "true false\n" {
		t.Errorf("the server is running and was killed for its memory: %s", got)
	}
}

func TestSIGTERMEndsClientAndServerCleanly(t *testing.T) {
	haveDocker(t)
	for _, mode := range []string{"echo", "batch"} {
		for _, stop := range [][]string{{"client1"}, {"server"}, {"client1", "server"}} {
			if !*exhaustive && (mode == "echo") != (len(stop) == 2) { // a sample: both in mode echo, and each alone in mode batch
				continue
			}
			t.Run(mode+" "+strings.Join(stop, " and "), func(t *testing.T) {
				// A long loop, or a draw that waits for an agency which does not come: the client is at work until stopped.
				l := openLab(t, mode, 2)
				l.replace("client/config.yaml", "amount: 5", "amount: 100000")
				l.write(".data/agency-1.csv", "Ana,Paz,1,1990-01-01,7\r\n")
				l.up("server", "client1")
				l.waitLog("server", map[string]string{"echo": "action: receive_message", "batch": "action: apuesta_recibida"}[mode])
				l.must(nil, append([]string{"docker", "kill", "-s", "TERM"}, stop...)...)
				for _, container := range stop {
					l.wantExit(container, "0")
				}
				wantStopped(t, l, stop)
			})
		}
	}
}

func wantStopped(t *testing.T, l *lab, stopped []string) {
	t.Helper()
	for _, container := range stopped {
		log := l.logs(container)
		if strings.Contains(log, "action: exit") {
			t.Errorf("%s logged an action named exit:\n%s", container, log)
		}
		if container != "server" {
			continue
		}
		if lines := actions(log, "close_listener"); len(lines) != 1 || !strings.Contains(lines[0], "| result: success |") {
			t.Errorf("the server closed its listener so: %q", lines)
		}
	}
	if !slices.Contains(stopped, "server") {
		l.wantRunning("server")
	}
}

// wantWinners waits for the five agencies and checks what each was told.
func wantWinners(t *testing.T, l *lab) {
	t.Helper()
	for i, winners := range []int{2, 3, 3, 2, 0} {
		client := "client" + strconv.Itoa(i+1)
		l.wantExit(client, "0")
		want := fmt.Sprintf("action: consulta_ganadores | result: success | cant_ganadores: %d", winners)
		if lines := actions(l.logs(client), "consulta_ganadores"); !slices.Contains(lines, want) {
			t.Errorf("%s logged %q, want %q", client, lines, want)
		}
	}
	want := []string{"action: sorteo | result: success"}
	if diff := cmp.Diff(want, actions(l.logs("server"), "sorteo")); diff != "" {
		t.Errorf("draws: -want +got\n%s", diff)
	}
}

func TestFiveAgenciesLearnTheirWinners(t *testing.T) {
	l := openLab(t, "batch", 5)
	l.dataset()
	l.up()
	wantWinners(t, l)
	wantStored(t, l)
}

func TestKilledServerLosesNothing(t *testing.T) {
	l := openLab(t, "batch", 5)
	l.dataset()
	l.replace("client/config.yaml", "batch:\n  maxAmount: ", "window: 1\nbatch:\n  maxAmount: 20 # not ") // so that it lasts
	// The fifth agency comes later: the draw cannot be over before the server is killed.
	l.up("server", "client1", "client2", "client3", "client4")
	l.waitLog("server", "action: apuesta_recibida | result: success")
	l.must(nil, "docker", "kill", "server")
	t.Logf("killed after %d batches", len(actions(l.logs("server"), "apuesta_recibida")))
	l.must(nil, "docker", "start", "server")
	l.up("--no-recreate", "client5")
	wantWinners(t, l)
	wantStored(t, l)
}

// wantStored stops the server and checks that it holds every bet of the files exactly once.
func wantStored(t *testing.T, l *lab) {
	t.Helper()
	var want []string
	for id := 1; id <= 5; id++ {
		for line := range strings.Lines(l.read(fmt.Sprintf(".data/agency-%d.csv", id))) {
			want = append(want, fmt.Sprintf("%d,%s", id, strings.TrimRight(line, "\r\n")))
		}
	}
	l.must(nil, "docker", "stop", "-t", "9", "server")
	out := l.must(nil, "docker", "run", "--rm", "--volumes-from", "server", "--entrypoint", "/quiniela", "server:latest", "export", "--data", "/data")
	got := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("the server holds %d bets, want the %d of the files; %d lines of it are not in both", len(got), len(want), different(want, got))
	}
}

// different counts the lines that are not in both sorted lists.
func different(a, b []string) (n int) {
	count := map[string]int{}
	for _, line := range a {
		count[line]++
	}
	for _, line := range b {
		count[line]--
	}
	for _, c := range count {
		n += max(c, -c)
	}
	return n
}
