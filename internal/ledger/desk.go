package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/receipt"
	"quiniela/tlog"
)

// This file is the operator's desk: draws by name, and what is known of them.

// Terms are what a draw is opened with, for ever.
type Terms struct {
	ID       string
	Agencies uint32    // expected: 1..Agencies
	Closes   time.Time // zero: when all have finished, or an operator closes it
	Rule     draw.Rule
	Game     *quiniela.Terms // the terms of the game quiniela; nil: the game is the specification's
	Two      bool            // two people must enter its number; for the source notary
}

// MaxAgencies is the most agencies of a draw.
const MaxAgencies = 1_000_000

// MaxUndrawn is the most draws without a result at once: the committer looks at each of them with every group.
const MaxUndrawn = 1000

// maxNote is the most characters of an operator's note.
const maxNote = 200

// AgencyProgress is how far an agency is in a draw.
type AgencyProgress struct {
	Agency   quiniela.Agency
	Batches  uint64
	Bets     uint64
	Staked   uint64 // by them, in cents; 0 in the specification's game
	Finished bool
	Seen     time.Time // when its last batch or its finish came; zero: never
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

// DrawsFrom returns the draws from an ordinal on, which is 1 or more, in the order in which they were opened and most of them at most,
// and how many draws there are.
func (l *Ledger) DrawsFrom(ctx context.Context, from uint64, most int) (draws []Draw, last uint64, err error) {
	if err := l.fresh(ctx); err != nil {
		return nil, 0, err
	}
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	last = l.state.last()
	for n := max(from, 1); n <= last && len(draws) < most; n++ {
		draws = append(draws, l.state.draws[n])
	}
	return draws, last, nil
}

// FindDraw returns the draw with an ID; "" is the current draw.
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
func (l *Ledger) OpenDraw(ctx context.Context, by Actor, t Terms) (Draw, error) {
	now := l.now()
	rule, err := l.rule(t)
	if err == nil {
		err = t.check(now)
	}
	if err != nil {
		return Draw{}, err
	}
	if err := rule.Check(); err != nil {
		return Draw{}, quiniela.Refuse(quiniela.Invalid, "%v", err)
	}
	o := &journal.Open{ID: t.ID, Agencies: t.Agencies, Source: string(rule.Source), Number: rule.Fixed, Public: l.public, Two: t.Two, Game: t.Game, At: now.UnixMicro()}
	if !t.Closes.IsZero() {
		o.Closes = t.Closes.UnixMicro()
	}
	if rule.Source == quiniela.SourceBeacon {
		o.Chain, o.Round = rule.Chain[:], rule.Round
	}
	if err := l.do(ctx, &request{open: o, by: by}); err != nil {
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
	if err := checkGame(t.Game, t.Rule.Source); err != nil {
		return quiniela.Refuse(quiniela.Invalid, "%v", err)
	}
	if t.Two && t.Rule.Source != quiniela.SourceNotary {
		return quiniela.Refuse(quiniela.Invalid, "two people enter a notary's number, and the source of draw %s is %q", t.ID, t.Rule.Source)
	}
	if !t.Closes.IsZero() && !t.Closes.After(now) {
		return quiniela.Refuse(quiniela.Invalid, "the closing time %s has passed: it is %s here", t.Closes.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// rule returns the terms' rule. The round of a beacon is the first after the closing time and the margin: the operator has
// no choice of it.
func (l *Ledger) rule(t Terms) (draw.Rule, error) {
	if t.Rule.Source != quiniela.SourceBeacon {
		return t.Rule, nil
	}
	switch {
	case !l.public:
		return t.Rule, quiniela.Refuse(quiniela.Invalid, "the source beacon needs the public log, which this server does not keep: see SERVER_PUBLIC_LOG")
	case t.Closes.IsZero():
		return t.Rule, quiniela.Refuse(quiniela.Invalid, "the source beacon needs a closing time: its round is the first that is signed %s after it", Margin)
	}
	round, err := l.state.chain.RoundFor(t.Closes, Margin)
	return draw.BeaconRound(l.state.chain, round), err
}

// CloseDraw seals an open draw durably, also while agencies have not finished: that is an operator's decision, and
// note, which may be empty, says why. The draw follows as soon as its number is known.
func (l *Ledger) CloseDraw(ctx context.Context, by Actor, id, note string) (Draw, error) {
	if note = strings.TrimSpace(note); note == "-" {
		note = "" // which the public log writes in this way
	}
	if err := checkNote(note); err != nil {
		return Draw{}, err
	}
	if err := l.do(ctx, &request{close: &closeRequest{id, note}, by: by}); err != nil {
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

// EnterNumber records durably the winning number of a sealed draw whose source is a notary. extract is the SHA-256 of the official
// extract that the notary hands in, or nil. Where the draw needs two people, the first one's number has no effect until a second one,
// who does not see it, has entered the same; the error has the code Conflict where it is another one, and both then begin again.
func (l *Ledger) EnterNumber(ctx context.Context, by Actor, id string, n quiniela.Number, extract []byte) (Draw, error) {
	return l.enter(ctx, by, &enterRequest{id: id, number: n, extract: extract})
}

// EnterPrizes is EnterNumber for a draw of the game quiniela: it records all twenty numbers of the extract, in their order.
func (l *Ledger) EnterPrizes(ctx context.Context, by Actor, id string, prizes []quiniela.Number, extract []byte) (Draw, error) {
	if len(prizes) != quiniela.PrizeCount {
		return Draw{}, quiniela.Refuse(quiniela.Invalid, "%d numbers: want the %d of the extract", len(prizes), quiniela.PrizeCount)
	}
	return l.enter(ctx, by, &enterRequest{id: id, number: prizes[0], prizes: prizes, extract: extract})
}

func (l *Ledger) enter(ctx context.Context, by Actor, e *enterRequest) (Draw, error) {
	if len(e.extract) != 0 && len(e.extract) != tlog.HashSize {
		return Draw{}, quiniela.Refuse(quiniela.Invalid, "an extract's hash of %d bytes: want the %d of SHA-256", len(e.extract), tlog.HashSize)
	}
	for _, n := range append(e.prizes[:len(e.prizes):len(e.prizes)], e.number) {
		if n > quiniela.MaxNumber {
			return Draw{}, quiniela.Refuse(quiniela.Invalid, "the number %d: want 0 to %d", n, quiniela.MaxNumber)
		}
	}
	if err := l.do(ctx, &request{enter: e, by: by}); err != nil {
		return Draw{}, err
	}
	return l.FindDraw(ctx, e.id)
}

// Progress returns how far the expected agencies are, in order, from one on, most of them at most; agency 0 comes first where it has
// bets.
func (l *Ledger) Progress(ctx context.Context, id string, from quiniela.Agency, most int) ([]AgencyProgress, error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil {
		return nil, err
	}
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	all := make([]AgencyProgress, 0, min(most, int(d.Agencies)+1))
	for a := uint64(from); a <= uint64(d.Agencies) && len(all) < most; a++ {
		n := quiniela.Agency(a)
		c, ok := l.state.cursors[cursorKey{d.Seq, n}]
		if !ok && n == quiniela.Unattributed {
			continue
		}
		all = append(all, c.progress(n))
	}
	return all, nil
}

// AgencyCount is how many winners an agency has.
type AgencyCount struct {
	Agency    quiniela.Agency
	Winners   uint32
	Due, Paid uint64 // in cents, in the game quiniela
}

// CountWinners returns how many winners the agencies have, in order, from one on, most of them at most and without those that have none.
// Before the draw has its result there are none, and no error. It reads two rows of each agency, however many winners that has.
func (l *Ledger) CountWinners(ctx context.Context, id string, from quiniela.Agency, most int) (counts []AgencyCount, err error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := d.forgotten(); err != nil {
		return nil, err
	}
	if d.Game != nil {
		return l.state.countPrizes(d.Seq, from, most)
	}
	prefix := binary.BigEndian.AppendUint64([]byte{keyWinner}, d.Seq)
	it, err := l.state.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.SeekGE(agencyKey(nil, keyWinner, d.Seq, from)); ok && len(counts) < most; {
		a := quiniela.Agency(binary.BigEndian.Uint32(it.Key()[len(prefix):]))
		next := after(agencyKey(nil, keyWinner, d.Seq, a))
		if !it.SeekLT(next) {
			return nil, errors.Join(errors.New("the winners changed while they were counted"), it.Error())
		}
		counts = append(counts, AgencyCount{Agency: a, Winners: binary.BigEndian.Uint32(it.Key()[len(prefix)+4:]) + 1})
		ok = it.SeekGE(next)
	}
	return counts, it.Error()
}

// forgotten returns why a draw's winners cannot be named any more.
func (d Draw) forgotten() error {
	if d.Forgotten.IsZero() && !d.Gone {
		return nil
	}
	return quiniela.Refuse(quiniela.Absent, "who bet in draw %s, and who won, was forgotten on %s", d.ID, d.Forgotten.Format(time.DateOnly))
}

// Tally is how many bets of a draw there are on each number of 1 to 4 digits. The bets of the specification's game are on 4.
type Tally [10 + 100 + 1000 + 10000]uint64

// On returns how many bets there are on a number with some digits. In the game quiniela 7 and 07 are two numbers.
func (t *Tally) On(digits uint8, n quiniela.Number) uint64 {
	return t[hitsAt[digits]+uint16(n)]
}

// Each calls f with each number that has bets, those of one digit first.
func (t *Tally) Each(f func(digits uint8, n quiniela.Number, bets uint64)) {
	for digits := uint8(1); digits <= quiniela.MaxDigits; digits++ {
		for n := range quiniela.Number(hitsEnd[digits]) {
			if bets := t.On(digits, n); bets > 0 {
				f(digits, n, bets)
			}
		}
	}
}

// add counts packed plays.
func (t *Tally) add(game *quiniela.Terms, plays []byte) {
	size, digits := game.PlaySize(), uint8(quiniela.MaxDigits)
	for ; len(plays) >= size; plays = plays[size:] {
		if game != nil {
			digits = plays[2]
		}
		t[hitsAt[digits]+uint16(game.NumberIn(plays))]++
	}
}

// tally is a draw's Tally as far as it was asked for. It is counted when somebody asks, from the batches that have come since, so that taking
// bets costs nothing for it.
type tally struct {
	mu    sync.Mutex
	at    time.Time                  // when it was last brought up to date
	bets  uint64                     // of the draw, then
	next  map[quiniela.Agency]uint64 // the first batch that is not in it
	count Tally
}

// tallyEvery is the shortest time between two looks at what has come: to look costs a moment for each agency of the draw.
const tallyEvery = time.Second

// Tally returns how many bets there are on each number, of an open draw as of a second ago at most. The first call looks at all the bets' numbers, later
// ones at those that have come since.
func (l *Ledger) Tally(ctx context.Context, id string) (*Tally, error) {
	d, err := l.FindDraw(ctx, id)
	if err != nil {
		return nil, err
	}
	v, known := l.tallies.LoadOrStore(d.Seq, &tally{next: map[quiniela.Agency]uint64{}})
	if !known {
		l.dropTally(d.Seq)
	}
	t := v.(*tally)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bets == d.Bets || time.Since(t.at) < tallyEvery && !d.Sealed {
		count := t.count
		return &count, nil
	}
	for a := range quiniela.Agency(d.Agencies) + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := t.add(l.state, d, a); err != nil {
			return nil, err
		}
	}
	t.at, t.bets = time.Now(), d.Bets
	count := t.count
	return &count, nil
}

// mostTallies is how many draws' tallies are kept. One takes 90 kB, and something for each agency of its draw.
const mostTallies = 8

// dropTally forgets a tally where there are too many, but not the draw's.
func (l *Ledger) dropTally(draw uint64) {
	n := 0
	l.tallies.Range(func(key, _ any) bool {
		if n++; n > mostTallies && key != draw {
			l.tallies.Delete(key)
		}
		return true
	})
}

// add counts an agency's batches that are not in the tally yet.
func (t *tally) add(s *state, d Draw, a quiniela.Agency) error {
	s.mu.RLock()
	next := s.cursors[cursorKey{d.Seq, a}].next
	s.mu.RUnlock()
	from := max(t.next[a], 1)
	if next <= from {
		return nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: batchKey(nil, d.Seq, a, from), UpperBound: batchKey(nil, d.Seq, a, next)})
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }() // its error is Error's
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		t.count.add(d.Game, v[batchRow:])
	}
	t.next[a] = next
	return it.Error()
}

// DrawBySeq returns the draw with an ordinal in the journal; 0 is the current draw.
func (l *Ledger) DrawBySeq(n uint64) (Draw, error) {
	d, ok := l.state.draw(n)
	if !ok {
		return d, errNoDraw
	}
	return d, nil
}

// Totals returns what each agency brought to a draw, in order, and which had not finished; those that finished without a bet are
// left out. It is final once the draw is sealed.
func (l *Ledger) Totals(d Draw) (totals []receipt.Total) {
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	for a := range quiniela.Agency(d.Agencies) + 1 {
		if total := total(a, l.state.cursors[cursorKey{d.Seq, a}]); total.Batches > 0 || total.Missing {
			totals = append(totals, total)
		}
	}
	return totals
}
