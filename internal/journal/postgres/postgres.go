// Package postgres is the shared journal: entries in a replicated PostgreSQL database, or an engine that speaks its wire,
// which any number of servers append to. The database gives durability on a quorum and one order; this package
// rides through the loss of a connection or of the primary. It knows entries as bytes, but for the identity of a batch,
// which it hands to the database to keep unique.
package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"quiniela/internal/journal"
)

// Options say how a journal is opened.
type Options struct {
	// URL names the database: postgres://user@host1,host2,host3/name?target_session_attrs=read-write.
	URL string
	// UnsafeSingle accepts a database that acknowledges what a lost machine would take. For trials.
	UnsafeSingle bool
	Logger       *slog.Logger // nil: silent
	// Timeout bounds one attempt at anything; a longer silence counts as a lost connection. 0 means 5 s.
	Timeout time.Duration
}

// pollEvery is how often Follow asks whether others have appended.
const pollEvery = 100 * time.Millisecond

// Journal is an open journal. Append is for one goroutine at a time; everything else is for any, at any time.
//
// The database is the only place where entries are: this holds connections and no entry. A call borrows one connection of the
// pool for one transaction and waits as long as the database cannot answer; it returns early only when its context ends, or the
// journal's. The journal has no goroutine of its own but those that Follow starts and the pool's.
type Journal struct {
	options Options
	log     *slog.Logger
	pool    *pgxpool.Pool
	nodes   []node          // the servers of the URL; none with UnsafeSingle
	ctx     context.Context // ends with Close, or with the context that Open was given; every wait ends with it
	stop    context.CancelFunc

	mu       sync.Mutex // guards what follows, for a moment: never while the database is asked
	closed   bool
	durable  journal.Head // the last one that the standbys are known to have
	timeline uint64       // the highest of a primary that was seen; 0: none
	old      string       // the old primaries that the log has
}

var (
	_ journal.Journal  = (*Journal)(nil)
	_ journal.Follower = (*Journal)(nil)
)

// Open opens the journal and brings its schema up to date. It waits for a database that is starting, up to six times the
// timeout, and fails at once where it is refused. The journal lives until Close, and ctx as long as it: when ctx ends, whatever
// waits for the database gives up.
func Open(ctx context.Context, o Options) (*Journal, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("read the journal's URL: %w", err) // pgx hides the password
	}
	config.ConnConfig.ConnectTimeout = o.Timeout
	config.MaxConns = 8
	j := &Journal{options: o, log: o.Logger}
	j.secure(config)
	if !o.UnsafeSingle {
		j.nodes = nodesOf(config.ConnConfig)
		j.onlyNewest(config.ConnConfig)
	}
	j.ctx, j.stop = context.WithCancel(ctx)
	if j.pool, err = pgxpool.NewWithConfig(j.ctx, config); err != nil {
		j.stop()
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j.look(j.ctx)
	if err := j.migrate(); err != nil {
		j.pool.Close()
		j.stop()
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return j, nil
}

//go:embed migrations/*.sql
var migrations embed.FS

// migrations are numbered from 1; version is the last one.
const version = 1

// migrate brings the schema up to date. Several servers may do so at once: the table's lock lets one go first.
func (j *Journal) migrate() error {
	ctx, cancel := context.WithTimeout(j.ctx, 6*j.options.Timeout)
	defer cancel()
	var why error // the last attempt failed that did not end with the time
	for {
		err := j.migrateOnce(ctx)
		if err == nil || j.ctx.Err() != nil {
			return err
		}
		if ctx.Err() != nil {
			return cmp.Or(why, err)
		}
		if pooled(err) && !errors.Is(err, errPooler) {
			err = fmt.Errorf("%w (%w)", errPooler, err)
		}
		if refused(err) {
			return err
		}
		if why == nil {
			j.log.Warn("journal", "result", "in_progress", "doing", "open", "error", err)
		}
		why = err
		if sleep(ctx, firstWait) != nil {
			return err
		}
	}
}

func (j *Journal) migrateOnce(ctx context.Context) error {
	// Looking first costs no lock and no commit, so that a server can start while the standbys are away.
	var have int
	if err := j.pool.QueryRow(ctx, "SELECT MAX(version) FROM journal_version").Scan(&have); err == nil && have == version {
		return nil
	}
	return pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error { return migrateIn(ctx, tx) })
}

// migrateIn applies the migrations that the database lacks, in a transaction that keeps every other server out.
func migrateIn(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS journal_version (version integer PRIMARY KEY)"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE journal_version IN ACCESS EXCLUSIVE MODE"); err != nil {
		return err
	}
	var have int
	if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(version), 0) FROM journal_version").Scan(&have); err != nil {
		return err
	}
	if have > version {
		return finalError{fmt.Errorf("the database has schema version %d, and this program knows %d: use the newer program", have, version)}
	}
	for n := have + 1; n <= version; n++ {
		text, err := migrations.ReadFile(fmt.Sprintf("migrations/%03d.sql", n))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, string(text)); err != nil {
			return fmt.Errorf("migration %d: %w", n, err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO journal_version (version) VALUES ($1)", n); err != nil {
			return err
		}
	}
	return nil
}

// Append implements journal.Journal. Durable means acknowledged by the standbys that the database waits for. It returns
// only when it is known what became of the entries, however long that takes.
func (j *Journal) Append(ctx context.Context, after journal.Head, entries [][]byte) (journal.Head, error) {
	if j.isClosed() {
		return after, journal.ErrClosed
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	appendID := pgtype.UUID{Bytes: id, Valid: true}
	next := after
	for _, e := range entries {
		next = next.Next(e)
	}
	err := j.retry(ctx, "append", func(ctx context.Context) error { return j.append(ctx, appendID, after, next, entries) })
	if err != nil {
		return after, fmt.Errorf("append to the journal: %w", err)
	}
	return next, nil
}

// errHead says that the head is not where an append expected it.
var errHead = errors.New("the head of the journal has moved")

// append is one attempt. id names the append in all its attempts, so that one whose answer was lost is known again.
func (j *Journal) append(ctx context.Context, id pgtype.UUID, after, next journal.Head, entries [][]byte) error {
	var moved bool
	err := j.commit(ctx, func(b *pgx.Batch) {
		b.Queue("UPDATE journal_head SET position = $1, chain = $2 WHERE id = 1 AND position = $3 AND chain = $4",
			int64(next.Position), int64(next.Chain), int64(after.Position), int64(after.Chain)).Exec(func(tag pgconn.CommandTag) error {
			moved = tag.RowsAffected() == 0
			return nil
		})
	}, func(conn *pgx.Conn) error {
		if moved {
			return errHead
		}
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"journal_entry"},
			[]string{"position", "chain", "append_id", "draw", "agency", "batch", "data"}, pgx.CopyFromRows(rows(id, after, entries)))
		return err
	})
	if errors.Is(err, errHead) {
		return j.movedBy(ctx, id, after)
	}
	if err == nil {
		j.nowDurable(next) // and all before it, since it follows after
	}
	return err
}

func rows(id pgtype.UUID, after journal.Head, entries [][]byte) [][]any {
	all := make([][]any, len(entries))
	for i, e := range entries {
		after = after.Next(e)
		draw, agency, batch := identity(e)
		all[i] = []any{int64(after.Position), int64(after.Chain), id, draw, agency, batch, e}
	}
	return all
}

// movedBy finds out why the head is not where an append expected it: others have appended, or an earlier attempt of this
// very append whose answer was lost, or the journal has another history. It looks with a read barrier, since what it
// finds may be seen on the primary alone.
func (j *Journal) movedBy(ctx context.Context, id pgtype.UUID, after journal.Head) error {
	var head journal.Head
	var chain *int64 // NULL: there is no such entry
	var first pgtype.UUID
	err := j.commit(ctx, func(b *pgx.Batch) {
		queueBarrier(b, &head)
		b.Queue("SELECT (SELECT chain FROM journal_entry WHERE position = $1), (SELECT append_id FROM journal_entry WHERE position = $2)",
			int64(after.Position), int64(after.Position)+1).QueryRow(func(row pgx.Row) error { return row.Scan(&chain, &first) })
	}, nil)
	if err != nil {
		return err
	}
	j.nowDurable(head)
	if !holds(chain, after) {
		return finalError{journal.ErrOtherHistory}
	}
	if first != id {
		return finalError{journal.ErrMoved}
	}
	return nil // an earlier attempt has appended the entries
}

// holds reports whether the journal has the entry that head names; chain is the chain value at its position, nil where there is
// no entry.
func holds(chain *int64, head journal.Head) bool {
	if head.Position == 0 {
		return head == journal.Head{}
	}
	return chain != nil && uint64(*chain) == head.Chain
}

// identity returns a batch entry's columns; they are NULL for any other.
func identity(e []byte) (draw, agency, batch any) {
	if v, err := journal.Decode(e); err == nil {
		if b, ok := v.(*journal.Batch); ok {
			return int64(b.Draw), int64(b.Agency), int64(b.Batch)
		}
	}
	return nil, nil, nil
}

// Last implements journal.Journal. It makes a commit where the journal has moved on by another server's append, and so
// waits for the standbys; asking again costs none.
func (j *Journal) Last(ctx context.Context) (last journal.Head, err error) {
	if j.isClosed() {
		return last, journal.ErrClosed
	}
	err = j.retry(ctx, "read", func(ctx context.Context) error {
		last, err = j.visible(ctx)
		if err != nil || j.isDurable(last) {
			return err
		}
		last, err = j.barrier(ctx)
		return err
	})
	if err != nil {
		return last, fmt.Errorf("read the journal: %w", err)
	}
	return last, nil
}

// visible returns the head that the database shows, which it may show too early.
func (j *Journal) visible(ctx context.Context) (journal.Head, error) {
	return scanHead(j.pool.QueryRow(ctx, "SELECT position, chain FROM journal_head WHERE id = 1"))
}

// Entries are read in pieces: of one entry first, since many readers want no more, and then of twice as many each time, up to
// pieceEntries.
const pieceEntries = 256

// Entries implements journal.Journal.
func (j *Journal) Entries(ctx context.Context, from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		from = max(from, 1)
		var before journal.Head  // the entry before the one that is read
		beforeKnown := from == 1 // entry 1 follows the zero Head
		last, err := j.Last(ctx)
		if err == nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		for most := uint64(1); err == nil && from <= last.Position; most = min(2*most, pieceEntries) {
			var piece []journal.Entry
			if piece, err = j.piece(ctx, from, most, last); err != nil {
				break
			}
			for _, e := range piece {
				if beforeKnown && before.Next(e.Data) != e.Head {
					yield(journal.Entry{}, fmt.Errorf("read the journal: %w: entry %d is spoiled, or does not belong behind the one before it", journal.ErrDamaged, e.Position))
					return
				}
				if !yield(e, nil) {
					return
				}
				from++
				before, beforeKnown = e.Head, true
			}
			err = ctx.Err()
		}
		if err != nil {
			yield(journal.Entry{}, err)
		}
	}
}

// piece reads the entries from a position on, most of them or up to last.
func (j *Journal) piece(ctx context.Context, from, most uint64, last journal.Head) (piece []journal.Entry, err error) {
	to := min(last.Position, from+most-1)
	err = j.retry(ctx, "read", func(ctx context.Context) error {
		piece, err = j.readPiece(ctx, from, to, last)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return piece, nil
}

// readPiece is one attempt at the entries from..to, from a database that has the entry last.
func (j *Journal) readPiece(ctx context.Context, from, to uint64, last journal.Head) ([]journal.Entry, error) {
	// The last entry's chain comes from the same snapshot: this connection may lead to another server of the database
	// than the one that said what the last entry is.
	rows, err := j.pool.Query(ctx, "SELECT position, chain, data, (SELECT chain FROM journal_entry WHERE position = $3) "+
		"FROM journal_entry WHERE position BETWEEN $1 AND $2 ORDER BY position", int64(from), int64(to), int64(last.Position))
	if err != nil {
		return nil, err
	}
	var piece []journal.Entry
	var position, chain int64
	var lastChain *int64
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&position, &chain, &data, &lastChain}, func() error {
		if !holds(lastChain, last) {
			return finalError{fmt.Errorf("%w: entry %d is not the one that it was", journal.ErrOtherHistory, last.Position)}
		}
		e := journal.Entry{Head: journal.Head{Position: uint64(position), Chain: uint64(chain)}, Data: data}
		data = nil // the next row gets memory of its own
		if want := from + uint64(len(piece)); e.Position != want {
			return finalError{fmt.Errorf("%w: entry %d is missing", journal.ErrDamaged, want)}
		}
		piece = append(piece, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if missing := from + uint64(len(piece)); missing <= to {
		return nil, finalError{fmt.Errorf("%w: entry %d is missing", journal.ErrDamaged, missing)}
	}
	return piece, nil
}

// Follow implements journal.Follower, by asking. It says that there may be something, and reads nothing that anybody acts
// on, so it costs no commit. Its goroutine ends with ctx, or when the journal closes.
func (j *Journal) Follow(ctx context.Context) <-chan struct{} {
	moved := make(chan struct{}, 1)
	go j.poll(ctx, moved)
	return moved
}

func (j *Journal) poll(ctx context.Context, moved chan<- struct{}) {
	known := journal.Head{}
	for sleep(ctx, pollEvery) == nil && j.ctx.Err() == nil {
		var last journal.Head
		err := j.retry(ctx, "look for new entries", func(ctx context.Context) (err error) {
			last, err = j.visible(ctx)
			return err
		})
		if err != nil || last == known {
			continue
		}
		known = last
		select {
		case moved <- struct{}{}:
		default: // the value that waits there says it as well
		}
	}
}

func (j *Journal) isClosed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closed
}

// Close implements journal.Journal. Calls that wait for the database end with an error; an append that has begun may be stored or
// not. It returns once every connection has been given back.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	j.stop()
	j.pool.Close()
	return nil
}
