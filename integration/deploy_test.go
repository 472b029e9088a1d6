//go:build unix

package integration

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// Every figure that an alert looks at is one that a server gives, and every alert has its place in the runbook.
func TestAlertsAreAboutWhatThereIs(t *testing.T) {
	l := &lab{t, t.TempDir()}
	server := l.launch("server", "--port", "0", "--http-addr", "off", "--admin-addr", "127.0.0.1:0", "--schedule", absolute(t, "../deploy/draws.example.yaml"))
	metrics := server.await(`metrics: (http://\S+)`)
	l.must(nil, server.Path, "draw", "open", "a", "--agencies", "1", "--closes", "2099-01-01T00:00:00Z", "--yes")
	l.must(nil, server.Path, "draw", "open", "b", "--agencies", "1")
	l.must(nil, server.Path, "draw", "close", "b", "--yes")
	r, err := http.Get(metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	figures, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	runbook := strings.ToLower(readFile(t, "../docs/OPERATIONS.md"))
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(readFile(t, "../deploy/prometheus/alerts.yaml")), &alerts); err != nil {
		t.Fatal(err)
	}
	if len(alerts.Groups) != 1 || len(alerts.Groups[0].Rules) == 0 {
		t.Fatal("no rules")
	}
	for _, rule := range alerts.Groups[0].Rules {
		for _, figure := range regexp.MustCompile(`quiniela_\w+`).FindAllString(rule.Expr, -1) {
			// One with labels is there once something was counted.
			if !strings.Contains(string(figures), "\n"+figure) && figure != "quiniela_refusals_total" {
				t.Errorf("%s looks at %s, which no server gives", rule.Alert, figure)
			}
		}
		anchor, ok := strings.CutPrefix(rule.Annotations["runbook"], "docs/OPERATIONS.md#")
		if !ok || anchor != strings.ToLower(rule.Alert) || !strings.Contains(runbook, "\n### "+anchor+"\n") {
			t.Errorf("%s: the runbook has no part %q", rule.Alert, rule.Annotations["runbook"])
		}
		if rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" {
			t.Errorf("%s has no summary or severity", rule.Alert)
		}
	}
	if path, err := exec.LookPath("promtool"); err == nil {
		l.must(nil, path, "check", "rules", absolute(t, "../deploy/prometheus/alerts.yaml"))
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func absolute(t *testing.T, path string) string {
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
