package audit_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/books"
	"quiniela/receipt"
)

// edit changes the text entries of one type that a condition holds for, and writes them anew.
func edit[T interface{ Encode() ([]byte, error) }](f *forger, parse func([]byte) (T, error), change func(*T) bool) {
	for i, e := range f.entries {
		v, err := parse(e)
		if err != nil || !change(&v) {
			continue
		}
		f.entries[i], err = v.Encode()
		check(err)
	}
}

func editSeal(f *forger, draw uint64, change func(*receipt.Seal)) {
	edit(f, receipt.ParseSeal, func(s *receipt.Seal) bool {
		if s.Draw == draw {
			change(s)
		}
		return s.Draw == draw
	})
}

func editResult(f *forger, draw uint64, change func(*receipt.Result)) {
	edit(f, receipt.ParseResult, func(r *receipt.Result) bool {
		if r.Draw == draw {
			change(r)
		}
		return r.Draw == draw
	})
}

// editBatch changes a batch's entry; its records stay.
func editBatch(f *forger, id batchID, change func(*receipt.BatchEntry)) {
	i, b := f.batch(id.draw, id.agency, id.batch)
	change(&b)
	f.records[batchID{b.Draw, b.Agency, b.Batch}] = f.records[id]
	f.put(i, b)
}

// index returns where the entry is that a draw is opened, sealed or drawn with.
func index[T any](f *forger, parse func([]byte) (T, error), is func(T) bool) int {
	return slices.IndexFunc(f.entries, func(e []byte) bool {
		v, err := parse(e)
		return err == nil && is(v)
	})
}

func opening(f *forger, draw uint64) int {
	return index(f, receipt.ParseDrawOpen, func(o receipt.DrawOpen) bool { return o.Draw == draw })
}

func sealing(f *forger, draw uint64) int {
	return index(f, receipt.ParseSeal, func(s receipt.Seal) bool { return s.Draw == draw })
}

func result(f *forger, draw uint64) int {
	return index(f, receipt.ParseResult, func(r receipt.Result) bool { return r.Draw == draw })
}

// another appends the opening of one more draw.
func another(f *forger, draw uint64, id string) {
	o, err := receipt.ParseDrawOpen(f.entries[opening(f, 3)])
	check(err)
	o.Draw, o.ID = draw, id
	e, err := o.Encode()
	check(err)
	f.entries = append(f.entries, e)
}

func micro(t time.Time) uint64 { return uint64(t.UnixMicro()) }

// Whoever has the log's key can sign what they want. Each rule of the log is broken once, and all else is made to agree with it; where
// asIs is set, only what follows from entries is, and seals and results say what they say.
func TestEachBrokenRuleIsFound(t *testing.T) {
	t.Parallel()
	round := draw.Quicknet().TimeOf(1000)
	for name, c := range map[string]struct {
		asIs         bool
		forge        func(*forger)
		check, words string
	}{
		"a batch before its draw opens": {true, func(f *forger) {
			i, _ := f.batch(3, 1, 1)
			f.entries[opening(f, 3)], f.entries[i] = f.entries[i], f.entries[opening(f, 3)]
		}, "batches", "a draw that was not opened before"},
		"a batch of an agency that the draw has not": {false, func(f *forger) {
			editBatch(f, batchID{1, 2, 100}, func(b *receipt.BatchEntry) { b.Agency, b.Batch, b.CumulativeBets = 9, 1, uint64(b.Count) })
		}, "batches", "of an agency that the draw does not have"},
		"totals of an agency that the draw has not": {false, func(f *forger) {
			editBatch(f, batchID{1, 2, 100}, func(b *receipt.BatchEntry) { b.Agency, b.Batch, b.CumulativeBets = 9, 1, uint64(b.Count) })
		}, "seals", "has an agency 9, which draw 1 does not have"},
		"a batch from before its draw opened": {false, func(f *forger) {
			editBatch(f, batchID{1, 1, 1}, func(b *receipt.BatchEntry) { b.Received -= micro(time.Unix(600, 0)) })
		}, "batches", "before its draw was opened"},
		"a batch from after bets had ended": {false, func(f *forger) {
			editBatch(f, batchID{2, 1, 20}, func(b *receipt.BatchEntry) { b.Received = micro(round.Add(time.Second)) })
		}, "batches", "after bets had ended"},
		"a draw number that is left out": {false, func(f *forger) { another(f, 5, "later") }, "entries", "where 4 is next"},
		"a draw number that is used":     {true, func(f *forger) { another(f, 3, "later") }, "entries", "where 4 is next"},
		"a name that is used":            {false, func(f *forger) { another(f, 4, "night") }, "entries", "names are used once"},
		"a name that no folder has":      {false, func(f *forger) { another(f, 4, "a/b") }, "entries", "no folder can have"},
		"a second seal": {false, func(f *forger) {
			f.entries = append(f.entries, f.entries[sealing(f, 3)])
		}, "seals", "no such draw is open"},
		"a seal of another opening": {true, func(f *forger) { editSeal(f, 3, func(s *receipt.Seal) { s.Open++ }) }, "seals", "no such draw is open"},
		"a seal by a time that had not come": {false, func(f *forger) {
			o, err := receipt.ParseDrawOpen(f.entries[opening(f, 2)])
			check(err)
			editSeal(f, 2, func(s *receipt.Seal) { s.By, s.Sealed = receipt.ClosedByTime, o.Close-1 })
		}, "seals", "by its closing time, which is"},
		"totals that move bets between agencies": {true, func(f *forger) {
			totals, err := receipt.ParseTotals(f.files["draws/1/totals"])
			check(err)
			totals[0].Bets, totals[1].Bets = totals[0].Bets+1, totals[1].Bets-1
			f.files["draws/1/totals"], err = receipt.EncodeTotals(totals)
			check(err)
			editSeal(f, 1, func(s *receipt.Seal) { s.Totals = receipt.RootOfTotals(totals) })
		}, "seals", "the first that differs is agency 1"},
		"a second result": {false, func(f *forger) {
			f.entries = append(f.entries, f.entries[result(f, 3)])
		}, "numbers", "no such draw waits for one"},
		"a result of another opening": {true, func(f *forger) { editResult(f, 3, func(r *receipt.Result) { r.Open-- }) }, "numbers", "no such draw waits for one"},
		"a result of another seal":    {true, func(f *forger) { editResult(f, 3, func(r *receipt.Result) { r.Seal-- }) }, "numbers", "no such draw waits for one"},
		"a result before its seal": {false, func(f *forger) {
			editResult(f, 3, func(r *receipt.Result) { r.Drawn -= micro(time.Unix(7200, 0)) })
		}, "numbers", "before the seal"},
		"another number than was fixed": {false, func(f *forger) {
			editResult(f, 1, func(r *receipt.Result) { r.Number = 5 })
		}, "numbers", "the draw was opened with 7574"},
	} {
		t.Run(name, func(t *testing.T) {
			f := published().forge(t)
			f.asIs = c.asIs
			c.forge(f)
			wantFinding(t, f.run(t, f.publish(), nil), c.check, c.words)
		})
	}
}

// The same for the files of a draw, which no key signs.
func TestEachFileOfADrawIsItsOwn(t *testing.T) {
	t.Parallel()
	l := published()
	copied := func(from, to string) func(files) { return func(f files) { f[to] = f[from] } }
	for name, c := range map[string]struct {
		change       func(files)
		check, words string
	}{
		"the sealed checkpoint of another draw": {copied("draws/1/sealed.checkpoint", "draws/evening/sealed.checkpoint"), "seals", "and the draw's seal is entry"},
		"an outcome with another sealed checkpoint": {copied("draws/night/sealed.checkpoint", "draws/1/sealed.checkpoint"),
			"seals", "draws/1/outcome.json has another sealed checkpoint"},
		"the outcome of another draw": {copied("draws/1/outcome.json", "draws/night/outcome.json"), "files", "draws/night/outcome.json is of another draw"},
		"an outcome with more at its end": {func(f files) {
			f["draws/1/outcome.json"] = append(bytes.Clone(f["draws/1/outcome.json"]), '\n')
		}, "files", "not written as it is published"},
		"other winners": {func(f files) { f["draws/1/winners"] = []byte("1 150\n2 99\n") }, "winners", "draws/1/winners is missing, or is not what"},
		"a batch of another entry": {func(f files) {
			data := bytes.Clone(f["draws/1/batches/0"])
			data[7]++
			f["draws/1/batches/0"] = data
		}, "bets", "is not the leaf of the tree"},
		"no totals":            {func(f files) { delete(f, "draws/1/totals") }, "files", "draws/1/totals is missing"},
		"no sealed checkpoint": {func(f files) { delete(f, "draws/1/sealed.checkpoint") }, "files", "draws/1/sealed.checkpoint is missing"},
		"no round":             {func(f files) { delete(f, "draws/evening/beacon.json") }, "files", "draws/evening/beacon.json is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			f := l.forge(t).publish()
			c.change(f)
			wantFinding(t, l.run(t, f, nil), c.check, strings.Fields(c.words)...)
		})
	}
}

// The journal is compared batch by batch: a log with other bets, whose every published file agrees with it, is not the journal's.
func TestALogWithOtherBetsThanTheJournal(t *testing.T) {
	t.Parallel()
	l := published()
	j := l.journal(t)
	f := l.forge(t)
	id := batchID{1, 2, 40}
	data := bytes.Clone(f.records[id])
	data[len(data)-1] ^= 1 // who made the last bet
	public, err := receipt.ReadRecords(data, nil)
	check(err)
	f.records[id] = data
	editBatch(f, id, func(b *receipt.BatchEntry) { b.Root = public.Root })
	forged := f.publish()
	if r := l.run(t, forged, nil); !r.OK {
		t.Errorf("the forgery should agree with itself: %+v", findings(r))
	}
	wantFinding(t, l.run(t, forged, func(o *audit.Options) { o.Books = books.Of(j) }), "private journal", "(agency 2, batch 40)", "another root than the log")
	for what, change := range map[string]func(*receipt.Seal){
		"by":   func(s *receipt.Seal) { s.By = receipt.ClosedByOperator },
		"note": func(s *receipt.Seal) { s.By, s.Note = receipt.ClosedByOperator, "a storm" },
	} {
		f := l.forge(t)
		f.asIs = true
		editSeal(f, 3, change)
		r := l.run(t, f.publish(), func(o *audit.Options) { o.Books = books.Of(j) })
		t.Run(what, func(t *testing.T) { wantFinding(t, r, "private journal", "a seal") })
	}
}
