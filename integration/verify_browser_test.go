//go:build unix

package integration

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	pages "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// drop drops files on the page, as a person does.
func (b *browser) drop(files map[string]string) {
	b.t.Helper()
	var script strings.Builder
	script.WriteString("(() => { const moved = new DataTransfer();\n")
	for name, text := range files {
		fmt.Fprintf(&script, "moved.items.add(new File([%q], %q));\n", text, name)
	}
	script.WriteString(`document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: moved, bubbles: true, cancelable: true })); return true; })()`)
	result[bool](b, script.String())
}

// steps waits for a verdict, and returns the names of the steps by their state.
func (b *browser) steps(verdict string) map[string][]string {
	b.t.Helper()
	b.until(verdict)
	found := map[string][]string{}
	for _, s := range result[[]string](b, `[...document.querySelectorAll("#steps li")].map((s) => s.className + " " + s.dataset.step)`) {
		state, step, _ := strings.Cut(s, " ")
		found[state] = append(found[state], step)
	}
	return found
}

// A bettor drops a real receipt on the page, and each step turns green. With one byte changed, the right step turns red. The page
// works without a network, and sends nothing.
func TestABettorChecksAReceiptInTheBrowser(t *testing.T) {
	chromium := needBrowser(t)
	l := &lab{t, t.TempDir()}
	l.launch("generate", "--agencies", "1", "--bets", "300", "--out", ".data").wait()
	add := l.launch("agency", "add", "1")
	add.wait()
	token := add.await(`^(\S+)`)
	server := l.launch("server", "--agencies", "1", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "127.0.0.1:0")
	address, page := server.await(`address: (127\S+)`), server.await(`page: (http://\S+)/`)
	l.launch("client", "--id", "1", "--server", address, "--token", token).wait()
	l.launch("client", "receipts", "--id", "1", "--server", address, "--token", token, "--draw", "1", "--batch", "2").wait()
	outcomePath := filepath.Join(l.dir, "data/public/draws/1/outcome.json")
	await(t, "the outcome", func() bool { _, err := os.Stat(outcomePath); return err == nil })
	receipt, outcome := l.read("receipts/2-7.json"), l.read("data/public/draws/1/outcome.json")
	policy := "log " + l.read("data/public/log.vkey") + "quorum none\n"

	b := openBrowser(t, chromium)
	b.language("en")
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(page+"/verify"))
	b.until(`choose the receipt`)
	time.Sleep(500 * time.Millisecond)
	b.mu.Lock()
	loaded := b.all
	b.mu.Unlock()
	b.offline()

	b.drop(map[string]string{"2-7.json": receipt, "policy": policy})
	if s := b.steps(`PROVEN`); len(s["failed"])+len(s["skipped"]) > 0 || len(s["ok"]) != 8 {
		t.Errorf("a good receipt: %v", s)
	}
	b.drop(map[string]string{"outcome.json": outcome})
	b.until(`before the seal`)
	if s := b.steps(`PROVEN`); len(s["failed"])+len(s["skipped"]) > 0 || len(s["ok"]) < 14 {
		t.Errorf("with the outcome: %v", s)
	}
	b.accessible("verify-good")
	b.phone("verify-good")

	at := strings.Index(receipt, `"document":"`) + len(`"document":"`)
	changed := receipt[:at] + string(receipt[at]^1) + receipt[at+1:]
	b.drop(map[string]string{"2-7.json": changed})
	if s := b.steps(`NOT PROVEN`); len(s["failed"]) != 1 || s["failed"][0] != "receipt/commitment" {
		t.Errorf("another document: %v", s)
	}
	b.accessible("verify-bad")
	b.faultless()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all != loaded {
		t.Errorf("%d requests were sent after the page was loaded", b.all-loaded)
	}
}

// verifierScript gives a test the verifier inside the page.
//
//go:embed testdata/verifier.js
var verifierScript string

// The verifier gets real random bytes and the real clock, and no other call of WASI works. It reports in the page's language,
// reads no more of a file than a document may have, and leaves no old verdict on the page when it stops.
func TestTheVerifierInThePage(t *testing.T) {
	chromium := needBrowser(t)
	l := &lab{t, t.TempDir()}
	site := l.launch("server", "--agencies", "1", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "127.0.0.1:0").await(`page: (http://\S+)/`)

	b := openBrowser(t, chromium)
	b.language("es")
	b.do(send(pages.AddScriptToEvaluateOnNewDocument, pages.AddScriptToEvaluateOnNewDocumentParams{Source: verifierScript}))
	b.do(chromedp.Navigate(site + "/verify"))
	b.until(`elija el comprobante`)

	const noSuchCall, noSuchFile = 52, 8
	got := result[struct {
		Random  int     `json:"random"`
		Late    float64 `json:"late"`
		Refused []int   `json:"refused"`
	}](b, `answers()`)
	if got.Random < 200 { // of 256 possible, in 4464 bytes
		t.Errorf("a run of random bytes has only %d different ones", got.Random)
	}
	if got.Late > 1000 {
		t.Errorf("its clock is %g ms away from the page's", got.Late)
	}
	if want := []int{noSuchCall, noSuchCall, noSuchFile, noSuchFile}; !slices.Equal(got.Refused, want) {
		t.Errorf("what it must not have answers %v, want %v", got.Refused, want)
	}

	b.drop(map[string]string{"receipt.json": "{}", "policy": "log " + l.read("data/public/log.vkey") + "quorum none\n"})
	if s := b.steps(`NO ESTÁ PROBADO: falló`); len(s["failed"]) != 1 || s["failed"][0] != "receipt/format" {
		t.Errorf("an empty object: %v", s)
	}
	b.drop(map[string]string{"receipt.json": "{" + strings.Repeat(" ", 300<<10)})
	b.until(`over 262144 bytes`)
	b.faultless()

	result[bool](b, `window.panics = true`)
	b.drop(map[string]string{"receipt.json": "{}"})
	if s := b.steps(`El verificador no se pudo cargar o se detuvo`); len(s) != 0 {
		t.Errorf("the verifier has stopped, and the page still shows %v", s)
	}
	if text := b.text(); strings.Contains(text, "NO ESTÁ PROBADO") {
		t.Errorf("the verifier has stopped, and the page still shows a verdict:\n%s", text)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if said := strings.Join(b.wrong, "\n"); !strings.Contains(said, "panic: runtime error: index out of range [99]") {
		t.Errorf("the console does not say why it stopped:\n%s", said)
	}
}

// offline cuts the page's network.
func (b *browser) offline() {
	b.t.Helper()
	b.do(send(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: true}},
	}))
}
