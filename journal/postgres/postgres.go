// Package postgres is the shared journal: entries in a replicated PostgreSQL database, or an engine that speaks its wire,
// which any number of servers append to. The database gives durability on a quorum and one order; this package
// rides through the loss of a connection or of the primary. It knows entries as bytes, but for the identity of a batch,
// which it hands to the database to keep unique.
package postgres

import (
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

	"quiniela/journal"
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
	// Poll is how often the journal is asked whether others have appended. 0 means 100 ms.
	Poll time.Duration
}

// Journal is an open journal. Append is for one goroutine at a time; everything else is for any.
type Journal struct {
	options Options
	log     *slog.Logger
	pool    *pgxpool.Pool
	ctx     context.Context // ends when the journal closes, or its owner wants to stop
	stop    context.CancelFunc

	mu     sync.Mutex
	closed bool
}

var (
	_ journal.Journal  = (*Journal)(nil)
	_ journal.Follower = (*Journal)(nil)
)

// Open opens the journal and brings its schema up to date. When ctx ends, what waits for the database gives up.
func Open(ctx context.Context, o Options) (*Journal, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Poll == 0 {
		o.Poll = 100 * time.Millisecond
	}
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("read the journal's URL: %w", err) // pgx hides the password
	}
	config.ConnConfig.ConnectTimeout = o.Timeout
	config.MaxConns = 8
	// Whatever the database's own setting: this journal's commits wait for the standbys.
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	config.ConnConfig.RuntimeParams["application_name"] = "quiniela"
	j := &Journal{options: o, log: o.Logger}
	config.AfterConnect = j.trust
	j.ctx, j.stop = context.WithCancel(ctx)
	if j.pool, err = pgxpool.NewWithConfig(j.ctx, config); err != nil {
		j.stop()
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if err := j.migrate(); err != nil {
		j.pool.Close()
		j.stop()
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return j, nil
}

// errUnsafe says that a database does not promise what the journal does.
var errUnsafe = errors.New("the database acknowledges what it could lose")

// trust checks a new connection: that what its database acknowledges is durable on a quorum, and that what it shows is.
func (j *Journal) trust(ctx context.Context, conn *pgx.Conn) error {
	if !j.options.UnsafeSingle {
		if err := safe(ctx, conn); err != nil {
			return err
		}
	}
	// A primary that has just started shows what it had committed for itself alone. A commit that the quorum has
	// acknowledged carries all that came before it.
	_, err := conn.Exec(ctx, "UPDATE journal_head SET barrier = barrier + 1 WHERE id = 1")
	var bad *pgconn.PgError
	if errors.As(err, &bad) && bad.Code == undefinedTable {
		return nil // a new database: there is nothing to trust yet
	}
	return err
}

const undefinedTable = "42P01"

func safe(ctx context.Context, conn *pgx.Conn) error {
	for _, s := range []struct {
		setting string
		ok      func(string) bool
		want    string
	}{
		{"fsync", func(v string) bool { return v == "on" }, "on"},
		{"synchronous_commit", func(v string) bool { return v == "on" || v == "remote_apply" }, "on or remote_apply"},
		{"synchronous_standby_names", func(v string) bool { return v != "" }, "the standbys that must have a commit, such as 'ANY 1 (a, b)'"},
	} {
		var value string
		if err := conn.QueryRow(ctx, "SHOW "+s.setting).Scan(&value); err != nil {
			return fmt.Errorf("ask for %s: %w", s.setting, err)
		}
		if !s.ok(value) {
			return fmt.Errorf("%w: %s is %q, want %s; for a trial on one machine start with --unsafe-single", errUnsafe, s.setting, value, s.want)
		}
	}
	return nil
}

//go:embed migrations/*.sql
var migrations embed.FS

// migrations are numbered from 1; version is the last one.
const version = 1

// migrate brings the schema up to date. Several servers may do so at once: the table's lock lets one go first.
func (j *Journal) migrate() error {
	ctx, cancel := context.WithTimeout(j.ctx, 6*j.options.Timeout)
	defer cancel()
	for {
		err := j.migrateOnce(ctx)
		var bad *pgconn.PgError
		switch {
		case err == nil, ctx.Err() != nil, errors.Is(err, errUnsafe):
			return err
		case errors.As(err, &bad) && bad.Code[:2] != "08" && bad.Code[:2] != "57" && bad.Code[:2] != "40" && bad.Code[:2] != "23" && bad.Code[:2] != "42":
			return err
		case errors.As(err, &bad) && bad.Code[:2] == "28": // it does not know us
			return err
		}
		j.log.Debug("journal", "result", "in_progress", "error", err)
		if sleep(ctx, firstWait) != nil {
			return err
		}
	}
}

func (j *Journal) migrateOnce(ctx context.Context) error {
	return pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error {
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
			return fmt.Errorf("the database has schema version %d, and this program knows %d: use the newer program", have, version)
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
	})
}

const (
	firstWait   = 50 * time.Millisecond
	longestWait = time.Second
)

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// persist tries f until it succeeds, or fails for another reason than that the database cannot be reached for now.
func (j *Journal) persist(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(j.ctx, cancel)()
	told := false
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		attempt, done := context.WithTimeout(ctx, j.options.Timeout)
		err := f(attempt)
		done()
		if err == nil && told {
			j.log.Info("journal", "result", "success", "doing", what)
		}
		if err == nil || !passing(err) {
			return err
		}
		if ctx.Err() != nil {
			if j.ctx.Err() != nil {
				return fmt.Errorf("%w: %w", journal.ErrClosed, err)
			}
			return ctx.Err()
		}
		if !told {
			j.log.Warn("journal", "result", "in_progress", "doing", what, "error", err)
			told = true
		}
		_ = sleep(ctx, wait)
	}
}

// errDecided wraps what no further attempt would change.
type errDecided struct{ error }

func (e errDecided) Unwrap() error { return e.error }

// passing reports whether an error is of the connection or of the database's state, and not of what it was told.
func passing(err error) bool {
	var decided errDecided
	if errors.As(err, &decided) {
		return false
	}
	var bad *pgconn.PgError
	if !errors.As(err, &bad) {
		return true // it did not come to the database, or no answer came back
	}
	switch bad.Code[:2] {
	case "08", "40", "53", "57", "25", "55", "58": // connection, serialisation, resources, shut down, read-only, locks, its system
		return true
	}
	return false
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
	err := j.persist(ctx, "append", func(ctx context.Context) error { return j.append(ctx, appendID, after, next, entries) })
	if err != nil {
		return after, fmt.Errorf("append to the journal: %w", err)
	}
	return next, nil
}

func (j *Journal) append(ctx context.Context, id pgtype.UUID, after, next journal.Head, entries [][]byte) error {
	moved := false
	err := pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE journal_head SET position = $1, chain = $2 WHERE id = 1 AND position = $3 AND chain = $4",
			int64(next.Position), int64(next.Chain), int64(after.Position), int64(after.Chain))
		if err != nil {
			return err
		}
		if moved = tag.RowsAffected() == 0; moved {
			return nil
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"journal_entry"},
			[]string{"position", "chain", "append_id", "draw", "agency", "batch", "data"}, pgx.CopyFromRows(rows(id, after, entries)))
		return err
	})
	if err != nil || !moved {
		return err
	}
	return j.movedBy(ctx, id, after)
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
// very append whose answer was lost, or the journal has another history.
func (j *Journal) movedBy(ctx context.Context, id pgtype.UUID, after journal.Head) error {
	var chain int64
	var first pgtype.UUID
	if after.Position > 0 {
		err := j.pool.QueryRow(ctx, "SELECT chain FROM journal_entry WHERE position = $1", int64(after.Position)).Scan(&chain)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && uint64(chain) != after.Chain {
			return errDecided{journal.ErrOtherHistory}
		}
		if err != nil {
			return err
		}
	}
	err := j.pool.QueryRow(ctx, "SELECT append_id FROM journal_entry WHERE position = $1", int64(after.Position)+1).Scan(&first)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && first != id:
		return errDecided{journal.ErrMoved}
	case err != nil:
		return err
	}
	// It is there; the quorum must have it, too, before anybody is told.
	_, err = j.pool.Exec(ctx, "UPDATE journal_head SET barrier = barrier + 1 WHERE id = 1")
	return err
}

// identity returns a batch entry's columns; they are NULL for any other.
func identity(e []byte) (draw, agency, batch any) {
	if v, err := journal.Decode(e); err == nil {
		if b, ok := v.(*journal.Batch); ok {
			return int64(b.Draw), int64(b.Agency), int64(b.Number)
		}
	}
	return nil, nil, nil
}

// Last implements journal.Journal.
func (j *Journal) Last(ctx context.Context) (last journal.Head, err error) {
	if j.isClosed() {
		return last, journal.ErrClosed
	}
	err = j.persist(ctx, "read", func(ctx context.Context) error {
		var position, chain int64
		err := j.pool.QueryRow(ctx, "SELECT position, chain FROM journal_head WHERE id = 1").Scan(&position, &chain)
		last = journal.Head{Position: uint64(position), Chain: uint64(chain)}
		return err
	})
	if err != nil {
		return last, fmt.Errorf("read the journal: %w", err)
	}
	return last, nil
}

// Entries are read in pieces of pieceEntries, and fewer where they are large.
const pieceEntries = 256

// Entries implements journal.Journal.
func (j *Journal) Entries(ctx context.Context, from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		from = max(from, 1)
		last, err := j.Last(ctx)
		if err == nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		for err == nil && from <= last.Position {
			var piece []journal.Entry
			if piece, err = j.piece(ctx, from, min(last.Position, from+pieceEntries-1)); err != nil {
				break
			}
			for _, e := range piece {
				if !yield(e, nil) {
					return
				}
				from++
			}
			err = ctx.Err()
		}
		if err != nil {
			yield(journal.Entry{}, err)
		}
	}
}

func (j *Journal) piece(ctx context.Context, from, to uint64) (piece []journal.Entry, err error) {
	err = j.persist(ctx, "read", func(ctx context.Context) error {
		piece = piece[:0]
		rows, err := j.pool.Query(ctx, "SELECT position, chain, data FROM journal_entry WHERE position BETWEEN $1 AND $2 ORDER BY position", int64(from), int64(to))
		if err != nil {
			return err
		}
		want := from
		var position, chain int64
		var data []byte
		_, err = pgx.ForEachRow(rows, []any{&position, &chain, &data}, func() error {
			if uint64(position) != want {
				return errDecided{fmt.Errorf("%w: entry %d is missing", journal.ErrDamaged, want)}
			}
			e := journal.Entry{Head: journal.Head{Position: want, Chain: uint64(chain)}, Data: data}
			if n := len(piece); n > 0 && piece[n-1].Next(data) != e.Head {
				return errDecided{fmt.Errorf("%w: entry %d is spoiled, or does not belong behind the one before it", journal.ErrDamaged, want)}
			}
			want++
			piece = append(piece, e)
			data = nil
			return nil
		})
		if err == nil && want != to+1 {
			err = errDecided{fmt.Errorf("%w: entry %d is missing", journal.ErrDamaged, want)}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return piece, nil
}

// Follow implements journal.Follower, by asking.
func (j *Journal) Follow(ctx context.Context) <-chan struct{} {
	moved := make(chan struct{}, 1)
	go func() {
		known := journal.Head{}
		for sleep(ctx, j.options.Poll) == nil && j.ctx.Err() == nil {
			last, err := j.Last(ctx)
			if err != nil || last == known {
				continue
			}
			known = last
			select {
			case moved <- struct{}{}:
			default:
			}
		}
	}()
	return moved
}

func (j *Journal) isClosed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closed
}

// Close implements journal.Journal.
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
