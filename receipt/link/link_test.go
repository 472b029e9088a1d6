package link_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"quiniela/receipt"
	"quiniela/receipt/link"
	"quiniela/verify/verifytest"
)

// made returns a receipt of a small lottery.
func made(t *testing.T) (*receipt.Receipt, []byte) {
	t.Helper()
	lottery, err := verifytest.New(verifytest.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	text := lottery.Files()["receipt.json"]
	r, err := receipt.ParseReceipt(text)
	if err != nil {
		t.Fatal(err)
	}
	return r, text
}

const page = "https://lottery.example/verify"

// A receipt comes out of the address as it went in, but for blank space.
func TestAReceiptInAnAddress(t *testing.T) {
	r, text := made(t)
	address, err := link.To(page, r)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(address, page+"#r=") || strings.Trim(address[len(page+"#r="):], "0123456789") != "" {
		t.Errorf("the address is %s", address)
	}
	found, err := link.Receipt(address)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, text); err != nil || !bytes.Equal(found, want.Bytes()) {
		t.Errorf("%v: it is\n%s\nwant\n%s", err, found, want.Bytes())
	}
	if _, err := receipt.ParseReceipt(found); err != nil {
		t.Error(err)
	}
	t.Logf("%d bytes of JSON are %d digits", len(text), len(address)-len(page+"#r="))
}

// What no QR code could hold is refused, and so is an address that was cut or changed.
func TestAnAddressWithoutAReceipt(t *testing.T) {
	r, _ := made(t)
	whole, err := link.To(page, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		page, page + "#r=", page + "#r=0", page + "#r=1", page + "#r=12345678901234567890", page + "#r=-7", page + "#r=1_000",
		whole[:len(whole)-1], whole[:200], whole + "&x=1", page + "#r=" + strings.Repeat("1", 7090),
	} {
		if text, err := link.Receipt(address); err == nil {
			t.Errorf("%.80s gives %.80q", address, text)
		}
	}
	r.Batch.Proof = make(receipt.InclusionProof, 100)
	for i := range r.Batch.Proof {
		r.Batch.Proof[i] = sha256.Sum256([]byte{byte(i)}) // does not compress
	}
	if address, err := link.To(page, r); !errors.Is(err, link.ErrTooLong) {
		t.Errorf("%v: an address of %d characters", err, len(address))
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add("https://lottery.example/verify#r=1")
	f.Add("#r=4660")
	f.Add("#r=281474976710655")
	f.Fuzz(func(t *testing.T, address string) {
		text, err := link.Receipt(address)
		if err == nil && len(text) > receipt.MaxDocument {
			t.Errorf("%d bytes", len(text))
		}
	})
}
