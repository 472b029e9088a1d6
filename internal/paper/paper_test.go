package paper_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"quiniela/internal/paper"
	"quiniela/receipt"
	"quiniela/verify/verifytest"
)

// printed prints receipts, and returns the file.
func printed(t *testing.T, o paper.Options, all ...*receipt.Receipt) string {
	t.Helper()
	var out bytes.Buffer
	s, err := paper.New(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if err := s.Add("receipt-8.json", r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func made(t *testing.T) *receipt.Receipt {
	t.Helper()
	lottery, err := verifytest.New(verifytest.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := receipt.ParseReceipt(lottery.Files()["receipt.json"])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var options = paper.Options{Paper: "80mm", Site: "https://lottery.example/", Lang: "es"}

// The paper says what was played, by whom and where to check it. A name is shown as text, whatever is in it.
func TestAReceiptOnPaper(t *testing.T) {
	r, other := made(t), made(t)
	other.LastName = "<script>Paz</script>"
	text := printed(t, options, r, other)
	for _, want := range []string{
		`<dd class="number">1248</dd>`, "Santiago Lionel Lorca", "30904465", "lote 1, apuesta 1", "no publique una foto", "lottery.example/resultados/2023-08-23-T",
		"&lt;script&gt;Paz&lt;/script&gt;", "size: 80mm 160mm", "</html>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it has no %s", want)
		}
	}
	if n := strings.Count(text, "<article>"); n != 2 {
		t.Errorf("%d pages", n)
	}
	if found := regexp.MustCompile(`(href|\bsrc)=|url\(|<script`).FindString(text); found != "" {
		t.Errorf("it asks for something else: %s", found)
	}
	english := printed(t, paper.Options{Paper: "a6", Site: "https://lottery.example", Lang: "en"}, r)
	if !strings.Contains(english, "Receipt of a bet") || !strings.Contains(english, "size: 105mm 148mm") {
		t.Errorf("in English on A6:\n%.900s", english)
	}
}

// Receipts of great draws, with the cosignatures of some witnesses, fit into a code whose squares have at least three dots of the printer.
func TestReceiptsOfGreatDrawsFit(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for _, row := range []struct{ entries, hashes, witnesses int }{{100, 7, 1}, {100_000, 17, 3}, {10_000_000, 24, 3}} {
		r := made(t)
		r.Draw = "2026-11-24-nocturna"
		page := bytes.Clone(r.Page[:48]) // a record: a play of 16 bytes, and its commitment
		r.Page = nil
		for range 16 {
			_, _ = random.Read(page[16:])
			r.Page = append(r.Page, page...)
		}
		hashes := func(n int) (all receipt.InclusionProof) {
			for range n {
				var h [32]byte
				_, _ = random.Read(h[:])
				all = append(all, h)
			}
			return all
		}
		r.Proof, r.Batch.Proof, r.Batch.Index = hashes(4), hashes(row.hashes), uint64(row.entries-1)
		for i := range row.witnesses {
			signature := make([]byte, 76)
			_, _ = random.Read(signature)
			r.Checkpoint += fmt.Sprintf("— witness%d.example %s\n", i, base64.StdEncoding.EncodeToString(signature))
		}
		text := printed(t, options, r)
		code := regexp.MustCompile(`width="([0-9.]+)mm" [^>]*viewBox="0 0 (\d+)`).FindStringSubmatch(text)
		if code == nil || !strings.Contains(text, "no publique una foto") {
			t.Fatalf("a log of %d entries, %d witnesses: the receipt is not in the code:\n%.2000s", row.entries, row.witnesses, text)
		}
		width, _ := strconv.ParseFloat(code[1], 64)
		side, _ := strconv.ParseFloat(code[2], 64)
		if width > 72 || width/side < 3./8 {
			t.Errorf("a log of %d entries: a code of %v mm for %v squares", row.entries, width, side)
		}
		t.Logf("a log of %d entries, %d witnesses: %v squares in %v mm", row.entries, row.witnesses, side, width)
	}
}

// A receipt that no code can hold is not cut: its code opens the page of the check, and the paper asks for the file.
func TestAReceiptThatDoesNotFit(t *testing.T) {
	r := made(t)
	r.Batch.Proof = make(receipt.InclusionProof, 100)
	for i := range r.Batch.Proof {
		r.Batch.Proof[i] = sha256.Sum256([]byte{byte(i)}) // does not compress
	}
	text := printed(t, options, r)
	if !strings.Contains(text, "El comprobante entero no entra en el código") || !strings.Contains(text, "<strong>receipt-8.json</strong>") || !strings.Contains(text, `viewBox="0 0 37 37"`) {
		t.Errorf("a receipt that is too long:\n%.3000s", text)
	}
	if strings.Contains(text, "no publique una foto") {
		t.Error("it says that the code has the bettor's name")
	}
}

func TestWrongOptions(t *testing.T) {
	for _, o := range []paper.Options{
		{Paper: "80mm", Site: "lottery.example"}, {Paper: "80mm"}, {Paper: "80mm", Site: "https://lottery.example/?x=1"}, {Paper: "80mm", Site: "https://a:b@lottery.example"},
		{Paper: "80mm", Site: "ftp://lottery.example"}, {Paper: "b5", Site: "https://lottery.example"},
	} {
		if _, err := paper.New(new(bytes.Buffer), o); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
