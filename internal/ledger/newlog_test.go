package ledger_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
	"quiniela/receipt"
	"quiniela/tlog"
)

// keys of the old log and of two that follow it.
func keys(t *testing.T) (all [3]string) {
	for i := range all {
		_, key, err := tlog.NewLogKey("lottery.example/"+string(rune('a'+i)), bytes.Repeat([]byte{byte(i)}, 64))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = key
	}
	return all
}

// begin stops the machine, appends that a new log begins, and starts it again.
func (m *machine) begin(old tlog.Checkpoint, oldKey, newKey string) (had int64, err error) {
	m.t.Helper()
	m.stop()
	j, err := m.disk.Open()
	if err != nil {
		m.t.Fatal(err)
	}
	had, err = ledger.BeginLog(m.t.Context(), j, m.t.TempDir(), old, oldKey, newKey, time.UnixMicro(1769886000000000))
	if closed := j.Close(); closed != nil {
		m.t.Fatal(closed)
	}
	m.open(1)
	return had, err
}

func TestANewLogHasTheDrawsThatWereNotDrawn(t *testing.T) {
	m := start(t, 1)
	_, late := busyDay(t, m)
	beacon := m.openDraw("beacon", 2, time.Now().Add(time.Hour), draw.Rule{Source: quiniela.SourceBeacon})
	m.sendTo(beacon.Seq, 1, 1, "", 5)
	before := entries(t, m.Ledger)
	key := keys(t)
	old := tlog.Checkpoint{Origin: "lottery.example/a", Size: int64(len(before)) + 3, Root: tlog.Hash{9}}
	had, err := m.begin(old, key[0], key[1])
	if err != nil || had != int64(len(before)) {
		t.Fatalf("it gives %d entries, %v", had, err)
	}
	after := entries(t, m.Ledger)
	c, err := receipt.ParseContinues(after[0])
	want := receipt.Continues{Log: key[0], Size: uint64(old.Size), Root: old.Root, Draws: 4, Began: 1769886000000000}
	if err != nil || c != want {
		t.Fatalf("it begins with %+v, %v; want %+v", c, err, want)
	}
	var again [][]byte
	for _, e := range before {
		if n, err := receipt.DrawOf(e); err == nil && (n == late.LogSeq || n == beacon.LogSeq) {
			again = append(again, e)
		}
	}
	if !slices.EqualFunc(after[1:], again, bytes.Equal) || len(again) != 5 {
		t.Errorf("behind its first entry it has\n%q\nwant the entries of the two draws that were open, word for word:\n%q", after[1:], again)
	}
	if d := m.wait("beacon", "open"); d.Binding != beacon.Binding {
		t.Error("the beacon's round would give another number than it gave before")
	}
	night := m.wait("night", "drawn")
	if night.Logged() || !night.Public {
		t.Errorf("%+v is in the new log", night)
	}
	if _, err := m.AgencyBatches(t.Context(), night, 1, 1, 9, nil); quiniela.CodeOf(err) != quiniela.Absent {
		t.Errorf("batches of a draw of the old log: %v", err)
	}
	m.sendTo(1, 1, 1, "", 7574, 9, 10) // a repeat, of a draw that is in the old log
	m.sendTo(late.Seq, 1, 3, "", 10)
	m.finish(1, 3, "")
	m.wait("late", "drawn")
	m.sameLog("it was built again", func() { m.fs = vfs.NewMem() })
	m.sameLog("it was started again", func() {})
}

// sameLog restarts the machine, and compares its log with what it was.
func (m *machine) sameLog(when string, between func()) {
	m.t.Helper()
	was, begun := entries(m.t, m.Ledger), m.NewLog()
	m.stop()
	between()
	m.open(1)
	if !cmp.Equal(m.NewLog(), begun) {
		m.t.Errorf("after %s it began with %+v, and had begun with %+v", when, m.NewLog(), begun)
	}
	if now := entries(m.t, m.Ledger); !slices.EqualFunc(now, was, bytes.Equal) {
		m.t.Errorf("after %s the log has %d entries, and had %d", when, len(now), len(was))
	}
}

// A journal whose new log leaves out a draw that was not drawn, or miscounts, was not written by this program.
func TestANewLogThatIsNotOfItsJournal(t *testing.T) {
	for name, change := range map[string]func(*journal.NewLog){
		"a draw left out": func(n *journal.NewLog) { n.Again = nil },
		"one too many":    func(n *journal.NewLog) { n.Again = []uint64{1, 2} },
		"a wrong count":   func(n *journal.NewLog) { n.Opened = 2 },
		"a short root":    func(n *journal.NewLog) { n.OldRoot = n.OldRoot[1:] },
	} {
		m := start(t, 1)
		m.mustSend(1, 1, 5)
		m.stop()
		j, err := m.disk.Open()
		if err != nil {
			t.Fatal(err)
		}
		last, err := j.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := journal.NewLog{Key: keys(t)[1], OldKey: keys(t)[0], OldSize: 9, OldRoot: make([]byte, 32), Opened: 1, Again: []uint64{1}, At: 1}
		change(&n)
		if _, err := j.Append(t.Context(), last, [][]byte{journal.Encode(n)}); err != nil {
			t.Fatal(err)
		}
		if l, err := ledger.Open(t.Context(), j, ledger.Options{Dir: "data", FS: m.fs, Public: true}); err == nil {
			t.Errorf("%s: it starts", name)
			_ = l.Close()
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A new log begins where entries are gone, and nowhere else; and only behind the newest one.
func TestWhereNoNewLogBegins(t *testing.T) {
	m := start(t, 1)
	m.mustSend(1, 1, 5)
	key := keys(t)
	log := m.Log()
	at := func(size int64, root tlog.Hash) tlog.Checkpoint {
		return tlog.Checkpoint{Origin: "lottery.example/a", Size: size, Root: root}
	}
	if _, err := m.begin(at(log.Size, log.Root), key[0], key[1]); !errors.Is(err, ledger.ErrNothingGone) {
		t.Errorf("nothing is gone: %v", err)
	}
	if _, err := m.begin(at(log.Size, tlog.Hash{1}), key[0], key[1]); err == nil || !strings.Contains(err.Error(), "not of this journal") {
		t.Errorf("another log: %v", err)
	}
	if _, err := m.begin(at(0, new(tlog.CompactRange).Root()), key[0], key[1]); !errors.Is(err, ledger.ErrNothingGone) {
		t.Errorf("an empty log: %v", err)
	}
	if _, err := m.begin(at(9, tlog.Hash{1}), "no key", key[1]); err == nil {
		t.Error("no key: accepted")
	}
	if m.NewLog() != nil || m.Log().Root != log.Root {
		t.Errorf("the log is another: %+v", m.NewLog())
	}
	if _, err := m.begin(at(9, tlog.Hash{1}), key[0], key[1]); err != nil || m.NewLog().Key != key[1] {
		t.Fatalf("%+v, %v", m.NewLog(), err)
	}
	m.mustSend(1, 2, 6)
	if _, err := m.begin(at(9, tlog.Hash{1}), key[0], key[2]); err == nil || !strings.Contains(err.Error(), "name the newest log") {
		t.Errorf("behind the log before the newest: %v", err)
	}
	if _, err := m.begin(at(8, tlog.Hash{2}), key[1], key[2]); err != nil || m.NewLog().OldKey != key[1] || m.NewLog().Key != key[2] {
		t.Fatalf("a second one: %+v, %v", m.NewLog(), err)
	}
	if got := len(entries(t, m.Ledger)); got != 4 {
		t.Errorf("%d entries, want the beginning, the opening and two batches", got)
	}
	m.sameLog("it was built again", func() { m.fs = vfs.NewMem() })
}
