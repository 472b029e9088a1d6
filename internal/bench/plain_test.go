package bench_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"quiniela/internal/bench"
)

// BenchmarkPlain measures connections with one request each. QUINIELA_PROGRAMS may name several programs, as PATH does: each serves in
// turn, so that the same load meets a commit and the one before it. Without it, the program is built from this tree.
//
//	go test ./internal/bench -run '^$' -bench Plain -benchtime 1x -count 5
func BenchmarkPlain(b *testing.B) {
	programs := filepath.SplitList(os.Getenv("QUINIELA_PROGRAMS"))
	if len(programs) == 0 {
		program := filepath.Join(b.TempDir(), "quiniela")
		if out, err := exec.Command("go", "build", "-o", program, "quiniela/cmd/quiniela").CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		programs = append(programs, program)
	}
	for _, program := range programs {
		b.Run(filepath.Base(program), func(b *testing.B) {
			rows, err := bench.Run(b.Context(), bench.Options{
				Names: []string{bench.Plain}, Rounds: b.N, Agencies: 5, BatchBytes: 8192, Dir: b.TempDir(), Program: program, LogLevel: "INFO",
				Progress: func(string, int, int) {},
			})
			if err != nil {
				b.Fatal(err)
			}
			for _, r := range rows {
				b.ReportMetric(r.Median, strings.NewReplacer(", ", "-", " ", "-").Replace(r.Figure)+"-"+strings.ReplaceAll(r.Unit, " ", "-"))
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
