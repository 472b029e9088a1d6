//go:build unix

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"quiniela/internal/certs"
)

// needPrometheus returns the path of one of Prometheus's programs.
func needPrometheus(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skipOrFail(t, "QUINIELA_REQUIRE_PROMETHEUS", "no "+name+" here: install Debian's package prometheus")
	}
	return path
}

const (
	rulesFile     = "../deploy/prometheus/alerts.yaml"
	ruleTestsFile = "../deploy/prometheus/alerts_test.yaml"
	scrapeFile    = "../deploy/prometheus/prometheus.yaml"
	dashboardFile = "../deploy/prometheus/grafana.json"
)

// rule is an alert of the rules.
type rule struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func alertRules(t *testing.T) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal([]byte(readFile(t, rulesFile)), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatal("no rules")
	}
	return file.Groups[0].Rules
}

// dashboardQueries returns what the panels of the dashboard ask for, by panel and query.
func dashboardQueries(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, dashboardFile)), &board); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all[p.Title+" "+target.RefID] = strings.ReplaceAll(target.Expr, "$instance", ".*")
		}
	}
	if len(all) == 0 {
		t.Fatal("the dashboard has no panels")
	}
	return all
}

// watched starts a server that has all that figures are about: draws in each state, one of which closes soon with an agency missing,
// a schedule, backups, certificates, and strangers that were refused. It returns the address of its figures.
func watched(l *lab) (metrics string) {
	l.t.Helper()
	l.mkdir("kept")
	if _, err := certs.Create(filepath.Join(l.dir, "tls"), []string{"localhost"}, nil); err != nil {
		l.t.Fatal(err)
	}
	server, address := l.serve("--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--backup-dir", "kept",
		"--schedule", absolute(l.t, "../deploy/draws.example.yaml"),
		"--tls-cert", "tls/server.pem", "--tls-key", "tls/server-key.pem", "--beacon", "http://127.0.0.1:1")
	metrics = server.await(`metrics: (http://\S+)`)
	open := func(id string, args ...string) {
		l.must(nil, append([]string{server.Path, "draw", "open", id, "--agencies", "1", "--yes"}, args...)...)
	}
	open("soon", "--closes", time.Now().Add(10*time.Minute).Format(time.RFC3339))
	open("notarys")
	open("beacons", "--source", "beacon", "--closes", time.Now().Add(time.Hour).Format(time.RFC3339))
	for _, id := range []string{"notarys", "beacons"} {
		l.must(nil, server.Path, "draw", "close", id, "--yes")
	}
	conn, err := net.Dial("tcp", address)
	if err == nil {
		_, err = io.WriteString(conn, "no TLS at all\n")
		_, _ = io.ReadAll(conn) // until it hangs up
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		l.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", server.await(`page: (http://\S+)/`)+"/api/v1/backup", strings.NewReader("{}"))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer wrong")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	_ = answer.Body.Close()
	server.await(`action: backup \| result: success`)
	return metrics
}

// fetch returns what is at an address, and "" where it does not answer well.
func fetch(address string) string {
	answer, err := http.Get(address)
	if err != nil {
		return ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

var figureName = regexp.MustCompile(`\b(?:quiniela|process)_\w+`)

// Every figure that an alert or the dashboard looks at is one that a server gives, and every alert has its place in the runbook.
func TestAlertsAreAboutWhatThereIs(t *testing.T) {
	l := &lab{t, t.TempDir()}
	metrics := watched(l)
	asked := dashboardQueries(t)
	runbook := strings.ToLower(readFile(t, "../docs/OPERATIONS.md"))
	for _, rule := range alertRules(t) {
		asked[rule.Alert] = rule.Expr
		anchor, ok := strings.CutPrefix(rule.Annotations["runbook"], "docs/OPERATIONS.md#")
		if !ok || anchor != strings.ToLower(rule.Alert) || !strings.Contains(runbook, "\n### "+anchor+"\n") {
			t.Errorf("%s: the runbook has no part %q", rule.Alert, rule.Annotations["runbook"])
		}
		if rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" {
			t.Errorf("%s has no summary or severity", rule.Alert)
		}
	}
	for what, expr := range asked {
		for _, figure := range figureName.FindAllString(expr, -1) {
			there := regexp.MustCompile(`(?m)^` + figure + `[{ ]`)
			if !there.MatchString(fetch(metrics)) {
				t.Errorf("%s looks at %s, which no server gives", what, figure)
			}
		}
	}
}

// Every alert fires once in its test, by Prometheus's own rules, and is silent before.
func TestEachAlertFires(t *testing.T) {
	var file struct {
		Tests []struct {
			Name          string
			AlertRuleTest []struct {
				AlertName string           `yaml:"alertname"`
				ExpAlerts []map[string]any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal([]byte(readFile(t, ruleTestsFile)), &file); err != nil {
		t.Fatal(err)
	}
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, c := range test.AlertRuleTest {
			fires[c.AlertName] = fires[c.AlertName] || len(c.ExpAlerts) > 0
			silent[c.AlertName] = silent[c.AlertName] || len(c.ExpAlerts) == 0
		}
	}
	for _, rule := range alertRules(t) {
		if !fires[rule.Alert] || !silent[rule.Alert] {
			t.Errorf("%s has no test in which it is silent and then fires: %s", rule.Alert, ruleTestsFile)
		}
	}
	promtool := needPrometheus(t, "promtool")
	for _, args := range [][]string{{"check", "config", scrapeFile}, {"check", "rules", rulesFile}, {"test", "rules", ruleTestsFile}} {
		if out, err := command(t, nil, append([]string{promtool}, args...)...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// The example of a Prometheus reaches a server, evaluates every rule, has something for each query of the dashboard, and tells that an
// agency is missing near the closing time, and of nothing else.
func TestAPrometheusWatchesAServer(t *testing.T) {
	prometheus := needPrometheus(t, "prometheus")
	l := &lab{t, t.TempDir()}
	metrics, err := url.Parse(watched(l))
	if err != nil {
		t.Fatal(err)
	}
	l.write("alerts.yaml", readFile(t, rulesFile))
	l.write("prometheus.yaml", readFile(t, scrapeFile))
	l.replace("prometheus.yaml", "localhost:8081", metrics.Host)
	l.replace("prometheus.yaml", "scrape_interval: 15s", "scrape_interval: 1s")
	l.replace("prometheus.yaml", "evaluation_interval: 15s", "evaluation_interval: 1s")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	watcher := l.start(exec.Command(prometheus, "--config.file=prometheus.yaml", "--storage.tsdb.path=tsdb", "--web.listen-address="+address))
	ask := func(path string, into any) bool {
		text := fetch("http://" + address + path)
		return text != "" && json.Unmarshal([]byte(text), into) == nil
	}
	for what, expr := range dashboardQueries(t) {
		await(t, fmt.Sprintf("Prometheus has something for %s: %s; its log:\n%s", what, expr, watcher.log()), func() bool {
			var found struct{ Data struct{ Result []any } }
			return ask("/api/v1/query?query="+url.QueryEscape(expr), &found) && len(found.Data.Result) > 0
		})
	}
	type state struct{ Name, State, Health, LastError string }
	var found struct {
		Data struct{ Groups []struct{ Rules []state } }
	}
	await(t, "every rule is evaluated, and the missing agency is told", func() bool {
		if !ask("/api/v1/rules", &found) || len(found.Data.Groups) != 1 {
			return false
		}
		told := false
		for _, r := range found.Data.Groups[0].Rules {
			if r.Health == "unknown" {
				return false
			}
			told = told || r.Name == "QuinielaAgenciesMissing" && r.State == "firing"
		}
		return told
	})
	for _, r := range found.Data.Groups[0].Rules {
		if want := r.Name == "QuinielaAgenciesMissing"; r.Health != "ok" || (r.State == "firing") != want {
			t.Errorf("%s is %s, %s %s", r.Name, r.State, r.Health, r.LastError)
		}
	}
	if len(found.Data.Groups[0].Rules) != len(alertRules(t)) {
		t.Errorf("%d rules are evaluated of %d", len(found.Data.Groups[0].Rules), len(alertRules(t)))
	}
}
