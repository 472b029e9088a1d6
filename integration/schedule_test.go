//go:build unix

package integration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"quiniela/internal/journal/postgres/pgtest"
)

// Two servers with one schedule start at the same moment over one journal. One is killed when it has opened its first draw, and comes back.
// Each draw is there once, and nobody has complained.
func TestTwoServersKeepOneSchedule(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	t.Parallel()
	const draws = 5
	c := pgtest.Start(t, 0)
	l := &lab{t, t.TempDir()}
	schedule := "{zone: UTC, agencies: 1, source: notary, lead: 0s, ahead: 24h, draws: ["
	closes := time.Now().UTC().Add(2 * time.Hour)
	for i := range draws {
		schedule += fmt.Sprintf("{name: draw%d, time: %s}, ", i, closes.Add(time.Duration(i)*time.Minute).Format("15:04"))
	}
	l.write("draws.yaml", schedule+"]}\n")
	launch := func(data string) *process {
		return l.launch("server", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "off", "--admin-addr", "off", "--no-public-log",
			"--data", data, "--journal", c.URL(), "--unsafe-single", "--schedule", "draws.yaml")
	}
	a, b := launch("a"), launch("b")
	killed := a
	opens := `draw_open \| result: success \| draw: (\S+)`
	for deadline := time.Now().Add(patience); !strings.Contains(a.log(), "draw_open"); time.Sleep(time.Millisecond) {
		if strings.Contains(b.log(), "draw_open") {
			killed = b
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("neither opens a draw:\n%s\n%s", a.log(), b.log())
		}
	}
	data := map[*process]string{a: "a", b: "b"}[killed]
	if err := killed.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	again := launch(data)
	for _, p := range []*process{a, b, again} {
		if p != killed {
			p.await("(accept_connections)")
		}
	}
	listed := l.must(nil, again.Path, "draw", "schedule", "draws.yaml", "--data", data, "--days", "2", "--csv")
	if open := strings.Count(listed, ",open,"); open != draws {
		t.Errorf("%d of %d draws are open:\n%s", open, draws, listed)
	}
	var opened []string
	for _, p := range []*process{a, b, again} {
		for _, m := range regexp.MustCompile(opens).FindAllStringSubmatch(p.log(), -1) {
			opened = append(opened, m[1])
		}
		if strings.Contains(p.log(), "result: fail") {
			t.Errorf("a server complains:\n%s", p.log())
		}
	}
	slices.Sort(opened)
	if once := slices.Compact(slices.Clone(opened)); len(once) != len(opened) {
		t.Errorf("opened more than once: %q", opened)
	}
}
