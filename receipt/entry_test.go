package receipt_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/receipt"
	"quiniela/tlog"
)

func someBatch(t testing.TB) receipt.BatchEntry {
	return receipt.BatchEntry{Draw: 20230823, Agency: 1, Batch: 1, Count: 3, Stake: 450, CumulativeBets: 3, CumulativeStake: 450,
		Received: 1692806000200000, Root: hash(t, "8aff60958c0e786ba5b99200f8d8f5a896020622361220dceb41f72fe855a7ad")}
}

func TestBatchEntriesThatContradictThemselves(t *testing.T) {
	for name, change := range map[string]func(*receipt.BatchEntry){
		"no draw":          func(e *receipt.BatchEntry) { e.Draw = 0 },
		"no batch":         func(e *receipt.BatchEntry) { e.Batch = 0 },
		"no bets":          func(e *receipt.BatchEntry) { e.Count, e.CumulativeBets = 0, 0 },
		"fewer cumulative": func(e *receipt.BatchEntry) { e.Batch, e.CumulativeBets = 2, 2 },
		"less cumulative":  func(e *receipt.BatchEntry) { e.Batch, e.CumulativeStake = 2, 449 },
		"more than first":  func(e *receipt.BatchEntry) { e.CumulativeBets = 4 },
		"stake over first": func(e *receipt.BatchEntry) { e.CumulativeStake = 451 },
	} {
		e := someBatch(t)
		change(&e)
		b := e.Encode()
		if _, err := receipt.ParseBatchEntry(b[:]); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	good := someBatch(t).Encode()
	for _, b := range [][]byte{nil, good[:91], append(good[:92:92], 0), append([]byte("QNB1"), good[4:]...)} {
		if _, err := receipt.ParseBatchEntry(b); err == nil {
			t.Errorf("%x: accepted", b)
		}
	}
}

func fixedDraw() receipt.DrawOpen {
	n := quiniela.Number(7574)
	return receipt.DrawOpen{Draw: 7, ID: "2026-01-31", Agencies: 5, Opened: 1769800000000000, Source: quiniela.SourceFixed, Number: &n}
}

func beaconDraw() receipt.DrawOpen {
	o := fixedDraw()
	o.Close, o.Source, o.Number = 1769886000000000, quiniela.SourceBeacon, nil
	o.Beacon = &receipt.BeaconTerms{Chain: tlog.Hash{0: 0x52, 31: 0x71}, Round: 1000}
	return o
}

func notaryDraw() receipt.DrawOpen {
	o := fixedDraw()
	o.Source, o.Number = quiniela.SourceNotary, nil
	return o
}

// gameDraw is one of the game quiniela, with a cap.
func gameDraw() receipt.DrawOpen {
	o := notaryDraw()
	o.Game = &quiniela.Terms{Multipliers: [4]uint32{7, 70, 500, 3500}, MinStake: 100, MaxStake: 5_000_000, Cap: 4}
	return o
}

// gameResult is the result of one whose cap was exceeded.
func gameResult() receipt.Result {
	r := beaconResult()
	r.Source, r.Evidence = quiniela.SourceNotary, nil
	r.Payout = &receipt.Payout{Staked: 13030800, Due: 58690900, Pool: 52123200, Paid: 52123199}
	return r
}

func continuing(t testing.TB) receipt.Continues {
	return receipt.Continues{Log: "quiniela.example/ledger+3ed1f4a6+ASFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS", Size: 1250,
		Root: hash(t, "8aff60958c0e786ba5b99200f8d8f5a896020622361220dceb41f72fe855a7ad"), Draws: 9, Began: 1769886000000000}
}

func seal() receipt.Seal {
	return receipt.Seal{Draw: 7, Open: 12, Batches: 3, Bets: 300, Stake: 30000, Agencies: 3, Totals: receipt.RootOfTotals(totals()),
		Missing: 2, By: receipt.ClosedByOperator, Note: "a storm, at 20:10", Sealed: 1769886000200000}
}

func totals() []receipt.Total {
	return []receipt.Total{{Agency: 1, Batches: 2, Bets: 200, Stake: 20000}, {Agency: 4, Batches: 1, Bets: 100, Stake: 10000, Missing: true}, {Agency: 5, Missing: true}}
}

func result() receipt.Result {
	return receipt.Result{Draw: 7, Open: 12, Seal: 15, Source: quiniela.SourceFixed, Number: 74, Winners: 3, Drawn: 1769886090000000}
}

func beaconResult() receipt.Result {
	r := result()
	r.Source, r.Evidence, r.Prizes = quiniela.SourceBeacon, bytes.Repeat([]byte{0xb4}, 48), make([]quiniela.Number, 20)
	r.Prizes[0], r.Prizes[19] = r.Number, 9999
	return r
}

// The text of entries is what is hashed: a change to it breaks every log there is.
func TestTextEntries(t *testing.T) {
	zeros := strings.Repeat("00", 30)
	root := receipt.RootOfTotals(totals())
	for _, c := range []struct {
		name  string
		entry interface{ Encode() ([]byte, error) }
		want  string
	}{
		{"fixed", fixedDraw(), "quiniela/v2/draw-open\ndraw 7\nid 2026-01-31\ngame specified\nagencies 5\nopened 1769800000000000\n" +
			"close -\nsource fixed\nnumber 7574\nchain -\nround -\n"},
		{"beacon", beaconDraw(), "quiniela/v2/draw-open\ndraw 7\nid 2026-01-31\ngame specified\nagencies 5\nopened 1769800000000000\n" +
			"close 1769886000000000\nsource beacon\nnumber -\nchain 52" + zeros + "71\nround 1000\n"},
		{"notary", notaryDraw(), "quiniela/v2/draw-open\ndraw 7\nid 2026-01-31\ngame specified\nagencies 5\nopened 1769800000000000\n" +
			"close -\nsource notary\nnumber -\nchain -\nround -\n"},
		{"game", gameDraw(), "quiniela/v2/draw-open\ndraw 7\nid 2026-01-31\ngame quiniela multipliers=7,70,500,3500 min_stake=1.00 max_stake=50000.00 cap=4\nagencies 5\n" +
			"opened 1769800000000000\nclose -\nsource notary\nnumber -\nchain -\nround -\n"},
		{"game's result", gameResult(), "quiniela/v2/result\ndraw 7\nopen 12\nseal 15\nsource notary\nnumber 0074\nprizes 0074" + strings.Repeat(" 0000", 18) + " 9999\n" +
			"evidence -\nwinners 3\nstaked 13030800\ndue 58690900\npool 52123200\npaid 52123199\ndrawn 1769886090000000\n"},
		{"seal", seal(), "quiniela/v2/seal\ndraw 7\nopen 12\nbatches 3\nbets 300\nstake 30000\nagencies 3\ntotals " + hex.EncodeToString(root[:]) +
			"\nmissing 2\nby operator\nnote a storm, at 20:10\nsealed 1769886000200000\n"},
		{"empty seal", receipt.Seal{Draw: 1, Totals: receipt.RootOfTotals(nil), By: receipt.ClosedByAgencies}, "quiniela/v2/seal\ndraw 1\nopen 0\nbatches 0\nbets 0\nstake 0\nagencies 0\n" +
			"totals e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nmissing 0\nby agencies\nnote -\nsealed 0\n"},
		{"result", result(), "quiniela/v2/result\ndraw 7\nopen 12\nseal 15\nsource fixed\nnumber 0074\nprizes -\nevidence -\nwinners 3\ndrawn 1769886090000000\n"},
		{"beacon's result", beaconResult(), "quiniela/v2/result\ndraw 7\nopen 12\nseal 15\nsource beacon\nnumber 0074\nprizes 0074" + strings.Repeat(" 0000", 18) + " 9999\n" +
			"evidence " + strings.Repeat("b4", 48) + "\nwinners 3\ndrawn 1769886090000000\n"},
		{"continues", continuing(t), "quiniela/v2/continues\nlog quiniela.example/ledger+3ed1f4a6+ASFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS\nsize 1250\n" +
			"root 8aff60958c0e786ba5b99200f8d8f5a896020622361220dceb41f72fe855a7ad\ndraws 9\nbegan 1769886000000000\n"},
	} {
		got, err := c.entry.Encode()
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s", c.name, err, cmp.Diff(c.want, string(got)))
		}
		if diff := cmp.Diff(any(c.entry), parseText(t, got)); diff != "" {
			t.Errorf("%s reads back as another\n%s", c.name, diff)
		}
	}
}

// parseText reads a text entry of any kind; an error is the answer's value.
func parseText(t testing.TB, entry []byte) any {
	o, err := receipt.ParseDrawOpen(entry)
	if err == nil {
		return o
	}
	s, err := receipt.ParseSeal(entry)
	if err == nil {
		return s
	}
	r, err := receipt.ParseResult(entry)
	if err == nil {
		return r
	}
	c, err := receipt.ParseContinues(entry)
	if err == nil {
		return c
	}
	return err
}

func TestEntriesThatContradictThemselvesAreNotWritten(t *testing.T) {
	open := func(base receipt.DrawOpen, change func(*receipt.DrawOpen)) receipt.DrawOpen {
		change(&base)
		return base
	}
	sealed := func(change func(*receipt.Seal)) receipt.Seal { s := seal(); change(&s); return s }
	continued := func(change func(*receipt.Continues)) receipt.Continues { c := continuing(t); change(&c); return c }
	done := func(base receipt.Result, change func(*receipt.Result)) receipt.Result { change(&base); return base }
	for name, e := range map[string]interface{ Encode() ([]byte, error) }{
		"continues nothing":        continued(func(c *receipt.Continues) { c.Size = 0 }),
		"continues no log":         continued(func(c *receipt.Continues) { c.Log = "x" }),
		"continues two lines":      continued(func(c *receipt.Continues) { c.Log += "\nsize 3" }),
		"draw 0":                   open(fixedDraw(), func(o *receipt.DrawOpen) { o.Draw = 0 }),
		"no id":                    open(fixedDraw(), func(o *receipt.DrawOpen) { o.ID = "" }),
		"id -":                     open(fixedDraw(), func(o *receipt.DrawOpen) { o.ID = "-" }),
		"id of two lines":          open(fixedDraw(), func(o *receipt.DrawOpen) { o.ID = "a\ndraw 8" }),
		"id with space":            open(fixedDraw(), func(o *receipt.DrawOpen) { o.ID = "a " }),
		"id too long":              open(fixedDraw(), func(o *receipt.DrawOpen) { o.ID = strings.Repeat("a", 256) }),
		"id no UTF-8":              open(fixedDraw(), func(o *receipt.DrawOpen) { o.ID = "\xff" }),
		"terms that cannot be":     open(notaryDraw(), func(o *receipt.DrawOpen) { o.Game = &quiniela.Terms{} }),
		"twenty prizes of one":     open(fixedDraw(), func(o *receipt.DrawOpen) { t := quiniela.DefaultTerms(); o.Game = &t }),
		"no source":                open(notaryDraw(), func(o *receipt.DrawOpen) { o.Source = "" }),
		"fixed without number":     open(fixedDraw(), func(o *receipt.DrawOpen) { o.Number = nil }),
		"number too large":         open(fixedDraw(), func(o *receipt.DrawOpen) { n := quiniela.Number(10000); o.Number = &n }),
		"notary with number":       open(fixedDraw(), func(o *receipt.DrawOpen) { o.Source = quiniela.SourceNotary }),
		"fixed with beacon":        open(fixedDraw(), func(o *receipt.DrawOpen) { o.Beacon = beaconDraw().Beacon }),
		"beacon without terms":     open(beaconDraw(), func(o *receipt.DrawOpen) { o.Beacon = nil }),
		"round 0":                  open(beaconDraw(), func(o *receipt.DrawOpen) { o.Beacon.Round = 0 }),
		"seal of draw 0":           sealed(func(s *receipt.Seal) { s.Draw = 0 }),
		"seal of empty batches":    sealed(func(s *receipt.Seal) { s.Bets = 2 }),
		"seal of nobody's":         sealed(func(s *receipt.Seal) { s.Agencies = 0 }),
		"seal of too many":         sealed(func(s *receipt.Seal) { s.Agencies = 6 }),
		"closed by nobody":         sealed(func(s *receipt.Seal) { s.By, s.Note = "", "" }),
		"all finished but two":     sealed(func(s *receipt.Seal) { s.By, s.Note = receipt.ClosedByAgencies, "" }),
		"more missing than are":    sealed(func(s *receipt.Seal) { s.Missing = 4 }),
		"a clock's note":           sealed(func(s *receipt.Seal) { s.By = receipt.ClosedByTime }),
		"a note of two lines":      sealed(func(s *receipt.Seal) { s.Note = "a\nsealed 0" }),
		"a long note":              sealed(func(s *receipt.Seal) { s.Note = strings.Repeat("a", receipt.MaxNote+1) }),
		"the note -":               sealed(func(s *receipt.Seal) { s.Note = "-" }),
		"result of draw 0":         done(result(), func(r *receipt.Result) { r.Draw = 0 }),
		"sealed before opened":     done(result(), func(r *receipt.Result) { r.Open = 15 }),
		"result too large":         done(result(), func(r *receipt.Result) { r.Number = 10000 }),
		"prize too large":          done(beaconResult(), func(r *receipt.Result) { r.Prizes[1] = 10000 }),
		"19 prizes":                done(beaconResult(), func(r *receipt.Result) { r.Prizes = r.Prizes[:19] }),
		"another first prize":      done(beaconResult(), func(r *receipt.Result) { r.Prizes[0]++ }),
		"beacon without evidence":  done(beaconResult(), func(r *receipt.Result) { r.Evidence = nil }),
		"fixed with evidence":      done(result(), func(r *receipt.Result) { r.Evidence = []byte{1} }),
		"notary with a signature":  done(beaconResult(), func(r *receipt.Result) { r.Source = quiniela.SourceNotary }),
		"prizes without a payout":  done(gameResult(), func(r *receipt.Result) { r.Payout = nil }),
		"a payout without prizes":  done(gameResult(), func(r *receipt.Result) { r.Prizes = nil }),
		"a fixed number's payout":  done(gameResult(), func(r *receipt.Result) { r.Source = quiniela.SourceFixed }),
		"more paid than may be":    done(gameResult(), func(r *receipt.Result) { r.Payout.Paid = r.Payout.Pool + 1 }),
		"more paid than is due":    done(gameResult(), func(r *receipt.Result) { r.Payout.Pool = r.Payout.Due + 1 }),
		"less paid without a cap":  done(gameResult(), func(r *receipt.Result) { r.Payout.Pool = r.Payout.Due }),
		"prizes of no winner":      done(gameResult(), func(r *receipt.Result) { r.Winners = 0 }),
		"result from somewhere":    done(result(), func(r *receipt.Result) { r.Source = "x" }),
		"result from nowhere else": done(result(), func(r *receipt.Result) { r.Source = "" }),
	} {
		if text, err := e.Encode(); err == nil {
			t.Errorf("%s: written as %s", name, text)
		}
	}
}

// Whatever one changes in an entry, it either is refused or is another entry: no two texts say the same.
func TestNoEntryIsWrittenInTwoWays(t *testing.T) {
	for _, e := range []interface{ Encode() ([]byte, error) }{fixedDraw(), beaconDraw(), gameDraw(), seal(), beaconResult(), gameResult()} {
		good, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			for _, bad := range [][]byte{
				append(good[:i:i], good[i+1:]...),                                    // without a byte
				append(append(good[:i:i], good[i]), good[i:]...),                     // twice
				append(append(good[:i:i], '0'), good[i:]...),                         // a zero more
				append(append(good[:i:i], ' '), good[i:]...),                         // a space more
				append(append(good[:i:i], good[i]^0x20), good[i+1:]...),              // in the other case
				append(append(good[:i:i], good[i]^1), good[i+1:]...),                 // another
				append(append(good[:i:i], "\r"...), good[i:]...),                     // a carriage return
				append(append(good[:i:i], []byte("+")...), good[i:]...),              // a sign
				append(append(good[:i:i], []byte("draw 7\n")...), good[i:]...),       // a line twice
				append(append(good[:i:i], []byte("\xff")...), good[min(i+1, 9):]...), // no UTF-8
			} {
				v := parseText(t, bad)
				if _, refused := v.(error); !refused && cmp.Equal(any(e), v) && !bytes.Equal(bad, good) {
					t.Errorf("%q is read as\n%s", bad, good)
				}
			}
		}
		for _, bad := range []string{string(good) + "\n", string(good) + "x y\n", strings.TrimSuffix(string(good), "\n"), "", "\n" + string(good)} {
			if _, refused := parseText(t, []byte(bad)).(error); !refused {
				t.Errorf("%q: accepted", bad)
			}
		}
	}
	if _, err := receipt.ParseSeal(make([]byte, 1<<16)); err == nil {
		t.Error("an entry of 65536 bytes is accepted")
	}
}

func TestTotals(t *testing.T) {
	text, err := receipt.EncodeTotals(totals())
	if want := "1 2 200 20000 finished\n4 1 100 10000 missing\n5 0 0 0 missing\n"; err != nil || string(text) != want {
		t.Errorf("%q, %v; want %q", text, err, want)
	}
	for name, bad := range map[string][]receipt.Total{
		"out of order":            {{Agency: 4, Batches: 1, Bets: 1}, {Agency: 1, Batches: 1, Bets: 1}},
		"twice":                   {{Agency: 1, Batches: 1, Bets: 1}, {Agency: 1, Batches: 1, Bets: 1}},
		"no batch":                {{Agency: 1}},
		"bets without a batch":    {{Agency: 1, Bets: 1, Missing: true}},
		"nobody is missing":       {{Batches: 1, Bets: 1, Missing: true}},
		"fewer bets than batches": {{Agency: 1, Batches: 2, Bets: 1}},
	} {
		if text, err := receipt.EncodeTotals(bad); err == nil {
			t.Errorf("%s: %q", name, text)
		}
	}
	back, err := receipt.ParseTotals(text)
	if err != nil || !cmp.Equal(back, totals()) {
		t.Errorf("read back as %+v, %v", back, err)
	}
	unattributed := []receipt.Total{{Agency: 0, Batches: 1, Bets: 1}, {Agency: 2, Batches: 1, Bets: 1}}
	text, err = receipt.EncodeTotals(unattributed)
	if back, again := receipt.ParseTotals(text); err != nil || again != nil || !cmp.Equal(back, unattributed) {
		t.Errorf("%q, %v; read back as %+v, %v", text, err, back, again)
	}
	for _, bad := range []string{
		"1 2 200 20000\n", "1 2 200 20000 finished", "1 2 200 20000 missing \n", "01 2 200 20000 missing\n", "1 2 200 20000 gone\n", "1 0 0 0 finished\n", "\n", "x\n",
		"0 1 1 0 finished\n", "0 1 1 0 missing\n", "1 1 1 0 unattributed\n", "1 2 200 20000 finished\n1 2 200 20000 finished\n",
	} {
		if totals, err := receipt.ParseTotals([]byte(bad)); err == nil {
			t.Errorf("%q is taken for %+v", bad, totals)
		}
	}
}

func TestASealStandsForItsTotals(t *testing.T) {
	if err := seal().CheckTotals(totals()); err != nil {
		t.Error(err)
	}
	moved := totals()
	moved[0].Bets++
	moved[1].Bets--
	more := totals()
	more[1].Stake++
	late := totals()
	late[0].Missing = true
	for name, bad := range map[string][]receipt.Total{"moved": moved, "more": more, "one more missing": late, "one less": totals()[:1], "none": nil, "unordered": {totals()[1], totals()[0]}} {
		if err := seal().CheckTotals(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParseBatchEntry(f *testing.F) {
	good := someBatch(f).Encode()
	f.Add(good[:])
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := receipt.ParseBatchEntry(data)
		if err != nil {
			return
		}
		if b := e.Encode(); !bytes.Equal(b[:], data) {
			t.Errorf("%x is written as %x", data, b)
		}
	})
}

func FuzzParseText(f *testing.F) {
	for _, e := range []interface{ Encode() ([]byte, error) }{fixedDraw(), beaconDraw(), notaryDraw(), seal(), result(), beaconResult(), continuing(f)} {
		text, err := e.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, ok := parseText(t, data).(interface{ Encode() ([]byte, error) })
		if !ok {
			return
		}
		if b, err := e.Encode(); err != nil || !bytes.Equal(b, data) {
			t.Errorf("%q is written as %q, %v", data, b, err)
		}
	})
}

// Whatever cannot be read says so by its type, and an entry is read by the kind that it says it is.
func TestWhatCannotBeReadIsMalformed(t *testing.T) {
	batch := receipt.BatchEntry{Draw: 1, Agency: 1, Batch: 1, Count: 1, CumulativeBets: 1}
	encoded := batch.Encode()
	if got, err := receipt.ParseEntry(encoded[:]); err != nil || got != batch {
		t.Errorf("%+v, %v; want %+v", got, err, batch)
	}
	text, err := fixedDraw().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := receipt.ParseEntry(text); err != nil || !cmp.Equal(got, any(fixedDraw())) {
		t.Errorf("%+v, %v", got, err)
	}
	bad := []byte("x")
	_, entry := receipt.ParseEntry(bad)
	_, ofBatch := receipt.ParseBatchEntry(bad)
	_, open := receipt.ParseDrawOpen(append(text, 'x'))
	_, contradiction := receipt.ParseDrawOpen(bytes.Replace(text, []byte("draw 7"), []byte("draw 0"), 1))
	_, seal := receipt.ParseSeal(text)
	_, result := receipt.ParseResult(bad)
	_, record := receipt.ParseRecord(bad)
	_, records := receipt.ReadRecords(bad, nil)
	_, totals := receipt.ParseTotals(bad)
	_, inside := receipt.ParseReceipt(bad)
	_, outcome := receipt.ParseOutcome([]byte(`{}`))
	for i, err := range []error{entry, ofBatch, open, contradiction, seal, result, record, records, totals, inside, outcome} {
		var malformed *receipt.MalformedError
		if !errors.As(err, &malformed) || malformed.What == "" {
			t.Errorf("error %d: %v", i, err)
		}
	}
}
