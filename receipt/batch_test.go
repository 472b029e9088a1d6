package receipt_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela"
	"quiniela/receipt"
	"quiniela/tlog"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hash(t testing.TB, s string) tlog.Hash { return tlog.Hash(unhex(t, s)) }

var (
	secret = [receipt.SecretSize]byte(bytes.Repeat([]byte{0x11}, 32))
)

const lorcasLine = "Santiago Lionel,Lorca,30904465,1999-03-17,7574\n"

func lines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "Santiago Lionel,Lorca,%d,1999-03-17,%d\n", 30000000+i, i%10000)
	}
	return b.Bytes()
}

// referenceRoot is the tree of a batch as golang.org/x/mod's log builds it.
func reference(t testing.TB, leaves []tlog.Hash) (root tlog.Hash, read sumdb.HashReaderFunc) {
	var stored []sumdb.Hash
	read = func(at []int64) ([]sumdb.Hash, error) {
		var found []sumdb.Hash
		for _, i := range at {
			found = append(found, stored[i])
		}
		return found, nil
	}
	for i, leaf := range leaves {
		more, err := sumdb.StoredHashesForRecordHash(int64(i), leaf, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	root, err := sumdb.TreeHash(int64(len(leaves)), read)
	if err != nil {
		t.Fatal(err)
	}
	return root, read
}

func leavesOf(records []byte) []tlog.Hash {
	var leaves []tlog.Hash
	const page = 16 * 48
	for at := 0; at < len(records); at += page {
		leaves = append(leaves, sumdb.RecordHash(records[at:min(at+page, len(records))]))
	}
	return leaves
}

func TestBatchRootsAreRFC6962sOverPages(t *testing.T) {
	var b receipt.BatchHasher
	for n := range 150 {
		text := lines(n)
		if err := b.Reset(&secret); err != nil {
			t.Fatal(err)
		}
		if err := b.AddLines(quiniela.Specified, text); err != nil {
			t.Fatal(err)
		}
		kept, err := receipt.KeepLeaves(quiniela.Specified, &secret, text)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := reference(t, leavesOf(kept.Records()))
		seen := 0
		public, err := receipt.ReadRecords(kept.Records(), func(r receipt.Record) {
			if int(r.Play.Number) != seen {
				t.Errorf("record %d is of the number %d", seen, r.Play.Number)
			}
			seen++
		})
		if b.Root() != want || kept.Root() != want || public.Root != want || err != nil || int(public.Bets) != n || seen != n || kept.Count() != n {
			t.Fatalf("%d bets: streamed %v, kept %v, public %+v (%v), want %v", n, b.Root(), kept.Root(), public, err, want)
		}
		if again, err := receipt.Root(quiniela.Specified, &secret, text); err != nil || again != want {
			t.Errorf("%d bets: %v, %v", n, again, err)
		}
		if b.Count() != uint32(n) || b.Stake() != 0 || public.Stake != 0 {
			t.Errorf("%d bets counted as %d of %d together", n, b.Count(), b.Stake())
		}
	}
}

func TestARootInTheMiddleIsTheRootSoFar(t *testing.T) {
	var b receipt.BatchHasher
	if err := b.Reset(&secret); err != nil {
		t.Fatal(err)
	}
	for n, line := range bytes.SplitAfter(lines(50), []byte("\n"))[:50] {
		if err := b.AddLines(quiniela.Specified, line); err != nil {
			t.Fatal(err)
		}
		kept, err := receipt.KeepLeaves(quiniela.Specified, &secret, lines(n+1))
		if err != nil || kept.Root() != b.Root() {
			t.Errorf("after %d bets: %v", n+1, err)
		}
	}
}

// Each thing a leaf stands for must move the root, and the bets' order too.
func TestEveryPartOfABetCounts(t *testing.T) {
	base, err := receipt.KeepLeaves(quiniela.Specified, &secret, []byte(lorcasLine))
	if err != nil {
		t.Fatal(err)
	}
	other := secret
	other[31] ^= 1
	for name, c := range map[string]struct {
		secret [32]byte
		line   string
	}{
		"secret":        {other, lorcasLine},
		"number":        {secret, strings.Replace(lorcasLine, "7574", "7575", 1)},
		"name":          {secret, strings.Replace(lorcasLine, "Lorca", "Lorcb", 1)},
		"document":      {secret, strings.Replace(lorcasLine, "30904465", "30904466", 1)},
		"its digits":    {secret, strings.Replace(lorcasLine, "30904465", "030904465", 1)},
		"year":          {secret, strings.Replace(lorcasLine, "1999", "1998", 1)},
		"month":         {secret, strings.Replace(lorcasLine, "-03-", "-04-", 1)},
		"day":           {secret, strings.Replace(lorcasLine, "-17", "-18", 1)},
		"where it ends": {secret, strings.Replace(lorcasLine, "Lionel,Lorca", "Lione,lLorca", 1)},
		"a second bet":  {secret, lorcasLine + lorcasLine},
	} {
		got, err := receipt.KeepLeaves(quiniela.Specified, &c.secret, []byte(c.line))
		if err != nil || got.Root() == base.Root() {
			t.Errorf("%s does not count: %v", name, err)
		}
	}
	zeros, err := receipt.KeepLeaves(quiniela.Specified, &secret, []byte(strings.Replace(lorcasLine, "7574", "0007574", 1)))
	if err != nil || zeros.Root() != base.Root() {
		t.Errorf("leading zeros make another number: %v", err)
	}
}

func TestWhatHasNoCommitmentIsRefused(t *testing.T) {
	long := strings.Repeat("\U0001F340", 64) // 64 characters, as a name may have, in 256 bytes
	for name, line := range map[string]string{
		"a long first name": long + ",Lorca,1,1999-03-17,1",
		"a long last name":  "Ana," + long + ",1,1999-03-17,1",
		"too few fields":    "a,b,1,1999-03-17",
		"too many fields":   "a,b,c,1,1999-03-17,1",
		"no number":         "a,b,1,1999-03-17,",
		"no digits":         "a,b,1,1999-03-17,7x",
		"too large":         "a,b,1,1999-03-17,10000",
		"too many digits":   "a,b,1,1999-03-17,0000000001",
		"no date":           "a,b,1,1999-02-30,1",
		"no document":       "a,b,x,1999-02-30,1",
		"empty":             "",
	} {
		if _, err := receipt.KeepLeaves(quiniela.Specified, &secret, []byte(line+"\n")); err == nil {
			t.Errorf("%s: kept", name)
		}
	}
	for name, p := range map[string]receipt.Person{
		"a long name":     {FirstName: long, LastName: "b", Document: "1", Birthdate: "1999-03-17"},
		"no document":     {FirstName: "a", LastName: "b", Document: "", Birthdate: "1999-03-17"},
		"a long document": {FirstName: "a", LastName: "b", Document: "0000000001", Birthdate: "1999-03-17"},
		"a sign":          {FirstName: "a", LastName: "b", Document: "+1", Birthdate: "1999-03-17"},
		"no date":         {FirstName: "a", LastName: "b", Document: "1", Birthdate: "1999-3-17"},
	} {
		if _, err := p.Commit([16]byte{}); err == nil {
			t.Errorf("%s: committed to", name)
		}
	}
	if err := new(receipt.BatchHasher).Add(quiniela.Bet{}); err == nil {
		t.Error("a bet is accepted before Reset")
	}
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	good := receipt.Record{Play: quiniela.Play{Digits: 2, From: 1, To: 20, Number: 99, Stake: quiniela.MaxStake}, Commit: tlog.Hash{1}}
	r := good.Encode()
	if back, err := receipt.ParseRecord(r[:]); err != nil || back != good {
		t.Fatalf("%+v, %v", back, err)
	}
	bad := map[string][]byte{"cut": r[:47], "longer": append(r[:48:48], 0)}
	for name, change := range map[string][2]byte{
		"version": {0, 1}, "another kind": {1, 1}, "no digits": {2, 0}, "five digits": {2, 5}, "a number of three digits": {6, 100}, "prize 0": {3, 0},
		"prize 21": {4, 21}, "from behind to": {3, 21}, "a second number": {7, 1}, "its from": {8, 1}, "its to": {9, 1},
	} {
		b := r
		b[change[0]] = change[1]
		bad[name] = b[:]
	}
	for name, b := range bad {
		if _, err := receipt.ParseRecord(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := receipt.ReadRecords(append(r[:48:48], b...), nil); err == nil {
			t.Errorf("%s: has a root", name)
		}
	}
}

// A bet cannot be shown at another place, on another page, or as one of a longer batch.
func TestAReceiptsPlaceIsItsOwn(t *testing.T) {
	for _, n := range []int{1, 15, 16, 17, 40, 150} {
		text := lines(n)
		kept, err := receipt.KeepLeaves(quiniela.Specified, &secret, text)
		if err != nil {
			t.Fatal(err)
		}
		entry := receipt.BatchEntry{Draw: 1, Agency: 1, Batch: 1, Count: uint32(n), CumulativeBets: uint64(n), Root: kept.Root()}
		encoded := entry.Encode()
		i := 0
		for line := range quiniela.StoredLines(text) {
			bet, err := quiniela.Specified.StoredBet(line)
			if err != nil {
				t.Fatal(err)
			}
			r, err := receipt.New("d", kept, i, receipt.PersonOf(bet), receipt.Logged{Entry: encoded[:]}, nil)
			if err != nil {
				t.Fatal(err)
			}
			record, err := r.Record()
			if err != nil || record.Play != bet.Play || r.CheckPage(entry) != nil || r.CheckPerson(record) != nil {
				t.Errorf("bet %d of %d: %+v, %v, %v", i, n, record, err, r.CheckPage(entry))
			}
			for _, at := range []uint32{r.Index + 1, r.Index + 16, r.Index ^ 16, uint32(n)} {
				moved := *r
				moved.Index = at
				record, err := moved.Record()
				if err == nil && moved.CheckPage(entry) == nil && moved.CheckPerson(record) == nil {
					t.Errorf("bet %d of %d passes for bet %d", i, n, at)
				}
			}
			for _, count := range []uint32{uint32(n) - 1, uint32(n) + 1, uint32(n) + 16} {
				longer := entry
				longer.Count = count
				if last := r.Index/16 == uint32(n-1)/16; last && r.CheckPage(longer) == nil {
					t.Errorf("bet %d of %d passes for one of %d", i, n, count)
				}
			}
			i++
		}
	}
}

func TestValidLinesOfAnyKindAreHashed(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var b receipt.BatchHasher
	for range 200 {
		line := []byte(fmt.Sprintf("%s,Ñandú,%d,1990-01-01,%04d", strings.Repeat("é", 1+random.IntN(64)), random.IntN(1e9), random.IntN(10000)))
		if _, err := quiniela.Specified.ParseLine(line, 20260101); err != nil {
			t.Fatal(err)
		}
		if err := b.Reset(&secret); err != nil {
			t.Fatal(err)
		}
		if err := b.AddLines(quiniela.Specified, append(line, '\n')); err != nil {
			t.Error(err)
		}
	}
}

func TestNoBetAllocates(t *testing.T) {
	var b receipt.BatchHasher
	if err := b.Reset(&secret); err != nil {
		t.Fatal(err)
	}
	text := lines(1000)
	if err := b.AddLines(quiniela.Specified, text); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { _ = b.AddLines(quiniela.Specified, text) }); n > 0 {
		t.Errorf("%v allocations for 1000 bets", n)
	}
}

func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{10, 150, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := lines(n)
			var batch receipt.BatchHasher
			b.ReportAllocs()
			for b.Loop() {
				if err := batch.Reset(&secret); err != nil {
					b.Fatal(err)
				}
				if err := batch.AddLines(quiniela.Specified, text); err != nil {
					b.Fatal(err)
				}
				batch.Root()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/bet")
		})
	}
}
