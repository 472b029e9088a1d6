package ledger

import (
	"crypto/rand"
	"time"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/receipt"
	"quiniela/tlog"
)

// Headroom is how many free bytes in front of a batch's lines Submit needs to write the entry's header there. With fewer it
// copies the lines.
const Headroom = journal.MaxBatchHeader

// Submission is a batch on its way into the journal. It belongs to the caller until Submit and again once Wait has returned, or
// Submit has returned an error; in between it belongs to the ledger, with its Frame. It can be used again.
type Submission struct {
	Draw   uint64 // its ordinal; 0: the current draw
	Agency quiniela.Agency
	Batch  uint64 // the agency's number for it, from 1; 0: the ledger gives it the next
	// Sequence is that of the connection which the batch came on, after the agency's hello; else nil.
	Sequence *Sequence
	// Unattributed says that the agency may be quiniela.Unattributed: the bets came in a form that names none.
	Unattributed bool
	// Frame holds the bet lines from Start to its end, as they came; what is in front of Start is overwritten. Submit writes the
	// entry into Frame itself where it has Headroom bytes in front of the lines and one byte of capacity behind them, for the
	// last line's end. Otherwise Submit replaces Frame by a copy that has both.
	Frame   []byte
	Start   int
	MaxBets int // most bets; 0: what quiniela.DefaultLimits says
	// Decided, where it is set, is called with what Wait will return before it returns: in the order of the decisions, one at a
	// time, and once per group the ledger then flushes its logger (logline.Flush). So a line that Decided logs is written
	// before the answer can leave, and many lines in one write. It must be quick.
	Decided func(bets int, err error)

	request request
	entry   journal.Batch   // its Lines lie in Frame
	begin   int             // of the entry in Frame
	game    *quiniela.Terms // what the lines were read by
	plays   []byte          // of the bets, packed; kept for the next use
	stake   uint64          // of all of them, in cents
	hashing receipt.BatchHasher
	secret  [journal.SecretSize]byte // of the batch
	root    [journal.HashSize]byte
}

// prepare validates the lines and makes the entry, but for its draw, its number and its header: in one pass over the lines, also
// where public asks for the root that the batch has in the public log.
func (s *Submission) prepare(now time.Time, public bool, game *quiniela.Terms) error {
	if s.Start < Headroom || len(s.Frame) == cap(s.Frame) {
		s.makeRoom()
	}
	most := s.MaxBets
	if most == 0 {
		most = quiniela.DefaultLimits().BatchBets
	}
	_, _ = rand.Read(s.secret[:]) // never fails
	var each func(quiniela.Bet) error
	if public {
		if err := s.hashing.Reset(&s.secret); err != nil {
			return err
		}
		each = s.hashing.Add
	}
	lines, plays, err := game.CheckLines(s.Frame[s.Start:], quiniela.DayOf(now), most, s.plays[:0], each)
	s.game, s.plays = game, plays
	if err != nil {
		return err
	}
	if s.stake, err = game.Staked(plays); err != nil {
		return quiniela.Refuse(quiniela.TooLarge, "%v", err)
	}
	s.Frame = s.Frame[:s.Start+len(lines)] // CheckLines moves lines to the left only, and adds one byte at most
	s.entry = journal.Batch{
		Agency: s.Agency, Count: uint32(len(plays) / game.PlaySize()), Received: now.UnixMicro(),
		Secret: &s.secret, Lines: lines,
	}
	if public {
		s.setRoot(s.hashing.Root())
	} else {
		s.entry.MAC = journal.MAC(&s.secret, lines)
	}
	return nil
}

func (s *Submission) setRoot(root tlog.Hash) {
	s.root = root
	s.entry.Root = (*[journal.HashSize]byte)(&s.root)
}

// makeRoom copies the lines to where a header fits in front of them and a line end behind them.
func (s *Submission) makeRoom() {
	lines := s.Frame[s.Start:]
	s.Frame = append(make([]byte, Headroom, Headroom+len(lines)+1), lines...)
	s.Start = Headroom
}

// fit makes the entry one of a draw, where prepare took it for one of another: the current draw changed meanwhile, and the two are not of
// one game, or not both in the public log.
func (s *Submission) fit(d Draw) error {
	same := s.game.Equal(d.Game)
	if same && d.Public == (s.entry.Root != nil) {
		return nil
	}
	if !same {
		received := quiniela.DayOf(time.UnixMicro(s.entry.Received))
		_, plays, err := d.Game.CheckLines(s.entry.Lines, received, int(s.entry.Count), s.plays[:0], nil) // they are tidy, and stay where they are
		if s.plays = plays; err != nil {
			return err
		}
		s.game = d.Game
		if s.stake, err = s.game.Staked(plays); err != nil {
			return quiniela.Refuse(quiniela.TooLarge, "%v", err)
		}
	}
	s.entry.Root, s.entry.MAC = nil, [journal.HashSize]byte{}
	if d.Public {
		root, err := receipt.Root(s.game, &s.secret, s.entry.Lines)
		if err != nil {
			return quiniela.Refuse(quiniela.Invalid, "%v", err)
		}
		s.setRoot(root)
	} else {
		s.entry.MAC = journal.MAC(&s.secret, s.entry.Lines)
	}
	s.begin = journal.PutBatch(s.Frame, s.Start, &s.entry)
	return nil
}

// prepare does the part of taking a batch that is costly. It runs in the caller's goroutine.
func (l *Ledger) prepare(s *Submission) error {
	d, _ := l.state.draw(s.Draw)
	return s.prepare(l.now(), d.Public, d.Game)
}

// Submit validates a batch's lines and queues it, and blocks while too much waits for the committer. An error is a
// *quiniela.Error, or why the ledger has stopped; nothing was queued then. Where it returns nil, Wait must be called. Batches of
// one caller are decided in the order in which it submits them. Submissions may be submitted concurrently; what can be done in
// parallel (validation, hashing, the batch's root) is done here, in the caller's goroutine.
func (l *Ledger) Submit(s *Submission) error {
	if err := l.prepare(s); err != nil {
		s.Sequence.Refuse()
		return err
	}
	s.begin = journal.PutBatch(s.Frame, s.Start, &s.entry)
	done := s.request.done
	if done == nil {
		done = make(chan struct{}, 1)
	}
	s.request = request{batch: s, done: done}
	return l.queue.put(&s.request)
}

// Wait returns once the batch is durable, with the number of bets stored, or was refused with a *quiniela.Error, or
// the ledger has failed. It is called once for each Submit that returned nil.
func (s *Submission) Wait() (bets int, err error) {
	<-s.request.done
	return s.request.stored, s.request.err
}
