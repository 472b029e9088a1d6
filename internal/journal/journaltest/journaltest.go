// Package journaltest is the conformance suite of journal.Journal, run against every engine, and a journal in memory
// for tests that need no disk.
package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"quiniela/internal/journal"
)

// Engine makes journals of one kind. Open opens the same journal each time it is called within a test, as after a
// restart; it is called again only once the journal it returned before is closed.
type Engine struct {
	New func(t *testing.T) (open func() (journal.Journal, error))
}

// Run runs the suite.
func Run(t *testing.T, e Engine) {
	for name, test := range map[string]func(*testing.T, func() (journal.Journal, error)){
		"an empty journal has no entries":            empty,
		"entries come back in order after a restart": order,
		"a stale position is refused":                stale,
		"another history is refused":                 history,
		"entries are chained":                        chain,
		"reading can begin and stop anywhere":        anywhere,
		"a closed journal refuses":                   closed,
		"entries of every size":                      sizes,
		"readers run beside the writer":              beside,
		"the caller may reuse its buffers":           reuse,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, e.New(t))
		})
	}
}

func mustOpen(t *testing.T, open func() (journal.Journal, error)) journal.Journal {
	t.Helper()
	j, err := open()
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func mustAppend(t *testing.T, j journal.Journal, after uint64, entries ...string) {
	t.Helper()
	var data [][]byte
	for _, e := range entries {
		data = append(data, []byte(e))
	}
	if _, err := j.Append(context.Background(), headAt(t, j, after), data); err != nil {
		t.Fatal(err)
	}
}

// headAt returns the head of the entry at a position.
func headAt(t *testing.T, j journal.Journal, position uint64) journal.Head {
	t.Helper()
	for e, err := range j.Entries(context.Background(), position) {
		if err != nil {
			t.Fatal(err)
		}
		if position == 0 {
			break
		}
		return e.Head
	}
	return journal.Head{Position: position}
}

func mustClose(t *testing.T, j journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// check compares all entries from a position on with want.
func check(t *testing.T, j journal.Journal, from uint64, want ...string) {
	t.Helper()
	var got []string
	position := max(from, 1)
	for e, err := range j.Entries(context.Background(), from) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Position != position {
			t.Fatalf("position %d, want %d", e.Position, position)
		}
		position++
		got = append(got, string(e.Data))
	}
	if fmt.Sprintf("%.80q", got) != fmt.Sprintf("%.80q", want) {
		t.Fatalf("entries from %d on are %.80q, want %.80q", from, got, want)
	}
}

func empty(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	defer mustClose(t, j)
	check(t, j, 0)
	check(t, j, 7)
	if last, err := j.Last(context.Background()); last != (journal.Head{}) || err != nil {
		t.Fatalf("last is %d, %v", last, err)
	}
}

func order(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	mustAppend(t, j, 0, "a", "b")
	mustAppend(t, j, 2, "c")
	check(t, j, 1, "a", "b", "c")
	mustClose(t, j)
	j = mustOpen(t, open)
	defer mustClose(t, j)
	check(t, j, 1, "a", "b", "c")
	if last, _ := j.Last(context.Background()); last.Position != 3 {
		t.Fatalf("last is %d after a restart, want 3", last)
	}
	mustAppend(t, j, 3, "d")
	check(t, j, 3, "c", "d")
}

func stale(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	defer mustClose(t, j)
	mustAppend(t, j, 0, "a", "b")
	for _, after := range []uint64{0, 1} {
		if _, err := j.Append(context.Background(), headAt(t, j, after), [][]byte{[]byte("x")}); !errors.Is(err, journal.ErrMoved) {
			t.Fatalf("append after %d gave %v, want ErrMoved", after, err)
		}
	}
	check(t, j, 1, "a", "b")
	mustAppend(t, j, 2, "c")
}

// A writer whose own journal has lost entries, or has others, must not append to this one.
func history(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	defer mustClose(t, j)
	mustAppend(t, j, 0, "a", "b")
	second := headAt(t, j, 2)
	for name, after := range map[string]journal.Head{
		"another entry":       {Position: 2, Chain: second.Chain + 1},
		"one that is not yet": {Position: 3, Chain: second.Chain},
		"another first entry": journal.Head{}.Next([]byte("x")).Next([]byte("b")),
	} {
		if _, err := j.Append(context.Background(), after, [][]byte{[]byte("x")}); !errors.Is(err, journal.ErrOtherHistory) {
			t.Fatalf("append after %s gave %v, want ErrOtherHistory", name, err)
		}
	}
	check(t, j, 1, "a", "b")
	mustAppend(t, j, 2, "c")
}

// The chain is the same in every engine, and reading gives the head that appending gave.
func chain(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	want := journal.Head{}.Next([]byte("a")).Next([]byte("b")).Next([]byte("c"))
	got, err := j.Append(context.Background(), journal.Head{}, [][]byte{[]byte("a"), []byte("b"), []byte("c")})
	if err != nil || got != want {
		t.Fatalf("append gave the head %v and %v, want %v", got, err, want)
	}
	mustClose(t, j)
	j = mustOpen(t, open)
	defer mustClose(t, j)
	if last, err := j.Last(context.Background()); err != nil || last != want {
		t.Fatalf("last is %v, %v, want %v", last, err, want)
	}
	if third := headAt(t, j, 3); third != want {
		t.Fatalf("the third entry has the head %v, want %v", third, want)
	}
}

func anywhere(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	defer mustClose(t, j)
	for i := range uint64(10) {
		mustAppend(t, j, i, fmt.Sprint(i+1))
	}
	check(t, j, 9, "9", "10")
	check(t, j, 11)
	for e, err := range j.Entries(context.Background(), 4) {
		if err != nil || string(e.Data) != "4" {
			t.Fatalf("entry %q, %v", e.Data, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var got error
	for _, err := range j.Entries(ctx, 1) {
		got = err
	}
	if !errors.Is(got, context.Canceled) {
		t.Fatalf("reading with an ended context gave %v", got)
	}
}

func closed(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	mustAppend(t, j, 0, "a")
	mustClose(t, j)
	if err := j.Close(); err != nil {
		t.Fatalf("a second close: %v", err)
	}
	if _, err := j.Append(context.Background(), journal.Head{}.Next([]byte("a")), [][]byte{[]byte("b")}); err == nil {
		t.Fatal("a closed journal took an entry")
	}
	var got error
	for _, err := range j.Entries(context.Background(), 1) {
		got = err
	}
	if got == nil {
		t.Fatal("a closed journal was read")
	}
}

func sizes(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	var all []string
	for i, size := range []int{0, 1, 100, 1 << 10, 8 << 10, 1<<20 + 100, 5 << 20} {
		all = append(all, string(bytes.Repeat([]byte{byte('a' + i)}, size)))
	}
	mustAppend(t, j, 0, all...)
	check(t, j, 1, all...)
	mustClose(t, j)
	j = mustOpen(t, open)
	defer mustClose(t, j)
	check(t, j, 1, all...)
}

func beside(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	defer mustClose(t, j)
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			want := uint64(1)
			for e, err := range j.Entries(context.Background(), 1) {
				if err != nil || e.Position != want || string(e.Data) != fmt.Sprint(want) {
					done <- fmt.Errorf("position %d, data %q, error %v, want %d", e.Position, e.Data, err, want)
					return
				}
				want++
			}
		}
	}()
	for i := range uint64(200) {
		mustAppend(t, j, i, fmt.Sprint(i+1))
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func reuse(t *testing.T, open func() (journal.Journal, error)) {
	j := mustOpen(t, open)
	defer mustClose(t, j)
	buf := []byte("one")
	if _, err := j.Append(context.Background(), journal.Head{}, [][]byte{buf}); err != nil {
		t.Fatal(err)
	}
	copy(buf, "two")
	check(t, j, 1, "one")
}
