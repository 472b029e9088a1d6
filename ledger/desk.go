package ledger

import (
	"context"
	"encoding/binary"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2"

	"quiniela"
	"quiniela/draw"
	"quiniela/journal"
)

// This file is the operator's desk: draws by name, and what is known of them.

// Terms are what a draw is opened with, for ever.
type Terms struct {
	ID       string
	Agencies uint32    // expected: 1..Agencies
	Closes   time.Time // zero: when all have finished, or an operator closes it
	Rule     draw.Rule
}

// MaxAgencies is the most agencies of a draw.
const MaxAgencies = 1_000_000

// maxNote is the most characters of an operator's note.
const maxNote = 200

// AgencyProgress is how far an agency is in a draw.
type AgencyProgress struct {
	Agency   quiniela.Agency
	Batches  uint64
	Bets     uint64
	Finished bool
}

// AgencyWinners are the winners of an agency, in the order in which their bets were stored.
type AgencyWinners struct {
	Agency    quiniela.Agency
	Documents []string
}

// Draws returns all draws, in the order in which they were opened.
func (l *Ledger) Draws(ctx context.Context) ([]Draw, error) {
	if err := l.fresh(ctx); err != nil {
		return nil, err
	}
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	all := make([]Draw, 0, len(l.state.draws))
	for n := uint64(1); n <= l.state.last(); n++ {
		all = append(all, l.state.draws[n])
	}
	return all, nil
}

// FindDraw returns the draw with a name; "" is the one that is meant where none is named.
func (l *Ledger) FindDraw(ctx context.Context, id string) (Draw, error) {
	if err := l.fresh(ctx); err != nil {
		return Draw{}, err
	}
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	n := l.state.ids[id]
	if id == "" {
		if n = l.state.current(); n == 0 {
			return Draw{}, errNoDraw
		}
	}
	d, ok := l.state.draws[n]
	if !ok {
		return Draw{}, noDraw(id)
	}
	return d, nil
}

// OpenDraw opens a draw durably. Its number source and closing time cannot be changed afterwards.
func (l *Ledger) OpenDraw(ctx context.Context, t Terms) (Draw, error) {
	now := l.now()
	if err := t.check(now); err != nil {
		return Draw{}, err
	}
	o := &journal.Open{ID: t.ID, Agencies: t.Agencies, Source: string(t.Rule.Source), Number: t.Rule.Fixed, At: now.UnixMicro()}
	if !t.Closes.IsZero() {
		o.Closes = t.Closes.UnixMicro()
	}
	if err := l.do(ctx, &request{open: o}); err != nil {
		return Draw{}, err
	}
	return l.FindDraw(ctx, t.ID)
}

func (t Terms) check(now time.Time) error {
	if err := quiniela.CheckDrawID(t.ID); err != nil {
		return err
	}
	if t.Agencies < 1 || t.Agencies > MaxAgencies {
		return quiniela.Refuse(quiniela.Invalid, "%d agencies: want 1 to %d", t.Agencies, MaxAgencies)
	}
	if !t.Closes.IsZero() && !t.Closes.After(now) {
		return quiniela.Refuse(quiniela.Invalid, "the closing time %s has passed: it is %s here", t.Closes.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if err := t.Rule.Check(); err != nil {
		return quiniela.Refuse(quiniela.Invalid, "%v", err)
	}
	return nil
}

// CloseDraw seals an open draw durably, also while agencies have not finished: that is an operator's decision, and
// note, which may be empty, says why. The draw follows as soon as its number is known.
func (l *Ledger) CloseDraw(ctx context.Context, id, note string) (Draw, error) {
	if err := checkNote(note); err != nil {
		return Draw{}, err
	}
	if err := l.do(ctx, &request{close: &closeRequest{id, note}}); err != nil {
		return Draw{}, err
	}
	return l.FindDraw(ctx, id)
}

func checkNote(note string) error {
	if !utf8.ValidString(note) || utf8.RuneCountInString(note) > maxNote {
		return quiniela.Refuse(quiniela.Invalid, "the note has over %d characters, or is not UTF-8", maxNote)
	}
	for _, r := range note {
		if !unicode.IsPrint(r) {
			return quiniela.Refuse(quiniela.Invalid, "the note has a character %U that cannot be printed", r)
		}
	}
	return nil
}

// EnterNumber records durably the winning number of a sealed draw whose source is a notary.
func (l *Ledger) EnterNumber(ctx context.Context, id string, n quiniela.Number) (Draw, error) {
	if n > quiniela.MaxNumber {
		return Draw{}, quiniela.Refuse(quiniela.Invalid, "the number %d: want 0 to %d", n, quiniela.MaxNumber)
	}
	if err := l.do(ctx, &request{enter: &enterRequest{id, n}}); err != nil {
		return Draw{}, err
	}
	return l.FindDraw(ctx, id)
}

// Progress returns how far every expected agency is, in order; agency 0 comes first where it has bets.
func (l *Ledger) Progress(ctx context.Context, id string) ([]AgencyProgress, error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil {
		return nil, err
	}
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	all := make([]AgencyProgress, 0, d.Agencies+1)
	for a := range quiniela.Agency(d.Agencies) + 1 {
		c, ok := l.state.cursors[cursorKey{d.Number, a}]
		if !ok && a == quiniela.Unattributed {
			continue
		}
		all = append(all, AgencyProgress{Agency: a, Batches: max(c.next, 1) - 1, Bets: c.bets, Finished: c.finished})
	}
	return all, nil
}

// AllWinners returns the winners of a drawn draw, in the order of the agencies, without those that have none. Before
// it is drawn there are none, and no error.
func (l *Ledger) AllWinners(ctx context.Context, id string) ([]AgencyWinners, error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := d.forgotten(); err != nil {
		return nil, err
	}
	var all []AgencyWinners
	prefix := binary.BigEndian.AppendUint64([]byte{keyWinner}, d.Number)
	err = l.state.scan(prefix, func(k, v []byte) error {
		a := quiniela.Agency(binary.BigEndian.Uint32(k[len(prefix):]))
		if n := len(all); n == 0 || all[n-1].Agency != a {
			all = append(all, AgencyWinners{Agency: a})
		}
		w := &all[len(all)-1]
		w.Documents = append(w.Documents, string(v))
		return nil
	})
	return all, err
}

// forgotten returns why a draw's winners cannot be named any more.
func (d Draw) forgotten() error {
	if d.Forgotten.IsZero() && !d.Gone {
		return nil
	}
	return quiniela.Refuse(quiniela.Absent, "who bet in draw %s, and who won, was forgotten on %s", d.ID, d.Forgotten.Format(time.DateOnly))
}

// Numbers is how many numbers can be played.
const Numbers = int(quiniela.MaxNumber) + 1

// tally is the count of bets on each number of a draw, as far as it was asked for. It is counted when somebody asks,
// from the batches that have come since, so that taking bets costs nothing for it.
type tally struct {
	mu    sync.Mutex
	next  map[quiniela.Agency]uint64 // the first batch that is not in it
	count [Numbers]uint64
}

// Tally returns how many bets there are on each number. The first call looks at all the bets' numbers, later ones at
// those that have come since.
func (l *Ledger) Tally(ctx context.Context, id string) (*[Numbers]uint64, error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil {
		return nil, err
	}
	v, _ := l.tallies.LoadOrStore(d.Number, &tally{next: map[quiniela.Agency]uint64{}})
	t := v.(*tally)
	t.mu.Lock()
	defer t.mu.Unlock()
	for a := range quiniela.Agency(d.Agencies) + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := t.add(l.state, d.Number, a); err != nil {
			return nil, err
		}
	}
	count := t.count
	return &count, nil
}

// add counts an agency's batches that are not in the tally yet.
func (t *tally) add(s *state, draw uint64, a quiniela.Agency) error {
	s.mu.RLock()
	next := s.cursors[cursorKey{draw, a}].next
	s.mu.RUnlock()
	from := max(t.next[a], 1)
	if next <= from {
		return nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: batchKey(nil, draw, a, from), UpperBound: batchKey(nil, draw, a, next)})
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }() // its error is Error's
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		for i := 8; i+1 < len(v); i += quiniela.NumberSize {
			t.count[binary.BigEndian.Uint16(v[i:])]++
		}
	}
	t.next[a] = next
	return it.Error()
}
