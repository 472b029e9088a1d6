package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"quiniela/internal/journal"
)

const (
	firstWait   = 50 * time.Millisecond
	longestWait = time.Second
	warnEvery   = 30 * time.Second
)

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// retry tries f until it succeeds, or fails with an error that is not transient, or until ctx ends or the journal closes. Each
// attempt may take Options.Timeout. It logs why it waits, at once and every warnEvery. A database that answers and acknowledges nothing may
// be an old primary: then it looks for the newest one.
func (j *Journal) retry(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	forget := context.AfterFunc(j.ctx, cancel)
	defer forget()
	wait := firstWait
	var warned time.Time
	for attempts := 1; ; attempts++ {
		attempt, done := context.WithTimeout(ctx, j.options.Timeout)
		err := f(attempt)
		done()
		if err == nil && attempts > 1 {
			j.log.Info("journal", "result", "success", "doing", what)
		}
		if err == nil || !transient(err) {
			return err
		}
		if j.ctx.Err() != nil {
			return fmt.Errorf("%w: %w", journal.ErrClosed, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(warned) >= warnEvery {
			warned = time.Now()
			j.log.Warn("journal", "result", "in_progress", "doing", what, "error", err)
		} else {
			j.log.Debug("journal", "result", "in_progress", "doing", what, "attempt", attempts, "error", err)
		}
		if unacknowledged(err) {
			j.look(ctx)
		}
		_ = sleep(ctx, wait)
		wait = min(2*wait, longestWait)
	}
}

// unacknowledged reports whether a database answers, and its commits do not end: this one, or one before it whose locks this one waits for.
func unacknowledged(err error) bool {
	var bad *pgconn.PgError
	return errors.Is(err, errUnacknowledged) || errors.As(err, &bad) && bad.Code == pgerrcode.LockNotAvailable
}

// finalError wraps what no further attempt would change.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// transient reports whether an error is of the connection or of the database's state, and not of what the database was
// told.
func transient(err error) bool {
	var final finalError
	if errors.As(err, &final) {
		return false
	}
	// Whoever runs the database may turn away its users for a while: a role without login or with a new password, a
	// database that takes no connections. A server that stopped then would have to be started again by hand.
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	var bad *pgconn.PgError
	if !errors.As(err, &bad) {
		return true // it did not come to the database, or no answer came back
	}
	switch class(bad.Code) {
	case class(pgerrcode.ConnectionException),
		class(pgerrcode.InvalidTransactionState), // read-only: a standby, or a primary that was demoted
		class(pgerrcode.TransactionRollback),     // serialization, deadlock
		class(pgerrcode.InsufficientResources),
		class(pgerrcode.ObjectNotInPrerequisiteState), // locks, a database that takes no connections
		class(pgerrcode.OperatorIntervention),         // shutting down, starting
		class(pgerrcode.SystemError):
		return true
	}
	return bad.Code == pgerrcode.InsufficientPrivilege // a right was taken away
}

// class returns the class of an SQLSTATE, its first two characters. Classes are compared, and not the codes that package
// pgerrcode lists for them: other engines have more codes in the same classes.
func class(code string) string { return code[:min(2, len(code))] }

// refused reports whether waiting at the start is no use: the database has answered, and said no to what it was told or
// to whoever said it. Only what servers do to each other that start at once, and a database that is starting, are waited
// for.
func refused(err error) bool {
	var final finalError
	var bad *pgconn.PgError
	if errors.As(err, &final) || errors.Is(err, errUnsafe) || pooled(err) {
		return true
	}
	if !errors.As(err, &bad) {
		return false
	}
	switch class(bad.Code) {
	case class(pgerrcode.ConnectionException), class(pgerrcode.OperatorIntervention), class(pgerrcode.TransactionRollback),
		class(pgerrcode.IntegrityConstraintViolation):
		return false
	}
	switch bad.Code {
	case pgerrcode.DuplicateTable, pgerrcode.DuplicateObject, pgerrcode.LockNotAvailable: // another server makes the tables
		return false
	}
	return true
}
