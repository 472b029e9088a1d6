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
	"quiniela/internal/books"
	"quiniela/receipt"
	"quiniela/tlog"
)

func TestAHonestLogPasses(t *testing.T) {
	l := published()
	j := l.journal(t)
	r := l.run(t, l.files, func(o *audit.Options) {
		o.Books, o.Retained = books.Of(j), map[string][]byte{"yesterday": l.files["draws/1/sealed.checkpoint"]}
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
		if size <= 300 {
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
	f["draws/1/batches/7"] = l.files["draws/1/batches/0"]
	wantFinding(t, l.run(t, f, nil), "files", "draws/1/batches/7", "nothing in the log accounts for it")
}

// replaceable reports whether a file may be removed: an older, shorter tile whose newer one is there. C2SP tlog-tiles allows
// that.
func replaceable(l *log, name string, removed bool) bool {
	top, err := l.policy.VerifyCheckpoint(l.files["checkpoint"])
	check(err)
	tile, err := tlog.ParseTilePath(name)
	return removed && err == nil && tile.W < tlog.TileWidth && (tile.W != int(top.Size>>(8*max(tile.L, 0))%tlog.TileWidth) || l.files[strings.Split(name, ".p/")[0]] != nil)
}

// An entry that stands nowhere is no secret of an open draw where no draw is open. Only the last one may be a draw's opening of a moment
// ago, which is published with the draw: then it is too early for a verdict, and no success.
func TestAnEntryThatStandsNowhere(t *testing.T) {
	l := published()
	top, err := l.policy.VerifyCheckpoint(l.files["checkpoint"])
	check(err)
	newest := tlog.BundlePath(top.Size/tlog.TileWidth, int(top.Size%tlog.TileWidth))
	f := l.forge(t)
	f.entries = append(f.entries, []byte("quiniela/v2/draw-open\n"))
	forged := f.publish()
	maps.DeleteFunc(forged, func(name string, _ []byte) bool { return strings.HasPrefix(name, "tile/entries/001") })
	if r := l.run(t, forged, nil); len(r.Pending) == 0 {
		t.Errorf("the last entry stands nowhere, and nothing is pending: %+v", findings(r))
	}
	hidden := l.forge(t)
	i, _ := hidden.batch(3, 1, 20)
	hidden.entries = slices.Insert(hidden.entries, i+1, []byte("anything"))
	forged = hidden.publish()
	maps.DeleteFunc(forged, func(name string, _ []byte) bool { return strings.HasPrefix(name, "tile/entries/") })
	wantFinding(t, l.run(t, forged, nil), "entries", fmt.Sprintf("entry %d is shown nowhere", i+1))
	// What other programs read has to be there as well.
	missing := maps.Clone(l.files)
	delete(missing, newest)
	wantFinding(t, l.run(t, missing, nil), "files", newest, "missing")
}

func TestABetAfterTheSeal(t *testing.T) {
	f := published().forge(t)
	_, b := f.batch(1, 1, 150)
	b.Batch++
	b.CumulativeBets += uint64(b.Count)
	b.CumulativeStake += b.Stake
	e := b.Encode()
	f.entries = append(f.entries, e[:])
	f.records[batchID{1, 1, 151}] = f.records[batchID{1, 1, 150}]
	wantFinding(t, f.run(t, f.publish(), nil), "batches", "agency 1, batch 151", "after the draw was sealed")
}

// retained is an honest checkpoint that somebody has kept.
func retained(l *log) func(*audit.Options) {
	return func(o *audit.Options) { o.Retained = map[string][]byte{"kept.checkpoint": l.files["checkpoint"]} }
}

func TestABetIsRemoved(t *testing.T) {
	l := published()
	f := l.forge(t)
	i, b := f.batch(1, 1, 7)
	id := batchID{1, 1, 7}
	f.records[id] = f.records[id][:receipt.RecordSize]
	wantFinding(t, l.run(t, f.publish(), nil), "bets", "draws/1/batches/0")
	// Also in the log, with all that follows: only who kept a checkpoint can tell.
	public, err := receipt.ReadRecords(f.records[id], nil)
	check(err)
	b.Root, b.Count, b.CumulativeBets = public.Root, public.Bets, b.CumulativeBets-1
	f.put(i, b)
	wantFinding(t, l.run(t, f.publish(), nil), "batches", "agency 1, batch 8", "together by then")
	for n := uint64(8); n <= 150; n++ {
		i, b := f.batch(1, 1, n)
		b.CumulativeBets--
		f.put(i, b)
	}
	wantFinding(t, l.run(t, f.publish(), retained(l)), "retained checkpoints", "kept.checkpoint", "changed, or forked")
}

func TestABetIsChanged(t *testing.T) {
	l := published()
	f := l.forge(t)
	id := batchID{1, 1, 7}
	data := bytes.Clone(f.records[id])
	data[receipt.RecordSize+5], data[receipt.RecordSize+6] = 0x1d, 0x96 // the second bet wins now
	f.records[id] = data
	i, b := f.batch(1, 1, 7)
	wantFinding(t, l.run(t, f.publish(), nil), "bets", fmt.Sprintf("draws/1/batches (entry %d)", i), "root")
	public, err := receipt.ReadRecords(data, nil)
	check(err)
	b.Root = public.Root
	f.put(i, b)
	wantFinding(t, l.run(t, f.publish(), nil), "winners", "251 bets on 7574", "250")
	wantFinding(t, l.run(t, f.files, retained(l)), "retained checkpoints", "changed, or forked")
	// Nor is it a bet of the game on three digits, or for money.
	data[receipt.RecordSize+2], data[receipt.RecordSize+5], data[receipt.RecordSize+6] = 3, 0, 7
	public, err = receipt.ReadRecords(data, nil)
	check(err)
	b.Root = public.Root
	f.put(i, b)
	wantFinding(t, l.run(t, f.publish(), nil), "bets", fmt.Sprintf("entry %d", i), "which the game specified does not have")
}

func TestBatchesAreSwappedBetweenAgencies(t *testing.T) {
	l := published()
	f := l.forge(t)
	i, one := f.batch(1, 1, 5)
	j, two := f.batch(1, 2, 5)
	one.Root, two.Root, one.Count, two.Count = two.Root, one.Root, two.Count, one.Count
	f.put(i, one)
	f.put(j, two)
	a, b := batchID{1, 1, 5}, batchID{1, 2, 5}
	f.records[a], f.records[b] = f.records[b], f.records[a]
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
	wantFinding(t, l.run(t, f.publish(), nil), "batches", "agency 2, batch 41", "comes where batch 40 is next")
}

// The operator waits for the round, slips in a winner, and says that the draw was sealed before.
func TestABackDatedSeal(t *testing.T) {
	l := published()
	round := draw.Quicknet().TimeOf(1000)
	cosigned := func(at time.Time) (files, func(*audit.Options)) {
		signer, key := witness("w.example", at)
		f := maps.Clone(l.files)
		cosign := func(signed []byte) []byte {
			line, err := tlog.Cosign(signed, signer)
			check(err)
			signed, err = tlog.AddSignatures(signed, line)
			check(err)
			return signed
		}
		for _, id := range []string{"1", "evening", "night"} {
			dir := "draws/" + id + "/"
			f[dir+"sealed.checkpoint"] = cosign(f[dir+"sealed.checkpoint"])
			o, err := receipt.ParseOutcome(f[dir+"outcome.json"])
			check(err)
			o.Sealed, o.Checkpoint = string(cosign([]byte(o.Sealed))), string(cosign([]byte(o.Checkpoint)))
			f[dir+"outcome.json"], err = o.Encode()
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
	wantFinding(t, l.run(t, f, witnessed), "witnesses", "draws/evening/outcome.json", "may be back-dated")
	wantFinding(t, l.run(t, l.files, witnessed), "witnesses", "draws/evening/sealed.checkpoint", "quorum")
	wantFinding(t, l.run(t, l.files, witnessed), "witnesses", "draws/evening/outcome.json: the checkpoint with the result", "quorum")

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
	// Nor may a notary end it, with or without an extract, whether the auditor has the round or not.
	for _, round := range []*draw.Beacon{nil, new(beacon())} {
		byHand := change(func(r *receipt.Result) { r.Source, r.Evidence, r.Prizes, r.Number = quiniela.SourceNotary, nil, nil, 5 })
		delete(byHand, "draws/evening/beacon.json")
		wantFinding(t, l.run(t, byHand, func(o *audit.Options) { o.Beacon = round }), "numbers", "draw evening", `from "notary"`)
	}
}

// A draw that was opened with its number fixed has no round to compare.
func TestABeaconForADrawThatNamedNone(t *testing.T) {
	f := published().forge(t)
	for i, e := range f.entries {
		if r, err := receipt.ParseResult(e); err == nil && r.Draw == 1 {
			r.Source, r.Evidence, r.Prizes = quiniela.SourceBeacon, make([]byte, 48), make([]quiniela.Number, 20)
			r.Prizes[0] = r.Number
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
	j := l.journal(t)
	f := l.forge(t)
	i, b := f.batch(1, 1, 5)
	b.Received++
	f.put(i, b)
	wantFinding(t, l.run(t, f.publish(), func(o *audit.Options) { o.Books = books.Of(j) }), "private journal", fmt.Sprintf("entry %d of the log", i))
}
