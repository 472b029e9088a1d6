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
	buf := append(append(make([]byte, journal.MaxBatchHeader), b.Lines...), b.Plays...)
	return buf[journal.PutBatch(buf, journal.MaxBatchHeader, b):]
}

func batch() *journal.Batch {
	return &journal.Batch{
		Draw: 1, Agency: 2, Batch: 3, Count: 1, Received: 1692806000123456,
		Secret: &[journal.SecretSize]byte{1, 2, 3, 31: 4}, MAC: [32]byte{0xaa, 31: 0xbb}, Lines: []byte("Ana,Paz,1,1990-01-01,7\n"),
	}
}

// The bytes of docs: a change to them breaks every journal there is.
func TestBatchBytes(t *testing.T) {
	want := "4201" + "0000" + "00000002" + "0000000000000001" + "0000000000000003" + "00000001" + "00000017" +
		"000603991c4f9e40" + "010203" + strings.Repeat("00", 28) + "04" + "aa" + strings.Repeat("00", 30) + "bb"
	got := hex.EncodeToString(encodeBatch(batch()))
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, hex.EncodeToString(batch().Lines)) || len(got) != 2*(104+23) {
		t.Fatalf("got  %s\nwant %s…", got, want)
	}
}

func TestEntriesComeBack(t *testing.T) {
	number := quiniela.Number(7574)
	rooted := batch()
	rooted.Root, rooted.MAC = &[journal.HashSize]byte{31: 9}, [32]byte{}
	for _, b := range []*journal.Batch{batch(), rooted} {
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
		journal.NewLog{Key: "a", OldKey: "b", OldSize: 3, OldRoot: []byte{4}, Opened: 5, Again: []uint64{2, 5}, At: 6},
		journal.Open{Draw: 3, ID: "c", Agencies: 5, Source: "notary", Two: true, At: 1},
		journal.Number{Draw: 3, Number: 5, By: []string{"ana", "eva"}, At: 2},
		journal.Entered{Draw: 3, Number: 5, Extract: []byte{2}, Who: "ana", At: 2},
		journal.Act{What: journal.ActOpen, Who: "ana", From: "192.0.2.7", Draw: "c", About: "d", Note: "e", Failed: "f", Registry: "g", Change: 7, At: 8},
	} {
		got, err := journal.Decode(journal.Encode(v))
		if err != nil || !cmp.Equal(got, v) {
			t.Errorf("%T: %v\n%s", v, err, cmp.Diff(v, got))
		}
	}
}

// Who bet is gone, and with it the secret and the MAC, by which somebody with a list of people could find them. The root stays.
func TestAForgottenBatchKeepsItsRoot(t *testing.T) {
	for _, root := range []*[journal.HashSize]byte{nil, {31: 9}} {
		b := batch()
		b.Root = root
		gone := map[string][]byte{"secret": b.Secret[:], "name": []byte("Ana")}
		if b.MAC = [32]byte{}; root == nil {
			b.MAC = journal.MAC(b.Secret, b.Lines)
			gone["MAC"] = b.MAC[:]
		}
		whole := encodeBatch(b)
		entry, err := journal.Forgotten(whole, b.Draw, quiniela.Specified)
		if err != nil {
			t.Fatal(err)
		}
		got, err := journal.Decode(entry)
		want := &journal.Batch{Draw: b.Draw, Agency: b.Agency, Batch: b.Batch, Count: b.Count, Received: b.Received, Root: root, Plays: []byte{0, 7}}
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got))
		}
		if root != nil && !bytes.Contains(entry, root[:]) {
			t.Error("the root is gone")
		}
		for what, gone := range gone {
			if !bytes.Contains(whole, gone) || bytes.Contains(entry, gone) {
				t.Errorf("the %s is in the forgotten batch, or was not in the whole one", what)
			}
		}
		if (journal.Head{}).Next(entry) != (journal.Head{}).Next(whole) {
			t.Error("the chain is another one")
		}
	}
}

// What is to stay stays: nothing is given back for it.
func TestOnlyBatchesOfTheDrawAreForgotten(t *testing.T) {
	forgotten, err := journal.Forgotten(encodeBatch(batch()), 1, quiniela.Specified)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		entry []byte
		draw  uint64
	}{
		"another draw": {encodeBatch(batch()), 2}, "no batch": {journal.Encode(journal.Seal{Draw: 1}), 1}, "forgotten already": {forgotten, 1},
	} {
		if left, err := journal.Forgotten(row.entry, row.draw, quiniela.Specified); left != nil || err != nil {
			t.Errorf("%s: %x, %v", name, left, err)
		}
	}
	if _, err := journal.Forgotten([]byte("B\x01"), 1, quiniela.Specified); err == nil {
		t.Error("a spoiled batch is no error")
	}
}

func TestWhatIsNoEntryIsRefused(t *testing.T) {
	good := encodeBatch(batch())
	flags := bytes.Clone(good)
	flags[3] = 0x80
	for name, data := range map[string][]byte{
		"nothing": nil, "one byte": {'B'}, "no kind": []byte("X\x01"), "a newer version": append([]byte("B\x02"), good[2:]...),
		"a cut batch": good[:len(good)-1], "a longer batch": append(bytes.Clone(good), 'x'), "half a header": good[:39], "a header alone": good[:40], "no MAC": good[:100],
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
	forgotten, err := journal.Forgotten(encodeBatch(batch()), 1, quiniela.Specified)
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
		if b.Plays != nil { // written by Forgotten only
			again = append(again, data[len(data)-16:]...)
		}
		if !bytes.Equal(again, data) {
			t.Fatalf("%x decodes to %+v, which encodes to %x", data, b, again)
		}
	})
}

func batchEntry() ([]byte, *journal.Batch) {
	lines := bytes.Repeat([]byte("Santiago Lionel,Lorca,30904465,1999-03-17,7574\n"), 150)
	return append(make([]byte, journal.MaxBatchHeader), lines...), &journal.Batch{
		Draw: 1, Agency: 5, Batch: 12345, Count: 150, Secret: new([journal.SecretSize]byte), Lines: lines,
	}
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
