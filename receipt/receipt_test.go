package receipt_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"quiniela/receipt"
)

// example is a receipt whose parts are well-formed, and prove nothing.
func example(t testing.TB) []byte {
	t.Helper()
	lines := []byte("Santiago Lionel,Lorca,30904465,1999-03-17,7574\nAna,Paz,1,1990-01-01,7\n")
	bets, err := receipt.KeepLeaves(nil, &[32]byte{1}, lines)
	if err != nil {
		t.Fatal(err)
	}
	entry := receipt.BatchEntry{Draw: 1, Agency: 1, Batch: 1, Count: 2, CumulativeBets: 2, Root: bets.Root()}
	who := receipt.Person{FirstName: "Ana", LastName: "Paz", Document: "1", Birthdate: "1990-01-01"}
	encoded := entry.Encode()
	r, err := receipt.New("d", bets, 1, who, receipt.Logged{Entry: encoded[:]}, []byte("o\n1\n\n— o AAAA\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whatever is taken for a receipt is what would be written, but for blank space between its parts.
func FuzzParseReceipt(f *testing.F) {
	f.Add(example(f))
	f.Add([]byte("{}"))
	f.Add([]byte(`{"format":"quiniela/v2/receipt"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := receipt.ParseReceipt(data)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var want, have bytes.Buffer
		if json.Compact(&want, again) != nil || json.Compact(&have, data) != nil || !bytes.Equal(want.Bytes(), have.Bytes()) {
			t.Errorf("%q is taken for %q", data, again)
		}
	})
}

func TestAReceiptIsForItsPersonOnly(t *testing.T) {
	bets, err := receipt.KeepLeaves(nil, &[32]byte{1}, []byte("Ana,Paz,1,1990-01-01,7\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.New("d", bets, 0, receipt.Person{FirstName: "Eva", LastName: "Paz", Document: "1", Birthdate: "1990-01-01"}, receipt.Logged{}, nil); err == nil {
		t.Error("a receipt of somebody else's bet")
	}
	if _, err := receipt.New("d", bets, 1, receipt.Person{}, receipt.Logged{}, nil); err == nil {
		t.Error("a receipt of a bet that is not there")
	}
}
