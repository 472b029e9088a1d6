//go:build unix

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The example of examples/nivelador runs as its README says: each agency gets the winning rows of its own file, also again; and what the README says does not
// map ends with an error that says why.
func TestTheExercisesLayoutRuns(t *testing.T) {
	t.Parallel()
	needDocker(t)
	if err := images(); err != nil {
		t.Fatal(err)
	}
	const example = "../examples/nivelador"
	l := &lab{t, t.TempDir()}
	for _, name := range []string{"docker-compose.yaml", "input/input-0.csv", "input/input-1.csv", "input/input-2.csv",
		"services/client/Dockerfile", "services/client/client.sh", "services/server/Dockerfile", "services/server/server.sh"} {
		l.write(name, readFile(t, filepath.Join(example, name)))
	}
	l.mkdir("output")
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := l.run(nil, "docker", "compose", "logs", "--no-color", "--tail", "40")
			t.Logf("the last lines of each container:\n%s", out)
		}
		if out, err := l.run(nil, "docker", "compose", "down", "-v", "--rmi", "local", "-t", "2"); err != nil {
			t.Errorf("docker compose down: %v\n%s", err, out)
		}
		// What the containers have written is root's.
		_, _ = l.run(nil, "docker", "run", "--rm", "-v", l.dir+":/lab", "busybox:latest", "rm", "-rf", "/lab/output")
	})
	const client = "nivelador-client-%d"
	l.must(nil, "docker", "compose", "build")
	for range 2 { // the second time they ask for the winners only
		l.must(nil, "docker", "compose", "up", "-d")
		for i := range 3 {
			l.wantExit(fmt.Sprintf(client, i), "0")
			var want strings.Builder
			for line := range strings.Lines(l.read(fmt.Sprintf("input/input-%d.csv", i))) {
				if strings.HasSuffix(line, ",7574\n") {
					want.WriteString(line)
				}
			}
			output := fmt.Sprintf("output/output-%d.csv", i)
			if got := l.read(output); got != want.String() {
				t.Errorf("%s has %q, want %q", output, got, &want)
			}
			if info, err := os.Stat(filepath.Join(l.dir, output)); err != nil || info.Mode().Perm()&0o044 != 0o044 {
				t.Errorf("%s cannot be read by others: %v, %v", output, info, err)
			}
		}
	}
	l.must(nil, "docker", "compose", "down", "-v", "-t", "2")

	l.replace("docker-compose.yaml", "AGENCY_QUORUM_MIN=3", "AGENCY_QUORUM_MIN=2")
	l.replace("input/input-1.csv", ",901\n", ",99999\n")
	l.must(nil, "docker", "compose", "up", "-d")
	for i, why := range map[int]string{1: `number: "99999" is not a number from 0 to 9999; nothing was sent`, 2: "there is no agency 3: draw 1 has 1 to 2"} {
		l.wantExit(fmt.Sprintf(client, i), "1")
		l.waitLog(fmt.Sprintf(client, i), why)
	}
	l.wantRunning(fmt.Sprintf(client, 0))
	l.waitLog(fmt.Sprintf(client, 0), "waiting_for: the draw")
}
