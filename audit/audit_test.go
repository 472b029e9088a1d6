package audit_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela"
	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/journal/local"
	"quiniela/receipt"
	"quiniela/tlog"
)

func TestAHonestLogPasses(t *testing.T) {
	l := published()
	j, err := local.Open(filepath.Join(l.dir, "journal"), local.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	r := l.run(t, l.files, func(o *audit.Options) {
		o.Journal, o.Retained = j, map[string][]byte{"yesterday": l.files["draws/1/sealed.checkpoint"]}
	})
	for _, c := range r.Checks {
		if len(c.Findings) > 0 || c.Not != "" && c.Name != "witnesses" || c.Checked == 0 && c.Name != "witnesses" {
			t.Errorf("%s: %+v", c.Name, c)
		}
	}
	if !r.OK || len(r.Draws) != 3 || r.Draws[0].Winners != 250 || r.Draws[0].Bets != 600 || r.Draws[2].Winners != 20 || r.Draws[1].Source != "beacon" {
		t.Errorf("%+v", r.Draws)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "agency 2") || !strings.Contains(text.String(), "All that could be checked agrees") {
		t.Errorf("%v\n%s", err, text.String())
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

func TestOverHTTP(t *testing.T) {
	l := published()
	s := httptest.NewServer(http.StripPrefix("/log", http.FileServer(http.Dir(filepath.Join(l.dir, "public")))))
	defer s.Close()
	r, err := audit.Run(t.Context(), audit.Options{Source: audit.Web(s.URL + "/log/"), Policy: l.policy})
	if err != nil || !r.OK || len(r.Draws) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTheFoldersOwnKeyIsNoProof(t *testing.T) {
	l := published()
	r := l.run(t, l.files, func(o *audit.Options) { o.Policy = nil })
	if !r.OK || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "--policy") {
		t.Errorf("%+v", r)
	}
}

var exhaustive = flag.Bool("exhaustive", false, "make all changes of the published files, not a sample of them; it takes a minute")

// Every file is changed at many places, cut, lengthened and removed; each time the audit must notice. No byte is
// irrelevant.
func TestAnyChangeIsNoticed(t *testing.T) {
	t.Parallel()
	l := published()
	type change struct {
		name string
		what string
		do   func([]byte) []byte
	}
	var changes []change
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		size := len(l.files[name])
		samples := 40
		if strings.HasSuffix(name, ".pub") {
			samples = 1
		} else if size <= 300 {
			samples = size
		}
		for i := range min(samples, size) {
			at := i
			if size > samples {
				at = r.IntN(size)
			}
			bit := byte(1) << r.IntN(8)
			changes = append(changes, change{name, fmt.Sprintf("bit %#x of byte %d", bit, at), func(b []byte) []byte { b[at] ^= bit; return b }})
		}
		if size > 0 {
			changes = append(changes, change{name, "cut by a byte", func(b []byte) []byte { return b[:len(b)-1] }})
		}
		changes = append(changes,
			change{name, "lengthened by a byte", func(b []byte) []byte { return append(b, '\n') }},
			change{name, "removed", nil})
	}
	next := make(chan change)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for c := range next {
				f := maps.Clone(l.files)
				if c.do == nil {
					delete(f, c.name)
				} else {
					f[c.name] = c.do(bytes.Clone(f[c.name]))
				}
				report, err := audit.Run(context.Background(), audit.Options{Source: f, Policy: l.policy})
				removed := c.do == nil
				tooEarly := removed && report != nil && len(report.Pending) > 0 // see TestTheLastEntryIsMissing
				if err == nil && report.OK && !tooEarly && !replaceable(l, c.name, removed) {
					t.Errorf("%s, %s: not noticed", c.name, c.what)
				}
			}
		})
	}
	step := 37
	if *exhaustive {
		step = 1
	}
	tried := 0
	for i := 0; i < len(changes); i += step {
		next <- changes[i]
		tried++
	}
	close(next)
	workers.Wait()
	t.Logf("%d of %d changes of %d files", tried, len(changes), len(l.files))
	f := maps.Clone(l.files)
	f["draws/1/bets/1/151.pub"] = l.files["draws/1/bets/1/150.pub"]
	wantFinding(t, l.run(t, f, nil), "files", "draws/1/bets/1/151.pub", "nothing in the log accounts for it")
}

// replaceable reports whether a file may be removed: an older, shorter tile whose newer one is there. C2SP tlog-tiles allows
// that.
func replaceable(l *log, name string, removed bool) bool {
	top, err := l.policy.VerifyCheckpoint(l.files["checkpoint"])
	check(err)
	tile, err := tlog.ParseTilePath(name)
	return removed && err == nil && tile.W < tlog.TileWidth && (tile.W != int(top.Size>>(8*max(tile.L, 0))%tlog.TileWidth) || l.files[strings.Split(name, ".p/")[0]] != nil)
}

// Without the newest bundle, and with one from before the last entry, that entry may be a draw's opening of a moment ago, which
// is published with the draw. So it is too early for a verdict, and no success.
func TestTheLastEntryIsMissing(t *testing.T) {
	l := published()
	top, err := l.policy.VerifyCheckpoint(l.files["checkpoint"])
	check(err)
	bundle, width := top.Size/tlog.TileWidth, int(top.Size%tlog.TileWidth)
	newest := tlog.BundlePath(bundle, width)
	entries, err := tlog.ParseBundle(l.files[newest])
	check(err)
	var older []byte
	for _, e := range entries[:width-1] {
		older, err = tlog.AppendEntry(older, e)
		check(err)
	}
	f := maps.Clone(l.files)
	delete(f, newest)
	f[tlog.BundlePath(bundle, width-1)] = older
	if r := l.run(t, f, nil); len(r.Pending) == 0 {
		t.Errorf("the last entry is missing, and nothing is pending: %+v", r)
	}
}

func TestABetAfterTheSeal(t *testing.T) {
	f := published().forge(t)
	_, b := f.batch(1, 1, 150)
	b.Batch++
	b.CumulativeBets += uint64(b.Count)
	b.CumulativeStake += b.Stake
	e := b.Encode()
	f.entries = append(f.entries, e[:])
	f.files["draws/1/bets/1/151.pub"] = f.files["draws/1/bets/1/150.pub"]
	wantFinding(t, f.run(t, f.publish(), nil), "batches", "agency 1, batch 151", "after the draw was sealed")
}

// retained is an honest checkpoint that somebody has kept.
func retained(l *log) func(*audit.Options) {
	return func(o *audit.Options) { o.Retained = map[string][]byte{"kept.checkpoint": l.files["checkpoint"]} }
}

func TestABetIsRemoved(t *testing.T) {
	l := published()
	f := l.forge(t)
	name := "draws/1/bets/1/7.pub"
	f.files[name] = f.files[name][:receipt.RecordSize]
	wantFinding(t, l.run(t, f.files, nil), "bets", name, "1 records")
	// Also in the log, with all that follows: only who kept a checkpoint can tell.
	i, b := f.batch(1, 1, 7)
	root, n, err := receipt.RecordsRoot(f.files[name])
	check(err)
	b.Root, b.Count, b.Stake, b.CumulativeBets, b.CumulativeStake = root, uint32(n), uint64(n), b.CumulativeBets-1, b.CumulativeStake-1
	f.put(i, b)
	wantFinding(t, l.run(t, f.publish(), nil), "batches", "agency 1, batch 8", "together by then")
	for n := uint64(8); n <= 150; n++ {
		i, b := f.batch(1, 1, n)
		b.CumulativeBets, b.CumulativeStake = b.CumulativeBets-1, b.CumulativeStake-1
		f.put(i, b)
	}
	wantFinding(t, l.run(t, f.publish(), retained(l)), "retained checkpoints", "kept.checkpoint", "changed, or forked")
}

func TestABetIsChanged(t *testing.T) {
	l := published()
	f := l.forge(t)
	name := "draws/1/bets/1/7.pub"
	data := bytes.Clone(f.files[name])
	data[receipt.RecordSize+2], data[receipt.RecordSize+3] = 0x1d, 0x96 // the second bet wins now
	f.files[name] = data
	wantFinding(t, l.run(t, f.files, nil), "bets", name)
	i, b := f.batch(1, 1, 7)
	root, _, err := receipt.RecordsRoot(data)
	check(err)
	b.Root = root
	f.put(i, b)
	wantFinding(t, l.run(t, f.publish(), nil), "winners", "251 bets on 7574", "250")
	wantFinding(t, l.run(t, f.files, retained(l)), "retained checkpoints", "changed, or forked")
}

func TestBatchesAreSwappedBetweenAgencies(t *testing.T) {
	l := published()
	f := l.forge(t)
	i, one := f.batch(1, 1, 5)
	j, two := f.batch(1, 2, 5)
	one.Root, two.Root, one.Count, two.Count, one.Stake, two.Stake = two.Root, one.Root, two.Count, one.Count, two.Stake, one.Stake
	f.put(i, one)
	f.put(j, two)
	a, b := "draws/1/bets/1/5.pub", "draws/1/bets/2/5.pub"
	f.files[a], f.files[b] = f.files[b], f.files[a]
	wantFinding(t, l.run(t, f.publish(), retained(l)), "batches", "agency 1, batch 5", "together by then")
	wantFinding(t, l.run(t, f.files, retained(l)), "retained checkpoints", "changed, or forked")
}

func TestAForkedLog(t *testing.T) {
	l := published()
	f := l.forge(t)
	i, b := f.batch(1, 1, 150)
	b.Received++ // a log that differs in nothing else
	f.put(i, b)
	forked := f.publish()
	if r := l.run(t, forked, nil); !r.OK {
		t.Errorf("the forgery should agree with itself: %+v", r)
	}
	wantFinding(t, l.run(t, forked, retained(l)), "retained checkpoints", "kept.checkpoint", "changed, or forked")
}

func TestALogThatWasCutOff(t *testing.T) {
	l := published()
	f := l.forge(t)
	f.entries = f.entries[:len(f.entries)-1]
	for name := range f.files {
		if strings.HasPrefix(name, "draws/evening/") && !slices.Contains([]string{"open", "seal", "totals", "sealed.checkpoint"}, strings.Split(name, "/")[2]) {
			delete(f.files, name)
		}
	}
	wantFinding(t, l.run(t, f.publish(), retained(l)), "retained checkpoints", "entries have been removed")
}

func TestABatchIsMissing(t *testing.T) {
	l := published()
	f := l.forge(t)
	i, _ := f.batch(1, 2, 40)
	f.entries = slices.Delete(f.entries, i, i+1)
	delete(f.files, "draws/1/bets/2/40.pub")
	wantFinding(t, l.run(t, f.publish(), nil), "batches", "agency 2, batch 41", "comes where batch 40 is next")
}

// The operator waits for the round, slips in a winner, and says that the draw was sealed before.
func TestABackDatedSeal(t *testing.T) {
	l := published()
	round := draw.Quicknet().TimeOf(1000)
	cosigned := func(at time.Time) (files, func(*audit.Options)) {
		signer, key := witness("w.example", at)
		f := maps.Clone(l.files)
		line, err := tlog.Cosign(f["draws/evening/sealed.checkpoint"], signer)
		check(err)
		f["draws/evening/sealed.checkpoint"], err = tlog.AddSignatures(f["draws/evening/sealed.checkpoint"], line)
		check(err)
		for _, id := range []string{"1", "night"} {
			line, err := tlog.Cosign(f["draws/"+id+"/sealed.checkpoint"], signer)
			check(err)
			f["draws/"+id+"/sealed.checkpoint"], err = tlog.AddSignatures(f["draws/"+id+"/sealed.checkpoint"], line)
			check(err)
		}
		policy, err := tlog.ParsePolicy([]byte("log " + l.key.Verifier + "\nwitness w " + key + "\nquorum w\n"))
		check(err)
		return f, func(o *audit.Options) { o.Policy = policy }
	}
	f, witnessed := cosigned(round.Add(-10 * time.Second))
	if r := l.run(t, f, witnessed); !r.OK {
		t.Errorf("cosigned in time: %+v", r.Checks)
	}
	f, witnessed = cosigned(round)
	wantFinding(t, l.run(t, f, witnessed), "witnesses", "draws/evening/sealed.checkpoint", "may be back-dated")
	wantFinding(t, l.run(t, l.files, witnessed), "witnesses", "draws/evening/sealed.checkpoint", "quorum")

	// A seal that is older than a batch before it, and one that is as late as it was.
	for what, at := range map[string]time.Time{"a batch before it was received": round.Add(-90 * time.Minute), "its number could be known": round} {
		forged := l.forge(t)
		for i, e := range forged.entries {
			if s, err := receipt.ParseSeal(e); err == nil && s.Draw == 2 {
				s.Sealed = uint64(at.UnixMicro())
				forged.entries[i], err = s.Encode()
				check(err)
			}
		}
		wantFinding(t, l.run(t, forged.publish(), nil), "seals", "draw evening", what)
	}
}

func TestAReRolledDraw(t *testing.T) {
	l := published()
	change := func(do func(*receipt.Result)) files {
		f := l.forge(t)
		for i, e := range f.entries {
			if r, err := receipt.ParseResult(e); err == nil && r.Draw == 2 {
				do(&r)
				f.entries[i], err = r.Encode()
				check(err)
				text, err := json.Marshal(draw.Beacon{Round: 1000, Signature: [48]byte(append(r.Evidence, make([]byte, 48)...))})
				check(err)
				f.files["draws/evening/beacon.json"] = append(text, '\n')
			}
		}
		return f.publish()
	}
	wantFinding(t, l.run(t, change(func(r *receipt.Result) {
		r.Evidence, _ = hex.DecodeString("b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92")
	}), nil), "numbers", "draw evening", "not the beacon's signature")
	wantFinding(t, l.run(t, change(func(r *receipt.Result) {
		r.Prizes = slices.Clone(r.Prizes)
		r.Prizes[0]++
		r.Number++
	}), nil), "numbers", "draw evening", "round 1000 gives")
	wantFinding(t, l.run(t, change(func(r *receipt.Result) {
		r.Prizes = slices.Clone(r.Prizes)
		r.Prizes[19] ^= 1
	}), nil), "numbers", "draw evening", "round 1000 gives")
	wantFinding(t, l.run(t, change(func(r *receipt.Result) { r.Source, r.Evidence, r.Prizes = quiniela.SourceFixed, nil, nil }), nil),
		"numbers", "draw evening", `from "fixed"`)
}

// A draw that was opened with its number fixed has no round to compare.
func TestABeaconForADrawThatNamedNone(t *testing.T) {
	f := published().forge(t)
	for i, e := range f.entries {
		if r, err := receipt.ParseResult(e); err == nil && r.Draw == 1 {
			r.Source, r.Evidence = quiniela.SourceBeacon, make([]byte, 48)
			f.entries[i], err = r.Encode()
			check(err)
		}
	}
	wantFinding(t, f.run(t, f.publish(), nil), "numbers", "draw 1", `opened with the source "fixed"`)
}

// A round from a place that the auditor trusts must be the one that was used.
func TestAnotherBeacon(t *testing.T) {
	l := published()
	good := beacon()
	if r := l.run(t, l.files, func(o *audit.Options) { o.Beacon = &good }); !r.OK {
		t.Errorf("%+v", r.Checks)
	}
	other := good
	other.Signature[5] ^= 1
	wantFinding(t, l.run(t, l.files, func(o *audit.Options) { o.Beacon = &other }), "numbers", "another signature")
}

// The private journal is not what was published.
func TestThePrivateJournalDiffers(t *testing.T) {
	l := published()
	j, err := local.Open(filepath.Join(l.dir, "journal"), local.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	f := l.forge(t)
	i, b := f.batch(1, 1, 5)
	b.Received++
	f.put(i, b)
	wantFinding(t, l.run(t, f.publish(), func(o *audit.Options) { o.Journal = j }), "private journal", fmt.Sprintf("entry %d of the log", i))
}
