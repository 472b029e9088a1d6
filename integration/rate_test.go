//go:build unix

package integration

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"quiniela/internal/bench"
	"quiniela/internal/journal/postgres/pgtest"
)

// BenchmarkJournals measures a server over each journal, one after the other: the local one, and PostgreSQL with two
// standbys, one of which has each commit. Everything is on this one machine, so it is a bound for machines of their own.
//
//	go test ./integration -run '^$' -bench Journals -benchtime 1x -count 3
func BenchmarkJournals(b *testing.B) {
	pg := pgtest.Start(b, 2)
	// Both publish: a server that shares its journal does so with a key that it is given, the same at each start.
	key := filepath.Join(b.TempDir(), "log.key")
	for name, options := range map[string][]string{"local": nil, "postgres": {"--journal", pg.URL()}} {
		b.Run(name, func(b *testing.B) {
			l := &lab{b, b.TempDir()}
			server := l.launch(append([]string{"server", "--ip", "127.0.0.1", "--port", "0", "--agencies", "5", "--log-key", key}, options...)...)
			address := server.address()
			sum := 0.0
			for b.Loop() {
				l.launch("bench", "ingest", "--server", address, "--bets", "3000000", "--rounds", "1", "--json", "rate.json").wait()
				var rows []bench.Row
				if err := json.Unmarshal([]byte(l.read("rate.json")), &rows); err != nil {
					b.Fatal(err)
				}
				for _, r := range rows {
					if r.Figure == "bets acknowledged" {
						sum += r.Median
					}
				}
			}
			b.ReportMetric(sum/float64(b.N), "bets/s")
			server.stop()
		})
	}
}
