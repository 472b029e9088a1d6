//go:build unix

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// steps waits for a verdict, and returns the steps by what became of them.
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

// A bettor drops a real receipt on the page: each step turns green; with one byte changed, the right one turns red. Nothing is
// sent anywhere.
func TestABettorChecksAReceiptInTheBrowser(t *testing.T) {
	chromium := needBrowser(t)
	l := &lab{t, t.TempDir()}
	l.launch("generate", "--agencies", "1", "--bets", "300", "--out", ".data").wait()
	server := l.launch("server", "--agencies", "1", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "127.0.0.1:0")
	address, page := server.await(`address: (127\S+)`), server.await(`page: (http://\S+)/`)
	l.launch("client", "--id", "1", "--server", address).wait()
	l.launch("client", "receipts", "--id", "1", "--server", address, "--draw", "1", "--batch", "2").wait()
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
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all != loaded {
		t.Errorf("%d requests were sent after the page was loaded", b.all-loaded)
	}
	if len(b.wrong) > 0 || len(b.others) > 0 {
		t.Errorf("errors: %q; requests to other hosts: %q", b.wrong, b.others)
	}
}
