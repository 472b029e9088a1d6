//go:build unix

package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"

	"quiniela/internal/journal"
	"quiniela/internal/journal/postgres"
	"quiniela/internal/journal/postgres/pgtest"
)

// openNow opens a journal that would wait for hours, and returns the error that came at once.
func openNow(t *testing.T, url string) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		j, err := postgres.Open(t.Context(), postgres.Options{URL: url, UnsafeSingle: true, Timeout: time.Hour})
		if err == nil {
			_ = j.Close()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("the start waits")
	}
	return nil
}

// Whoever runs the database may turn servers away for a while. Those that run wait, as they do for a lost primary, and
// say why; one that starts says it at once.
func TestARoleThatMayNotLogInIsWaitedFor(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 0)
	n := c.Nodes[0]
	n.Exec("CREATE ROLE central LOGIN PASSWORD 'secret'")
	n.Exec("CREATE DATABASE lottery OWNER central")
	n.Password("central")
	url := strings.Replace(on(c, "lottery"), "quiniela@", "central:secret@", 1)
	m := join(t, "m", url, true)
	head := m.receive(m.appends(journal.Head{}, "first"))
	for _, away := range []struct {
		why, begin, end, code string
		inside                bool // the statements are for the database itself
		running               bool // a start does not find it out
	}{
		{why: "no login", begin: "ALTER ROLE central NOLOGIN", end: "ALTER ROLE central LOGIN", code: pgerrcode.InvalidAuthorizationSpecification},
		{why: "another password", begin: "ALTER ROLE central PASSWORD 'other'", end: "ALTER ROLE central PASSWORD 'secret'", code: pgerrcode.InvalidPassword},
		{why: "no connections", begin: "ALTER DATABASE lottery ALLOW_CONNECTIONS false", end: "ALTER DATABASE lottery ALLOW_CONNECTIONS true", code: pgerrcode.ObjectNotInPrerequisiteState},
		{why: "too many connections", begin: "ALTER ROLE central CONNECTION LIMIT 0", end: "ALTER ROLE central CONNECTION LIMIT -1", code: pgerrcode.TooManyConnections},
		{why: "no right to connect", begin: "REVOKE CONNECT ON DATABASE lottery FROM PUBLIC, central", end: "GRANT CONNECT ON DATABASE lottery TO PUBLIC, central", code: pgerrcode.InsufficientPrivilege},
		{why: "renamed", begin: "ALTER DATABASE lottery RENAME TO away", end: "ALTER DATABASE away RENAME TO lottery", code: pgerrcode.InvalidCatalogName},
		{why: "no right to write", begin: "REVOKE UPDATE ON journal_head FROM central", end: "GRANT UPDATE ON journal_head TO central", code: pgerrcode.InsufficientPrivilege, inside: true, running: true},
	} {
		exec := n.Exec
		if away.inside {
			exec = func(sql string) string { return n.ExecOn("lottery", sql) }
		}
		n.Exec("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = 'central'")
		exec(away.begin)
		seen := len(m.log.text())
		appended := m.appends(head, away.why)
		eventually(t, away.why+": the server says why it waits", func() bool {
			return len(appended) > 0 || strings.Contains(m.log.text()[seen:], away.code)
		})
		if err := openNow(t, url); !away.running && (err == nil || !strings.Contains(err.Error(), away.code)) {
			t.Errorf("%s: a start says %v, want %s", away.why, err, away.code)
		}
		exec(away.end)
		head = m.receive(appended)
	}
	if head.Position != 8 {
		t.Errorf("%d entries in the end", head.Position)
	}
}

// A pooler in transaction mode gives each transaction another session; nothing that the journal asks of a session holds.
func TestAPoolerIsToldApart(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 0)
	for name, settings := range map[string]string{
		"it refuses settings of the session": "",
		"it ignores settings of the session": "ignore_startup_parameters = synchronous_commit, statement_timeout, client_min_messages, lock_timeout",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := openNow(t, c.Pooler(t, settings))
			if err == nil || !strings.Contains(err.Error(), "pooler") || !strings.Contains(err.Error(), "name the database servers themselves") {
				t.Errorf("it says %v", err)
			}
		})
	}
	j, err := postgres.Open(context.Background(), postgres.Options{URL: c.URL(), UnsafeSingle: true})
	if err != nil {
		t.Fatalf("without a pooler: %v", err)
	}
	_ = j.Close()
}
