package publish_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/internal/publish/publishtest"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/verify"
)

// check reads the log as somebody outside would: everything below the checkpoint must be there, and hash to its root.
func check(t *testing.T, dir string, policy *tlog.Policy) (size int64, whole bool) {
	t.Helper()
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))) }
	note, err := read("checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	at, err := policy.VerifyCheckpoint(note)
	if err != nil {
		t.Fatalf("the checkpoint: %v", err)
	}
	if at.Size == 0 {
		return 0, true // before the first draw opens there are no tiles; the policy has checked the root
	}
	hashes := sumdb.TileHashReader(sumdb.Tree{N: at.Size, Hash: at.Root}, tlog.NewTileReader(read))
	var indexes []int64
	for i := range at.Size {
		indexes = append(indexes, sumdb.StoredHashIndex(0, i))
	}
	leaves, err := hashes.ReadHashes(indexes)
	if err != nil {
		t.Fatalf("the tiles of %d entries: %v", at.Size, err)
	}
	return at.Size, checkEntries(t, read, leaves)
}

// checkEntries compares the entries that are published with their leaves, and reports whether all of them are.
func checkEntries(t *testing.T, read func(string) ([]byte, error), leaves []sumdb.Hash) bool {
	t.Helper()
	for n := int64(0); n*tlog.TileWidth < int64(len(leaves)); n++ {
		want := leaves[n*tlog.TileWidth : min((n+1)*tlog.TileWidth, int64(len(leaves)))]
		data, err := read(tlog.BundlePath(n, len(want)))
		if errors.Is(err, fs.ErrNotExist) {
			return false
		}
		entries, bad := tlog.ParseBundle(data)
		if err := errors.Join(err, bad); err != nil || len(entries) != len(want) {
			t.Fatalf("bundle %d: %d entries, %v", n, len(entries), err)
		}
		for i, e := range entries {
			if tlog.LeafHash(e) != want[i] {
				t.Fatalf("entry %d is not the one of the tree", n*tlog.TileWidth+int64(i))
			}
		}
	}
	return true
}

func TestADrawIsPublished(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 2)
	d.File("draws/1/open")
	for n := range uint64(300) {
		d.Send(1, 1, n+1, 7574, int(n))
	}
	d.Send(1, 2, 1, 4, 5, 6)
	// Everybody sees that the log grows, and nobody what an agency sells.
	for size := int64(0); size < 302; size, _ = check(t, d.Path(""), d.Policy()) {
		time.Sleep(20 * time.Millisecond)
	}
	if _, err := os.Stat(d.Path("tile/entries/000")); err == nil {
		t.Error("entries are shown while their draw is open")
	}
	d.Finish(1, 1)
	d.Finish(1, 2)
	outcome := d.File("draws/1/outcome.json")
	found, drawn := verify.Outcome(outcome, d.Policy(), nil)
	if !found.Passed() || drawn.Result.Winners != 300 || drawn.Result.Number != 7574 {
		t.Errorf("the outcome: %+v", found)
	}
	size, whole := check(t, d.Path(""), d.Policy())
	for ; !whole; size, whole = check(t, d.Path(""), d.Policy()) {
		time.Sleep(20 * time.Millisecond)
	}
	if size != 304 {
		t.Errorf("%d entries, want a draw's 3 and 301 batches", size)
	}
	if got := string(d.File("draws/1/winners")); got != "1 300\n" {
		t.Errorf("winners %q", got)
	}
	if got := string(d.File("draws/1/totals")); got != "1 300 600 0 finished\n2 1 3 0 finished\n" {
		t.Errorf("totals %q", got)
	}
	batches, bets := 0, uint32(0)
	for n := range 2 {
		err := receipt.ReadBundle(d.File(fmt.Sprintf("draws/1/batches/%d", n)), func(b receipt.Bundled) error {
			batches++
			bets += b.Entry.Count
			public, err := receipt.ReadRecords(b.Records, nil)
			return errors.Join(err, public.Check(b.Entry))
		})
		if err != nil {
			t.Error(err)
		}
	}
	if batches != 301 || bets != 603 {
		t.Errorf("%d batches of %d bets", batches, bets)
	}
	if got := string(d.File("draws.txt")); got != "1 1\n" {
		t.Errorf("the list of draws is %q", got)
	}
	sealed, err := d.Policy().VerifyCheckpoint(d.File("draws/1/sealed.checkpoint"))
	if err != nil || sealed.Size < 303 {
		t.Errorf("the sealed checkpoint: %+v, %v", sealed, err)
	}
	for _, pattern := range []string{"*.tmp", "public/.unfinished/*", "public/*.new-*"} {
		if left, _ := filepath.Glob(filepath.Join(d.Dir, pattern)); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

var exhaustive = flag.Bool("exhaustive", false, "read a log while it grows by more entries")

// Whoever reads while it is written finds a log that is whole, at every instant.
func TestAReaderAtAnyMomentFindsAWholeLog(t *testing.T) {
	t.Parallel()
	batches := 400 // more than a full tile
	if *exhaustive {
		batches = 1500
	}
	d := publishtest.Start(t, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range uint64(batches) {
			d.Send(1, 1, n+1, int(n))
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
		size, _ := check(t, d.Path(""), d.Policy())
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
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 1, 2)
	d.Close()
	// As if the machine had stopped between the journal and the folder: the newest files are older than the journal.
	d.Open(1)
	key := d.Key.Verifier
	for n := range uint64(400) {
		d.Send(1, 1, n+2, 1)
	}
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	d.Close()
	if err := os.Remove(d.Path("draws/1/outcome.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.Path("draws/1/batches/1")); err != nil {
		t.Fatal(err)
	}
	d.Open(1)
	d.File("draws/1/outcome.json")
	d.File("draws/1/batches/1")
	if size, _ := check(t, d.Path(""), d.Policy()); size != 404 || d.Key.Verifier != key {
		t.Errorf("%d entries, key %s; want 404 and the first one", size, d.Key.Verifier)
	}
}

// What was published cannot be taken back: a journal that gives less, or something else, does not start.
func TestAnotherJournalIsRefused(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 1)
	for size := int64(0); size < 2; size, _ = check(t, d.Path(""), d.Policy()) {
		time.Sleep(20 * time.Millisecond)
	}
	d.Close()
	for what, batches := range map[string]int{"entries were lost": 0, "is not of this journal": 2} {
		for _, name := range []string{"journal", "journal.end", "state"} {
			if err := os.RemoveAll(filepath.Join(d.Dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if batches > 0 {
			public := filepath.Join(d.Dir, "public")
			if err := os.Rename(public, public+".kept"); err != nil {
				t.Fatal(err)
			}
			d.Open(1)
			for n := range batches {
				d.Send(1, 1, uint64(n+1), 9)
			}
			d.Close()
			if err := errors.Join(os.RemoveAll(public), os.Rename(public+".kept", public)); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Try(1); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("started, or said %v; want %q", err, what)
		}
	}
}

// Who bet goes, with the secrets; every leaf stays, also when all is built again from what is left.
func TestForgettingKeepsTheLog(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574, 2)
	d.Send(1, 1, 2, 5)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	d.Close()
	j, err := local.Open(filepath.Join(d.Dir, "journal"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	last, err := j.Last(t.Context())
	if err == nil {
		_, err = j.Append(t.Context(), last, [][]byte{journal.Encode(journal.Forget{Draw: 1, At: 1})})
	}
	if err == nil {
		_, err = j.Forget(t.Context(), 1, quiniela.Specified)
	}
	if err := errors.Join(err, j.Close(), os.RemoveAll(filepath.Join(d.Dir, "state"))); err != nil {
		t.Fatal(err)
	}
	d.Open(1) // which compares the log with the published checkpoint
	if size := d.Ledger.Log().Size; size != 5 {
		t.Errorf("%d entries, want 5", size)
	}
	proofs, err := d.Proofs(t.Context(), 1, 1)
	if err == nil {
		_, _, err = proofs.AppendLines(t.Context(), nil, 0, 1<<20)
	}
	if quiniela.CodeOf(err) != quiniela.Absent {
		t.Errorf("proofs of forgotten bets: %v", err)
	}
}

// A name that no key can have is refused before a key is written, so that the next start can have another.
func TestABadOriginMakesNoKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), publish.KeyName)
	for _, origin := range []string{"my log", "a+b", "a\nb", "a\u00a0b", "a\x00b", "\xff", "https://lottery.example/log", strings.Repeat("a", 256)} {
		if _, err := publish.LoadKey(path, origin); err == nil || !strings.Contains(err.Error(), "such as lottery.example/log") {
			t.Errorf("%q: %v", origin, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%q has made a key (%v)", origin, err)
		}
	}
	for _, origin := range []string{"lottery.example/log", "lotería.example/públicos", strings.Repeat("a", 255)} {
		if k, err := publish.LoadKey(filepath.Join(t.TempDir(), publish.KeyName), origin); err != nil || k.Signer.Name() != origin {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

// The proofs of an agency's batches lead to one checkpoint, whose log has all of them; with them and the bets come the receipts.
func TestProofs(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 2)
	lines := map[uint64][]byte{}
	for n := range uint64(40) {
		d.Send(1, 1, n+1, int(n), 7574)
		d.Send(1, 2, n+1, 1)
		lines[n+1] = fmt.Appendf(nil, "Ana,Paz,%d,1990-01-01,%d\nAna,Paz,%d,1990-01-01,7574\n", 1000*(n+1), n, 1000*(n+1)+1)
	}
	check := func(sealed bool) {
		t.Helper()
		proofs, err := d.Proofs(t.Context(), 0, 1)
		if err != nil || proofs.Count() != 41 {
			t.Fatalf("%d lines, %v; want 41", proofs.Count(), err)
		}
		var all []byte
		for from := uint32(0); from < proofs.Count(); { // in small pages
			var page []byte
			if page, from, err = proofs.AppendLines(t.Context(), nil, from, 1000); err != nil {
				t.Fatal(err)
			}
			all = append(all, page...)
		}
		head := receipt.ProofsHead{Draw: "1", Agency: 1}.Append(nil)
		r, err := receipt.ReadProofs(bytes.NewReader(append(head[:len(head)-1], all...)))
		if err != nil {
			t.Fatal(err)
		}
		at, err := d.Policy().VerifyCheckpoint(r.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		if sealed {
			if want := d.File("draws/1/sealed.checkpoint"); !bytes.Equal(want, r.Checkpoint) {
				t.Errorf("the checkpoint of %d entries is not the sealed one", at.Size)
			}
		}
		for n := uint64(1); n <= 40; n++ {
			b, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			entry, err := b.Check(at)
			if err != nil || entry.Agency != 1 || entry.Batch != n || entry.Count != 2 {
				t.Errorf("batch %d: %+v, %v", n, entry, err)
			}
			leaves, err := receipt.KeepLeaves(quiniela.Specified, &b.Secret, lines[n])
			if err != nil || leaves.Root() != entry.Root {
				t.Fatalf("batch %d: the agency's own lines have another root: %v", n, err)
			}
			text, err := receipt.New("1", leaves, 1, receipt.Person{FirstName: "Ana", LastName: "Paz", Document: fmt.Sprint(1000*n + 1), Birthdate: "1990-01-01"}, b.Logged, r.Checkpoint)
			if err != nil {
				t.Fatal(err)
			}
			data, err := text.Encode()
			if found, v := verify.Receipt(data, d.Policy()); err != nil || !found.Passed() || v.Record.Play.Number != 7574 {
				t.Errorf("batch %d: %+v", n, found)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("behind the last batch: %v", err)
		}
	}
	check(false)
	d.Finish(1, 1)
	d.Finish(1, 2)
	check(true)
	if _, err := d.Proofs(t.Context(), 7, 1); quiniela.CodeOf(err) != quiniela.NoDraw {
		t.Errorf("proofs of a draw that is not there: %v", err)
	}
}

func TestTheKeyIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	t.Parallel()
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

// Whatever files of the public folder are spoiled, cut or gone, the next start publishes them again as they were.
func TestASpoiledPublicFolderIsPublishedAgain(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	for n := range uint64(300) { // more than one full tile
		d.Send(1, 1, n+1, 7574, 2)
	}
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	d.Close()
	d.Open(1)
	d.Close() // all of it is published, with a last checkpoint
	others := []string{
		"tile/0/000", "tile/entries/000", "tile/0/001.p/47", "draws/1/open", "draws/1/seal", "draws/1/totals", "draws/1/result",
	}
	cut := func(data []byte) []byte { return data[:len(data)/2] }
	const outcome, sealed = "draws/1/outcome.json", "draws/1/sealed.checkpoint"
	mended(t, d, spoil, append(others, outcome)...)
	mended(t, d, spoil, sealed)
	mended(t, d, cut, append(others, outcome, "draws/1/batches/1")...)
	mended(t, d, cut, sealed)
	mended(t, d, nil, append(others, outcome, "draws/1/batches/0")...)
	mended(t, d, nil, sealed)
	mended(t, d, spoil, "checkpoint")
	mended(t, d, cut, "checkpoint")
	mended(t, d, nil, "checkpoint")
	mended(t, d, spoil, "log.vkey")
	mended(t, d, nil, "log.vkey")
}

// A sealed checkpoint's witnesses cannot sign at the time of the seal again: while the outcome has a copy, the log never signs another,
// however much it has grown.
func TestASpoiledSealKeepsItsTime(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	d.Send(1, 1, 1, 7574)
	d.Finish(1, 1)
	d.File("draws/1/outcome.json")
	if _, err := d.Ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "2", Agencies: 1, Rule: draw.FixedNumber(7574)}); err != nil {
		t.Fatal(err)
	}
	d.File("draws/2/open")
	d.Close()
	const name = "draws/1/sealed.checkpoint"
	mended(t, d, spoil, name)
	mended(t, d, nil, name)
	was, err := os.ReadFile(d.Path(name))
	if err == nil {
		err = errors.Join(os.Remove(d.Path(name)), os.Remove(d.Path("draws/1/outcome.json")))
	}
	if err != nil {
		t.Fatal(err)
	}
	d.Open(1) // nobody has the old one
	if found, _ := verify.Outcome(d.File("draws/1/outcome.json"), d.Policy(), nil); !found.Passed() {
		t.Errorf("the outcome: %+v", found)
	}
	if bytes.Equal(d.File(name), was) {
		t.Error("the log had grown: what was compared?")
	}
}

// mended spoils files, or removes them where change is nil, and waits until a start has put them back.
func mended(t *testing.T, d *publishtest.Desk, change func([]byte) []byte, names ...string) {
	t.Helper()
	was := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(d.Path(name))
		if err == nil && change == nil {
			err = os.Remove(d.Path(name))
		} else if err == nil {
			err = os.WriteFile(d.Path(name), change(data), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		was[name] = data
	}
	d.Open(1)
	defer d.Close()
	for name, want := range was {
		for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
			if now, err := os.ReadFile(d.Path(name)); err == nil && bytes.Equal(now, want) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is not as it was", name)
			}
		}
	}
}

func spoil(data []byte) []byte {
	data = bytes.Clone(data)
	data[len(data)/2] ^= 1
	return data
}

// A draw's seal is shown before the log's own checkpoint: where a log ends is the newest of them all.
func TestTheNewestCheckpointThatIsShown(t *testing.T) {
	k, err := publish.LoadKey(filepath.Join(t.TempDir(), "log.key"), "lottery.example/log")
	if err != nil {
		t.Fatal(err)
	}
	signed := func(size int64) []byte {
		text, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: "lottery.example/log", Size: size, Root: tlog.Hash{byte(size)}}, k.Signer)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	files := map[string][]byte{"log.vkey": []byte(k.Verifier + "\n")}
	shown := func() (tlog.Checkpoint, string, error) {
		return publish.NewestShown(func(name string) ([]byte, error) {
			if data, ok := files[name]; ok {
				return data, nil
			}
			return nil, fs.ErrNotExist
		})
	}
	if _, _, err := shown(); err == nil {
		t.Error("nothing is shown: accepted")
	}
	files["checkpoint"] = signed(3)
	if c, key, err := shown(); err != nil || c.Size != 3 || key != k.Verifier {
		t.Errorf("%+v, %s, %v", c, key, err)
	}
	files["draws.txt"] = []byte("1 a\n2 b\n")
	files["draws/b/sealed.checkpoint"] = signed(5)
	if c, _, err := shown(); err != nil || c.Size != 5 || c.Root != (tlog.Hash{5}) {
		t.Errorf("with a newer seal: %+v, %v", c, err)
	}
	files["draws/b/sealed.checkpoint"] = spoil(signed(5))
	if _, _, err := shown(); err == nil || !strings.Contains(err.Error(), "draws/b/sealed.checkpoint") {
		t.Errorf("a spoiled seal: %v", err)
	}
	delete(files, "log.vkey")
	if _, _, err := shown(); err == nil {
		t.Error("no key: accepted")
	}
}
