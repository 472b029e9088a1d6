package receipt_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// What VERIFIABLE.md's vectors are made of.
var (
	secret = [receipt.SecretSize]byte(bytes.Repeat([]byte{0x11}, 32))
	play   = receipt.Play{Game: 0, Stake: 100, Time: 1692806000123}
	lorca  = receipt.Person{FirstName: "Santiago Lionel", LastName: "Lorca", Document: "30904465", Birthdate: "1999-03-17"}
)

const lorcasLine = "Santiago Lionel,Lorca,30904465,1999-03-17,7574\n"

func TestTheVectorsCommitment(t *testing.T) {
	salt := [16]byte(unhex(t, "aa16fb68f26e90f70713299a9f503c01"))
	commit, err := lorca.Commit(salt)
	if want := hash(t, "27ef53c434a9a65f887c4ea97545e19e107406921606baff4b5b8ab429db7ae0"); err != nil || commit != want {
		t.Errorf("commitment %x, %v; want %x", commit[:], err, want[:])
	}
	r := receipt.Record{Play: play, Number: 7574, Commit: commit}
	b := r.Encode()
	want := "01001d9600000064018a2319adfb27ef53c434a9a65f887c4ea97545e19e107406921606baff4b5b8ab429db7ae0"
	if got := hex.EncodeToString(b[:]); got != want {
		t.Errorf("record %s\n  want %s", got, want)
	}
	if got := tlog.LeafHash(b[:]); got != hash(t, "76c2f24d53b76c2444966cc39071e52f743ab00e092d730c0f66b11e8a5b3349") {
		t.Errorf("leaf %x", got[:])
	}
	back, err := receipt.ParseRecord(b[:])
	if err != nil || back != r {
		t.Errorf("read back as %v, %v", back, err)
	}
	kept, err := receipt.KeepLeaves(&secret, play, []byte(lorcasLine))
	if err != nil || !bytes.Equal(kept.Records(), b[:]) || kept.Root() != tlog.LeafHash(b[:]) || kept.Count() != 1 {
		t.Errorf("from its line: %v, %x", err, kept.Records())
	}
}

func TestTheVectorsBatchRoot(t *testing.T) {
	leaves := []tlog.Hash{
		hash(t, "76c2f24d53b76c2444966cc39071e52f743ab00e092d730c0f66b11e8a5b3349"),
		hash(t, "edf56fc006a1961c1f05833bc176393330cfef998c61a8cb62aeed1794f0b26c"),
		hash(t, "5e91e29cc33e463329bb1bbb0a7d666b4270d8aaa0aada565855e4b94adda323"),
	}
	if got := treeHash(leaves); got != hash(t, "8aff60958c0e786ba5b99200f8d8f5a896020622361220dceb41f72fe855a7ad") {
		t.Errorf("batch root %x", got[:])
	}
}

func treeHash(leaves []tlog.Hash) tlog.Hash {
	var tree tlog.CompactRange
	for _, leaf := range leaves {
		tree.Add(leaf)
	}
	return tree.Root()
}

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
	for at := 0; at < len(records); at += receipt.RecordSize {
		leaves = append(leaves, sumdb.RecordHash(records[at:at+receipt.RecordSize]))
	}
	return leaves
}

func TestBatchRootsAreRFC6962s(t *testing.T) {
	var b receipt.BatchHasher
	for n := range 70 {
		text := lines(n)
		if err := b.Reset(&secret, play); err != nil {
			t.Fatal(err)
		}
		if err := b.AddLines(text); err != nil {
			t.Fatal(err)
		}
		kept, err := receipt.KeepLeaves(&secret, play, text)
		if err != nil {
			t.Fatal(err)
		}
		want, read := reference(t, leavesOf(kept.Records()))
		public, count, err := receipt.RecordsRoot(kept.Records())
		if b.Root() != want || kept.Root() != want || public != want || err != nil || count != n || kept.Count() != n {
			t.Fatalf("%d bets: streamed %v, kept %v, public %v (%d, %v), want %v", n, b.Root(), kept.Root(), public, count, err, want)
		}
		if b.Count() != uint32(n) || b.Stake() != uint64(100*n) {
			t.Errorf("%d bets counted as %d of %d together", n, b.Count(), b.Stake())
		}
		for i := range n {
			path, err := kept.InclusionProof(i)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := sumdb.ProveRecord(int64(n), int64(i), read)
			if err != nil || !cmp.Equal([]tlog.Hash(theirs), path) && len(path) > 0 {
				t.Errorf("path of %d in %d: %v, want %v (%v)", i, n, path, theirs, err)
			}
		}
	}
}

func TestARootInTheMiddleIsTheRootSoFar(t *testing.T) {
	var b receipt.BatchHasher
	if err := b.Reset(&secret, play); err != nil {
		t.Fatal(err)
	}
	for n, line := range bytes.SplitAfter(lines(33), []byte("\n"))[:33] {
		if err := b.Add(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			t.Fatal(err)
		}
		kept, err := receipt.KeepLeaves(&secret, play, lines(n+1))
		if err != nil || kept.Root() != b.Root() {
			t.Errorf("after %d bets: %v", n+1, err)
		}
	}
}

// Each thing a leaf stands for must move the root, and the bets' order too.
func TestEveryPartOfABetCounts(t *testing.T) {
	base, err := receipt.KeepLeaves(&secret, play, []byte(lorcasLine))
	if err != nil {
		t.Fatal(err)
	}
	other := secret
	other[31] ^= 1
	game, stake, later := play, play, play
	game.Game, stake.Stake, later.Time = 1, 101, play.Time+1
	for name, c := range map[string]struct {
		secret [32]byte
		play   receipt.Play
		line   string
	}{
		"secret":        {other, play, lorcasLine},
		"game":          {secret, game, lorcasLine},
		"stake":         {secret, stake, lorcasLine},
		"time":          {secret, later, lorcasLine},
		"number":        {secret, play, strings.Replace(lorcasLine, "7574", "7575", 1)},
		"name":          {secret, play, strings.Replace(lorcasLine, "Lorca", "Lorcb", 1)},
		"document":      {secret, play, strings.Replace(lorcasLine, "30904465", "30904466", 1)},
		"birthdate":     {secret, play, strings.Replace(lorcasLine, "1999", "1998", 1)},
		"where it ends": {secret, play, strings.Replace(lorcasLine, "Lionel,Lorca", "Lione,lLorca", 1)},
		"a second bet":  {secret, play, lorcasLine + lorcasLine},
	} {
		got, err := receipt.KeepLeaves(&c.secret, c.play, []byte(c.line))
		if err != nil || got.Root() == base.Root() {
			t.Errorf("%s does not count: %v", name, err)
		}
	}
	zeros, err := receipt.KeepLeaves(&secret, play, []byte(strings.Replace(lorcasLine, "7574", "0007574", 1)))
	if err != nil || zeros.Root() != base.Root() {
		t.Errorf("leading zeros make another number: %v", err)
	}
}

func TestWhatHasNoCommitmentIsRefused(t *testing.T) {
	long := strings.Repeat("\U0001F340", 64) // 64 characters, as a name may have, in 256 bytes
	for name, line := range map[string]string{
		"a long field":     long + ",Lorca,1,1999-03-17,1",
		"too few fields":   "a,b,1,1999-03-17",
		"too many fields":  "a,b,c,1,1999-03-17,1",
		"no number":        "a,b,1,1999-03-17,",
		"no digits":        "a,b,1,1999-03-17,7x",
		"too large":        "a,b,1,1999-03-17,10000",
		"too many digits":  "a,b,1,1999-03-17,0000000001",
		"empty":            "",
		"number overflows": "a,b,1,1999-03-17,42949672960",
	} {
		var b receipt.BatchHasher
		if err := b.Reset(&secret, play); err != nil {
			t.Fatal(err)
		}
		if err := b.Add([]byte(line)); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := receipt.KeepLeaves(&secret, play, []byte(line+"\n")); err == nil {
			t.Errorf("%s: kept", name)
		}
	}
	if _, err := (receipt.Person{FirstName: long}).Commit([16]byte{}); err == nil {
		t.Error("a person whose name is too long is committed to")
	}
	if err := new(receipt.BatchHasher).Add([]byte("a,b,1,1999-03-17,1")); err == nil {
		t.Error("a bet is accepted before Reset")
	}
	if err := new(receipt.BatchHasher).Reset(&secret, receipt.Play{Time: 1 << 48}); err == nil {
		t.Error("a time of 49 bits is accepted")
	}
	kept, _ := receipt.KeepLeaves(&secret, play, lines(3))
	for _, i := range []int{-1, 3} {
		if _, err := kept.InclusionProof(i); err == nil {
			t.Errorf("bet %d of 3 has a path", i)
		}
	}
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	r := receipt.Record{Play: play, Number: 9999}.Encode()
	over := r
	over[3]++
	version := r
	version[0] = 2
	for name, b := range map[string][]byte{"cut": r[:45], "longer": append(r[:46:46], 0), "nothing": nil, "number": over[:], "version": version[:]} {
		if _, err := receipt.ParseRecord(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, _, err := receipt.RecordsRoot(append(r[:46:46], b...)); err == nil && name != "nothing" {
			t.Errorf("%s: has a root", name)
		}
	}
}

func TestValidLinesOfAnyKindAreHashed(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var b receipt.BatchHasher
	for range 200 {
		line := []byte(fmt.Sprintf("%s,Ñandú,%d,1990-01-01,%04d", strings.Repeat("é", 1+random.IntN(64)), random.IntN(1e9), random.IntN(10000)))
		if _, err := quiniela.ParseLine(line, 20260101); err != nil {
			t.Fatal(err)
		}
		if err := b.Reset(&secret, play); err != nil {
			t.Fatal(err)
		}
		if err := b.Add(line); err != nil {
			t.Error(err)
		}
	}
}

func TestNoBetAllocates(t *testing.T) {
	var b receipt.BatchHasher
	if err := b.Reset(&secret, play); err != nil {
		t.Fatal(err)
	}
	text := lines(1000)
	if err := b.AddLines(text); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { _ = b.AddLines(text) }); n > 0 {
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
				if err := batch.Reset(&secret, play); err != nil {
					b.Fatal(err)
				}
				if err := batch.AddLines(text); err != nil {
					b.Fatal(err)
				}
				batch.Root()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/bet")
		})
	}
}
