package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/journal/journaltest"
	"quiniela/internal/ledger"
)

// machine is a ledger that can be stopped and started again on the same disks.
type machine struct {
	t    *testing.T
	disk journaltest.Disk
	fs   vfs.FS
	j    journal.Journal
	now  func() time.Time
	*ledger.Ledger
}

func start(t *testing.T, agencies uint32) *machine { return startAt(t, agencies, time.Now) }

func startAt(t *testing.T, agencies uint32, now func() time.Time) *machine {
	m := &machine{t: t, fs: vfs.NewMem(), now: now}
	m.open(agencies)
	t.Cleanup(m.stop)
	return m
}

func (m *machine) open(agencies uint32) {
	m.t.Helper()
	var err error
	if m.j, err = m.disk.Open(); err != nil {
		m.t.Fatal(err)
	}
	m.Ledger, err = ledger.Open(context.Background(), m.j, ledger.Options{Dir: "data", FS: m.fs, Seed: seed(agencies), Public: true, Now: m.now})
	if err != nil {
		m.t.Fatal(err)
	}
}

func seed(agencies uint32) *ledger.Seed {
	return &ledger.Seed{ID: "1", Agencies: agencies, Rule: draw.FixedNumber(7574)}
}

func (m *machine) stop() {
	if m.Ledger == nil {
		return
	}
	if err := m.Ledger.Close(); err != nil {
		m.t.Error(err)
	}
	m.Ledger = nil
	if err := m.j.Close(); err != nil {
		m.t.Error(err)
	}
}

func (m *machine) restart(agencies uint32) {
	m.t.Helper()
	m.stop()
	m.open(agencies)
}

// submission makes a batch of bets on the given numbers.
func submission(agency quiniela.Agency, batch uint64, numbers ...int) *ledger.Submission {
	var lines []byte
	for i, n := range numbers {
		lines = fmt.Appendf(lines, "Ana,Paz,%d,1990-01-01,%d\n", int(agency%1000)*1000000+int(batch%1000)*1000+i, n)
	}
	return &ledger.Submission{Agency: agency, Batch: batch, Frame: lines}
}

func (m *machine) send(s *ledger.Submission) (int, error) {
	if err := m.Submit(s); err != nil {
		return 0, err
	}
	return s.Wait()
}

func (m *machine) mustSend(agency quiniela.Agency, batch uint64, numbers ...int) {
	m.t.Helper()
	if n, err := m.send(submission(agency, batch, numbers...)); err != nil || n != len(numbers) {
		m.t.Fatalf("batch %d of agency %d: %d bets, %v; want %d", batch, agency, n, err, len(numbers))
	}
}

func (m *machine) refused(want quiniela.Code, agency quiniela.Agency, batch uint64, numbers ...int) {
	m.t.Helper()
	if n, err := m.send(submission(agency, batch, numbers...)); quiniela.CodeOf(err) != want {
		m.t.Fatalf("batch %d of agency %d: %d bets, %v; want a refusal %q", batch, agency, n, err, want)
	}
}

func (m *machine) finish(agency quiniela.Agency, batches uint64, want quiniela.Code) {
	m.t.Helper()
	if err := m.Finish(context.Background(), 0, agency, batches, nil); quiniela.CodeOf(err) != want || want == "" && err != nil {
		m.t.Fatalf("agency %d finishes after %d batches: %v, want code %q", agency, batches, err, want)
	}
}

func (m *machine) winners(agency quiniela.Agency, want ...string) {
	m.t.Helper()
	select {
	case <-m.Drawn(0):
	case <-time.After(5 * time.Minute):
		m.t.Fatal("the draw did not come")
	}
	got, drawn, err := documents(m.Ledger, 0, agency)
	if err != nil || !drawn || !slices.Equal(got, want) {
		m.t.Fatalf("winners of agency %d: %q, drawn %t, %v; want %q", agency, got, drawn, err, want)
	}
}

func (m *machine) export() []string {
	m.t.Helper()
	var b bytes.Buffer
	if _, err := ledger.Export(context.Background(), m.j, "1", &b, nil); err != nil {
		m.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func TestARepeatIsAcknowledgedAndStoredOnce(t *testing.T) {
	m := start(t, 2)
	for batch := uint64(1); batch <= 3; batch++ {
		m.mustSend(1, batch, 1, 2, int(batch))
	}
	for range 2 { // before and after a restart
		for batch := uint64(1); batch <= 3; batch++ {
			m.mustSend(1, batch, 1, 2, int(batch))
		}
		if got := len(m.export()); got != 9 {
			t.Fatalf("%d bets are stored, want 9", got)
		}
		m.restart(2)
	}
}

// Repeats that arrive while the original is still in the same commit are the hard case.
func TestARepeatInTheSameGroup(t *testing.T) {
	m := start(t, 1)
	var all []*ledger.Submission
	for _, batch := range []uint64{1, 1, 2, 3, 1, 2, 3, 4} {
		all = append(all, submission(1, batch, int(batch), 7))
	}
	other := submission(1, 2, 9, 9)
	all = append(all, other)
	for _, s := range all {
		if err := m.Submit(s); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range all {
		n, err := s.Wait()
		if s == other && quiniela.CodeOf(err) != quiniela.Conflict {
			t.Fatalf("other content: %d, %v, want a conflict", n, err)
		}
		if s != other && (err != nil || n != 2) {
			t.Fatalf("batch %d: %d bets, %v", s.Batch, n, err)
		}
	}
	if got := len(m.export()); got != 8 {
		t.Fatalf("%d bets are stored, want 8", got)
	}
}

func TestConflictAndGap(t *testing.T) {
	m := start(t, 1)
	m.mustSend(1, 1, 5)
	m.mustSend(1, 2, 6)
	m.refused(quiniela.Conflict, 1, 1, 6)
	m.refused(quiniela.Conflict, 1, 2, 5)
	_, err := m.send(submission(1, 4, 5))
	if quiniela.CodeOf(err) != quiniela.Gap || err.(*quiniela.Error).Detail != "3" {
		t.Fatalf("a gap gave %v, want the next number, 3", err)
	}
	m.mustSend(1, 0, 8) // unnumbered: it takes the next number
	m.refused(quiniela.Conflict, 1, 3, 5)
	m.mustSend(1, 4, 5)
}

func TestTheDrawWaitsForEveryAgencyAndSurvivesARestart(t *testing.T) {
	m := start(t, 2)
	m.mustSend(1, 1, 7574, 1, 7574)
	m.mustSend(2, 1, 3)
	m.mustSend(1, 2, 7574)
	m.finish(1, 2, "")
	m.finish(1, 2, "")
	m.finish(2, 2, quiniela.Missing)
	if _, drawn, err := m.Winners(context.Background(), 0, 1); drawn || err != nil {
		t.Fatalf("drawn before agency 2 has finished: %t, %v", drawn, err)
	}
	m.restart(2)
	m.refused(quiniela.Finished, 1, 3, 7574)
	m.mustSend(1, 1, 7574, 1, 7574) // a repeat still gets its reply
	m.finish(2, 1, "")
	for range 2 {
		m.winners(1, "1001000", "1001002", "1002000")
		m.winners(2)
		m.refused(quiniela.Finished, 2, 2, 7574)
		m.finish(2, 1, "")
		m.restart(2)
	}
}

func TestALateSingleBetIsRefusedForEver(t *testing.T) {
	m := start(t, 1)
	single := submission(0, 0, 7574)
	single.Unattributed = true
	if _, err := m.send(single); err != nil {
		t.Fatal(err)
	}
	m.finish(1, 0, "")
	m.winners(1)
	m.restart(1)
	single = submission(0, 0, 7574)
	single.Unattributed = true
	if _, err := m.send(single); quiniela.CodeOf(err) != quiniela.Closed {
		t.Fatalf("a bet after the draw gave %v, want closed", err)
	}
}

func TestOnlyTheDrawsAgencies(t *testing.T) {
	m := start(t, 2)
	for _, a := range []quiniela.Agency{0, 3, 99, 1<<32 - 1} {
		m.refused(quiniela.NoAgency, a, 1, 7574)
		m.finish(a, 0, quiniela.NoAgency)
		if _, _, err := m.Winners(context.Background(), 0, a); quiniela.CodeOf(err) != quiniela.NoAgency {
			t.Fatalf("winners of agency %d: %v", a, err)
		}
		if _, err := m.Resume(t.Context(), 0, a); quiniela.CodeOf(err) != quiniela.NoAgency {
			t.Fatalf("resume of agency %d: %v", a, err)
		}
	}
}

func TestStateIsRebuiltFromTheJournal(t *testing.T) {
	m := start(t, 2)
	m.mustSend(1, 1, 7574, 4)
	m.mustSend(2, 1, 7574)
	m.finish(1, 1, "")
	m.finish(2, 1, "")
	m.winners(1, "1001000")
	before, _ := m.FindDraw(t.Context(), "")
	m.stop()
	m.fs = vfs.NewMem()
	m.open(2)
	after, _ := m.FindDraw(t.Context(), "")
	if fmt.Sprintf("%+v", before.Result) != fmt.Sprintf("%+v", after.Result) || before.Bets != after.Bets {
		t.Fatalf("rebuilt as %+v, was %+v", after, before)
	}
	m.winners(1, "1001000")
	m.winners(2, "2001000")
	m.mustSend(1, 1, 7574, 4)
}

func TestOtherSettingsForAnOpenDrawAreRefused(t *testing.T) {
	m := start(t, 2)
	m.mustSend(1, 1, 1)
	m.stop()
	j, _ := m.disk.Open()
	defer func() { _ = j.Close() }()
	_, err := ledger.Open(context.Background(), j, ledger.Options{Dir: "data", FS: m.fs, Seed: seed(3)})
	if err == nil || !strings.Contains(err.Error(), "start with 2") {
		t.Fatalf("opened with 3 agencies: %v", err)
	}
}

func TestAStateAheadOfItsJournalIsRefused(t *testing.T) {
	m := start(t, 1)
	m.mustSend(1, 1, 1)
	m.stop()
	j, _ := new(journaltest.Disk).Open()
	_, err := ledger.Open(context.Background(), j, ledger.Options{Dir: "data", FS: m.fs, Seed: seed(1)})
	if err == nil || !strings.Contains(err.Error(), "entries were lost") {
		t.Fatalf("opened over an empty journal: %v", err)
	}
}

func TestNobodyExpected(t *testing.T) {
	m := start(t, 0)
	select {
	case <-m.Drawn(0):
	case <-time.After(5 * time.Minute):
		t.Fatal("a draw without agencies was not drawn")
	}
	m.refused(quiniela.NoAgency, 1, 1, 5)
}

// Two ledgers over one journal decide as one: the second sees what the first has appended before it answers.
func TestTwoLedgersOverOneJournal(t *testing.T) {
	m := start(t, 1)
	other, err := ledger.Open(context.Background(), m.j, ledger.Options{Dir: "other", FS: m.fs, Seed: seed(1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	m.mustSend(1, 1, 5)
	s := submission(1, 1, 6)
	if err := other.Submit(s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(); quiniela.CodeOf(err) != quiniela.Conflict {
		t.Fatalf("the other ledger answered %v, want a conflict", err)
	}
}

// stuckJournal appends nothing until it is let go.
type stuckJournal struct {
	journal.Journal
	stuck atomic.Bool
	free  chan struct{}
}

func (s *stuckJournal) Append(ctx context.Context, after journal.Head, entries [][]byte) (journal.Head, error) {
	if s.stuck.Load() {
		<-s.free
	}
	return s.Journal.Append(ctx, after, entries)
}

// What waits for a slow disk is bounded by bytes: past it the sessions wait, and nothing is lost or refused.
func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var disk journaltest.Disk
		j, err := disk.Open()
		if err != nil {
			t.Fatal(err)
		}
		stuck := &stuckJournal{Journal: j, free: make(chan struct{})}
		const most = 20000
		l, err := ledger.Open(context.Background(), stuck, ledger.Options{Dir: "data", FS: vfs.NewMem(), Seed: seed(1), QueueBytes: most})
		if err != nil {
			t.Fatal(err)
		}
		stuck.stuck.Store(true)
		const batches = 200
		var submitted atomic.Int64
		var answers sync.WaitGroup
		answers.Go(func() {
			var all []*ledger.Submission
			for n := uint64(1); n <= batches; n++ {
				s := submission(1, n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
				if err := l.Submit(s); err != nil {
					t.Error(err)
					return
				}
				submitted.Add(1)
				all = append(all, s)
			}
			for _, s := range all {
				if n, err := s.Wait(); n != 10 || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			}
		})
		synctest.Wait() // until the committer waits for the disk, and the session for the committer
		// A queue's worth is with the journal at most, and another waits behind it.
		size := int64(len(submission(1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).Frame)) + ledger.Headroom
		if submitted.Load() < 2 || submitted.Load()*size > 2*most {
			t.Errorf("%d batches of %d bytes were taken in, and %d bytes may wait", submitted.Load(), size, most)
		}
		stuck.stuck.Store(false)
		close(stuck.free)
		answers.Wait()
		if err := errors.Join(l.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
}

// documents reads an agency's winners, page by page, as a server does.
func documents(l *ledger.Ledger, draw uint64, a quiniela.Agency) (all []string, drawn bool, err error) {
	w, drawn, err := l.Winners(context.Background(), draw, a)
	for from := uint32(0); err == nil && from < w.Count; {
		var page []byte
		page, from, err = w.Append(context.Background(), nil, from, 20, func(dst []byte, p *ledger.Prize) []byte { return append(append(dst, p.Document...), '\n') })
		all = append(all, strings.Fields(string(page))...)
	}
	if err == nil && len(all) != int(w.Count) {
		err = fmt.Errorf("%d winners, and %d were announced", len(all), w.Count)
	}
	return all, drawn, err
}
