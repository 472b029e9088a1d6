package audit_test

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"quiniela"
	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/journal/local"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/internal/publish/publishtest"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/verify"
)

// round1000 is Quicknet's.
const round1000 = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"

// files is a published folder in memory: an audit.Source that a test can change.
type files map[string][]byte

func (f files) Read(_ context.Context, name string) ([]byte, error) {
	data, ok := f[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return data, nil
}

func (f files) Names() ([]string, error) { return slices.Collect(maps.Keys(f)), nil }

// log is what a lottery has published, with the key that signs it.
type log struct {
	files  files
	key    publish.Key
	policy *tlog.Policy
	dir    string // the data folder, closed
}

// published is a day of three draws whose batches are mixed, as a server has published it.
var published = sync.OnceValue(func() *log { return record() })

// main keeps the folder until all tests are done.
type keeper struct {
	testing.TB
	cleanups []func()
	dir      string
}

func (k *keeper) Helper() {}
func (k *keeper) TempDir() string {
	dir, err := os.MkdirTemp(k.dir, "")
	check(err)
	return dir
}
func (k *keeper) Cleanup(f func())               { k.cleanups = append(k.cleanups, f) }
func (k *keeper) Context() context.Context       { return context.Background() }
func (k *keeper) Fatal(args ...any)              { panic(fmt.Sprint(args...)) }
func (k *keeper) Fatalf(f string, args ...any)   { panic(fmt.Sprintf(f, args...)) }
func (k *keeper) Error(args ...any)              { panic(fmt.Sprint(args...)) }
func (k *keeper) Errorf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

var kept = new(keeper)

func TestMain(m *testing.M) {
	var err error
	if kept.dir, err = os.MkdirTemp("", "quiniela-audit-"); err != nil {
		panic(err)
	}
	code := m.Run()
	for _, f := range kept.cleanups {
		f()
	}
	_ = os.RemoveAll(kept.dir)
	os.Exit(code)
}

func record() *log {
	at := draw.Quicknet().TimeOf(1000)
	var ahead atomic.Int64
	start := at.Add(-ledger.Margin - time.Hour)
	d := publishtest.StartAt(kept, 2, func() time.Time { return start.Add(time.Duration(ahead.Add(1)) * time.Millisecond) })
	ctx := context.Background()
	open := func(t ledger.Terms) ledger.Draw {
		o, err := d.Ledger.OpenDraw(ctx, ledger.Actor{}, t)
		check(err)
		return o
	}
	evening := open(ledger.Terms{ID: "evening", Agencies: 2, Closes: at.Add(-ledger.Margin), Rule: draw.Rule{Source: quiniela.SourceBeacon}})
	night := open(ledger.Terms{ID: "night", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}})
	for n := range uint64(150) {
		d.Send(1, 1, n+1, 7574, int(n))
		if n < 100 {
			d.Send(1, 2, n+1, 1, 2, 7574)
		}
		if n < 20 {
			d.Send(evening.Seq, 1, n+1, int(n), int(500*n), 9)
			d.Send(evening.Seq, 2, n+1, int(n)+100)
			d.Send(night.Seq, 1, n+1, int(n), 33)
		}
	}
	d.Finish(1, 1)
	d.Finish(1, 2)
	d.Finish(night.Seq, 1)
	_, err := d.Ledger.EnterNumber(ctx, ledger.Actor{}, "night", 33, make([]byte, 32))
	check(err)
	ahead.Add(time.Hour.Milliseconds())
	for {
		e, err := d.Ledger.FindDraw(ctx, "evening")
		if check(err); e.Sealed {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	_, err = d.Ledger.EnterBeacon(ctx, ledger.Actor{}, "evening", beacon())
	check(err)
	for _, id := range []string{"1", "evening", "night"} {
		d.File("draws/" + id + "/outcome.json")
	}
	size := d.Ledger.Log().Size
	d.File(tlog.BundlePath(size/tlog.TileWidth, int(size%tlog.TileWidth)))
	d.Close()
	return asPublished(d)
}

// asPublished reads what a closed lottery has published.
func asPublished(d *publishtest.Desk) *log {
	l := &log{files: files{}, key: d.Key, policy: d.Policy(), dir: d.Dir}
	source := audit.Folder(d.Path(""))
	names, err := source.Names()
	check(err)
	for _, name := range names {
		l.files[name], err = source.Read(context.Background(), name)
		check(err)
	}
	return l
}

func beacon() (b draw.Beacon) {
	raw, err := hex.DecodeString(round1000)
	check(err)
	b.Round = 1000
	copy(b.Signature[:], raw)
	return b
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// journal opens the private journal until the test ends.
func (l *log) journal(t testing.TB) *local.Journal {
	t.Helper()
	j, err := local.Open(filepath.Join(l.dir, "journal"), local.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // it was only read
	return j
}

// run audits what is given.
func (l *log) run(t testing.TB, f files, change func(*audit.Options)) *audit.Report {
	t.Helper()
	o := audit.Options{Source: f, Policy: l.policy}
	if change != nil {
		change(&o)
	}
	r, err := audit.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantFinding checks that a check found something of which each word is in one line.
func wantFinding(t *testing.T, r *audit.Report, check string, words ...string) {
	t.Helper()
	if r.OK {
		t.Errorf("the audit found nothing, want %q of %s", words, check)
	}
	var all []string
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			all = append(all, c.Name+": "+f)
			if c.Name == check && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(f, w) }) {
				return
			}
		}
	}
	t.Errorf("no finding of %s has %q; all are:\n%s", check, words, strings.Join(all, "\n"))
}

// forger is an operator who has the log's key, and writes all that is published anew so that it fits together.
type forger struct {
	*log
	files   files
	entries [][]byte
	records map[batchID][]byte
	asIs    bool // seals and results stay what they are
}

type batchID struct {
	draw   uint64
	agency quiniela.Agency
	batch  uint64
}

// forge begins with the log as it is.
func (l *log) forge(t testing.TB) *forger {
	t.Helper()
	f := &forger{log: l, files: maps.Clone(l.files), records: map[batchID][]byte{}}
	for name, data := range l.files {
		if strings.Contains(name, "/batches/") {
			check(receipt.ReadBundle(data, func(b receipt.Bundled) error {
				f.records[batchID{b.Entry.Draw, b.Entry.Agency, b.Entry.Batch}] = b.Records
				return nil
			}))
		}
	}
	top, err := l.policy.VerifyCheckpoint(l.files["checkpoint"])
	check(err)
	for n := int64(0); n*tlog.TileWidth < top.Size; n++ {
		bundle, err := tlog.ParseBundle(l.files[tlog.BundlePath(n, int(min(tlog.TileWidth, top.Size-n*tlog.TileWidth)))])
		check(err)
		f.entries = append(f.entries, bundle...)
	}
	return f
}

// batch returns the index of a batch's entry, and the entry.
func (f *forger) batch(draw uint64, agency quiniela.Agency, batch uint64) (int, receipt.BatchEntry) {
	for i, e := range f.entries {
		if b, err := receipt.ParseBatchEntry(e); err == nil && b.Draw == draw && b.Agency == agency && b.Batch == batch {
			return i, b
		}
	}
	panic("no such batch")
}

func (f *forger) put(i int, b receipt.BatchEntry) {
	e := b.Encode()
	f.entries[i] = e[:]
}

// publish writes tiles, entries, checkpoints and each draw's files for the entries. Seals are counted anew.
func (f *forger) publish() files {
	for name := range f.files {
		if strings.HasPrefix(name, "tile/") || strings.Contains(name, "/batches/") {
			delete(f.files, name)
		}
	}
	if !f.asIs {
		f.recount()
	}
	f.bundle()
	var stored tlog.StoredHashes
	var tree tlog.CompactRange
	roots := map[int64]tlog.Hash{}
	for _, e := range f.entries {
		stored = tree.Append(stored, tlog.LeafHash(e))
		roots[tree.Size()] = tree.Root()
	}
	tiles, err := tlog.Tiles(0, tree.Size(), stored)
	check(err)
	for _, tile := range tiles {
		f.files[tile.Path] = tile.Data
	}
	for n := 0; n < len(f.entries); n += tlog.TileWidth {
		var bundle []byte
		in := f.entries[n:min(n+tlog.TileWidth, len(f.entries))]
		for _, e := range in {
			bundle, err = tlog.AppendEntry(bundle, e)
			check(err)
		}
		f.files[tlog.BundlePath(int64(n/tlog.TileWidth), len(in))] = bundle
	}
	sign := func(size int64) []byte {
		signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: f.key.Signer.Name(), Size: size, Root: roots[size]}, f.key.Signer)
		check(err)
		return signed
	}
	f.files["checkpoint"] = sign(tree.Size())
	f.drawFiles(stored, sign)
	return f.files
}

// recount makes each seal and result say what comes before it, as far as that can be.
func (f *forger) recount() {
	type sums struct {
		open, seal uint64
		totals     map[quiniela.Agency]*receipt.Total
	}
	draws := map[uint64]*sums{}
	for i, e := range f.entries {
		if o, err := receipt.ParseDrawOpen(e); err == nil {
			draws[o.Draw] = &sums{open: uint64(i), totals: map[quiniela.Agency]*receipt.Total{}}
		}
		if b, err := receipt.ParseBatchEntry(e); err == nil {
			s := draws[b.Draw]
			if s.totals[b.Agency] == nil {
				s.totals[b.Agency] = &receipt.Total{Agency: b.Agency}
			}
			t := s.totals[b.Agency]
			t.Batches, t.Bets, t.Stake = t.Batches+1, t.Bets+uint64(b.Count), t.Stake+b.Stake
		}
		if s, err := receipt.ParseSeal(e); err == nil {
			d := draws[s.Draw]
			d.seal = uint64(i)
			var totals []receipt.Total
			s.Open, s.Batches, s.Bets, s.Stake, s.Agencies, s.Missing = d.open, 0, 0, 0, uint32(len(d.totals)), 0
			for _, a := range slices.Sorted(maps.Keys(d.totals)) {
				t := *d.totals[a]
				if t.Missing = s.By != receipt.ClosedByAgencies; t.Missing { // none of those of this lottery had finished
					s.Missing++
				}
				totals = append(totals, t)
				s.Batches, s.Bets, s.Stake = s.Batches+t.Batches, s.Bets+t.Bets, s.Stake+t.Stake
			}
			s.Totals = receipt.RootOfTotals(totals)
			f.entries[i], err = s.Encode()
			check(err)
			text, err := receipt.EncodeTotals(totals)
			check(err)
			f.files["draws/"+f.id(s.Draw)+"/totals"] = text
		}
		if r, err := receipt.ParseResult(e); err == nil {
			r.Open, r.Seal = draws[r.Draw].open, draws[r.Draw].seal
			f.entries[i], err = r.Encode()
			check(err)
		}
	}
}

// bundle writes the batches of each draw, in the log's order.
func (f *forger) bundle() {
	bundles := map[uint64][]byte{}
	count, next := map[uint64]int{}, map[uint64]int{}
	name := func(n uint64) string { return fmt.Sprintf("draws/%s/batches/%d", f.id(n), next[n]) }
	for i, e := range f.entries {
		b, err := receipt.ParseBatchEntry(e)
		if err != nil {
			continue
		}
		n := b.Draw
		bundles[n] = receipt.AppendBundled(bundles[n], uint64(i), e, f.records[batchID{n, b.Agency, b.Batch}])
		f.files[name(n)] = bundles[n]
		if count[n]++; count[n] == receipt.BundleBatches {
			bundles[n], count[n] = nil, 0
			next[n]++
		}
	}
}

func (f *forger) id(n uint64) string {
	for _, e := range f.entries {
		if o, err := receipt.ParseDrawOpen(e); err == nil && o.Draw == n {
			return o.ID
		}
	}
	panic("no such draw")
}

func (f *forger) drawFiles(stored tlog.HashReader, sign func(int64) []byte) {
	size := int64(len(f.entries))
	logged, inSealed := map[uint64][3]receipt.Logged{}, map[uint64][]tlog.Hash{}
	at := func(n uint64, part int, i int, name string) {
		proof, err := tlog.ProveInclusion(size, int64(i), stored)
		check(err)
		l := logged[n]
		l[part] = receipt.Logged{Entry: f.entries[i], Index: uint64(i), Proof: proof}
		logged[n] = l
		f.files["draws/"+f.id(n)+"/"+name] = f.entries[i]
	}
	for i, e := range f.entries {
		if o, err := receipt.ParseDrawOpen(e); err == nil {
			at(o.Draw, 0, i, "open")
			text, err := verify.Opening(e, f.key.Signer.Name())
			check(err)
			f.files["draws/"+o.ID+"/open.txt"] = []byte(text)
		}
		if s, err := receipt.ParseSeal(e); err == nil {
			at(s.Draw, 1, i, "seal")
			f.files["draws/"+f.id(s.Draw)+"/sealed.checkpoint"] = sign(int64(i) + 1)
			inSealed[s.Draw], err = tlog.ProveInclusion(int64(i)+1, int64(i), stored)
			check(err)
		}
		if r, err := receipt.ParseResult(e); err == nil {
			at(r.Draw, 2, i, "result")
		}
	}
	for n, l := range logged {
		if l[2].Entry == nil {
			continue // it has no result
		}
		text, err := receipt.NewOutcome(l[0], l[1], l[2], f.files["checkpoint"], f.files["draws/"+f.id(n)+"/sealed.checkpoint"], inSealed[n]).Encode()
		check(err)
		f.files["draws/"+f.id(n)+"/outcome.json"] = text
	}
}

// witness makes a witness whose clock stands still.
func witness(name string, at time.Time) (note.Signer, string) {
	signer, key, err := tlog.NewWitnessKey(name, ed25519.NewKeyFromSeed([]byte(strings.Repeat(name[:1], 32))), func() time.Time { return at })
	check(err)
	return signer, key
}
