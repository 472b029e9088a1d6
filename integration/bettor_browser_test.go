//go:build unix

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	chrome "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	pages "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// needScanner skips the test where there is no reader of QR codes that is not of this module's libraries: zbarimg, Debian's package zbar-tools.
func needScanner(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("zbarimg"); err != nil {
		skipOrFail(t, "QUINIELA_REQUIRE_BROWSER", "no zbarimg here, which reads QR codes: install Debian's package zbar-tools")
	}
}

// scan takes a picture of what is in the window, and returns the text of the one QR code in it.
func (b *browser) scan(l *lab) string {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	l.write("scanned.png", string(picture))
	out, err := exec.Command("zbarimg", "--quiet", "--raw", filepath.Join(l.dir, "scanned.png")).Output()
	if err != nil {
		b.t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// shop is a draw that a witness has seen, with a bet of an agency's file that won, and its receipt on paper.
type shop struct {
	*lab
	page, key   string
	number, who string // of the bet, and its document
}

const nocturna = "2026-11-24-nocturna"

func openShop(t *testing.T) shop {
	l := &lab{t, t.TempDir()}
	l.launch("generate", "--agencies", "1", "--bets", "300", "--out", ".data").wait()
	bet := strings.Split(strings.TrimSpace(strings.Split(l.read(".data/agency-1.csv"), "\n")[156]), ",")
	add := l.launch("agency", "add", "1")
	add.wait()
	token := add.await(`^(\S+)`)
	made := l.launch("init", "--origin", "lottery.example/log")
	made.wait()
	key := made.await(`(?m)^(lottery.example/log\+\S+)$`)
	seen := l.launch("witness", "--dir", "w", "--addr", "127.0.0.1:0", "--name", "escribania.example", "--log", key)
	witness := "http://" + seen.await(`address: (127\S+)`) + "=" + seen.await(`key: (\S+)`)
	server := l.launch("server", "--agencies", "9", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "127.0.0.1:0", "--witness", witness)
	address, page := server.address(), server.await(`page: (http://\S+)/`)
	l.launch("draw", "open", nocturna, "--agencies", "1", "--source", "fixed", "--number", bet[4]).wait()
	l.launch("client", "--id", "1", "--server", address, "--token", token, "--draw", nocturna, "--proofs", "kept/proofs").wait()
	if t.Failed() {
		t.FailNow()
	}
	await(t, "the outcome", func() bool {
		_, err := os.Stat(filepath.Join(l.dir, "data/public/draws", nocturna, "outcome.json"))
		return err == nil
	})
	return shop{l, page, key, bet[4], bet[2]}
}

// printed prints a receipt for the shop's own page, and opens it as a printer of 203 dots an inch draws it.
func (b *browser) printed(s shop, paper string) {
	b.t.Helper()
	s.launch("client", "receipts", "--file", ".data/agency-1.csv", "--proofs", "kept/proofs", "--line", "157", "--print", paper, "--site", s.page).wait()
	b.do(chromedp.EmulateViewport(480, 700, chromedp.EmulateScale(203.2/96)), chromedp.Navigate("file://"+filepath.Join(s.dir, "receipts/receipts.html")))
	b.until(`Comprobante de apuesta`)
}

var pageCount = regexp.MustCompile(`/Type /Pages[^>]*/Count (\d+)|/Count (\d+)[^>]*/Type /Pages`)

// onPaper prints what is in the window, and checks that it takes one page of the paper.
func (b *browser) onPaper(box string) {
	b.t.Helper()
	yes := true
	pdf, err := chromedp.Run(b.ctx, chromedp.Action[pages.PrintToPDFResult](func(ctx context.Context, t *chromedp.Target) (pages.PrintToPDFResult, error) {
		return cdp.Call(ctx, t, pages.PrintToPDF, pages.PrintToPDFParams{PreferCSSPageSize: &yes})
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	count := pageCount.FindSubmatch(pdf.Data)
	if count == nil || string(count[1])+string(count[2]) != "1" || !bytes.Contains(pdf.Data, []byte(box)) {
		b.t.Errorf("printed, it takes %q pages; want one of %s", count, box)
	}
}

// A bettor has the paper of an agency and a phone. The code on it opens the check, which says that the bet won, without a click. The receipt
// is sent to nobody and does not stay in the address. A scan that is not whole is said to be so.
func TestABettorScansAReceiptWithAPhone(t *testing.T) {
	chromium := needBrowser(t)
	needScanner(t)
	s := openShop(t)
	b := openBrowser(t, chromium)
	b.language("es-AR")
	address := ""
	for paper, box := range map[string]string{"80mm": "[0 0 227", "a6": "[0 0 298"} {
		b.printed(s, paper)
		b.until(nocturna)
		b.until(s.number)
		if address = b.scan(s.lab); !strings.HasPrefix(address, s.page+"/verify#r=") {
			t.Fatalf("the code on %s says %.90q", paper, address)
		}
		b.picture("receipt-" + paper)
		b.onPaper(box)
	}
	t.Logf("the code has %d characters", len(address))

	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile), chromedp.Navigate("about:blank"), chromedp.Navigate(address))
	b.verdict(`^PROBADO, PERO DE LA HORA .* es la apuesta 7 del lote 2 de la agencia 1 .*GANÓ`, byOperator)
	b.until(`código QR: comprobante`)
	if at := result[string](b, `location.href`); at != s.page+"/verify" {
		t.Errorf("the receipt stays in the address: %s", at)
	}
	if top := result[float64](b, `document.getElementById("verdict").getBoundingClientRect().top`); top < 0 || top > 740 {
		t.Errorf("the verdict is at %v of a screen of 740", top)
	}
	b.fits("scanned")
	digits := strings.TrimPrefix(address, s.page+"/verify#r=")
	for _, path := range b.asked() {
		if strings.Contains(path, digits[:40]) || strings.Contains(path, s.who) {
			t.Errorf("it asked for %s", path)
		}
	}

	// The receipt as a file is the agency's own, and the command takes the address too.
	b.do(send(chrome.SetDownloadBehavior, chrome.SetDownloadBehaviorParams{Behavior: chrome.SetDownloadBehaviorBehaviorAllow, DownloadPath: filepath.Join(s.dir, "saved")}),
		chromedp.Click(chromedp.CSS("#keep")))
	await(t, "the receipt", func() bool { _, err := os.Stat(filepath.Join(s.dir, "saved/comprobante.json")); return err == nil })
	var own bytes.Buffer
	if err := json.Compact(&own, []byte(s.read("receipts/receipt-157.json"))); err != nil || own.String() != s.read("saved/comprobante.json") {
		t.Errorf("%v: what is saved is not the agency's receipt", err)
	}
	s.launch("verify", address, "--key", s.key, "--log", "data/public").await(`THE BET WON`)

	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(address[:len(address)-9]))
	b.until(`El código no se leyó entero`)
	b.verdict(`elija el comprobante`, "")
	result[bool](b, `(location.hash = "`+address[strings.Index(address, "#"):]+`") !== ""`) // scanned again, in the same window
	b.verdict(`GANÓ`, byOperator)
	result[bool](b, `delete window.DecompressionStream && (location.hash = "`+address[strings.Index(address, "#"):]+`") !== ""`)
	b.until(`Este navegador es demasiado viejo`)
	b.faultlessBut("file://")

	s.launch("verify", "--page", "verify.html").wait()
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate("file://"+filepath.Join(s.dir, "verify.html")+"#r="+digits))
	b.until(`QR code: receipt`)
}

// A bettor finds a draw by its name, reads how its number came and who saw the closing, and gets from there to the check, on a phone. The code
// on the page is of the page itself.
func TestABettorReadsTheResultsOnAPhone(t *testing.T) {
	chromium := needBrowser(t)
	needScanner(t)
	s := openShop(t)
	s.launch("client", "receipts", "--file", ".data/agency-1.csv", "--proofs", "kept/proofs", "--line", "157").wait()
	b := openBrowser(t, chromium)
	b.language("") // a browser that prefers nothing gets Spanish
	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile), chromedp.Navigate(s.page+"/resultados"))
	b.until(`Los últimos sorteos`)
	b.fits("results-list")
	b.do(chromedp.Focus(chromedp.CSS("#sorteo")))
	b.follow(chromedp.KeyEvent(nocturna + "\r"))
	b.until(`Salió el\s+` + s.number)
	b.until(`El número estaba fijado`)
	b.until(`Firmaron el cierre, con la hora de sus propios relojes:\s+escribania\.example, \d\d/\d\d/20\d\d`)
	b.fits("results")
	if code := b.scan(s.lab); code != s.page+"/resultados/"+nocturna {
		t.Errorf("the page's code says %s", code)
	}
	b.follow(chromedp.Click(chromedp.CSS(".winning .button")))
	b.verdict(`^PROBADO, .*`+s.number, byOperator)
	b.choose("#choose", filepath.Join(s.dir, "receipts/receipt-157.json"))
	b.verdict(`la apuesta de .*GANÓ`, byOperator)
	b.fits("results-check")

	b.language("en")
	b.do(chromedp.Navigate(s.page + "/resultados/" + nocturna))
	b.until(`The number is\s+` + s.number)
	b.follow(chromedp.Click(chromedp.CSS(".share .more a")))
	b.until(`Winning number ` + s.number)
	b.do(chromedp.Navigate(s.page + "/resultados/1"))
	b.until(`Bets are still taken`)
	b.faultless()
}

// fits checks a page as it is on a phone: its width, and for those who use a keyboard or a screen reader.
func (b *browser) fits(page string) {
	b.t.Helper()
	if width := result[int](b, `document.documentElement.scrollWidth`); width > 360 {
		b.t.Errorf("%s is %d wide on a phone of 360", page, width)
	}
	b.accessible("phone-" + page)
}

// faultlessBut is faultless, where files of one kind of address may be read.
func (b *browser) faultlessBut(prefix string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, other := range b.others {
		if other != "about:blank" && !strings.HasPrefix(other, prefix) && !strings.HasPrefix(other, "blob:") {
			b.t.Errorf("it asked for %s", other)
		}
	}
	if len(b.wrong) > 0 {
		b.t.Errorf("errors: %q", b.wrong)
	}
}
