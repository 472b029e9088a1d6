package ledger

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/journal/journaltest"
)

// heldJournal waits in its next appends, as many as it holds, until it is told whether there is room.
type heldJournal struct {
	journal.Journal
	holds int // the committer's, once it has begun one of them
	began chan struct{}
	room  chan bool
}

func (h *heldJournal) Append(ctx context.Context, after journal.Head, entries [][]byte) (journal.Head, error) {
	if h.holds > 0 {
		h.holds--
		h.began <- struct{}{}
		if !<-h.room {
			return after, journal.ErrFull
		}
	}
	return h.Journal.Append(ctx, after, entries)
}

// asked is a request that waits in the queue, and what it has to get.
type asked struct {
	what string
	*request
	want quiniela.Code
}

// together puts requests into one group, for which there is room or not, and compares the answers.
func (h *heldJournal) together(t *testing.T, l *Ledger, room bool, all ...asked) {
	t.Helper()
	appends := room || all[0].want == quiniela.Storage
	h.holds = 1
	if appends {
		h.holds = 2
	}
	// A group of its own holds the committer while the requests come. It is one that changes nothing of what they are about.
	busy := &request{acts: []journal.Act{{Who: "test", What: journal.ActBackup}}, done: make(chan struct{}, 1)}
	must(t, l.queue.put(busy))
	<-h.began
	for _, a := range all {
		must(t, l.queue.put(a.request))
	}
	h.room <- true
	<-busy.done
	if appends {
		select {
		case <-h.began:
			h.room <- room
		case <-time.After(5 * time.Minute):
			t.Fatalf("nothing is appended; the first gets %v", all[0].err)
		}
	}
	for _, a := range all {
		<-a.done
		if got := quiniela.CodeOf(a.err); got != a.want || a.want == "" && a.err != nil {
			t.Errorf("room is %t: %s gets %v, want code %q", room, a.what, a.err, a.want)
		}
	}
}

func ask(want quiniela.Code, what string, r request) asked {
	r.done = make(chan struct{}, 1)
	return asked{what, &r, want}
}

// batch asks for a batch of agency 1 in the current draw.
func batch(t *testing.T, l *Ledger, want quiniela.Code, number uint64, document int) asked {
	t.Helper()
	s := &Submission{Agency: 1, Batch: number, Frame: fmt.Appendf(nil, "Ana,Paz,%d,1990-01-01,7\n", document)}
	must(t, l.prepare(s))
	s.begin = journal.PutBatch(s.Frame, s.Start, &s.entry)
	return ask(want, fmt.Sprintf("batch %d with document %d", number, document), request{batch: s})
}

func finish(want quiniela.Code, batches uint64) asked {
	return ask(want, fmt.Sprintf("the finish after %d", batches), request{finish: &finishRequest{agency: 1, batches: batches}})
}

func shut(want quiniela.Code, id string) asked {
	return ask(want, "the close of "+id, request{close: &closeRequest{id: id}})
}

func opening(want quiniela.Code, id string, source draw.Source) asked {
	o := &journal.Open{ID: id, Agencies: 1, Source: string(source), At: 1}
	return ask(want, "the opening of "+id, request{open: o})
}

func number(want quiniela.Code, id, who string, n quiniela.Number) asked {
	r := request{enter: &enterRequest{id: id, number: n}, by: Actor{Name: who, From: "192.0.2.7", Registered: true}}
	return ask(want, fmt.Sprintf("%04d by %s in %s", n, who, id), r)
}

// Where a group finds no room, nothing of it was stored. So nobody is answered as if what came before in it had been: not with
// another refusal, which a client may take for final, and not with success. What was stored before is answered as ever.
func TestWithoutRoomNobodyIsToldOfWhatWasNotStored(t *testing.T) {
	t.Parallel()
	const full = quiniela.Storage
	var disk journaltest.Disk
	j, err := disk.Open()
	must(t, err)
	h := &heldJournal{Journal: j, began: make(chan struct{}), room: make(chan bool)}
	l, err := Open(t.Context(), h, Options{Dir: "data", FS: vfs.NewMem(), Seed: &Seed{ID: "day", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}}})
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })

	h.together(t, l, false, batch(t, l, full, 1, 1), batch(t, l, full, 1, 2))                                // not conflict
	h.together(t, l, false, batch(t, l, full, 1, 1), batch(t, l, full, 2, 2), batch(t, l, "gap", 4, 4))      // not gap of 3
	h.together(t, l, false, finish(full, 0), batch(t, l, full, 1, 1))                                        // not finished
	h.together(t, l, false, shut(full, "day"), batch(t, l, full, 1, 1), finish(full, 0))                     // not closed
	h.together(t, l, false, opening(full, "night", quiniela.SourceNotary), opening(full, "night", "notary")) // not that it is there
	h.together(t, l, true, batch(t, l, "", 1, 1))
	h.together(t, l, false, batch(t, l, full, 2, 2), batch(t, l, "", 1, 1), batch(t, l, "conflict", 1, 3), batch(t, l, full, 2, 2))
	if next := l.state.cursors[cursorKey{1, 1}].next; next != 2 {
		t.Errorf("batch %d is next, want 2", next)
	}

	// A connection that had the repeat of batch 1 answered goes on behind it once there is room.
	sequence := NewSequence(1)
	on := func(a asked) asked { a.batch.Sequence = sequence; return a }
	h.together(t, l, false, on(batch(t, l, full, 2, 2)), on(batch(t, l, "", 1, 1)), on(batch(t, l, full, 2, 2)))
	h.together(t, l, true, on(batch(t, l, "", 2, 2)))

	h.together(t, l, true, shut("", "day"), opening("", "night", quiniela.SourceNotary))
	h.together(t, l, false, number(full, "day", "ana", 7), number(full, "day", "eva", 8)) // not that it has a number
}

// The second of two people who has entered another number than the first is told so only where that is recorded.
func TestWithoutRoomADifferenceIsNotAnswered(t *testing.T) {
	t.Parallel()
	var disk journaltest.Disk
	j, err := disk.Open()
	must(t, err)
	h := &heldJournal{Journal: j, began: make(chan struct{}), room: make(chan bool)}
	l, err := Open(t.Context(), h, Options{Dir: "data", FS: vfs.NewMem(), Seed: &Seed{ID: "day", Agencies: 1, Rule: draw.FixedNumber(1)}})
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	two := opening("", "night", quiniela.SourceNotary)
	two.open.Two = true
	h.together(t, l, true, two)
	h.together(t, l, true, shut("", "night"))
	h.together(t, l, true, number("", "night", "ana", 7))
	h.together(t, l, false, number(quiniela.Storage, "night", "eva", 8))
	h.together(t, l, true, number("", "night", "eva", 7))
}
