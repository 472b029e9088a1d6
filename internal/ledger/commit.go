package ledger

import (
	"context"
	"errors"
	"slices"
	"time"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/logline"
)

// The committer is one goroutine, which start starts and which ends once the queue is closed and empty. It takes what waits in
// the queue, decides it in the order in which it came, appends the entries of those decisions to the journal as one group,
// applies them to the state, and only then answers.
//
// It alone appends to the journal and changes the state; so it reads the state's memory without the lock, and takes the lock to
// write. It never waits for a session: an answer is one value in a channel that has room for it.
//
// When an answer is out, its entry is durable in the journal. Whether the state has reached the disk does not matter, since it
// is built again from the journal. After an error of the journal or the state it is unknown what was stored, so the ledger fails:
// the group and all that is still in the queue are answered with that error, and nothing is appended any more.

// group is what one commit makes durable together. The committer's goroutine owns it, and uses it again for the next one.
type group struct {
	l        *Ledger
	requests []*request
	t        *transaction        // what the decisions so far have changed
	entries  [][]byte            // to be appended; batches lie in their submissions' frames
	appended map[batchID]content // the batches among entries, for repeats that came in the same group
	full     bool                // the last append found no room; kept from group to group
}

type batchID struct {
	cursorKey
	number uint64
}

// commit is the committer.
func (l *Ledger) commit() {
	g := &group{l: l, appended: map[batchID]content{}}
	for {
		g.requests = l.queue.take(g.requests[:0], groupBytes)
		if len(g.requests) == 0 {
			return
		}
		began := time.Now()
		err := l.Err()
		if err == nil {
			err = g.run()
		}
		l.metrics.committed(g.requests, began)
		if err != nil {
			l.fail(err)
		}
		g.answer(err)
	}
}

// answer logs what was decided, and then lets everybody know; err is why the ledger failed. Once a request is answered, it and
// its submission belong to whoever waits for it.
func (g *group) answer(err error) {
	for _, r := range g.requests {
		if err != nil {
			r.err = err
		}
		if r.batch == nil {
			continue
		}
		r.batch.Sequence.keep()
		if r.batch.Decided != nil {
			r.batch.Decided(r.stored, r.err)
		}
	}
	logline.Flush(g.l.log)
	for i, r := range g.requests {
		g.requests[i] = nil
		r.done <- struct{}{}
	}
}

// run decides the group and makes it durable. After an error nothing of it may be acknowledged, nor anything after it.
//
// Where servers share the journal, decisions may rest on a state that others have left behind. An append that succeeds shows
// that nobody was before us. Without one, the decisions count only if they were taken after catching up: a group that asks
// for a fresh state, or has refusals and repeats alone, and one whose append came too late.
func (g *group) run() error {
	ctx := context.Background() // a commit under way is finished, also while the ledger closes
	caughtUp := g.l.shared == nil
	if !caughtUp && g.asksForFresh() {
		if err := g.catchUp(ctx); err != nil {
			return err
		}
		caughtUp = true
	}
	for {
		if err := g.decideAll(ctx); err != nil {
			return err
		}
		if len(g.entries) > 0 {
			err := g.append(ctx)
			if !errors.Is(err, journal.ErrMoved) {
				return err
			}
		} else if caughtUp {
			return g.t.commit() // nothing is in it; it is only released
		}
		if err := g.catchUp(ctx); err != nil {
			return err
		}
		caughtUp = true
	}
}

func (g *group) asksForFresh() bool {
	return slices.ContainsFunc(g.requests, func(r *request) bool { return r.refresh })
}

// begin forgets what was decided: the next decision sees the state as it is now, and nothing else.
func (g *group) begin() {
	g.t = g.l.state.begin()
	clear(g.entries)
	g.entries = g.entries[:0]
	clear(g.appended)
}

// decideAll takes every decision of the group, on the state as it is now; earlier ones are forgotten.
func (g *group) decideAll(ctx context.Context) error {
	g.begin()
	if err := g.sealPast(ctx); err != nil {
		return err
	}
	for _, r := range g.requests {
		if r.batch != nil {
			r.batch.Sequence.undo()
		}
	}
	for _, r := range g.requests {
		if err := g.decide(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// append makes the group's entries durable, and then shows readers what they have changed. Where there is no room, the requests are
// decided without them, and that is no error. The error is journal.ErrMoved where another server was faster and nothing was
// appended; any other is the ledger's end.
func (g *group) append(ctx context.Context) error {
	head, err := g.l.journal.Append(ctx, g.t.s.head, g.entries)
	switch {
	case errors.Is(err, journal.ErrFull):
		g.noRoom(err)
		return g.decideWithoutRoom(ctx, err)
	case errors.Is(err, journal.ErrOtherHistory):
		return g.l.state.otherHistory()
	case err != nil:
		return err
	}
	g.announce()
	g.t.head = head
	if err := g.t.commit(); err != nil {
		return err
	}
	for n, d := range g.t.draws {
		if d.due() {
			g.l.startDraw(n)
		}
	}
	g.roomAgain()
	return nil
}

// announce logs the draws whose result has become durable, before anybody can ask for their winners.
func (g *group) announce() {
	for _, r := range g.requests {
		if r.result != nil && r.err == nil {
			g.l.log.Info("sorteo", "result", "success")
		}
	}
}

// catchUp applies what others have appended, and runs the draws that they have sealed.
func (g *group) catchUp(ctx context.Context) error {
	if err := g.l.state.catchUp(ctx); err != nil {
		return err
	}
	for _, n := range g.l.state.where(Draw.due) {
		g.l.startDraw(n)
	}
	return nil
}

// decideWithoutRoom decides each request again, by itself, on what is stored: nothing of the group was. What needs no entry is
// answered, such as a repeat of a stored batch. The rest is refused because of cause, and so is what was refused or accepted at first
// because of a request before it in the group. A journal that servers share never says that it has no room, so nobody else has
// appended anything that these decisions would have to see.
func (g *group) decideWithoutRoom(ctx context.Context, cause error) error {
	for _, r := range g.requests {
		if r.batch != nil {
			r.batch.Sequence.undo()
		}
	}
	for _, r := range g.requests {
		accepted := r.err == nil
		g.begin()
		if err := g.decide(ctx, r); err != nil {
			return err
		}
		if len(g.entries) > 0 || accepted && r.err != nil {
			r.err = quiniela.Refuse(quiniela.Storage, "%v; nothing of this was stored, send it again later", cause)
		}
		if r.batch == nil {
			continue
		}
		if r.err != nil {
			r.batch.Sequence.undo()
			r.batch.Sequence.Refuse()
		}
		r.batch.Sequence.keep()
	}
	return nil
}

// noRoom tells the operator, once, that bets are refused.
func (g *group) noRoom(err error) {
	if !g.full {
		g.l.log.Error("append", "result", "fail", "error", err, "bets", "refused until there is room")
	}
	g.full = true
}

// roomAgain tells the operator that bets are taken again after noRoom.
func (g *group) roomAgain() {
	if g.full {
		g.l.log.Info("append", "result", "success", "bets", "taken again")
	}
	g.full = false
}
