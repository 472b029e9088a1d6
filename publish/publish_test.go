package publish_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"quiniela"
	"quiniela/draw"
	"quiniela/journal"
	"quiniela/journal/local"
	"quiniela/ledger"
	"quiniela/proof"
	"quiniela/publish"
)

// desk is a lottery that publishes, on a real disk.
type desk struct {
	t       *testing.T
	dir     string
	journal *local.Journal
	ledger  *ledger.Ledger
	key     publish.Key
	*publish.Publisher
	stop func()
}

func start(t *testing.T, agencies uint32) *desk {
	d := &desk{t: t, dir: t.TempDir()}
	d.open(agencies)
	t.Cleanup(func() { d.close() })
	return d
}

func (d *desk) open(agencies uint32) {
	d.t.Helper()
	if err := d.try(agencies); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) try(agencies uint32) (err error) {
	if d.journal, err = local.Open(filepath.Join(d.dir, "journal"), local.Options{}); err != nil {
		return err
	}
	o := ledger.Options{Dir: d.dir, Public: true, Seed: &ledger.Seed{ID: "1", Agencies: agencies, Rule: draw.FixedNumber(7574)}}
	if d.ledger, err = ledger.Open(context.Background(), d.journal, o); err != nil {
		return errors.Join(err, d.journal.Close())
	}
	if d.key, err = publish.LoadKey(filepath.Join(d.dir, publish.KeyName), "lottery.example/log"); err == nil {
		d.Publisher, err = publish.Open(context.Background(), publish.Options{
			Dir: filepath.Join(d.dir, "public"), Key: d.key, Ledger: d.ledger, Log: slog.New(slog.DiscardHandler),
		})
	}
	if err != nil {
		return errors.Join(err, d.ledger.Close(), d.journal.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	d.stop = func() { cancel(); <-done }
	return nil
}

func (d *desk) close() {
	if d.stop == nil {
		return
	}
	d.stop()
	d.stop = nil
	if err := errors.Join(d.ledger.Close(), d.journal.Close()); err != nil {
		d.t.Error(err)
	}
}

// send stores a batch of bets on the given numbers.
func (d *desk) send(n uint64, agency quiniela.Agency, batch uint64, numbers ...int) {
	d.t.Helper()
	b := bytes.NewBuffer(make([]byte, journal.MaxBatchHeader))
	for i, number := range numbers {
		fmt.Fprintf(b, "Ana,Paz,%d,1990-01-01,%d\n", 1000*int(batch)+i, number)
	}
	s := &ledger.Submission{Draw: n, Agency: agency, Batch: batch, Buffer: b.Bytes(), Start: journal.MaxBatchHeader, Received: time.Now().UnixMicro()}
	lines, packed, err := quiniela.CheckLines(s.Buffer[s.Start:], 20361231, 1000, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	s.Hash, s.Numbers = sha256.Sum256(lines), packed
	if err := d.ledger.Submit(s); err != nil {
		d.t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) finish(n uint64, agency quiniela.Agency) {
	d.t.Helper()
	if err := d.ledger.Finish(d.t.Context(), n, agency, 0); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) path(name string) string {
	return filepath.Join(d.dir, "public", filepath.FromSlash(name))
}

// file waits for a published file.
func (d *desk) file(name string) []byte {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		data, err := os.ReadFile(d.path(name))
		if err == nil {
			return data
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s is not published: %v", name, err)
		}
	}
}

func (d *desk) policy() *proof.Policy {
	d.t.Helper()
	p, err := proof.ParsePolicy([]byte("log " + d.key.Verifier + "\nquorum none\n"))
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// check reads the log as somebody outside would: everything below the checkpoint must be there, and hash to its root.
func check(t *testing.T, dir string, policy *proof.Policy) (size int64, whole bool) {
	t.Helper()
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))) }
	note, err := read("checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	at, err := policy.Open(note)
	if err != nil {
		t.Fatalf("the checkpoint: %v", err)
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: at.Size, Hash: at.Root}, proof.NewTileReader(read))
	var indexes []int64
	for i := range at.Size {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	leaves, err := hashes.ReadHashes(indexes)
	if err != nil {
		t.Fatalf("the tiles of %d entries: %v", at.Size, err)
	}
	return at.Size, checkEntries(t, read, leaves)
}

// checkEntries compares the entries that are published with their leaves, and reports whether all of them are.
func checkEntries(t *testing.T, read func(string) ([]byte, error), leaves []tlog.Hash) bool {
	t.Helper()
	for n := int64(0); n*proof.TileWidth < int64(len(leaves)); n++ {
		want := leaves[n*proof.TileWidth : min((n+1)*proof.TileWidth, int64(len(leaves)))]
		data, err := read(proof.BundlePath(n, len(want)))
		if errors.Is(err, fs.ErrNotExist) {
			return false
		}
		entries, bad := proof.ParseBundle(data)
		if err := errors.Join(err, bad); err != nil || len(entries) != len(want) {
			t.Fatalf("bundle %d: %d entries, %v", n, len(entries), err)
		}
		for i, e := range entries {
			if proof.LeafHash(e) != want[i] {
				t.Fatalf("entry %d is not the one of the tree", n*proof.TileWidth+int64(i))
			}
		}
	}
	return true
}

func TestADrawIsPublished(t *testing.T) {
	d := start(t, 2)
	d.file("draws/1/open")
	for n := range uint64(300) {
		d.send(1, 1, n+1, 7574, int(n))
	}
	d.send(1, 2, 1, 4, 5, 6)
	// Everybody sees that the log grows, and nobody what an agency sells.
	for size := int64(0); size < 302; size, _ = check(t, d.path(""), d.policy()) {
		time.Sleep(20 * time.Millisecond)
	}
	if _, err := os.Stat(d.path("tile/entries/000")); err == nil {
		t.Error("entries are shown while their draw is open")
	}
	d.finish(1, 1)
	d.finish(1, 2)
	outcome := d.file("draws/1/outcome.json")
	steps, v := proof.VerifyOutcome(outcome, d.policy(), nil, nil)
	if !proof.Passed(steps) || v.Result.Winners != 300 || v.Result.Number != 7574 {
		t.Errorf("the outcome: %+v", steps)
	}
	size, whole := check(t, d.path(""), d.policy())
	for ; !whole; size, whole = check(t, d.path(""), d.policy()) {
		time.Sleep(20 * time.Millisecond)
	}
	if size != 304 {
		t.Errorf("%d entries, want a draw's 3 and 301 batches", size)
	}
	if got := string(d.file("draws/1/winners")); got != "1 300\n" {
		t.Errorf("winners %q", got)
	}
	if got := string(d.file("draws/1/totals")); got != "1 300 600 600\n2 1 3 3\n" {
		t.Errorf("totals %q", got)
	}
	root, n, err := proof.RecordsRoot(d.file("draws/1/bets/2/1.pub"))
	entries, _ := proof.ParseBundle(d.file(proof.BundlePath(1, 48)))
	batch, bad := proof.ParseBatchEntry(entries[301-256])
	if err := errors.Join(err, bad); err != nil || n != 3 || batch.Root != root || batch.Agency != 2 {
		t.Errorf("the records of agency 2: %d, %v; entry %+v", n, err, batch)
	}
	sealed, err := d.policy().Open(d.file("draws/1/sealed.checkpoint"))
	if err != nil || sealed.Size != 303 {
		t.Errorf("the sealed checkpoint: %+v, %v", sealed, err)
	}
	for _, pattern := range []string{"*.tmp/*", "public/new-*"} {
		if left, _ := filepath.Glob(filepath.Join(d.dir, pattern)); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// Whoever reads while it is written finds a log that is whole, at every instant.
func TestAReaderAtAnyMomentFindsAWholeLog(t *testing.T) {
	d := start(t, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range uint64(1500) {
			d.send(1, 1, n+1, int(n))
		}
	}()
	var last int64
	reads := 0
	for running := true; running; reads++ {
		select {
		case <-done:
			running = false
		default:
		}
		size, _ := check(t, d.path(""), d.policy())
		if size < last {
			t.Fatalf("the log went from %d entries to %d", last, size)
		}
		last = size
	}
	if last == 0 || reads < 3 {
		t.Errorf("%d reads, the last of %d entries", reads, last)
	}
}

func TestPublishingGoesOnAfterAStop(t *testing.T) {
	d := start(t, 1)
	d.send(1, 1, 1, 1, 2)
	d.close()
	// As if the machine had stopped between the journal and the folder: the newest files are older than the journal.
	d.open(1)
	key := d.key.Verifier
	for n := range uint64(400) {
		d.send(1, 1, n+2, 1)
	}
	d.finish(1, 1)
	d.file("draws/1/outcome.json")
	d.close()
	if err := os.Remove(d.path("draws/1/outcome.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.path("draws/1/bets/1/7.pub")); err != nil {
		t.Fatal(err)
	}
	d.open(1)
	d.file("draws/1/outcome.json")
	d.file("draws/1/bets/1/7.pub")
	if size, _ := check(t, d.path(""), d.policy()); size != 404 || d.key.Verifier != key {
		t.Errorf("%d entries, key %s; want 404 and the first one", size, d.key.Verifier)
	}
}

// What was published cannot be taken back: a journal that gives less, or something else, does not start.
func TestAnotherJournalIsRefused(t *testing.T) {
	d := start(t, 1)
	d.send(1, 1, 1, 1)
	for size := int64(0); size < 2; size, _ = check(t, d.path(""), d.policy()) {
		time.Sleep(20 * time.Millisecond)
	}
	d.close()
	for what, batches := range map[string]int{"entries were lost": 0, "is not of this journal": 2} {
		for _, name := range []string{"journal", "state"} {
			if err := os.RemoveAll(filepath.Join(d.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if batches > 0 {
			public := filepath.Join(d.dir, "public")
			if err := os.Rename(public, public+".kept"); err != nil {
				t.Fatal(err)
			}
			d.open(1)
			for n := range batches {
				d.send(1, 1, uint64(n+1), 9)
			}
			d.close()
			if err := errors.Join(os.RemoveAll(public), os.Rename(public+".kept", public)); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.try(1); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("started, or said %v; want %q", err, what)
		}
		d.stop = nil
	}
}

func TestReceipts(t *testing.T) {
	d := start(t, 1)
	d.send(1, 1, 1, 7574)
	d.send(1, 1, 2, 11, 12, 7574, 14, 15)
	for line := uint32(1); line <= 5; line++ {
		text, err := d.Receipt(t.Context(), 0, 1, 2, line)
		if err != nil {
			t.Fatal(err)
		}
		steps, v := proof.Verify(text, d.policy())
		if !proof.Passed(steps) || v.Receipt.Document != fmt.Sprint(2000+line-1) || bytes.ContainsRune(text, '\n') {
			t.Errorf("line %d: %+v", line, steps)
		}
		if line == 3 && v.Record.Number != 7574 {
			t.Errorf("line 3 is on %d", v.Record.Number)
		}
		var r map[string]any
		if err := json.Unmarshal(text, &r); err != nil {
			t.Error(err)
		}
	}
	for _, row := range []struct {
		agency quiniela.Agency
		batch  uint64
		line   uint32
	}{{1, 2, 0}, {1, 2, 6}, {1, 3, 1}, {2, 1, 1}} {
		if _, err := d.Receipt(t.Context(), 0, row.agency, row.batch, row.line); quiniela.CodeOf(err) != quiniela.Absent {
			t.Errorf("%+v: %v", row, err)
		}
	}
}

func TestTheKeyIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.key")
	k, err := publish.LoadKey(path, "")
	if err != nil || k.Signer.Name() != publish.DefaultOrigin {
		t.Fatalf("%+v, %v", k, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if again, err := publish.LoadKey(path, publish.DefaultOrigin); err != nil || again.Verifier != k.Verifier {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := publish.LoadKey(path, "other.example/log"); err == nil || !strings.Contains(err.Error(), "one name") {
		t.Errorf("another origin: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.LoadKey(path, ""); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by all: %v", err)
	}
	for _, text := range []string{"", "secret", "PRIVATE+KEY+a+00000000+AAAA"} {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := publish.LoadKey(path, ""); err == nil {
			t.Errorf("%q is a key", text)
		}
	}
}
