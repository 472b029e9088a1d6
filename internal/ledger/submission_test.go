package ledger_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela"
	"quiniela/internal/journal/journaltest"
	"quiniela/internal/ledger"
)

const twoLines = "  Ana,Paz,1,1990-01-01,7\r\nEva,Sol,2,1990-01-01,8"

// A batch with room around its lines is stored from where it lies; one without is copied. Both are stored alike.
func TestABatchIsCopiedOnlyWhereItHasNoRoom(t *testing.T) {
	m := start(t, 1)
	roomy := append(make([]byte, ledger.Headroom, ledger.Headroom+len(twoLines)+1), twoLines...)
	for n, c := range []struct {
		frame  []byte
		start  int
		copied bool
	}{
		{roomy, ledger.Headroom, false},
		{[]byte(twoLines), 0, true},
		{slices.Clip(append(make([]byte, ledger.Headroom), twoLines...)), ledger.Headroom, true},
		{append(make([]byte, ledger.Headroom-1, 1000), twoLines...), ledger.Headroom - 1, true},
	} {
		s := &ledger.Submission{Agency: 1, Batch: uint64(n) + 1, Frame: c.frame, Start: c.start}
		if bets, err := m.send(s); err != nil || bets != 2 {
			t.Fatalf("frame %d: %d bets, %v", n, bets, err)
		}
		if copied := &s.Frame[0] != &c.frame[0]; copied != c.copied {
			t.Errorf("frame %d was copied: %t, want %t", n, copied, c.copied)
		}
		resume, err := m.Resume(t.Context(), 0, 1)
		want := sha256.Sum256([]byte("Ana,Paz,1,1990-01-01,7\nEva,Sol,2,1990-01-01,8\n"))
		if err != nil || resume.LastHash != want {
			t.Errorf("frame %d: the content hash is %x, %v; want %x", n, resume.LastHash, err, want)
		}
		if bets, err := m.send(s); err != nil || bets != 2 {
			t.Errorf("frame %d, sent again: %d bets, %v", n, bets, err)
		}
	}
	if got := len(m.export()); got != 8 {
		t.Errorf("%d bets are stored, want 8", got)
	}
}

// A repeat is compared by its root under the stored secret, or by its MAC where the draw is not in the public log, whether the batch is
// the agency's last one or not.
func TestARepeatIsComparedUnderTheStoredSecret(t *testing.T) {
	const lines = "Ana,Paz,1,1990-01-01,7\nEva,Sol,2,1990-01-01,8\n"
	for _, public := range []bool{true, false} {
		m := start(t, 1)
		if !public {
			m = private(t)
		}
		for batch := range uint64(3) {
			s := &ledger.Submission{Agency: 1, Batch: batch + 1, Frame: []byte(lines)}
			if bets, err := m.send(s); err != nil || bets != 2 {
				t.Fatalf("batch %d: %d bets, %v", batch+1, bets, err)
			}
			for n := range batch + 1 {
				same := &ledger.Submission{Agency: 1, Batch: n + 1, Frame: []byte(lines)}
				if bets, err := m.send(same); err != nil || bets != 2 {
					t.Errorf("public %t: batch %d again: %d bets, %v", public, n+1, bets, err)
				}
				for what, changed := range map[string]string{
					"another number": strings.Replace(lines, ",7\n", ",9\n", 1), "another document": strings.Replace(lines, ",1,", ",01,", 1),
					"one bet more": lines + "Ana,Paz,1,1990-01-01,8\n", "one bet less": "Ana,Paz,1,1990-01-01,7\n",
				} {
					other := &ledger.Submission{Agency: 1, Batch: n + 1, Frame: []byte(changed)}
					if _, err := m.send(other); quiniela.CodeOf(err) != quiniela.Conflict {
						t.Errorf("public %t: batch %d with %s: %v, want code %s", public, n+1, what, err, quiniela.Conflict)
					}
				}
			}
		}
		if got := len(m.export()); got != 6 {
			t.Errorf("public %t: %d bets are stored, want 6", public, got)
		}
	}
}

// The ledger validates, whoever submits.
func TestAnInvalidBatchIsNotTakenIn(t *testing.T) {
	m := start(t, 1)
	for _, c := range []struct {
		lines string
		most  int
		want  quiniela.Code
	}{
		{"Ana,Paz,1,1990-01-01,10000\n", 0, quiniela.Invalid},
		{"", 0, quiniela.Invalid},
		{twoLines, 1, quiniela.TooLarge},
	} {
		err := m.Submit(&ledger.Submission{Agency: 1, Batch: 1, Frame: []byte(c.lines), MaxBets: c.most})
		if quiniela.CodeOf(err) != c.want {
			t.Errorf("%q: %v, want code %q", c.lines, err, c.want)
		}
	}
	if resume, err := m.Resume(t.Context(), 0, 1); err != nil || resume.Next != 1 {
		t.Errorf("after refusals the agency goes on at %+v, %v", resume, err)
	}
}

// BenchmarkSubmit takes batches of 150 bets as a session does, from frames with room, many on their way at once.
func BenchmarkSubmit(b *testing.B) {
	var disk journaltest.Disk
	j, err := disk.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	l, err := ledger.Open(context.Background(), j, ledger.Options{Dir: "data", FS: vfs.NewMem(), Seed: seed(1)})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var lines []byte
	for i := range 150 {
		lines = fmt.Appendf(lines, "Ana María,Paz García,%d,1990-01-01,%d\n", 30000000+i, 66*i)
	}
	all := make([]ledger.Submission, 256)
	next := 0
	b.ReportAllocs()
	for b.Loop() {
		s := &all[next%len(all)]
		if next >= len(all) {
			if _, err := s.Wait(); err != nil {
				b.Fatal(err)
			}
		} else {
			s.Frame = make([]byte, 0, ledger.Headroom+len(lines)+1)
		}
		next++
		s.Frame, s.Start, s.Agency = append(s.Frame[:ledger.Headroom], lines...), ledger.Headroom, 1
		if err := l.Submit(s); err != nil {
			b.Fatal(err)
		}
	}
	for i := range min(next, len(all)) {
		_, _ = all[i].Wait()
	}
}
