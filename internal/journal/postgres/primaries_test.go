//go:build unix

package postgres_test

import (
	"strings"
	"testing"

	"quiniela/internal/journal"
	"quiniela/internal/journal/postgres/pgtest"
)

// promoted is a cluster whose first primary was killed, and comes back as a primary, after a standby was promoted. Its commits wait for
// standbys that follow the other one.
func promoted(t *testing.T) (c *pgtest.Cluster, old *pgtest.Node, before *member, head journal.Head) {
	t.Helper()
	long(t)
	c = pgtest.Start(t, 2)
	before = join(t, "before", c.URL(), false)
	head = before.receive(before.appends(journal.Head{}, "first"))
	old = c.Nodes[0]
	old.Kill()
	c.Promote()
	head = before.receive(before.appends(head, "second"))
	old.Start()
	return c, old, before, head
}

// The old primary is the first host of the URL. No server comes to it, whether it runs or starts, and the log names it.
func TestAnOldPrimaryThatComesBackIsLeftAlone(t *testing.T) {
	t.Parallel()
	c, old, before, head := promoted(t)
	// All connections of the server that runs end, so that it makes new ones.
	for _, n := range c.Nodes[1:] {
		n.Exec("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'before'")
	}
	head = before.receive(before.appends(head, "third"))
	after := join(t, "after", c.URL(), false)
	head = after.receive(after.appends(head, "fourth"))
	if got := after.content(); got != "first second third fourth" || head.Position != 4 {
		t.Errorf("the journal is %q", got)
	}
	if log := after.log.text(); !strings.Contains(log, "two primaries: 127.0.0.1:") || !strings.Contains(log, "docs/CLUSTER.md") {
		t.Errorf("the log does not say so:\n%s", log)
	}
	if got := old.ExecOn("quiniela", "SELECT position FROM journal_head"); got != "1" {
		t.Errorf("the old primary has %s entries, want 1", got)
	}
}

// A server that has come to the old primary, since it was the only one that answered, waits and says why, and goes on with the new one as
// soon as that answers.
func TestAServerLeavesAnOldPrimary(t *testing.T) {
	t.Parallel()
	c, _, before, head := promoted(t)
	for _, n := range c.Nodes[1:] {
		n.Stop()
	}
	late := join(t, "late", c.URL(), false)
	read := late.asks()
	eventually(t, "it says why it waits", func() bool { return strings.Contains(late.log.text(), "the standbys have not acknowledged a commit") })
	for _, n := range c.Nodes[1:] {
		n.Start()
	}
	if got := late.receive(read); got != head {
		t.Errorf("it reads %v, want %v", got, head)
	}
	late.receive(late.appends(head, "third"))
	if got := before.content(); got != "first second third" {
		t.Errorf("the other server reads %q", got)
	}
}
