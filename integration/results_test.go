//go:build unix

package integration

import (
	"os/exec"
	"strings"
	"testing"
)

// `make test` and CI judge a run by what .ci/results.awk makes of it.
func TestTheResultsListWhatWasSkipped(t *testing.T) {
	const passed = `{"Action":"output","Package":"p","Test":"TestA","Output":"--- PASS: TestA (0.00s)\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
`
	const skipped = `{"Action":"output","Package":"p","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: no \"docker\" here:\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"        install it\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
`
	const failed = `{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:9: 1 \u003c 2\n"}
{"Action":"fail","Package":"p","Test":"TestC"}
`
	const cut = `{"Action":"output","Package":"p","Test":"TestD","Output":"panic: oh\n"}
`
	const ok = `{"Action":"output","Package":"p","Output":"ok  \tp\t0.01s\n"}
{"Action":"pass","Package":"p"}
`
	const bad = `{"Action":"fail","Package":"p"}
`
	const built = `{"Action":"build-output","ImportPath":"p","Output":"p.go:3: undefined: x\n"}
{"Action":"build-fail","ImportPath":"p"}
`
	for name, c := range map[string]struct {
		events, want string
		fails        bool
	}{
		"passed":      {passed + ok, "ok  \tp\t0.01s\n\n1 passed, 0 failed, 0 skipped\n", false},
		"skipped":     {passed + skipped + ok, "ok  \tp\t0.01s\n\nskipped:\n  p TestB: no \"docker\" here: install it\n\n1 passed, 0 failed, 1 skipped\n", false},
		"failed":      {failed + bad, "    c_test.go:9: 1 < 2\n\n0 passed, 1 failed, 0 skipped\n", true},
		"without end": {cut + bad, "panic: oh\n\n0 passed, 1 failed, 0 skipped\n", true},
		"not built":   {built + bad, "p.go:3: undefined: x\n\n0 passed, 0 failed, 0 skipped\n", true},
		"nothing":     {"", "\n0 passed, 0 failed, 0 skipped\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("awk", "-f", "../.ci/results.awk")
			cmd.Stdin = strings.NewReader(c.events)
			out, err := cmd.Output()
			if string(out) != c.want || (err != nil) != c.fails {
				t.Errorf("%q, error %v; want %q, error %t", out, err, c.want, c.fails)
			}
		})
	}
}
