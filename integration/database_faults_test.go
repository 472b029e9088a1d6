//go:build unix

package integration

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"quiniela/internal/journal/postgres/pgtest"
)

// role is what the servers log in as: not as the one who breaks things.
const role = "central"

// databases is a primary and two standbys that servers use, and what goes wrong with them.
type databases struct {
	t       *testing.T
	rng     *rand.Rand
	pg      *pgtest.Cluster
	primary *pgtest.Node
}

func startDatabases(t *testing.T, rng *rand.Rand) *databases {
	t.Helper()
	d := &databases{t: t, rng: rng, pg: pgtest.Start(t, 2)}
	d.primary = d.pg.Nodes[0]
	d.primary.Exec("CREATE ROLE " + role + " LOGIN")
	return d
}

// create makes a database, and waits until every node has it: one that has not would end a server's start.
func (d *databases) create(database string) {
	d.t.Helper()
	d.primary.Exec("CREATE DATABASE " + database + " OWNER " + role)
	d.pg.Settle(d.primary)
}

// pause is a random time of at most so many milliseconds.
func (d *databases) pause(most int) { time.Sleep(time.Duration(d.rng.IntN(most)) * time.Millisecond) }

// sessions calls a function of the database with the process of each session of the servers, or of those that are in a
// certain state.
func (d *databases) sessions(function, where string) {
	d.t.Helper()
	d.primary.Exec("SELECT count(" + function + "(pid)) FROM pg_stat_activity WHERE usename = '" + role + "'" + where)
}

// cancel ends what the servers' sessions do, and terminate the sessions themselves, a few times.
func (d *databases) cancel()    { d.end("pg_cancel_backend") }
func (d *databases) terminate() { d.end("pg_terminate_backend") }

func (d *databases) end(function string) {
	d.t.Helper()
	for range 1 + d.rng.IntN(5) {
		d.sessions(function, "")
		d.pause(30)
	}
}

// restart kills the primary and starts it again: it shows what it had committed for itself alone.
func (d *databases) restart() {
	d.t.Helper()
	d.primary.Kill()
	d.primary.Start()
}

// standby returns one of the standbys.
func (d *databases) standby() *pgtest.Node {
	for {
		if n := d.pg.Nodes[d.rng.IntN(3)]; n != d.primary {
			return n
		}
	}
}

// alone takes both standbys away and ends the waits for them, so that the primary shows what nobody else has.
func (d *databases) alone() {
	d.t.Helper()
	for _, n := range d.pg.Nodes {
		if n != d.primary {
			n.Detach(d.primary)
		}
	}
	function := []string{"pg_cancel_backend", "pg_terminate_backend"}[d.rng.IntN(2)]
	for range 4 {
		d.pause(100)
		d.sessions(function, " AND wait_event = 'SyncRep'")
	}
}

// rejoined lets the standbys that were taken away come back.
func (d *databases) rejoined() {
	d.t.Helper()
	for _, n := range d.pg.Nodes {
		if n != d.primary {
			n.Follow(d.primary)
		}
	}
}

// lost kills the primary, promotes the standby that has most, and returns the dead one.
func (d *databases) lost() (dead *pgtest.Node) {
	d.t.Helper()
	dead = d.primary
	dead.Kill()
	d.primary = d.pg.Promote()
	return dead
}

// switched shuts the primary down in good order, promotes a standby, and lets the old one come back as a standby.
func (d *databases) switched() {
	d.t.Helper()
	old := d.primary
	old.Stop()
	d.primary = d.pg.Promote()
	d.pg.Rejoin(old, d.primary)
}

// asynchronous lets the primary's commits wait for nobody, for a while. The servers must have started: a start refuses it.
func (d *databases) asynchronous() {
	d.t.Helper()
	d.primary.Synchronous(false)
	d.pause(400)
	d.primary.Synchronous(true)
}

// lockedOut takes the right to log in from the servers, for a while. They must have started: a start refuses it.
func (d *databases) lockedOut() {
	d.t.Helper()
	d.primary.Exec("ALTER ROLE " + role + " NOLOGIN")
	d.sessions("pg_terminate_backend", "")
	d.pause(400)
	d.primary.Exec("ALTER ROLE " + role + " LOGIN")
}

// url is a database's, for the servers.
func (d *databases) url(database string, via map[string]string) string {
	url := strings.Replace(d.pg.URLVia(via), "/quiniela?", "/"+database+"?", 1)
	return strings.Replace(url, "//quiniela@", "//"+role+"@", 1)
}

// awaitStart waits until servers that may just have been started take connections.
func awaitStart(servers []*killing) {
	for _, k := range servers {
		k.server.await(`(listen) \| result: success`)
	}
}
