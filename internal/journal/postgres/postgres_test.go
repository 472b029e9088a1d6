//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"quiniela/internal/journal"
	"quiniela/internal/journal/journaltest"
	"quiniela/internal/journal/postgres"
	"quiniela/internal/journal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var databases atomic.Int64

// fresh makes a new database in a running cluster, and returns its URL.
func fresh(t *testing.T, c *pgtest.Cluster) string {
	t.Helper()
	name := fmt.Sprintf("db%d", databases.Add(1))
	c.Nodes[0].Exec("CREATE DATABASE " + name)
	return strings.Replace(c.URL(), "/quiniela?", "/"+name+"?", 1)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, 0)
	journaltest.Run(t, journaltest.Engine{New: func(t *testing.T) func() (journal.Journal, error) {
		url := fresh(t, c)
		return func() (journal.Journal, error) {
			return postgres.Open(context.Background(), postgres.Options{URL: url, UnsafeSingle: true})
		}
	}})
}

func TestADatabaseThatCouldLoseIsRefused(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 1)
	open := func() error {
		j, err := postgres.Open(t.Context(), postgres.Options{URL: c.URL()})
		if err != nil {
			return err
		}
		return j.Close()
	}
	if err := open(); err != nil {
		t.Fatalf("a safe one: %v", err)
	}
	for _, setting := range []string{"synchronous_standby_names = ''"} {
		c.Nodes[0].Exec("ALTER SYSTEM SET " + setting)
		c.Nodes[0].Exec("SELECT pg_reload_conf()")
		err := open()
		if err == nil || !strings.Contains(err.Error(), "could lose") || !strings.Contains(err.Error(), "--unsafe-single") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// A database whose encoding is not UTF-8 holds a journal as well, since entries are bytes.
func TestTheDatabasesEncodingDoesNotMatter(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 0)
	for _, encoding := range []string{"SQL_ASCII", "LATIN1"} {
		c.Nodes[0].Exec("CREATE DATABASE " + encoding + " ENCODING '" + encoding + "' TEMPLATE template0")
		m := join(t, encoding, on(c, strings.ToLower(encoding)), true)
		m.receive(m.appends(journal.Head{}, "José Núñez 7574"))
		if got := m.content(); got != "José Núñez 7574" {
			t.Errorf("%s: it holds %q", encoding, got)
		}
	}
}

// A start that gives up says what it has waited for.
func TestAStartThatGivesUpSaysWhy(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 1)
	c.Nodes[0].Kill()
	_, err := postgres.Open(t.Context(), postgres.Options{URL: c.URL(), Timeout: 200 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("it says %v", err)
	}
}

// Two writers append at once: each position is one's or the other's, and none is lost, doubled or skipped.
func TestTwoWritersMakeOneOrder(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 0)
	url := fresh(t, c)
	const each = 100
	var wg sync.WaitGroup
	for writer := range 2 {
		j, err := postgres.Open(t.Context(), postgres.Options{URL: url, UnsafeSingle: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		wg.Go(func() {
			last := journal.Head{}
			for n := 0; n < each; {
				next, err := j.Append(t.Context(), last, [][]byte{fmt.Appendf(nil, "%d %d", writer, n), fmt.Appendf(nil, "%d %d again", writer, n)})
				switch {
				case err == nil:
					n++
					last = next
				case errors.Is(err, journal.ErrMoved):
					if last, err = j.Last(t.Context()); err != nil {
						t.Error(err)
						return
					}
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	j, err := postgres.Open(t.Context(), postgres.Options{URL: url, UnsafeSingle: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	next, total := [2]int{}, 0
	for e, err := range j.Entries(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		var writer, n int
		if _, err := fmt.Sscanf(string(e.Data), "%d %d", &writer, &n); err != nil || n != next[writer]/2 {
			t.Fatalf("position %d is %q, want number %d of writer %d", e.Position, e.Data, next[writer]/2, writer)
		}
		next[writer]++
		total++
	}
	if total != 4*each {
		t.Errorf("%d entries, want %d", total, 4*each)
	}
}

// An entry that was changed is found, wherever it is in the pieces that are read at once.
func TestASpoiledEntryIsFound(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 0)
	j, err := postgres.Open(t.Context(), postgres.Options{URL: c.URL(), UnsafeSingle: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	entries := make([][]byte, 600)
	for i := range entries {
		entries[i] = fmt.Append(nil, "entry ", i+1)
	}
	if _, err := j.Append(t.Context(), journal.Head{}, entries); err != nil {
		t.Fatal(err)
	}
	read := func() (read int, err error) {
		for _, err := range j.Entries(t.Context(), 1) {
			if err != nil {
				return read, err
			}
			read++
		}
		return read, nil
	}
	if n, err := read(); n != 600 || err != nil {
		t.Fatalf("%d entries, %v", n, err)
	}
	for _, at := range []int{1, 2, 3, 4, 255, 256, 257, 511, 512, 600} {
		set := "UPDATE journal_entry SET data = '%s' WHERE position = %d"
		c.Nodes[0].ExecOn("quiniela", fmt.Sprintf(set, "spoiled", at))
		if n, err := read(); n != at-1 || !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("entry %d is spoiled, and %d were read, %v", at, n, err)
		}
		c.Nodes[0].ExecOn("quiniela", fmt.Sprintf(set, entries[at-1], at))
	}
}

// The database itself refuses a batch's number twice, whatever its writers believe; and people can read the bets.
func TestTheDatabaseKeepsBatchesUniqueAndReadable(t *testing.T) {
	long(t)
	t.Parallel()
	c := pgtest.Start(t, 0)
	url := fresh(t, c)
	j, err := postgres.Open(t.Context(), postgres.Options{URL: url, UnsafeSingle: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	secret, root := [32]byte{'\n'}, [32]byte{0xff}
	entry := func(number uint64, root *[32]byte) []byte {
		lines := "José,Núñez,30904465,1999-03-17,7574\nAna,Paz,1,1990-01-01,0\n"
		buf := append(make([]byte, journal.MaxBatchHeader), lines...)
		b := &journal.Batch{Draw: 1, Agency: 2, Batch: number, Count: 2, Secret: &secret, Root: root, Lines: []byte(lines)}
		return buf[journal.PutBatch(buf, journal.MaxBatchHeader, b):]
	}
	forgotten, err := journal.Forgotten(entry(3, &root), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := j.Append(t.Context(), journal.Head{}, [][]byte{
		entry(1, nil), entry(2, &root), forgotten, journal.Encode(journal.Finish{Draw: 1, Agency: 2, Batches: 3}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), stored, [][]byte{entry(2, nil)}); err == nil || errors.Is(err, journal.ErrMoved) {
		t.Fatalf("the same batch again: %v", err)
	}
	if last, err := j.Last(t.Context()); err != nil || last != stored {
		t.Fatalf("last is %v, %v", last, err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var text string
	err = conn.QueryRow(t.Context(), `SELECT string_agg(format('%s %s %s %s %s %s %s %s', draw, agency, batch, line, first_name, document, birthdate, number), '; ' ORDER BY position, line) FROM bet`).Scan(&text)
	var rows []string
	for batch := 1; batch <= 2; batch++ {
		rows = append(rows, fmt.Sprintf("1 2 %d 1 José 30904465 1999-03-17 7574; 1 2 %d 2 Ana 1 1990-01-01 0", batch, batch))
	}
	want := strings.Join(rows, "; ")
	if err != nil || text != want {
		t.Errorf("the view says %q, %v, want %q", text, err, want)
	}
}
