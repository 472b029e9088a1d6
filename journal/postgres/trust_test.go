//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela/journal"
	"quiniela/journal/postgres"
	"quiniela/journal/postgres/pgtest"
)

// patience bounds every wait for a condition that usually comes within a second.
const patience = time.Minute

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// logs is a journal's log.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// member is one server's journal.
type member struct {
	*postgres.Journal
	t    *testing.T
	name string // of its sessions
	log  *logs
}

func join(t *testing.T, name, url string, unsafe bool) *member {
	t.Helper()
	m := &member{t: t, name: name, log: new(logs)}
	var err error
	m.Journal, err = postgres.Open(context.Background(), postgres.Options{
		URL: url + "&application_name=" + name, UnsafeSingle: unsafe, Timeout: time.Second,
		Logger: slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// answer is what a journal said in the end.
type answer struct {
	head journal.Head
	err  error
}

// appends appends entries, and says later what came of it.
func (m *member) appends(after journal.Head, entries ...string) <-chan answer {
	var data [][]byte
	for _, e := range entries {
		data = append(data, []byte(e))
	}
	done := make(chan answer, 1)
	go func() {
		head, err := m.Append(context.Background(), after, data)
		done <- answer{head, err}
	}()
	return done
}

func (m *member) asks() <-chan answer {
	done := make(chan answer, 1)
	go func() {
		head, err := m.Last(context.Background())
		done <- answer{head, err}
	}()
	return done
}

func (m *member) receive(done <-chan answer) journal.Head {
	m.t.Helper()
	select {
	case a := <-done:
		if a.err != nil {
			m.t.Fatalf("%s: %v", m.name, a.err)
		}
		return a.head
	case <-time.After(patience):
		m.t.Fatalf("%s does not answer; its log:\n%s", m.name, m.log.text())
	}
	return journal.Head{}
}

// content returns the whole journal.
func (m *member) content() string {
	m.t.Helper()
	var all []string
	for e, err := range m.Entries(context.Background(), 1) {
		if err != nil {
			m.t.Fatal(err)
		}
		all = append(all, string(e.Data))
	}
	return strings.Join(all, " ")
}

// attempts counts how often a journal has tried in vain.
func (m *member) attempts() int { return strings.Count(m.log.text(), "result=in_progress") }

// end ends the wait of a session's commit for the standbys with a function of the database, and reports whether there was one.
func (m *member) end(n *pgtest.Node, function string) bool {
	return n.Exec("SELECT count("+function+"(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = '"+m.name+"'") != "0"
}

// on returns the URL of a database of a cluster.
func on(c *pgtest.Cluster, database string) string {
	return strings.Replace(c.URL(), "/quiniela?", "/"+database+"?", 1)
}

// A primary shows a commit that no standby has once its wait has ended early. Nobody may be told of it: not by the server
// that made it, nor by another one that finds it. Then the primary is lost, and with it whatever it alone had.
func TestWhatAPrimaryShowsIsNotYetDurable(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, 2)
	primary := c.Nodes[0]
	for i, way := range []struct {
		name      string
		first     string // ends the wait of the server that appends
		second    string // ends the wait of the server that finds it
		invisible bool   // the append is nowhere to be seen
	}{
		{name: "the server's own timeout", invisible: true},
		{name: "pg_cancel_backend at the server that appends", first: "pg_cancel_backend"},
		{name: "pg_cancel_backend at both", first: "pg_cancel_backend", second: "pg_cancel_backend"},
		{name: "pg_terminate_backend at both", first: "pg_terminate_backend", second: "pg_terminate_backend"},
	} {
		t.Run(way.name, func(t *testing.T) {
			database := fmt.Sprintf("way%d", i)
			primary.Exec("CREATE DATABASE " + database)
			c.Settle(primary)
			a, b := join(t, "a", on(c, database), false), join(t, "b", on(c, database), false)
			one := a.receive(a.appends(journal.Head{}, "one"))
			if head := b.receive(b.asks()); head != one {
				t.Fatalf("the second server reads %v, want %v", head, one)
			}
			var standbys []*pgtest.Node
			for _, n := range c.Nodes {
				if n != primary {
					standbys = append(standbys, n)
					n.Kill()
				}
			}
			appended := a.appends(one, "two")
			if way.first != "" {
				eventually(t, "the append waits for the standbys", func() bool { return a.end(primary, way.first) })
			}
			eventually(t, "the server that appends tries again", func() bool { return a.attempts() >= 2 })
			shown := primary.ExecOn(database, "SELECT position FROM journal_head")
			if visible := shown == "2"; visible == way.invisible {
				t.Fatalf("the primary shows %s entries", shown)
			}
			asked := b.asks()
			if !way.invisible {
				for n := range 3 {
					if way.second != "" {
						b.end(primary, way.second)
					}
					if way.first != "" {
						a.end(primary, way.first)
					}
					eventually(t, "both servers wait", func() bool { return b.attempts() > n && a.attempts() > n+2 })
				}
			}
			told := journal.Head{}
			select {
			case got := <-appended:
				t.Errorf("the append was acknowledged: %v", got)
			case got := <-asked:
				if told = got.head; got.head != one || got.err != nil {
					t.Errorf("the second server says %v of what the primary alone has", got)
				}
			default:
			}
			primary.Kill()
			for _, n := range standbys {
				n.Start()
			}
			lost := primary
			primary = c.Promote()
			two := a.receive(appended)
			if want := one.Next([]byte("two")); two != want {
				t.Errorf("the append came to %v, want %v", two, want)
			}
			if told == (journal.Head{}) {
				b.receive(asked)
			}
			if got := b.content(); got != "one two" {
				t.Errorf("the journal holds %q", got)
			}
			c.Rejoin(lost, primary)
		})
	}
}
