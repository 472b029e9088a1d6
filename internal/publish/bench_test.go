package publish_test

import (
	"fmt"
	"testing"

	"quiniela/internal/ledger"
	"quiniela/internal/publish/publishtest"
)

// BenchmarkProofs measures the proofs of an agency with 100,000 batches of ten bets, as its client asks for them.
func BenchmarkProofs(b *testing.B) {
	const batches, window = 100_000, 512
	d := publishtest.Start(b, 1)
	all := make([]*ledger.Submission, window)
	for n := range batches + window {
		if s := all[n%window]; s != nil {
			if _, err := s.Wait(); err != nil {
				b.Fatal(err)
			}
			all[n%window] = nil
		}
		if n >= batches {
			continue
		}
		var lines []byte
		for i := range 10 {
			lines = fmt.Appendf(lines, "Ana María,Paz García,%d,1990-01-01,%d\n", 10*n+i, i)
		}
		s := &ledger.Submission{Draw: 1, Agency: 1, Batch: uint64(n) + 1, Frame: lines}
		if err := d.Ledger.Submit(s); err != nil {
			b.Fatal(err)
		}
		all[n%window] = s
	}
	size := 0
	for b.Loop() {
		proofs, err := d.Proofs(b.Context(), 1, 1)
		if err != nil {
			b.Fatal(err)
		}
		var page []byte
		size = 0
		for from := uint32(0); from < proofs.Count(); {
			if page, from, err = proofs.AppendLines(b.Context(), page[:0], from, 16<<10); err != nil {
				b.Fatal(err)
			}
			size += len(page)
		}
	}
	b.ReportMetric(float64(batches)*float64(b.N)/b.Elapsed().Seconds(), "batches/s")
	b.ReportMetric(float64(size)/1e6, "MB")
}
