package proof_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"quiniela/proof"
)

func unhex(t *testing.T, s string) proof.Hash {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != proof.HashSize {
		t.Fatalf("%q: %v", s, err)
	}
	return proof.Hash(b)
}

func want(t *testing.T, what string, got []byte, hexed string) {
	t.Helper()
	if hex.EncodeToString(got) != hexed {
		t.Errorf("%s: %x, want %s", what, got, hexed)
	}
}

// The vectors were reproduced by two independent implementations.
func TestVectors(t *testing.T) {
	var secret [proof.SecretSize]byte
	for i := range secret {
		secret[i] = 0x11
	}
	salts, err := proof.NewSalts(secret)
	if err != nil {
		t.Fatal(err)
	}
	salt := salts.At(0)
	want(t, "salt", salt[:], "aa16fb68f26e90f70713299a9f503c01")
	commit, err := proof.Commit(salt, proof.Person{FirstName: "Santiago Lionel", LastName: "Lorca", Document: "30904465", Birthdate: "1999-03-17"})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "commitment", commit[:], "27ef53c434a9a65f887c4ea97545e19e107406921606baff4b5b8ab429db7ae0")
	r := proof.Record{Number: 7574, Stake: 100, Time: 1692806000123, Commit: commit}
	record := r.Bytes()
	want(t, "record", record[:], "01001d9600000064018a2319adfb27ef53c434a9a65f887c4ea97545e19e107406921606baff4b5b8ab429db7ae0")
	if back, err := proof.ParseRecord(record[:]); err != nil || back != r {
		t.Errorf("record read back as %+v, %v", back, err)
	}
	leaf := proof.Leaf(record[:])
	want(t, "leaf", leaf[:], "76c2f24d53b76c2444966cc39071e52f743ab00e092d730c0f66b11e8a5b3349")
	leaves := []proof.Hash{
		leaf, unhex(t, "edf56fc006a1961c1f05833bc176393330cfef998c61a8cb62aeed1794f0b26c"),
		unhex(t, "5e91e29cc33e463329bb1bbb0a7d666b4270d8aaa0aada565855e4b94adda323"),
	}
	root := proof.Root(slices.Clone(leaves))
	want(t, "batch root", root[:], "8aff60958c0e786ba5b99200f8d8f5a896020622361220dceb41f72fe855a7ad")
	b := proof.Batch{
		Draw: 20230823, Agency: 1, Number: 1, Count: 3, Stake: 450, CumulativeBets: 3, CumulativeStake: 450, Received: 1692806000200000, Root: root,
	}
	entry := b.Bytes()
	want(t, "batch entry", entry[:60], "514e4231000000000134b2a70000000100000000000000010000000300000000000001c2000000000000000300000000000001c2000603991c50c940")
	if back, err := proof.ParseBatch(entry); err != nil || back != b {
		t.Errorf("entry read back as %+v, %v", back, err)
	}
	leaf = proof.Leaf(entry)
	want(t, "log leaf", leaf[:], "399afbc08324f593c1d12bf8c1d12f5e0943f4f6cce20f9ebbed04bf15093def")
}

// The roots and paths are those of an implementation that is not ours.
func TestTreesAreRFC6962(t *testing.T) {
	var all []proof.Hash
	var stored []tlog.Hash
	for n := range 130 {
		data := []byte(fmt.Sprint("bet ", n))
		all = append(all, proof.Leaf(data))
		more, err := tlog.StoredHashes(int64(n), data, tlog.HashReaderFunc(func(is []int64) (h []tlog.Hash, err error) {
			for _, i := range is {
				h = append(h, stored[i])
			}
			return h, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		reader := tlog.HashReaderFunc(func(is []int64) (h []tlog.Hash, err error) {
			for _, i := range is {
				h = append(h, stored[i])
			}
			return h, nil
		})
		wantRoot, err := tlog.TreeHash(int64(n+1), reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := proof.Root(slices.Clone(all)); got != proof.Hash(wantRoot) {
			t.Fatalf("root of %d leaves: %x, want %x", n+1, got, wantRoot)
		}
		for i := range all {
			path := proof.Path(slices.Clone(all), i)
			wantPath, err := tlog.ProveRecord(int64(n+1), int64(i), reader)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(path, wantPath, func(a proof.Hash, b tlog.Hash) bool { return a == proof.Hash(b) }) {
				t.Fatalf("path of leaf %d of %d", i, n+1)
			}
			if root, err := proof.Climb(all[i], uint64(i), uint64(n+1), path); err != nil || root != proof.Hash(wantRoot) {
				t.Fatalf("leaf %d of %d comes to %x, %v", i, n+1, root, err)
			}
		}
	}
}

func TestAWrongPathComesToAnotherRoot(t *testing.T) {
	var leaves []proof.Hash
	for i := range 11 {
		leaves = append(leaves, proof.Leaf(binary.BigEndian.AppendUint32(nil, uint32(i))))
	}
	root := proof.Root(slices.Clone(leaves))
	path := proof.Path(slices.Clone(leaves), 6)
	same := func(leaf proof.Hash, index, count uint64, path []proof.Hash) bool {
		got, err := proof.Climb(leaf, index, count, path)
		return err == nil && got == root
	}
	if !same(leaves[6], 6, 11, path) {
		t.Fatal("the right path is wrong")
	}
	for i := range path {
		for bit := range 8 * proof.HashSize {
			bad := slices.Clone(path)
			bad[i][bit/8] ^= 1 << (bit % 8)
			if same(leaves[6], 6, 11, bad) {
				t.Fatalf("bit %d of hash %d does not matter", bit, i)
			}
		}
	}
	for index := range uint64(12) {
		if index != 6 && same(leaves[6], index, 11, path) {
			t.Errorf("it is also the path of leaf %d", index)
		}
	}
	if same(leaves[6], 6, 11, path[1:]) || same(leaves[6], 6, 11, append(slices.Clone(path), root)) || same(leaves[5], 6, 11, path) {
		t.Error("a path too short, too long, or of another leaf is taken")
	}
}

// Whoever checks must not need the server's code, nor trust it.
func TestProofKnowsNoServer(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "quiniela/proof", "quiniela/draw").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(dep, "quiniela/") && dep != "quiniela/proof" && dep != "quiniela/draw" {
			t.Errorf("imports %s", dep)
		}
	}
}
