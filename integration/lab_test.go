//go:build unix

package integration

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait on a container; what is waited for usually takes a second.
const patience = 3 * time.Minute

// lab is a folder with what `docker compose` needs: the scripts, the settings and a compose file of one's own.
type lab struct {
	t   testing.TB
	dir string
}

// skipOrFail skips a test that cannot run here, or fails it where the environment says that it has to run.
func skipOrFail(t testing.TB, variable, why string) {
	t.Helper()
	if os.Getenv(variable) == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// haveDocker skips the test where there is no engine, or not what the images are made of.
func haveDocker(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("not with -short")
	}
	for _, need := range [][]string{{"docker", "version"}, {"docker", "compose", "version"}} {
		if out, err := command(t, nil, need...); err != nil {
			skipOrFail(t, "QUINIELA_REQUIRE_DOCKER", fmt.Sprintf("these tests need Docker with compose v2; %s says: %v: %s", strings.Join(need, " "), err, lastLine(out)))
		}
	}
	for _, image := range []string{"busybox:latest", "golang:1.26-alpine"} {
		if _, err := command(t, nil, "docker", "image", "inspect", image); err == nil {
			continue
		}
		if out, err := command(t, nil, "docker", "pull", "-q", image); err != nil {
			skipOrFail(t, "QUINIELA_REQUIRE_DOCKER", fmt.Sprintf("these tests need the image %s, which cannot be pulled: %s", image, lastLine(out)))
		}
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}

// needDocker is haveDocker, and keeps the engine to the test until its end: names and subnet are fixed.
func needDocker(t testing.TB) {
	t.Helper()
	haveDocker(t)
	lockEngine(t)
	names, err := command(t, nil, "docker", "ps", "-a", "--filter", "name=^/(server|client[0-9]+)$", "--format", "{{.Names}}")
	if err != nil || names != "" {
		t.Fatalf("containers of these names are here already, and these tests would end them: %s\nType: make docker-compose-down     or: docker rm -f %s",
			names, strings.ReplaceAll(strings.TrimSpace(names), "\n", " "))
	}
}

// lockEngine waits for the tests of other processes on this machine.
func lockEngine(t testing.TB) {
	t.Helper()
	lockFile(t, filepath.Join(os.TempDir(), "quiniela-docker-tests.lock"))
}

// lockFile keeps a lock until the test ends.
func lockFile(t testing.TB, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
}

// build builds server:latest and client:latest as the README does, with the engine's default builder, or the one that
// DOCKER_BUILDKIT chooses in env.
func build(env ...string) error {
	for _, image := range []string{"server", "client"} {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
		defer cancel()
		args := buildArgs(image, "-t", image+":latest")
		cmd := exec.CommandContext(ctx, "docker", args...)
		cmd.Dir, cmd.Env = "..", append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v docker %s: %w\n%s", env, strings.Join(args, " "), err, out[max(0, len(out)-4000):])
		}
	}
	return nil
}

// buildArgs are the arguments of docker that build an image in the folder of the repository.
func buildArgs(image string, more ...string) []string {
	args := append([]string{"build", "-f", "./" + image + "/Dockerfile"}, more...)
	for _, v := range []string{"GOPROXY", "GOSUMDB", "GOFLAGS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if os.Getenv(v) != "" {
			args = append(args, "--build-arg", v)
		}
	}
	return append(args, ".")
}

// images builds the images for the tests that run them, once, with the builder of the README's commands, which then find them
// built.
var images = sync.OnceValue(func() error { return errors.Join(touchSources(), build()) })

// openLab makes a lab for n agencies, and takes down what ran in it when the test ends.
func openLab(t *testing.T, mode string, n int) *lab {
	t.Helper()
	needDocker(t)
	if err := images(); err != nil {
		t.Fatal(err)
	}
	l := &lab{t, t.TempDir()}
	for _, name := range []string{"generar-compose.sh", "validar-echo-server.sh", "server/config.ini", "client/config.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		l.write(name, string(text))
	}
	l.mkdir(".data")
	l.write("client/config.yaml", strings.ReplaceAll(l.read("client/config.yaml"), `"5s"`, `"200ms"`)) // the tests' time
	l.must([]string{"MODE=" + mode}, "sh", "./generar-compose.sh", "compose.yaml", fmt.Sprint(n))
	t.Cleanup(l.close)
	return l
}

func (l *lab) close() {
	if l.t.Failed() {
		out, _ := l.run(nil, "docker", "compose", "-f", "compose.yaml", "logs", "--no-color", "--tail", "40")
		l.t.Logf("the last lines of each container:\n%s", out)
	}
	if out, err := l.run(nil, "docker", "compose", "-f", "compose.yaml", "down", "-v", "--remove-orphans", "-t", "2"); err != nil {
		l.t.Errorf("docker compose down: %v\n%s", err, out)
	}
}

func (l *lab) mkdir(name string) {
	l.t.Helper()
	if err := os.MkdirAll(filepath.Join(l.dir, name), 0o755); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) read(name string) string {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// write writes a file in place: a mounted file is the inode, not the name.
func (l *lab) write(name, text string) {
	l.t.Helper()
	l.mkdir(filepath.Dir(name))
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// replace changes a settings file, which must hold what is to be changed.
func (l *lab) replace(name, from, to string) {
	l.t.Helper()
	text := l.read(name)
	if strings.Count(text, from) != 1 {
		l.t.Fatalf("%s holds %q %d times, want once:\n%s", name, from, strings.Count(text, from), text)
	}
	l.write(name, strings.Replace(text, from, to, 1))
}

// command runs a program and returns both its outputs.
func command(t testing.TB, prepare func(*exec.Cmd), args ...string) (string, error) {
	// Not the test's own context, which is cancelled before its cleanups run.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if prepare != nil {
		prepare(cmd)
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("no end within %v", patience)
	}
	return out.String(), err
}

func (l *lab) run(env []string, args ...string) (string, error) {
	return command(l.t, func(cmd *exec.Cmd) { cmd.Dir, cmd.Env = l.dir, append(os.Environ(), env...) }, args...)
}

func (l *lab) must(env []string, args ...string) string {
	l.t.Helper()
	out, err := l.run(env, args...)
	if err != nil {
		l.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// up starts services, or all of them.
func (l *lab) up(services ...string) {
	l.t.Helper()
	l.must(nil, append([]string{"docker", "compose", "-f", "compose.yaml", "up", "-d"}, services...)...)
}

// logs returns a container's log. `docker compose logs` shows the same, and takes four times as long to say it.
func (l *lab) logs(container string) string {
	l.t.Helper()
	return l.must(nil, "docker", "logs", container)
}

// await waits until something that another process is about to do is done.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// awaitFile waits until a file of the lab is there.
func (l *lab) awaitFile(name string) {
	l.t.Helper()
	await(l.t, name+" is written", func() bool {
		_, err := os.Stat(filepath.Join(l.dir, name))
		return err == nil
	})
}

// waitLog waits until a container's log holds a text.
func (l *lab) waitLog(container, text string) {
	l.t.Helper()
	await(l.t, fmt.Sprintf("%s logs %q", container, text), func() bool { return strings.Contains(l.logs(container), text) })
}

// wantExit waits until a container has ended, and checks its exit code.
func (l *lab) wantExit(container, code string) {
	l.t.Helper()
	if got := strings.TrimSpace(l.must(nil, "docker", "wait", container)); got != code {
		l.t.Errorf("%s ended with exit code %s, want %s", container, got, code)
	}
}

// wantRunning checks that a container runs.
func (l *lab) wantRunning(container string) {
	l.t.Helper()
	if got := strings.TrimSpace(l.must(nil, "docker", "inspect", "-f", "{{.State.Running}}", container)); got != "true" {
		l.t.Errorf("%s does not run any more", container)
	}
}

// actions returns the log lines of an action, each from its action on.
func actions(log, action string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		if i := strings.Index(line, "action: "+action+" |"); i >= 0 {
			lines = append(lines, strings.TrimSuffix(line[i:], "\n"))
		}
	}
	return lines
}

// dataset unpacks the real agency files into the lab.
func (l *lab) dataset() {
	l.t.Helper()
	path := os.Getenv("QUINIELA_DATASET")
	if path == "" {
		path = filepath.Join("..", "..", "shared", "data", "dataset.zip")
	}
	archive, err := zip.OpenReader(path)
	if errors.Is(err, os.ErrNotExist) {
		skipOrFail(l.t, "QUINIELA_REQUIRE_DATASET", "this test needs the real agency files; name their archive: QUINIELA_DATASET=.../dataset.zip ("+err.Error()+")")
	}
	if err != nil {
		l.t.Fatal(err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			l.t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			l.t.Fatal(err)
		}
		l.write(filepath.Join(".data", filepath.Base(f.Name)), string(text))
	}
}
