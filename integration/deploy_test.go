//go:build unix

package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func absolute(t testing.TB, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Where the runbook has backups written, the server's user can write.
func TestBackupsHaveAPlace(t *testing.T) {
	runbook := readFile(t, "../docs/OPERATIONS.md")
	for path, c := range map[string]struct{ place, allowed string }{
		"../deploy/systemd/quiniela.service": {"`/var/lib/quiniela-backups`", `(?m)^StateDirectory=.*\bquiniela-backups\b`},
		"../deploy/production/compose.yaml":  {"`/backups`", `(?m)^      - backups:/backups\b`},
		"../server/Dockerfile":               {"`/backups`", `(?m)^COPY --from=build --chown=65532:65532 /empty /backups$`},
	} {
		if !strings.Contains(runbook, c.place) || !regexp.MustCompile(c.allowed).MatchString(readFile(t, path)) {
			t.Errorf("the runbook says %s, and %s does not allow it", c.place, path)
		}
	}
}

// One Dockerfile cannot make both images: a build takes the last stage of the file that -f names, and the specification's command
// names no other. So the stage that builds the program is in both, and is the same, which makes the second build a matter of seconds.
func TestBothDockerfilesBuildTheProgramAlike(t *testing.T) {
	stage := regexp.MustCompile(`(?s)FROM [^\n]*golang.*? -o /quiniela ./cmd/quiniela\n`)
	server, client := stage.FindString(readFile(t, "../server/Dockerfile")), stage.FindString(readFile(t, "../client/Dockerfile"))
	if diff := cmp.Diff(server, client); diff != "" || server == "" {
		t.Errorf("-server +client\n%s", diff)
	}
}
