package receipt_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"quiniela"
	"quiniela/receipt"
	"quiniela/tlog"
)

// Whatever is taken for one of these documents is what would be written.

func FuzzParseTotals(f *testing.F) {
	good, err := receipt.EncodeTotals(totals())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("0 1 1 0 unattributed\n1 2 3 4 missing\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		totals, err := receipt.ParseTotals(data)
		if err != nil {
			return
		}
		if again, err := receipt.EncodeTotals(totals); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is written as %q, %v", data, again, err)
		}
	})
}

func someBundle(t testing.TB) []byte {
	t.Helper()
	var bundle []byte
	for n := range uint64(3) {
		text := lines(int(n) + 1)
		records, root, err := receipt.Records(quiniela.Specified, &secret, text)
		if err != nil {
			t.Fatal(err)
		}
		e := receipt.BatchEntry{Draw: 1, Agency: 2, Batch: n + 1, Count: uint32(n) + 1, CumulativeBets: (n + 1) * (n + 2) / 2, Root: root}.Encode()
		bundle = receipt.AppendBundled(bundle, 10+n, e[:], records)
	}
	return bundle
}

func TestABundle(t *testing.T) {
	bundle := someBundle(t)
	seen := uint64(0)
	err := receipt.ReadBundle(bundle, func(b receipt.Bundled) error {
		public, err := receipt.ReadRecords(b.Records, nil)
		if err := errors.Join(err, public.Check(b.Entry)); err != nil || b.Index != 10+seen || b.Entry.Batch != seen+1 {
			t.Errorf("batch %d: %+v, %v", seen, b, err)
		}
		seen++
		return nil
	})
	if err != nil || seen != 3 {
		t.Errorf("%d batches, %v", seen, err)
	}
	for i := range bundle {
		err := receipt.ReadBundle(bundle[:i:i], func(receipt.Bundled) error { return nil })
		var malformed *receipt.MalformedError
		whole := i == 0 || i == 8+92+48 || i == 2*(8+92)+3*48
		if (err == nil) != whole || err != nil && !errors.As(err, &malformed) {
			t.Errorf("%d bytes of a bundle: %v", i, err)
		}
	}
	var long []byte
	one := bundle[:8+92+48]
	for range receipt.BundleBatches + 1 {
		long = append(long, one...)
	}
	if err := receipt.ReadBundle(long, func(receipt.Bundled) error { return nil }); err == nil {
		t.Error("a bundle of 257 batches is read")
	}
}

func FuzzReadBundle(f *testing.F) {
	f.Add(someBundle(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		err := receipt.ReadBundle(data, func(b receipt.Bundled) error {
			again = receipt.AppendBundled(again, b.Index, b.Bytes, b.Records)
			return nil
		})
		if err == nil && !bytes.Equal(again, data) {
			t.Errorf("%x is written as %x", data, again)
		}
	})
}

func someProofs() []byte {
	head := receipt.ProofsHead{Draw: "night", Agency: 7, Checkpoint: []byte("o\n1\nAAAA\n")}
	one := receipt.BatchProof{Logged: receipt.Logged{Entry: []byte{1, 2}, Index: 5, Proof: []tlog.Hash{{1}, {2}}}, Secret: secret}
	two := receipt.BatchProof{Logged: receipt.Logged{Entry: []byte{3}, Index: 6}, Secret: secret}
	return two.Append(one.Append(head.Append(nil)))
}

func TestAFileOfProofs(t *testing.T) {
	p, err := receipt.ReadProofs(bytes.NewReader(someProofs()))
	if err != nil || p.Draw != "night" || p.Agency != 7 || string(p.Checkpoint) != "o\n1\nAAAA\n" {
		t.Fatalf("%+v, %v", p, err)
	}
	one, err := p.Next()
	if err != nil || one.Index != 5 || len(one.Proof) != 2 || one.Secret != secret {
		t.Errorf("%+v, %v", one, err)
	}
	two, err := p.Next()
	if err != nil || two.Index != 6 || len(two.Proof) != 0 {
		t.Errorf("%+v, %v", two, err)
	}
	if _, err := p.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last: %v", err)
	}
	for _, bad := range []string{"", "x", "quiniela/v2/proofs|night|7", "quiniela/v1/proofs|night|7\nAA==\n", "quiniela/v2/proofs|../x|7\nAA==\n", "quiniela/v2/proofs|night|x\nAA==\n",
		"quiniela/v2/proofs|night|7|8\nAA==\n", "quiniela/v2/proofs|night|7\nA\n", "quiniela/v2/proofs|night|7\nAA==", "quiniela/v2/proofs|night|7\r\nAA==\n", "quiniela/v2/proofs|night|007\nAA==\n"} {
		var malformed *receipt.MalformedError
		if _, err := receipt.ReadProofs(bytes.NewReader([]byte(bad))); !errors.As(err, &malformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzReadProofs(f *testing.F) {
	f.Add(someProofs())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := receipt.ReadProofs(bytes.NewReader(data))
		if err != nil {
			return
		}
		if quiniela.CheckDrawID(p.Draw) != nil {
			t.Errorf("a draw named %q", p.Draw)
		}
		for range 100 {
			b, err := p.Next()
			if err != nil {
				return
			}
			line := b.Append(nil)
			if again, err := receipt.ParseBatchProof(line[:len(line)-1]); err != nil || !bytes.Equal(again.Append(nil), line) {
				t.Errorf("%q is read again as %+v, %v", line, again, err)
			}
		}
	})
}

func FuzzParseEvidence(f *testing.F) {
	for _, e := range []*receipt.Evidence{
		receipt.NewTwoLogs(5, receipt.Shown{Checkpoint: "a"}, receipt.Shown{Checkpoint: "b", Leaf: receipt.Hex{1}, Proof: []tlog.Hash{{1}}}),
		receipt.NewLateBatch(receipt.Logged{Entry: receipt.Hex{1}}, []byte("a"), receipt.Logged{Entry: receipt.Hex{2}, Index: 3}, []byte("b")),
	} {
		text, err := e.Encode()
		if err != nil {
			f.Fatal(err)
		}
		if _, err := receipt.ParseEvidence(text); err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := receipt.ParseEvidence(data)
		if err != nil {
			return
		}
		again, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var want, have bytes.Buffer
		if json.Compact(&want, again) != nil || json.Compact(&have, data) != nil || !bytes.Equal(want.Bytes(), have.Bytes()) {
			t.Errorf("%q is taken for %q", data, again)
		}
	})
}
