package ledger_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/journal/journaltest"
	"quiniela/internal/ledger"
)

// sender is one connection of an agency, over which a client sends what is not stored of its file without waiting for an answer.
type sender struct {
	m        *machine
	agency   quiniela.Agency
	sizes    []int // bets of its batches; the last is that of all further ones
	same     bool  // all bets of the file are the same
	sequence *ledger.Sequence
	resume   ledger.Resume
	sent     int    // batches since resume
	at       uint64 // bets stored or sent
	finished bool
	refusals int
}

const fileBets = 4

// fileLines returns some lines of the file.
func fileLines(same bool, from, to uint64) string {
	var b strings.Builder
	for n := from; n < min(to, fileBets); n++ {
		document := n + 1
		if same {
			document = 1
		}
		fmt.Fprintf(&b, "Ana,Paz,%d,1990-01-01,7\n", document)
	}
	return b.String()
}

// rest takes all steps that are left.
func (s *sender) rest() {
	for !s.finished {
		s.step()
	}
}

// step takes the sender's next step: it asks where to go on, sends a batch, or finishes.
func (s *sender) step() {
	switch {
	case s.sequence == nil:
		var err error
		if s.resume, err = s.m.Resume(context.Background(), 0, s.agency); err != nil {
			s.m.t.Fatal(err)
		}
		s.sequence, s.at = ledger.NewSequence(s.resume.Next), s.resume.Bets
		if want := fileLines(s.same, s.resume.Bets-s.resume.LastBets, s.resume.Bets); s.resume.Next > 1 && s.resume.LastHash != sha256.Sum256([]byte(want)) {
			s.m.t.Errorf("agency %d: what is stored is not the file's beginning", s.agency)
		}
	case s.at < fileBets:
		size := s.sizes[min(s.sent, len(s.sizes)-1)]
		lines := fileLines(s.same, s.at, s.at+uint64(size))
		s.at += uint64(size)
		_, err := s.m.send(&ledger.Submission{
			Agency: s.agency, Batch: s.resume.Next + uint64(s.sent), Sequence: s.sequence, Frame: []byte(lines),
		})
		s.answered(err)
		s.sent++
	default:
		s.finished = true
		s.answered(s.m.Finish(context.Background(), 0, s.agency, s.resume.Next-1+uint64(s.sent), s.sequence))
	}
}

func (s *sender) answered(err error) {
	switch quiniela.CodeOf(err) {
	case quiniela.Conflict, quiniela.Gap, quiniela.Missing, quiniela.Finished:
		s.refusals++
	default:
		if err != nil {
			s.m.t.Error(err)
		}
	}
}

// orders goes through every order in which two sides can take their steps, one after the other.
type orders struct {
	chosen []int // whose turn it was where both could go
	at     int
}

// turn says whose step is next where both can go.
func (o *orders) turn() int {
	if o.at == len(o.chosen) {
		o.chosen = append(o.chosen, 0)
	}
	o.at++
	return o.chosen[o.at-1]
}

// next goes on to another order, and returns false where there is none.
func (o *orders) next() bool {
	for o.at = 0; len(o.chosen) > 0; o.chosen = o.chosen[:len(o.chosen)-1] {
		if last := len(o.chosen) - 1; o.chosen[last] == 0 {
			o.chosen[last] = 1
			return true
		}
	}
	return false
}

// play lets two senders take all their steps in one order.
func (o *orders) play(a, b *sender) {
	for !a.finished && !b.finished {
		if o.turn() == 0 {
			a.step()
		} else {
			b.step()
		}
	}
	a.rest()
	b.rest()
}

// everyOrder lets two connections of an agency, which may be to two servers, cut its bets into batches of different sizes and send all
// of them, in every order in which the two can come. Whatever is answered, what is stored is the beginning of the file, and the
// whole file once the agency has finished.
func everyOrder(t *testing.T, one, other *machine, agencies quiniela.Agency, cuts [][2][]int) {
	t.Helper()
	agency, refusals, want := quiniela.Agency(0), 0, map[string]string{}
	for _, same := range []bool{false, true} {
		for _, sizes := range cuts {
			for o := (orders{}); ; {
				if agency++; agency > agencies {
					t.Fatalf("there are more than %d orders", agencies)
				}
				first := &sender{m: one, agency: agency, sizes: sizes[0], same: same}
				second := &sender{m: other, agency: agency, sizes: sizes[1], same: same}
				o.play(first, second)
				refusals += first.refusals + second.refusals
				last := &sender{m: one, agency: agency, sizes: []int{1}, same: same} // it goes on where the two came to
				last.rest()
				want[fmt.Sprint(agency)] = fileLines(same, 0, fileBets)
				if !o.next() {
					break
				}
			}
		}
	}
	if refusals == 0 {
		t.Error("nothing was refused: the connections do not meet")
	}
	stored := map[string]string{}
	for _, line := range one.export() {
		a, bet, _ := strings.Cut(line, ",")
		stored[a] += bet + "\n"
	}
	for a := range agency {
		if got, want := stored[fmt.Sprint(a+1)], want[fmt.Sprint(a+1)]; got != want {
			t.Fatalf("agency %d has these bets:\n%swant\n%s", a+1, got, want)
		}
	}
	t.Logf("%d orders, %d refusals", agency, refusals)
}

func TestEveryOrderOfTwoConnections(t *testing.T) {
	t.Parallel()
	const agencies = 5000
	m := start(t, agencies)
	everyOrder(t, m, m, agencies, [][2][]int{
		{{1}, {2}}, {{2}, {1}}, {{1}, {3}}, {{3}, {1}}, {{2}, {3}}, {{3}, {2}}, {{4}, {1}}, {{1}, {4}}, {{2}, {2}}, {{2, 1}, {1}}, {{1}, {2, 1}},
	})
}

// fullJournal has no room for the next append where full is set.
type fullJournal struct {
	journal.Journal
	full bool
}

func (f *fullJournal) Append(ctx context.Context, after journal.Head, entries [][]byte) (journal.Head, error) {
	if f.full {
		f.full = false
		return after, journal.ErrFull
	}
	return f.Journal.Append(ctx, after, entries)
}

// A batch for which there was no room is refused like any other: the other connection's takes its number, and nothing goes on behind it.
func TestABatchWithoutRoomIsRefusedToItsConnection(t *testing.T) {
	t.Parallel()
	var disk journaltest.Disk
	j, err := disk.Open()
	if err != nil {
		t.Fatal(err)
	}
	full := &fullJournal{Journal: j}
	l, err := ledger.Open(t.Context(), full, ledger.Options{Dir: "data", FS: vfs.NewMem(), Seed: seed(1)})
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, j: full, Ledger: l}
	t.Cleanup(m.stop)
	sequence := ledger.NewSequence(1)
	send := func(batch uint64, from, to uint64, sequence *ledger.Sequence) quiniela.Code {
		_, err := m.send(&ledger.Submission{Agency: 1, Batch: batch, Sequence: sequence, Frame: []byte(fileLines(false, from, to))})
		return quiniela.CodeOf(err)
	}
	full.full = true
	for i, got := range []quiniela.Code{send(1, 0, 1, sequence), send(1, 0, 2, nil), send(2, 1, 2, sequence)} {
		if want := []quiniela.Code{quiniela.Storage, "", quiniela.Gap}[i]; got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
}
