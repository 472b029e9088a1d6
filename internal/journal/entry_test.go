package journal_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/internal/journal"
)

func encodeBatch(b *journal.Batch) []byte {
	buf := append(make([]byte, journal.MaxBatchHeader), b.Lines...)
	return buf[journal.PutBatch(buf, journal.MaxBatchHeader, b):]
}

func batch() *journal.Batch {
	return &journal.Batch{Draw: 1, Agency: 2, Batch: 3, Count: 1, Received: 1692806000123456, Hash: [32]byte{0xaa, 31: 0xbb}, Lines: []byte("Ana,Paz,1,1990-01-01,7\n")}
}

// The bytes of docs: a change to them breaks every journal there is.
func TestBatchBytes(t *testing.T) {
	want := "4201" + "0000" + "00000002" + "0000000000000001" + "0000000000000003" + "00000001" + "00000017" +
		"000603991c4f9e40" + "aa" + strings.Repeat("00", 30) + "bb"
	got := hex.EncodeToString(encodeBatch(batch()))
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, hex.EncodeToString(batch().Lines)) || len(got) != 2*(72+23) {
		t.Fatalf("got  %s\nwant %s…", got, want)
	}
}

func TestEntriesComeBack(t *testing.T) {
	number := quiniela.Number(7574)
	secret := batch()
	secret.Secret = &[journal.SecretSize]byte{1, 2, 3}
	rooted := batch()
	rooted.Root = &[journal.HashSize]byte{31: 9}
	both := batch()
	both.Secret, both.Root = secret.Secret, rooted.Root
	for _, b := range []*journal.Batch{batch(), secret, rooted, both} {
		got, err := journal.Decode(encodeBatch(b))
		if err != nil || !cmp.Equal(got, b) {
			t.Errorf("%v\n%s", err, cmp.Diff(b, got))
		}
	}
	for _, v := range []any{
		journal.Open{Draw: 1, ID: "2026-01-31", Agencies: 5, Source: "fixed", Number: &number, At: 1},
		journal.Open{Draw: 2, ID: "b", Agencies: 5, Source: "beacon", Chain: []byte{1}, Round: 1000, Public: true, At: 1},
		journal.Number{Draw: 2, Number: 5, Signature: []byte{1}, Extract: []byte{2}, At: 2},
		journal.Finish{Draw: 1, Agency: 5, Batches: 9, At: 2},
		journal.Seal{Draw: 1, Batches: 9, Bets: 900, At: 3},
		journal.Result{Draw: 1, Number: 7574, Winners: 2, Digest: []byte{1, 2}, At: 4},
	} {
		got, err := journal.Decode(journal.Encode(v))
		if err != nil || !cmp.Equal(got, v) {
			t.Errorf("%T: %v\n%s", v, err, cmp.Diff(v, got))
		}
	}
}

// Who bet is gone, and the secret with it; the root stays.
func TestAForgottenBatchKeepsItsRoot(t *testing.T) {
	b := batch()
	b.Secret, b.Root = &[journal.SecretSize]byte{1, 2, 3}, &[journal.HashSize]byte{31: 9}
	entry, err := journal.Forgotten(encodeBatch(b))
	if err != nil {
		t.Fatal(err)
	}
	v, err := journal.Decode(entry)
	got, ok := v.(*journal.Batch)
	if err != nil || !ok || got.Secret != nil || got.Lines != nil || *got.Root != *b.Root || !bytes.Equal(got.Numbers, []byte{0, 7}) || got.Hash != b.Hash {
		t.Errorf("%+v, %v", v, err)
	}
	if bytes.Contains(entry, b.Secret[:3]) || bytes.Contains(entry, []byte("Ana")) {
		t.Error("the entry still has what is to be forgotten")
	}
}

func TestWhatIsNoEntryIsRefused(t *testing.T) {
	good := encodeBatch(batch())
	flags := bytes.Clone(good)
	flags[3] = 0x80
	for name, data := range map[string][]byte{
		"nothing": nil, "one byte": {'B'}, "no kind": []byte("X\x01"), "a newer version": append([]byte("B\x02"), good[2:]...),
		"a cut batch": good[:len(good)-1], "a longer batch": append(bytes.Clone(good), 'x'), "a header alone": good[:40],
		"unknown flags": flags, "an unknown field": []byte("F\x01{\"draw\":1,\"late\":true}"), "text behind": []byte("F\x01{\"draw\":1}{}"),
		"no text": []byte("S\x01"),
	} {
		if v, err := journal.Decode(data); err == nil {
			t.Errorf("%s decodes to %+v", name, v)
		}
	}
}

// A batch that decodes is exactly what encoding it again gives.
func FuzzDecode(f *testing.F) {
	f.Add(encodeBatch(batch()))
	f.Add(journal.Encode(journal.Seal{Draw: 1}))
	f.Add([]byte("B\x01"))
	forgotten, err := journal.Forgotten(encodeBatch(batch()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(forgotten)
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := journal.Decode(bytes.Clone(data))
		if err != nil {
			return
		}
		b, ok := v.(*journal.Batch)
		if !ok {
			return
		}
		again := encodeBatch(b)
		if b.Numbers != nil { // written by Forgotten only
			again = encodeBatch(&journal.Batch{Draw: b.Draw, Agency: b.Agency, Batch: b.Batch, Count: b.Count, Received: b.Received, Hash: b.Hash, Root: b.Root, Lines: b.Numbers})
			again[3] |= data[3] & 2
			again = append(again, data[len(data)-16:]...)
		}
		if !bytes.Equal(again, data) {
			t.Fatalf("%x decodes to %+v, which encodes to %x", data, b, again)
		}
	})
}

func batchEntry() ([]byte, *journal.Batch) {
	lines := bytes.Repeat([]byte("Santiago Lionel,Lorca,30904465,1999-03-17,7574\n"), 150)
	return append(make([]byte, journal.MaxBatchHeader), lines...), &journal.Batch{Draw: 1, Agency: 5, Batch: 12345, Count: 150, Lines: lines}
}

func BenchmarkPutBatch(b *testing.B) {
	buf, batch := batchEntry()
	b.ReportAllocs()
	for b.Loop() {
		journal.PutBatch(buf, journal.MaxBatchHeader, batch)
	}
}

func BenchmarkDecodeBatch(b *testing.B) {
	buf, batch := batchEntry()
	entry := buf[journal.PutBatch(buf, journal.MaxBatchHeader, batch):]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := journal.Decode(entry); err != nil {
			b.Fatal(err)
		}
	}
}
