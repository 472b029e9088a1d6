package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"quiniela/internal/journal"
)

// What a primary shows is not yet durable. A commit is written to the primary's disk, waits for the standbys, and only
// then becomes visible; but the wait can end early, and the commit is visible without a standby that has it: after a
// restart of the primary, pg_cancel_backend, pg_terminate_backend, a timeout, or where synchronous_standby_names is
// emptied. So three rules hold here:
//
//   - Nothing of this program ends a wait: it asks for no cancel, and sets no timeout on a statement.
//   - A commit counts only if it came back without a warning, and if the settings that made it wait were the same
//     before and after it.
//   - What was read counts only once a later commit of this program, the read barrier, has counted: the standbys get
//     commits in order, so it carries all that was visible before it.

var (
	// errUnsafe says that a database does not promise what the journal does.
	errUnsafe = errors.New("the database acknowledges what it could lose")
	// errUnacknowledged says that a commit came back, but perhaps from the primary alone.
	errUnacknowledged = errors.New("the standbys have not acknowledged a commit")
	// errPooler says that sessions are not the program's own.
	errPooler = errors.New("a pooler such as pgbouncer is between this server and the database, and the journal needs database sessions of its own: " +
		"name the database servers themselves in the URL")
)

// secure changes how connections are made, so that the rules hold.
func (j *Journal) secure(config *pgxpool.Config) {
	c := config.ConnConfig
	for name, value := range map[string]string{
		// Also where the database has another encoding: the text of this program is UTF-8.
		"client_encoding": "UTF8",
		// Whatever the role's or the database's own settings: this journal's commits wait for the standbys, no timeout
		// ends that wait, and the warning that something has ended it is sent.
		"synchronous_commit":  "on",
		"statement_timeout":   "0",
		"client_min_messages": "warning",
		// A commit that waits for the standbys keeps its locks. Attempts behind it must end by themselves: each would keep
		// a process of the database busy, long after this program has given up waiting for its answer.
		"lock_timeout": strconv.FormatInt(max(1, j.options.Timeout.Milliseconds()*3/5), 10),
	} {
		c.RuntimeParams[name] = value
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "quiniela"
	}
	dial := c.DialFunc
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == noAddress {
			return nil, errors.New("this program cancels nothing")
		}
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return uncancelled{conn}, nil
	}
	c.OnNotice = func(conn *pgconn.PgConn, n *pgconn.Notice) {
		if n.Severity == "WARNING" || n.SeverityUnlocalized == "WARNING" {
			conn.CustomData()[lastWarning] = n.Message
		}
	}
	config.AfterConnect = j.examine
}

// lastWarning is where a connection keeps the last warning that came on it.
const lastWarning = "quiniela's last warning"

// uncancelled is a connection to a database that does not tell its address. The client library, when it gives up a
// connection, asks the database at that address to cancel what runs there, which would end the wait of a commit; no
// option of the library leaves that out.
type uncancelled struct{ net.Conn }

func (uncancelled) RemoteAddr() net.Addr { return hidden{} }

const noAddress = "hidden"

type hidden struct{}

func (hidden) Network() string { return noAddress }
func (hidden) String() string  { return noAddress }

// examine checks a new connection: whether its session is the program's own, and what its database acknowledges.
func (j *Journal) examine(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, j.options.Timeout)
	defer cancel()
	// A pooler answers in the place of the database, and makes up the process that it names at the connection's start.
	// The simple protocol makes no prepared statement, which would fail there for a less clear reason.
	var pid int64
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return fmt.Errorf("ask for the session: %w", err)
	}
	if named := int64(conn.PgConn().PID()); pid > 0 && named > 0 && pid != named {
		return errPooler
	}
	if j.options.UnsafeSingle {
		return nil
	}
	var s settings
	if err := conn.QueryRow(ctx, askSettings).Scan(s.fields()...); err != nil {
		return fmt.Errorf("ask for the settings: %w", err)
	}
	return s.check()
}

// pooled reports whether a connection was refused by a pooler.
func pooled(err error) bool {
	var bad *pgconn.PgError
	return errors.Is(err, errPooler) || errors.As(err, &bad) && bad.Code == pgerrcode.ProtocolViolation && strings.Contains(bad.Message, "startup parameter")
}

// settings are what decides whether a commit waits for the standbys, as one session sees it.
type settings struct {
	fsync, commit, standbys string
	loaded                  string // when the session read them last
}

const askSettings = "SELECT current_setting('fsync'), current_setting('synchronous_commit'), " +
	"current_setting('synchronous_standby_names'), pg_conf_load_time()::text"

func (s *settings) fields() []any { return []any{&s.fsync, &s.commit, &s.standbys, &s.loaded} }

func (s *settings) check() error {
	const text = "%w: %s is %q, want %s; for a trial on one machine start with --unsafe-single"
	switch {
	case s.fsync != "on":
		return fmt.Errorf(text, errUnsafe, "fsync", s.fsync, "on")
	case s.commit != "on" && s.commit != "remote_apply":
		return fmt.Errorf(text, errUnsafe, "synchronous_commit", s.commit, "on or remote_apply")
	case strings.TrimSpace(s.standbys) == "":
		return fmt.Errorf(text, errUnsafe, "synchronous_standby_names", s.standbys, "the standbys that must have a commit, such as 'ANY 1 (a, b)'")
	}
	return nil
}

// commit runs a transaction, and returns nil only if the standbys have acknowledged its commit, and with it everything
// that was visible to it. first queues statements, of which the first one changes the head's row, so that transactions
// come one after the other; then, where it is not nil, does the rest. If commit returns an error after then, the
// transaction may have been committed or not.
func (j *Journal) commit(ctx context.Context, first func(*pgx.Batch), then func(*pgx.Conn) error) error {
	c, err := j.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release() // closes a connection whose transaction did not end
	conn := c.Conn()
	before, err := j.begin(ctx, conn, first)
	if err == nil && then != nil {
		err = then(conn)
	}
	if err != nil {
		_, _ = conn.Exec(ctx, "ROLLBACK")
		return err
	}
	return j.end(ctx, conn, before)
}

// begin begins a transaction with the statements that first queues, and returns the settings that its commit will wait by.
func (j *Journal) begin(ctx context.Context, conn *pgx.Conn, first func(*pgx.Batch)) (s settings, err error) {
	batch := &pgx.Batch{}
	batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	first(batch)
	j.ask(batch, &s)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return s, err
	}
	if j.options.UnsafeSingle {
		return s, nil
	}
	return s, s.check()
}

// end commits a transaction, and returns nil only if the standbys have acknowledged it.
func (j *Journal) end(ctx context.Context, conn *pgx.Conn, before settings) error {
	delete(conn.PgConn().CustomData(), lastWarning)
	batch := &pgx.Batch{}
	batch.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return fmt.Errorf("%w: it was answered with %s", errUnacknowledged, tag)
		}
		return nil
	})
	var after settings
	j.ask(batch, &after)
	err := conn.SendBatch(ctx, batch).Close()
	return j.acknowledged(ctx, conn, err, before, after)
}

// ask queues the question for the settings. The database reads changed settings between any two statements.
func (j *Journal) ask(batch *pgx.Batch, s *settings) {
	if !j.options.UnsafeSingle {
		batch.Queue(askSettings).QueryRow(func(row pgx.Row) error { return row.Scan(s.fields()...) })
	}
}

// acknowledged decides whether the answer to a commit says that the standbys have it.
func (j *Journal) acknowledged(ctx context.Context, conn *pgx.Conn, err error, before, after settings) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w within %v; it is not known whether they will: %w", errUnacknowledged, j.options.Timeout, err)
	}
	if err != nil {
		return err
	}
	if warning, ok := conn.PgConn().CustomData()[lastWarning]; ok {
		return fmt.Errorf("%w: the database warns: %v", errUnacknowledged, warning)
	}
	if before != after {
		// Emptying synchronous_standby_names ends every wait without a warning.
		return fmt.Errorf("%w: the database read its settings again while it waited", errUnacknowledged)
	}
	return nil
}

// barrier makes sure that the standbys have everything that is in the journal, and returns its head.
func (j *Journal) barrier(ctx context.Context) (head journal.Head, err error) {
	if err := j.commit(ctx, func(b *pgx.Batch) { queueBarrier(b, &head) }, nil); err != nil {
		return journal.Head{}, err
	}
	j.nowDurable(head)
	return head, nil
}

// queueBarrier queues the change that a read barrier commits. head is what the journal holds then: it is read by the same
// transaction, since another connection may lead to another server of the database.
func queueBarrier(b *pgx.Batch, head *journal.Head) {
	b.Queue("UPDATE journal_head SET barrier = barrier + 1 WHERE id = 1 RETURNING position, chain").QueryRow(func(row pgx.Row) (err error) {
		*head, err = scanHead(row)
		return err
	})
}

func scanHead(row pgx.Row) (journal.Head, error) {
	var position, chain int64
	err := row.Scan(&position, &chain)
	return journal.Head{Position: uint64(position), Chain: uint64(chain)}, err
}

// nowDurable remembers that the standbys have the journal up to head. Several goroutines may say so, in any order.
func (j *Journal) nowDurable(head journal.Head) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if head.Position > j.durable.Position {
		j.durable = head
	}
}

func (j *Journal) isDurable(head journal.Head) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return head == j.durable
}
