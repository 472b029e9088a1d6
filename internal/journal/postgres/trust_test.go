//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela/internal/journal"
	"quiniela/internal/journal/postgres"
	"quiniela/internal/journal/postgres/pgtest"
)

// patience bounds every wait for a condition that usually comes within a second.
const patience = 5 * time.Minute

// long skips a test that kills or hampers a cluster of its own.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it starts a database cluster of its own; the conformance suite runs on one server")
	}
}

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
	return joinFor(t, name, url, unsafe, 500*time.Millisecond)
}

// joinFor is join with a bound on each attempt.
func joinFor(t *testing.T, name, url string, unsafe bool, timeout time.Duration) *member {
	t.Helper()
	m := &member{t: t, name: name, log: new(logs)}
	o := postgres.Options{
		URL: url + "&application_name=" + name, UnsafeSingle: unsafe, Timeout: timeout,
		Logger: slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	var err error
	for deadline := time.Now().Add(5 * time.Minute); ; { // six short attempts can all be too slow on a busy machine
		if m.Journal, err = postgres.Open(context.Background(), o); err == nil {
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Now().After(deadline) {
			t.Fatal(err)
		}
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
// that made it, nor by another one that finds it. Then the primary is lost, and with it whatever it alone had. The ways
// in which a wait ends are tried at the same time, each in a database of its own.
func TestWhatAPrimaryShowsIsNotYetDurable(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 2)
	primary := c.Nodes[0]
	ways := []*way{
		{name: "timeout"},
		{name: "cancel1", first: "pg_cancel_backend"},
		{name: "cancel2", first: "pg_cancel_backend", second: "pg_cancel_backend"},
		{name: "terminate", first: "pg_terminate_backend", second: "pg_terminate_backend"},
	}
	for _, w := range ways {
		primary.Exec("CREATE DATABASE " + w.name)
	}
	c.Settle(primary)
	for _, w := range ways {
		w.begin(t, on(c, w.name))
	}
	for _, n := range c.Nodes[1:] {
		n.Detach(primary)
	}
	for _, w := range ways {
		w.append(t, primary)
	}
	for _, w := range ways {
		w.find(t, primary)
	}
	for _, w := range ways {
		if len(w.appended) > 0 || w.first != "" && len(w.asked) > 0 {
			t.Fatalf("%s: acknowledged, and about to be lost", w.name)
		}
	}
	primary.Kill()
	c.Promote()
	for _, w := range ways {
		w.end(t)
	}
}

// way is how the wait of a commit for the standbys ends.
type way struct {
	name            string // of its database
	first           string // the database's function that ends the wait of the server that appends
	second          string // and of the server that finds it
	a, b            *member
	one             journal.Head
	appended, asked <-chan answer
}

func (w *way) begin(t *testing.T, url string) {
	t.Helper()
	w.a, w.b = join(t, w.name+"-a", url, false), join(t, w.name+"-b", url, false)
	w.one = w.a.receive(w.a.appends(journal.Head{}, "one"))
	if head := w.b.receive(w.b.asks()); head != w.one {
		t.Fatalf("%s: the second server reads %v, want %v", w.name, head, w.one)
	}
}

// append appends while the standbys are away, and ends the wait.
func (w *way) append(t *testing.T, primary *pgtest.Node) {
	t.Helper()
	w.appended = w.a.appends(w.one, "two")
	if w.first != "" {
		eventually(t, "the append waits for the standbys", func() bool { return w.a.end(primary, w.first) })
	}
	eventually(t, "the server that appends tries again", func() bool { return len(w.appended) > 0 || w.a.attempts() >= 2 })
	if shown, visible := primary.ExecOn(w.name, "SELECT position FROM journal_head"), w.first != ""; visible != (shown == "2") {
		t.Fatalf("%s: the primary shows %s entries", w.name, shown)
	}
}

// find lets the second server find it, and says for a while that both must go on.
func (w *way) find(t *testing.T, primary *pgtest.Node) {
	t.Helper()
	w.asked = w.b.asks()
	if w.first == "" {
		return // there is nothing to be found
	}
	for n := range 3 {
		if w.second != "" {
			w.b.end(primary, w.second)
		}
		w.a.end(primary, w.first)
		eventually(t, "both servers wait", func() bool {
			return len(w.asked) > 0 || len(w.appended) > 0 || w.b.attempts() > n && w.a.attempts() > n+2
		})
	}
}

// end checks that all is well after the primary's loss.
func (w *way) end(t *testing.T) {
	t.Helper()
	head := w.b.receive(w.asked)
	two := w.a.receive(w.appended)
	if want := w.one.Next([]byte("two")); two != want {
		t.Errorf("%s: the append came to %v, want %v", w.name, two, want)
	}
	if head != w.one && head != two {
		t.Errorf("%s: the second server was told of %v", w.name, head)
	}
	if got := w.b.content(); got != "one two" {
		t.Errorf("%s: the journal holds %q", w.name, got)
	}
}

// Without synchronous_standby_names a commit waits for nobody, and it may be emptied at any time: between two appends of
// a server that found it set, or while a commit waits, which ends the wait without a warning.
func TestNothingIsAcknowledgedWhileTheStandbysAreTurnedOff(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 1)
	primary, standby := c.Nodes[0], c.Nodes[1]
	a := join(t, "a", c.URL(), false)
	b := join(t, "b", c.URL(), false)
	one := a.receive(a.appends(journal.Head{}, "one"))

	primary.Synchronous(false)
	appended := a.appends(one, "two")
	eventually(t, "the server waits", func() bool { return a.attempts() > 3 || len(appended) > 0 })
	if log := a.log.text(); len(appended) > 0 || !strings.Contains(log, "could lose") || strings.Count(log, "level=WARN") != 1 {
		t.Errorf("%d appends were acknowledged without standbys; the log:\n%s", len(appended), log)
	}
	primary.Synchronous(true)
	two := a.receive(appended)

	// An attempt that does not time out: the database answers it.
	patient := joinFor(t, "patient", c.URL(), false, patience)
	if head := patient.receive(patient.asks()); head != two {
		t.Fatalf("it reads %v, want %v", head, two)
	}
	standby.Detach(primary)
	appended = patient.appends(two, "three")
	eventually(t, "the commit waits", func() bool {
		return primary.Exec("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "1"
	})
	primary.Synchronous(false)
	eventually(t, "the primary shows the entry", func() bool { return primary.ExecOn("quiniela", "SELECT position FROM journal_head") == "3" })
	asked := b.asks()
	eventually(t, "both servers wait", func() bool {
		return len(appended)+len(asked) > 0 || patient.attempts() > 2 && b.attempts() > 2
	})
	if len(appended)+len(asked) > 0 {
		t.Error("what the primary alone has was acknowledged")
	}
	primary.Synchronous(true)
	standby.Follow(primary)
	three := a.receive(appended)
	if got := b.receive(asked); got != three {
		t.Errorf("the second server reads %v, want %v", got, three)
	}
	if got := a.content(); got != "one two three" {
		t.Errorf("the journal holds %q", got)
	}
}
