package postgres

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

// Which answers of a database are waited for, while running (transient) and at the start (not refused). A code that is in
// nobody's list counts as its class does.
func TestWhichAnswersAreWaitedFor(t *testing.T) {
	for _, c := range []struct {
		code               string
		transient, refused bool
	}{
		{pgerrcode.ConnectionFailure, true, false},
		{"08XXX", true, false},
		{pgerrcode.IntegrityConstraintViolation, false, false},
		{pgerrcode.UniqueViolation, false, false},
		{pgerrcode.ReadOnlySQLTransaction, true, true},
		{pgerrcode.InvalidPassword, false, true},
		{pgerrcode.InvalidCatalogName, false, true},
		{pgerrcode.SerializationFailure, true, false},
		{pgerrcode.DeadlockDetected, true, false},
		{"40XXX", true, false},
		{pgerrcode.InsufficientPrivilege, true, true},
		{pgerrcode.SyntaxError, false, true},
		{pgerrcode.UndefinedTable, false, true},
		{pgerrcode.DuplicateTable, false, false},
		{pgerrcode.DuplicateObject, false, false},
		{pgerrcode.DiskFull, true, true},
		{pgerrcode.TooManyConnections, true, true},
		{pgerrcode.LockNotAvailable, true, false},
		{pgerrcode.ObjectNotInPrerequisiteState, true, true},
		{pgerrcode.AdminShutdown, true, false},
		{pgerrcode.CannotConnectNow, true, false},
		{"57XXX", true, false},
		{pgerrcode.IOError, true, true},
		{pgerrcode.InternalError, false, true},
		{"", false, true},
	} {
		err := fmt.Errorf("append: %w", &pgconn.PgError{Code: c.code})
		if transient(err) != c.transient || refused(err) != c.refused {
			t.Errorf("%q: transient %t, refused %t; want %t and %t", c.code, transient(err), refused(err), c.transient, c.refused)
		}
	}
	lost := errors.New("connection reset")
	if !transient(lost) || refused(lost) {
		t.Error("a lost connection is not waited for")
	}
	final := finalError{&pgconn.PgError{Code: pgerrcode.ConnectionFailure}}
	if transient(final) || !refused(final) {
		t.Error("a final error is waited for")
	}
}
