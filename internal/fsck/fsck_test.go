package fsck_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/fsck"
	"quiniela/internal/journal"
	"quiniela/internal/journal/journaltest"
)

// batch returns the entry of an agency's batch, after change had its way with it.
func batch(agency quiniela.Agency, n uint64, change func(*journal.Batch), lines ...string) []byte {
	b := journal.Batch{Agency: agency, Count: uint32(len(lines)), Received: 1_790_000_000_000_000, Secret: new([journal.SecretSize]byte)}
	b.Lines = []byte(strings.Join(lines, "\n") + "\n")
	b.MAC = journal.MAC(b.Secret, b.Lines)
	b.Draw, b.Batch = 1, n
	if change != nil {
		change(&b)
	}
	buffer := append(make([]byte, journal.MaxBatchHeader), b.Lines...)
	entry := buffer[journal.PutBatch(buffer, journal.MaxBatchHeader, &b):]
	return bytes.Clone(entry)
}

const (
	winner = "Ana,Paz,30904465,1990-01-01,7"
	loser  = "Eva,Sol,2,1990-01-01,8"
)

func seven() *quiniela.Number { n := quiniela.Number(7); return &n }

func digest(winners ...string) []byte {
	h := sha256.New()
	for _, w := range winners {
		fmt.Fprintln(h, w)
	}
	return h.Sum(nil)
}

// whole is a journal with nothing wrong: two agencies, three batches, a result.
func whole() []any {
	return []any{
		journal.Open{Draw: 1, ID: "1", Agencies: 2, Source: "fixed", Number: seven(), At: 1},
		batch(1, 1, nil, winner, loser),
		batch(2, 1, nil, winner),
		batch(1, 2, nil, loser),
		journal.Finish{Draw: 1, Agency: 1, Batches: 2, At: 2},
		journal.Finish{Draw: 1, Agency: 2, Batches: 1, At: 3},
		journal.Seal{Draw: 1, Batches: 3, Bets: 4, By: journal.SealedByAgencies, At: 3},
		journal.Result{Draw: 1, Number: 7, Winners: 2, Digest: digest("1,1,1", "2,1,1"), At: 4},
	}
}

func check(t *testing.T, entries []any) *fsck.Report {
	t.Helper()
	j, err := new(journaltest.Disk).Open()
	if err != nil {
		t.Fatal(err)
	}
	head := journal.Head{}
	for _, e := range entries {
		data, ok := e.([]byte)
		if !ok {
			data = journal.Encode(e)
		}
		if head, err = j.Append(context.Background(), head, [][]byte{data}); err != nil {
			t.Fatal(err)
		}
	}
	report, err := fsck.Check(context.Background(), j, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAWholeJournal(t *testing.T) {
	r := check(t, whole())
	if !r.OK() || r.Entries != 8 || r.Batches != 3 || r.Bets != 4 || len(r.Draws) != 1 || r.Draws[0].State != "drawn" {
		t.Fatalf("%+v", r)
	}
}

// Every way in which an entry can be wrong is found, at the entry where it is.
func TestWhatIsWrongIsNamed(t *testing.T) {
	put := func(i int, e any) func([]any) []any {
		return func(all []any) []any { all[i] = e; return all }
	}
	for name, row := range map[string]struct {
		change func([]any) []any
		want   string
	}{
		"a changed bet":        {put(1, batch(1, 1, func(b *journal.Batch) { b.Lines = bytes.Replace(b.Lines, []byte("Ana"), []byte("Eva"), 1) }, winner, loser)), "entry 2 (draw 1, agency 1, batch 1) has lines that do not have its MAC"},
		"a bad number":         {put(1, batch(1, 1, nil, winner, "Eva,Sol,2,1990-01-01,10000")), "entry 2 (draw 1, agency 1, batch 1) has a bad bet"},
		"a wrong count":        {put(1, batch(1, 1, func(b *journal.Batch) { b.Count = 3 }, winner, loser)), "entry 2 (draw 1, agency 1, batch 1) says 3 bets and has 2"},
		"a batch out of order": {put(3, batch(1, 3, nil, loser)), "entry 4 (draw 1, agency 1, batch 3) comes where batch 2 is next"},
		"a repeated batch":     {put(3, batch(1, 1, nil, loser)), "entry 4 (draw 1, agency 1, batch 1) comes where batch 2 is next"},
		"an unknown agency":    {put(3, batch(3, 1, nil, loser)), "entry 4 (draw 1, agency 3, batch 1) is of an agency that the draw does not have"},
		"a batch of no draw":   {put(3, batch(1, 2, func(b *journal.Batch) { b.Draw = 9 }, loser)), "entry 4 is batch 2 of agency 1 of draw 9, which was never opened"},
		"after the finish":     {func(all []any) []any { return append(all[:5:5], batch(1, 3, nil, loser)) }, "entry 6 (draw 1, agency 1, batch 3) follows the agency's finish"},
		"after the seal":       {func(all []any) []any { return append(all, batch(1, 3, nil, loser)) }, "entry 9 is batch 3 of agency 1 of draw 1, which is drawn by then"},
		"late": {func(all []any) []any {
			all[0] = journal.Open{Draw: 1, ID: "1", Agencies: 2, Source: "fixed", Number: seven(), Closes: 1_700_000_000_000_000, At: 1}
			return all
		}, "entry 2 (draw 1, agency 1, batch 1) was received after the closing time"},
		"a finish that miscounts": {put(4, journal.Finish{Draw: 1, Agency: 1, Batches: 3}), "entry 5 is the finish of agency 1 after 3 batches, and 2 are there"},
		"a seal that miscounts":   {put(6, journal.Seal{Draw: 1, Batches: 3, Bets: 5, By: journal.SealedByAgencies}), "entry 7 seals draw 1 with 3 batches and 5 bets, and 3 and 4 are there"},
		"a seal before its time": {func(all []any) []any {
			return append(all[:5:5], journal.Seal{Draw: 1, Batches: 3, Bets: 4, By: journal.SealedByAgencies})
		}, "entry 6 seals draw 1 by agencies with 0 agencies missing, and 1 are"},
		"another number":     {put(7, journal.Result{Draw: 1, Number: 8, Winners: 2, Digest: digest()}), "entry 8 is a result of draw 1 for the number 0008, which is not its number"},
		"too many winners":   {put(7, journal.Result{Draw: 1, Number: 7, Winners: 3, Digest: digest()}), "entry 8 is a result of draw 1 with 3 winners, and 2 bets are on 0007"},
		"other winners":      {put(7, journal.Result{Draw: 1, Number: 7, Winners: 2, Digest: digest("1,1,2", "2,1,1")}), "entry 8 is a result of draw 1 whose winners are not those of the bets"},
		"a result too early": {func(all []any) []any { return append(all[:6:6], all[7]) }, "entry 7 is the result of draw 1, which is open by then"},
		"a second draw 1":    {func(all []any) []any { return append(all, all[0]) }, "entry 9 opens draw 1 (1), and 1 are there"},
		"a name used twice": {func(all []any) []any {
			return append(all, journal.Open{Draw: 2, ID: "1", Agencies: 1, Source: "notary"})
		}, "entry 9 opens a second draw with the name 1"},
		"a public draw's batch without a root": {func(all []any) []any {
			all[0] = journal.Open{Draw: 1, ID: "1", Agencies: 2, Source: "fixed", Number: seven(), Public: true, At: 1}
			return all
		}, "entry 2 (draw 1, agency 1, batch 1) has a root: false; and the draw is in the public log: true"},
		"a root of something else": {func(all []any) []any {
			all[0] = journal.Open{Draw: 1, ID: "1", Agencies: 2, Source: "fixed", Number: seven(), Public: true, At: 1}
			all[1] = batch(1, 1, func(b *journal.Batch) { b.Root = new([32]byte) }, winner, loser)
			return all
		}, "entry 2 (draw 1, agency 1, batch 1) has a root that is not of its bets"},
		"a root outside the log": {put(1, batch(1, 1, func(b *journal.Batch) { b.Root = new([32]byte) }, winner, loser)),
			"entry 2 (draw 1, agency 1, batch 1) has a root: true; and the draw is in the public log: false"},
		"a beacon's number by hand": {func(all []any) []any {
			hash := draw.Quicknet().Hash()
			all[0] = journal.Open{Draw: 1, ID: "1", Agencies: 2, Source: "beacon", Chain: hash[:], Round: 1000, At: 1}
			return append(all[:7:7], journal.Number{Draw: 1, Number: 3})
		}, "entry 8 enters a number by hand for draw 1"},
		"a forged round": {func(all []any) []any {
			hash := draw.Quicknet().Hash()
			all[0] = journal.Open{Draw: 1, ID: "1", Agencies: 2, Source: "beacon", Chain: hash[:], Round: 1000, At: 1}
			return append(all[:7:7], journal.Number{Draw: 1, Number: 3, Signature: make([]byte, 48)})
		}, "entry 8 enters a number for draw 1: round 1000: not the beacon's signature"},
		"a number for a fixed draw": {func(all []any) []any { return append(all[:7:7], journal.Number{Draw: 1, Number: 3}) }, "entry 8 enters the number 3 for draw 1"},
		"forgotten too early":       {func(all []any) []any { return append(all[:7:7], journal.Forget{Draw: 1}) }, "entry 8 is the end of draw 1, which is sealed by then"},
		"a new log without an open draw": {func(all []any) []any {
			all[0] = journal.Open{Draw: 1, ID: "1", Agencies: 2, Source: "fixed", Number: seven(), Public: true, At: 1}
			return append(all[:1:1], journal.NewLog{Opened: 1})
		}, "entry 2 begins a new public log with the draws [] of 1, and those without a result are [1] of 1"},
		"a new log that miscounts": {func(all []any) []any { return append(all, journal.NewLog{Opened: 1}) }, "entry 9 begins a new public log with the draws [] of 1, and those without a result are [] of 0"},
		"not an entry":             {func(all []any) []any { return append(all, []byte("Zx")) }, "entry 9 cannot be read"},
	} {
		r := check(t, row.change(whole()))
		if r.OK() || !strings.HasPrefix(r.Findings[0], row.want) {
			t.Errorf("%s: %q, want %q", name, r.Findings, row.want)
		}
	}
}

func TestAForgottenDrawIsStillCounted(t *testing.T) {
	all := whole()
	for i, e := range all {
		data, ok := e.([]byte)
		if !ok {
			continue
		}
		var err error
		if all[i], err = journal.Forgotten(data, 1, quiniela.Specified); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(all[i].([]byte), []byte("Paz")) {
			t.Fatal("a name is still there")
		}
	}
	all = append(all, journal.Forget{Draw: 1, At: 9})
	if r := check(t, all); !r.OK() || r.Bets != 4 || r.Draws[0].State != "forgotten" {
		t.Fatalf("%+v", r)
	}
	for _, wrong := range []journal.Result{
		{Draw: 1, Number: 7, Winners: 1, Digest: digest("1,1,1")},
		{Draw: 1, Number: 7, Winners: 2, Digest: digest("1,1,2", "2,1,1")}, // what numbers are left tells which bets won
	} {
		all[7] = wrong
		if r := check(t, all); r.OK() {
			t.Errorf("a result with %d winners was not noticed", wrong.Winners)
		}
	}
}
