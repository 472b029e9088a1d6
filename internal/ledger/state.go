package ledger

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/store"
	"quiniela/tlog"
)

// Draw is what is known of a draw.
type Draw struct {
	Seq      uint64 `json:"Number"` // its ordinal in the journal: 1, 2, 3, …
	ID       string
	Agencies uint32
	Rule     draw.Rule
	Game     *quiniela.Terms `json:",omitempty"` // the terms of the game quiniela; nil: the game is the specification's
	Staked   uint64          `json:",omitempty"` // by all its bets, in cents
	Batches  uint64
	Bets     uint64
	Finished uint32 // agencies
	Opened   time.Time
	Closes   time.Time // from when on it takes no bet; zero: when all have finished, or an operator closes it
	Sealed   bool
	SealedAt time.Time        // zero until then
	SealedBy string           // one of the journal's Sealed… words
	Note     string           // of the operator who closed it
	Entered  *quiniela.Number // by a notary, or from the beacon
	// Extracted are all twenty numbers in the game quiniela; see Prizes.
	Extracted []quiniela.Number `json:",omitempty"`
	// Signature is the beacon's, of the draw's round; nil where a notary entered the number.
	Signature []byte
	Extract   []byte // SHA-256 of the official extract that the notary handed in, or nil
	// Two reports that its number takes effect when two people have entered it; EnteredBy are those who have, and First is what
	// the first of them entered while the second is awaited, which nobody else may see.
	Two       bool             `json:",omitempty"`
	EnteredBy []string         `json:",omitempty"`
	First     *journal.Entered `json:",omitempty"`
	Result    *journal.Result  // nil until drawn
	// Public reports that its batches are in the public log, as draw LogSeq of the log, whose entries OpenIndex,
	// SealIndex (once sealed) and ResultIndex (once drawn) are its own. Binding is the leaf of the first.
	Public bool
	// InOlderLog reports that these entries are in the log before this one: the draw was drawn there (see journal.NewLog).
	InOlderLog                        bool   `json:",omitempty"`
	LogSeq                            uint64 `json:"Logged"`
	OpenIndex, SealIndex, ResultIndex uint64
	Binding                           tlog.Hash
	// Forgotten is when who bet and who won was forgotten; zero: it is there.
	Forgotten time.Time
	// Gone reports that the lines of some of its batches are gone already.
	Gone bool
}

// Logged reports that its entries are in the public log as it is now.
func (d Draw) Logged() bool { return d.Public && !d.InOlderLog }

// State names where a draw is in its life: "open", "sealed" (it waits for its number, or for the winners to be
// found), "drawn".
func (d Draw) State() string {
	switch {
	case d.Result != nil:
		return "drawn"
	case d.Sealed:
		return "sealed"
	}
	return "open"
}

// winning returns the winning number, once it is known and the draw is sealed.
func (d Draw) winning() (quiniela.Number, bool) {
	switch {
	case !d.Sealed:
		return 0, false
	case d.Entered != nil:
		return *d.Entered, true
	case d.Rule.Fixed != nil:
		return *d.Rule.Fixed, true
	}
	return 0, false
}

// due reports whether the winners can be found, and have not been.
func (d Draw) due() bool {
	_, known := d.winning()
	return known && d.Result == nil
}

// past reports whether the closing time has come and the draw is not sealed yet.
func (d Draw) past(now time.Time) bool {
	return !d.Sealed && !d.Closes.IsZero() && !now.Before(d.Closes)
}

// instant is the time of a journal entry, where it has one.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// cursor is where an agency stands in a draw.
type cursor struct {
	next     uint64 // the batch that comes next, from 1
	bets     uint64
	stake    uint64 // of them, in cents
	finished bool
	last     content // of its last batch
	seen     int64   // when its last batch or its finish came, in µs since the Unix epoch, by the clock of the server that took it; 0: never
}

type cursorKey struct {
	draw   uint64
	agency quiniela.Agency
}

// state is everything derived from the journal. The small part is in memory as well, so that the committer and the
// sessions touch no disk for it; the part that grows with the bets is in the database alone. Writes are not synced:
// what a crash takes, the journal gives back.
//
// One goroutine changes it, through a transaction: that of Open, and from then on the committer. It reads the memory without
// the lock, and holds the lock while it changes it (transaction.show). Every other goroutine holds the lock to read the memory,
// for a moment, never while it reads a disk. The database may be read by any goroutine at any time; what a reader finds there may
// be newer than what it has read from the memory, never older.
type state struct {
	db      *store.DB
	journal journal.Journal

	mu      sync.RWMutex // guards what follows, up to changes
	head    journal.Head // of the last journal entry in it
	draws   map[uint64]Draw
	cursors map[cursorKey]cursor
	drawn   map[uint64]chan struct{} // closed when the draw has its result
	ids     map[string]uint64        // of the draws
	undrawn []uint64                 // draws without a result, in order, MaxUndrawn at most; replaced, never changed
	tree    tlog.CompactRange        // of the public log
	changes map[string]uint64        // the last change of each registry that the trail has, by the registry's ID

	chain *draw.Chain // the beacon; never changed

	began   *journal.NewLog // what the public log begins with: the journal's last entry of this kind, or nil
	beganAt uint64          // its position. Only whoever opens changes the two
}

func openDatabase(dir string, fs vfs.FS, readOnly bool) (*store.DB, error) {
	return store.Open(dir, store.Options{
		FS: fs, ReadOnly: readOnly, MemTable: 16 << 20, Cache: 16 << 20,
		Block:    32 << 10, // finding the winners reads all of it
		Separate: 64,
	})
}

// errOtherVersion says that the rows are of another version of this program.
var errOtherVersion = errors.New("it was written by another version of this program")

// openState opens the state in dir, or an empty one. What is spoiled is dropped; see keepOrDrop.
func openState(dir string, fs vfs.FS, j journal.Journal, chain *draw.Chain, log *slog.Logger) (*state, error) {
	if err := keepOrDrop(dir, fs, log); err != nil {
		return nil, err
	}
	db, err := openDatabase(dir, fs, false)
	if err != nil {
		return nil, fmt.Errorf("open the ledger's state: %w", err)
	}
	s := newState(db)
	s.journal, s.chain = j, chain
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("read the ledger's state: %w", err), db.Close())
	}
	return s, nil
}

func newState(db *store.DB) *state {
	s := &state{db: db}
	s.empty()
	return s
}

// empty makes the memory that of an empty journal.
func (s *state) empty() {
	s.head, s.tree, s.undrawn = journal.Head{}, tlog.CompactRange{}, nil
	s.draws, s.cursors, s.drawn, s.ids = map[uint64]Draw{}, map[cursorKey]cursor{}, map[uint64]chan struct{}{}, map[string]uint64{}
	s.changes = map[string]uint64{}
}

func (s *state) close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the ledger's state: %w", err)
	}
	return nil
}

// Key prefixes of the database. Numbers in keys are big-endian, so that they sort.
const (
	keyApplied = 'a' // -> u64 position, u64 chain value, u8 version of the rows
	keyDraw    = 'd' // u64 draw -> JSON Draw
	keyCursor  = 'c' // u64 draw, u32 agency -> cursor
	keyBatch   = 'b' // u64 draw, u32 agency, u64 batch -> u64 position, u64 index in the public log, packed plays
	keyNewLog  = 'n' // -> u64 position, and the journal's entry that began the public log
	keyWinner  = 'w' // u64 draw, u32 agency, u32 index -> u64 batch, u32 line, document; in the game quiniela see keyPaid
	keyPaid    = 'p' // u64 draw, u32 agency -> u64 winning bets, u64 their prizes, u64 what is paid of them; of the game quiniela
	keyMark    = 'm' // u64 draw, u32 agency, u32 index of a winning bet -> u64 the batch that it is the first one of; of the game quiniela
	keyAct     = 't' // u64 position -> JSON journal.Act
	keyChange  = 'r' // a registry's ID -> u64 its last change that the trail has
)

// rowVersion is of the rows' meaning. Rows of another one are not read on a guess: the journal gives them anew.
const rowVersion = 8

// batchRow is how many bytes of a batch's row are in front of its plays.
const batchRow = 8 + 8

func appliedRow(head journal.Head) []byte {
	row := binary.BigEndian.AppendUint64(nil, head.Position)
	return append(binary.BigEndian.AppendUint64(row, head.Chain), rowVersion)
}

func drawKey(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{keyDraw}, n) }

func agencyKey(dst []byte, prefix byte, d uint64, a quiniela.Agency) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, prefix), d)
	return binary.BigEndian.AppendUint32(dst, uint32(a))
}

func batchKey(dst []byte, d uint64, a quiniela.Agency, n uint64) []byte {
	return binary.BigEndian.AppendUint64(agencyKey(dst, keyBatch, d, a), n)
}

const cursorSize = 8 + 8 + 8 + 4 + 1 + 8 + journal.SecretSize + journal.HashSize

func (c *cursor) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, c.next)
	dst = binary.BigEndian.AppendUint64(dst, c.bets)
	dst = binary.BigEndian.AppendUint64(dst, c.stake)
	dst = binary.BigEndian.AppendUint32(dst, c.last.bets)
	finished := byte(0)
	if c.finished {
		finished = 1
	}
	dst = binary.BigEndian.AppendUint64(append(dst, finished), uint64(c.seen))
	dst = append(dst, c.last.secret[:]...)
	return append(dst, c.last.identity[:]...)
}

func readCursor(b []byte) (cursor, error) {
	if len(b) != cursorSize {
		return cursor{}, fmt.Errorf("a cursor of %d bytes, want %d", len(b), cursorSize)
	}
	return cursor{
		next: binary.BigEndian.Uint64(b), bets: binary.BigEndian.Uint64(b[8:]), stake: binary.BigEndian.Uint64(b[16:]), finished: b[28] == 1, seen: int64(binary.BigEndian.Uint64(b[29:])),
		last: content{binary.BigEndian.Uint32(b[24:]), [journal.SecretSize]byte(b[37:]), [journal.HashSize]byte(b[37+journal.SecretSize:])},
	}, nil
}

// load reads the small part of the state into memory.
func (s *state) load() error {
	if err := s.scan([]byte{keyApplied}, s.loadHead); err != nil {
		return err
	}
	if err := s.scan([]byte{keyNewLog}, s.loadNewLog); err != nil {
		return err
	}
	if err := s.loadTree(); err != nil {
		return err
	}
	if err := s.scan([]byte{keyDraw}, s.loadDraw); err != nil {
		return err
	}
	if err := s.scan([]byte{keyChange}, s.loadChange); err != nil {
		return err
	}
	return s.scan([]byte{keyCursor}, s.loadCursor)
}

func (s *state) loadHead(_, v []byte) error {
	if len(v) != 17 || v[16] != rowVersion {
		return errOtherVersion
	}
	s.head = journal.Head{Position: binary.BigEndian.Uint64(v), Chain: binary.BigEndian.Uint64(v[8:])}
	return nil
}

func (s *state) loadDraw(_, v []byte) error {
	var d Draw
	if err := json.Unmarshal(v, &d); err != nil {
		return err
	}
	s.put(d)
	return nil
}

func (s *state) loadCursor(k, v []byte) error {
	if len(k) != 1+8+4 {
		return fmt.Errorf("a cursor's key of %d bytes", len(k))
	}
	c, err := readCursor(v)
	if err != nil {
		return err
	}
	s.cursors[cursorKey{binary.BigEndian.Uint64(k[1:]), quiniela.Agency(binary.BigEndian.Uint32(k[9:]))}] = c
	return nil
}

// loadTree reads the end of the public log.
func (s *state) loadTree() error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyLog}, UpperBound: []byte{keyLog + 1}})
	if err != nil {
		return err
	}
	size := int64(0)
	if it.Last() {
		size = int64(binary.BigEndian.Uint64(it.Key()[1:])) + 1
	}
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		return err
	}
	s.tree, err = tlog.LoadCompactRange(size, Log{db: s.db})
	return err
}

// scan calls f with the rows whose key has the prefix, in order. The slices are valid during the call.
func (s *state) scan(prefix []byte, f func(k, v []byte) error) (err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := f(it.Key(), v); err != nil {
			return err
		}
	}
	return it.Error()
}

// after returns the first key past those with the prefix.
func after(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// replayStep is how many entries are applied as one transaction while catching up.
const replayStep = 1024

// catchUp applies what the journal holds past the last applied entry. Only the committer calls it, or whoever opens. It
// changes nothing where the journal does not go on from what the state has.
func (s *state) catchUp(ctx context.Context) error {
	last, err := s.journal.Last(ctx)
	if err != nil {
		return err
	}
	if last.Position < s.head.Position {
		return s.otherHistory()
	}
	if last.Position == s.head.Position && last != s.head {
		return s.otherHistory()
	}
	t := s.begin()
	for e, err := range s.journal.Entries(ctx, s.head.Position+1) {
		if errors.Is(err, journal.ErrOtherHistory) {
			return s.otherHistory()
		}
		if err != nil {
			return err
		}
		if e.Head != t.head.Next(e.Data) {
			return s.otherHistory()
		}
		if err := t.replay(ctx, e); err != nil {
			return errors.Join(fmt.Errorf("journal entry %d: %w", e.Position, err), t.batch.Close())
		}
		if e.Position%replayStep == 0 {
			if err := t.commit(); err != nil {
				return err
			}
			t = s.begin()
		}
	}
	return t.commit()
}

// replay applies an entry of the journal.
func (t *transaction) replay(ctx context.Context, e journal.Entry) error {
	v, err := journal.Decode(e.Data)
	if err != nil {
		return err
	}
	if err := t.add(ctx, v, nil, nil); err != nil {
		return err
	}
	t.head = e.Head
	return nil
}

// otherHistory says that the journal does not hold what the state was built from.
func (s *state) otherHistory() error {
	return fmt.Errorf("%w: this server has read entries up to %d, and the journal does not hold them as they were read: entries were lost that may have been acknowledged, "+
		"or this data folder belongs to another journal. Delete nothing: the folder state shows what was there. "+
		"Check which journal was meant; if it was this one, stop every server, and look for the journal that has all the entries: the old disk or primary, the other database servers, the backups",
		journal.ErrOtherHistory, s.head.Position)
}

// put shows a draw to readers. mu is held, or nobody reads yet.
func (s *state) put(d Draw) {
	old, known := s.draws[d.Seq]
	s.draws[d.Seq] = d
	if !known {
		s.ids[d.ID] = d.Seq
		s.drawn[d.Seq] = make(chan struct{})
	}
	if d.Result != nil && old.Result == nil {
		close(s.drawn[d.Seq])
	}
	switch {
	case !known && d.Result == nil:
		s.undrawn = append(slices.Clone(s.undrawn), d.Seq)
		slices.Sort(s.undrawn)
	case known && d.Result != nil && old.Result == nil:
		s.undrawn = slices.DeleteFunc(slices.Clone(s.undrawn), func(n uint64) bool { return n == d.Seq })
	}
}

// last returns the number of the draw that was opened last, 0 where there is none: they are numbered without gaps.
// mu is held, or the caller is the committer.
func (s *state) last() uint64 { return uint64(len(s.draws)) }

// current returns the current draw: the open one that was opened first, or where none is
// open the one that was opened last. mu is held, or the caller is the committer.
func (s *state) current() uint64 {
	for _, n := range s.undrawn {
		if !s.draws[n].Sealed {
			return n
		}
	}
	return s.last()
}

// where returns the draws without a result that a condition holds for, in order.
func (s *state) where(condition func(Draw) bool) []uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []uint64
	for _, n := range s.undrawn {
		if condition(s.draws[n]) {
			found = append(found, n)
		}
	}
	return found
}

// draw returns the draw with an ordinal; 0 is the current draw.
func (s *state) draw(n uint64) (Draw, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n == 0 {
		n = s.current()
	}
	d, ok := s.draws[n]
	return d, ok
}

// batch reads a stored batch, and calls f with it while its lines are valid.
func (s *state) batch(ctx context.Context, id batchID, f func(*journal.Batch) error) error {
	v, closer, err := s.db.Get(batchKey(nil, id.draw, id.agency, id.number))
	if err != nil {
		return fmt.Errorf("find batch %d of agency %d: %w", id.number, id.agency, err)
	}
	position := binary.BigEndian.Uint64(v)
	if err := closer.Close(); err != nil {
		return err
	}
	return s.batchAt(ctx, position, f)
}

// batchAt reads the batch at a journal position, and calls f with it while its lines are valid.
func (s *state) batchAt(ctx context.Context, position uint64, f func(*journal.Batch) error) error {
	for e, err := range s.journal.Entries(ctx, position) {
		if err != nil {
			return err
		}
		v, err := journal.Decode(e.Data)
		if err != nil {
			return fmt.Errorf("journal entry %d: %w", position, err)
		}
		b, ok := v.(*journal.Batch)
		if !ok {
			return fmt.Errorf("journal entry %d is no batch: the state does not belong to this journal", position)
		}
		return f(b)
	}
	return fmt.Errorf("journal entry %d is missing", position)
}
