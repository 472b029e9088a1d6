package ledger_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"quiniela"
	"quiniela/internal/ledger"
)

// sender is one connection of an agency, over which a client sends what is not stored of its file without waiting for an answer.
type sender struct {
	m        *machine
	agency   quiniela.Agency
	size     int // bets of a batch
	sequence *ledger.Sequence
	resume   ledger.Resume
	sent     int // batches since resume
	finished bool
	refusals int
}

const fileBets = 4

func fileLines(from, to uint64) string {
	var b strings.Builder
	for n := from; n < min(to, fileBets); n++ {
		fmt.Fprintf(&b, "Ana,Paz,%d,1990-01-01,7\n", n+1)
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
	switch first := s.resume.Bets + uint64(s.sent*s.size); {
	case s.sequence == nil:
		s.sequence = new(ledger.Sequence)
		var err error
		if s.resume, err = s.m.Resume(context.Background(), 0, s.agency); err != nil {
			s.m.t.Fatal(err)
		}
		if want := fileLines(s.resume.Bets-s.resume.LastBets, s.resume.Bets); s.resume.Next > 1 && s.resume.LastHash != sha256.Sum256([]byte(want)) {
			s.m.t.Errorf("agency %d: what is stored is not the file's beginning", s.agency)
		}
	case first < fileBets:
		lines := fileLines(first, first+uint64(s.size))
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

// Two connections of an agency cut its bets into batches of different sizes and send all of them, in every order in which the two
// can come. Whatever is answered, what is stored is the beginning of the file, and the whole file once the agency has finished.
func TestEveryOrderOfTwoConnections(t *testing.T) {
	t.Parallel()
	const agencies = 4000
	m := start(t, agencies)
	agency, refusals := quiniela.Agency(0), 0
	for _, size := range [][2]int{{1, 2}, {2, 1}, {1, 3}, {3, 1}, {2, 3}, {3, 2}, {4, 1}, {1, 4}, {2, 2}} {
		for o := (orders{}); ; {
			agency++
			first, second := &sender{m: m, agency: agency, size: size[0]}, &sender{m: m, agency: agency, size: size[1]}
			o.play(first, second)
			refusals += first.refusals + second.refusals
			last := &sender{m: m, agency: agency, size: 1} // it goes on where the two came to
			last.rest()
			if !o.next() {
				break
			}
		}
	}
	if refusals == 0 || agency > agencies {
		t.Errorf("%d orders, of which none met a refusal, or there are too few agencies", agency)
	}
	stored := map[string]string{}
	for _, line := range m.export() {
		a, bet, _ := strings.Cut(line, ",")
		stored[a] += bet + "\n"
	}
	for a := range agency {
		if got := stored[fmt.Sprint(a+1)]; got != fileLines(0, fileBets) {
			t.Fatalf("agency %d has these bets:\n%s", a+1, got)
		}
	}
	t.Logf("%d orders, %d refusals", agency, refusals)
}
