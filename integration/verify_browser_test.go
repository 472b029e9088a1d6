//go:build unix

package integration

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	chrome "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/network"
	pages "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"quiniela/verify/verifytest"
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

// sold is a lottery of one agency that has been drawn, with one of its bettors' receipts.
type sold struct {
	*lab
	page, receipt, outcome, policy string
}

func sell(t *testing.T) sold {
	l := &lab{t, t.TempDir()}
	l.launch("generate", "--agencies", "1", "--bets", "300", "--out", ".data").wait()
	add := l.launch("agency", "add", "1")
	add.wait()
	token := add.await(`^(\S+)`)
	server := l.launch("server", "--agencies", "1", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "127.0.0.1:0")
	address, page := server.await(`address: (127\S+)`), server.await(`page: (http://\S+)/`)
	l.launch("client", "--id", "1", "--server", address, "--token", token, "--proofs", "kept/proofs").wait()
	l.launch("client", "receipts", "--file", ".data/agency-1.csv", "--proofs", "kept/proofs", "--line", "157").wait()
	outcome := filepath.Join(l.dir, "data/public/draws/1/outcome.json")
	await(t, "the outcome", func() bool { _, err := os.Stat(outcome); return err == nil })
	return sold{l, page, "receipts/receipt-157.json", "data/public/draws/1/outcome.json", "log " + l.read("data/public/log.vkey") + "quorum none\n"}
}

// choose chooses files, or a folder, with a button of the page.
func (b *browser) choose(button string, paths ...string) {
	b.t.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.CSS(button), paths))
}

// verdict waits for a verdict that matches a pattern and looks as a result does, and returns its text.
func (b *browser) verdict(pattern, look string) string {
	b.t.Helper()
	want := regexp.MustCompile(pattern)
	var text, is string
	for range 300 {
		text, is = result[string](b, `document.getElementById("verdict").textContent`), result[string](b, `document.getElementById("verdict").className`)
		if want.MatchString(text) && is == look {
			return text
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("the verdict is %q, looks %q, want %s, %s:\n%s", text, is, pattern, look, b.text())
	return ""
}

// asked returns the paths that the page has asked its site for since it was loaded.
func (b *browser) asked() []string {
	b.t.Helper()
	return result[[]string](b, `performance.getEntriesByType("resource").map((r) => new URL(r.name).pathname + new URL(r.name).search)`)
}

const byOperator = "proven-but-time"

// A bettor comes from the results of a draw, chooses a receipt and gets a verdict, without typing anything. The page asks the site for
// files of its log, and says whose word the key is, until the reader gives one. Files that it does not know are refused.
func TestABettorGetsFromTheResultsToAVerdict(t *testing.T) {
	chromium := needBrowser(t)
	l := sell(t)
	b := openBrowser(t, chromium)
	b.language("en")
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(l.page+"/draws/1"))
	b.until(`Winning number 7574`)
	b.follow(chromedp.Click(chromedp.CSS(`a[href="/verify?draw=1"]`)))
	b.until(`served by the operator`)
	b.verdict(`^PROVEN, BUT ONLY BY THE OPERATOR'S WORD FOR THE TIME: in draw 1 of .* the number is 7574`, byOperator)
	b.until(`This is about the draw alone`)

	b.choose("#choose", filepath.Join(l.dir, l.receipt))
	verdict := b.verdict(`^PROVEN, BUT ONLY BY .*: the bet of .* on the number .* in draw 1 is bet 7 of batch 2 of agency 1 `, byOperator)
	if !strings.Contains(verdict, "The key is the one that the operator publishes: nobody else has confirmed it.") {
		t.Errorf("it does not say whose word the key is: %s", verdict)
	}
	b.until(`You gave no key, so the one that this site publishes is used`)
	b.until(`receipt-157.json: receipt`)
	s := b.steps(`PROVEN`)
	if len(s["failed"]) > 0 || !slices.Contains(s["ok"], "outcome/in the sealed log") || !slices.Contains(s["ok"], "log/same log") {
		t.Errorf("a good receipt: %v", s)
	}
	for _, path := range b.asked() {
		if !strings.HasPrefix(path, "/static/") && !regexp.MustCompile(`^/log/(log\.vkey|checkpoint|tile/[0-9x/.p]+|draws/1/outcome\.json)$`).MatchString(path) {
			t.Errorf("it asked for %s", path)
		}
	}
	b.accessible("verify-own-key")
	b.phone("verify-own-key")

	for _, want := range []string{"/log/log.vkey", "/log/checkpoint", "/log/draws/1/outcome.json", "/log/tile/0/000.p/5"} {
		if !slices.Contains(b.asked(), want) {
			t.Errorf("it never asked for %s: %q", want, b.asked())
		}
	}

	// What is not known is refused, and changes nothing.
	b.drop(map[string]string{"notes.txt": "log of my day: quorum of friends\n", "empty.json": "{}", "receipts.jsonl": strings.Repeat(l.read(l.receipt), 2)})
	b.until(`notes.txt: not recognised, and not used`)
	b.until(`empty.json: not recognised, and not used`)
	b.until(`receipts.jsonl: has several receipts`)
	if again := b.verdict(`^PROVEN`, byOperator); again != verdict {
		t.Errorf("files that are no documents change the verdict: %s", again)
	}
	b.accessible("verify-refused")

	// The reader's own policy takes the place of the site's key.
	b.drop(map[string]string{"regulator.txt": l.policy})
	b.until(`regulator.txt: policy`)
	if own := strings.TrimSuffix(verdict, " The key is the one that the operator publishes: nobody else has confirmed it."); b.verdict(`^PROVEN[^.]*[.]$|did not win[.]$|WON[.]$`, byOperator) != own {
		t.Errorf("with a policy: %s", b.text())
	}
	if strings.Contains(b.text(), "You gave no key") {
		t.Error("with a policy it still says that there is no key")
	}

	l.launch("draw", "open", "night", "--agencies", "1", "--source", "fixed", "--number", "42").wait()
	b.do(chromedp.Navigate(l.page + "/verify?draw=night"))
	b.until(`The outcome of this draw is not published yet`)
	b.verdict(`choose the receipt`, "")
	b.faultless()
}

// A bettor drops a real receipt on the page, and each step turns green. With one byte changed, the right step turns red. Once it is loaded,
// the page works without a network, and says that it could not compare anything with the log.
func TestABettorChecksAReceiptInTheBrowser(t *testing.T) {
	chromium := needBrowser(t)
	l := sell(t)
	b := openBrowser(t, chromium)
	b.language("en")
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(l.page+"/verify"))
	b.until(`choose the receipt`)
	receipt := l.read(l.receipt)
	b.drop(map[string]string{"2-7.json": receipt, "policy": l.policy})
	b.until(`before the seal`)
	if s := b.steps(`PROVEN`); len(s["failed"]) > 0 || len(s["ok"]) < 17 {
		t.Errorf("a good receipt: %v", s)
	}
	b.accessible("verify-good")
	b.phone("verify-good")

	at := regexp.MustCompile(`"document": *"`).FindStringIndex(receipt)[1]
	changed := receipt[:at] + string(receipt[at]^1) + receipt[at+1:]
	b.drop(map[string]string{"2-7.json": changed})
	b.verdict(`^NOT PROVEN: `, "not-proven")
	if s := b.steps(`NOT PROVEN`); len(s["failed"]) != 1 || s["failed"][0] != "receipt/commitment" {
		t.Errorf("another document: %v", s)
	}
	b.accessible("verify-bad")

	b.offline()
	b.drop(map[string]string{"2-7.json": receipt, "outcome.json": l.read(l.outcome)})
	b.until(`This site's log could not be read`)
	if s := b.steps(`PROVEN`); len(s["failed"]) > 0 || slices.Contains(s["ok"], "log/same log") {
		t.Errorf("without a network: %v", s)
	}
	b.faultless()
}

// open opens the page as one file, in a language.
func (b *browser) open(path, language string) {
	b.t.Helper()
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate("file://"+path+"#"+language))
}

// faultlessFile checks that the console has no error, and that nobody was asked for anything but the file.
func (b *browser) faultlessFile(path string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(b.others), func(u string) bool {
		return u == "about:blank" || strings.HasPrefix(u, "file://"+path) || strings.HasPrefix(u, "blob:null/")
	})
	if len(b.wrong) > 0 || len(others) > 0 {
		b.t.Errorf("errors: %q; requests: %q", b.wrong, others)
	}
}

// The page as one file, opened from disk, comes to the verdict of the lottery's own page, with the reader's documents and a copy of the
// log, and asks nobody for anything.
func TestThePageAsOneFileGivesTheSameVerdict(t *testing.T) {
	chromium := needBrowser(t)
	l := sell(t)
	l.launch("verify", "--page", "verify.html").wait()
	file := filepath.Join(l.dir, "verify.html")
	l.write("regulator.txt", l.policy)

	b := openBrowser(t, chromium)
	b.language("es")
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(l.page+"/verify?draw=1"))
	b.until(`Elija el comprobante`)
	b.choose("#choose", filepath.Join(l.dir, l.receipt), filepath.Join(l.dir, "regulator.txt"))
	pattern := `^PROBADO, PERO DE LA HORA .*: la apuesta de .* es la apuesta 7 del lote 2 de la agencia 1 .*(no ganó|GANÓ)[.]$`
	served, steps := b.verdict(pattern, byOperator), b.steps(`PROBADO`)
	b.accessible("verify-es")
	b.mu.Lock()
	before := b.all
	b.mu.Unlock()

	b.open(file, "es")
	b.until(`Este archivo no pide nada a ningún sitio`)
	b.verdict(`elija el comprobante`, "")
	b.accessible("file-es")
	b.choose("#folder", filepath.Join(l.dir, "data", "public"))
	b.choose("#choose", filepath.Join(l.dir, l.receipt), filepath.Join(l.dir, "regulator.txt"))
	if verdict := b.verdict(pattern, byOperator); verdict != served {
		t.Errorf("the file says\n%s\nand the site\n%s", verdict, served)
	}
	if diff := cmp.Diff(steps, b.steps(`PROBADO`)); diff != "" {
		t.Errorf("the file's steps are others than the site's: %s", diff)
	}
	b.accessible("file-checked")
	b.phone("file-checked")
	b.follow(chromedp.Click(chromedp.CSS(`nav a[href="#en"]`)))
	b.until(`This file asks no site for anything`)
	if lang := result[string](b, `document.documentElement.lang + " " + document.title`); lang != "en Check a receipt" {
		t.Errorf("in English the page is %s", lang)
	}
	b.accessible("file-en")
	b.faultlessFile(file)
	b.mu.Lock()
	defer b.mu.Unlock()
	t.Logf("%d requests before the file, %d after", before, b.all)
}

// Each result has its look. Evidence of a contradiction can be saved, and convicts without the receipt.
func TestThePageShowsEachResult(t *testing.T) {
	chromium := needBrowser(t)
	l := &lab{t, t.TempDir()}
	l.launch("verify", "--page", "verify.html").wait()
	file := filepath.Join(l.dir, "verify.html")
	for dir, terms := range map[string]verifytest.Terms{"good": {}, "fork": {Entry: "fork"}} {
		lottery, err := verifytest.New(terms)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range lottery.Files() {
			l.mkdir(filepath.Dir(filepath.Join(dir, name)))
			l.write(filepath.Join(dir, name), string(data))
		}
	}
	b := openBrowser(t, chromium)
	b.do(chromedp.EmulateViewport(1280, 900))
	choose := func(names ...string) {
		for i := range names {
			names[i] = filepath.Join(l.dir, names[i])
		}
		b.choose("#choose", names...)
	}
	b.open(file, "en")
	b.verdict(`choose the receipt`, "")
	choose("good/policy", "good/receipt.json", "good/outcome.json", "good/beacon.json", "good/sealed.checkpoint")
	b.verdict(`^PROVEN: the bet of Santiago Lionel Lorca .* in draw 2023-08-23-T is bet 1 .*THE BET WON`, "proven")
	for _, want := range []string{"policy: policy", "beacon.json: beacon's round", "sealed.checkpoint: checkpoint", "outcome.json: draw's outcome"} {
		b.until(want)
	}
	b.accessible("result-proven")
	choose("good/changed.json")
	b.verdict(`^NOT PROVEN: `, "not-proven")

	b.open(file, "en")
	b.verdict(`choose the receipt`, "")
	choose("good/receipt.json")
	b.verdict(`whose signatures count`, "failed")
	choose("good/log.vkey")
	b.verdict(`^NOT PROVEN YET: `, "not-yet")
	b.until(`quiniela verify --log with the log's address`)
	b.accessible("result-not-yet")
	choose("good/outcome.json")
	b.verdict(`^PROVEN, BUT ONLY`, byOperator)

	// A receipt of the moment of the bet needs the published log, which has the outcome too.
	b.open(file, "en")
	b.verdict(`choose the receipt`, "")
	choose("good/early.json", "good/policy")
	b.verdict(`^NOT PROVEN YET: `, "not-yet")
	b.choose("#folder", filepath.Join(l.dir, "good", "public"))
	b.verdict(`^PROVEN: .*THE BET WON`, "proven")

	// An operator drops the bet, and signs another log.
	b.open(file, "en")
	b.verdict(`choose the receipt`, "")
	choose("good/early.json", "good/log.vkey")
	b.choose("#folder", filepath.Join(l.dir, "good", "public", "draws"))
	b.until(`That folder is no copy of the log`)
	b.choose("#folder", filepath.Join(l.dir, "fork", "public"))
	b.verdict(`^CONTRADICTED: `, "contradicted")
	b.accessible("result-contradicted")
	saved := filepath.Join(l.dir, "saved")
	b.do(send(chrome.SetDownloadBehavior, chrome.SetDownloadBehaviorParams{Behavior: chrome.SetDownloadBehaviorBehaviorAllow, DownloadPath: saved}))
	b.do(chromedp.Click(chromedp.CSS("#evidence")))
	await(t, "the evidence", func() bool { _, err := os.Stat(filepath.Join(saved, "evidence.json")); return err == nil })
	if text := l.read("saved/evidence.json"); !strings.Contains(text, "quiniela/v2/evidence") || strings.Contains(text, "Lorca") {
		t.Errorf("the evidence is %s", text)
	}
	l.launch("verify", "--evidence", "saved/evidence.json", "--key", strings.TrimSpace(l.read("good/log.vkey"))).await(`CONTRADICTED`)

	b.open(file, "es")
	b.verdict(`elija el comprobante`, "")
	choose("saved/evidence.json", "good/log.vkey")
	b.until(`evidence.json: archivo de prueba`)
	b.verdict(`^CONTRADICHO: `, "contradicted")
	choose("fork/receipt.json")
	b.verdict(`una prueba se verifica sola`, "failed")
	b.faultlessFile(file)
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

	const empty = `{"format":"quiniela/v2/receipt"}`
	b.drop(map[string]string{"receipt.json": empty, "policy": "log " + l.read("data/public/log.vkey") + "quorum none\n"})
	if s := b.steps(`NO ESTÁ PROBADO: falló`); len(s["failed"]) != 1 || s["failed"][0] != "receipt/format" {
		t.Errorf("an empty object: %v", s)
	}
	b.drop(map[string]string{"receipt.json": empty + strings.Repeat(" ", 300<<10)})
	b.until(`over 262144 bytes`)
	b.faultless()

	result[bool](b, `window.panics = true`)
	b.drop(map[string]string{"receipt.json": empty})
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
