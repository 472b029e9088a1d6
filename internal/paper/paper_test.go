package paper_test

import (
	"bytes"
	"crypto/sha256"
	"regexp"
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
