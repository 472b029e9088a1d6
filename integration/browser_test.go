//go:build unix

package integration

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"quiniela/internal/sample"
)

// accessibility is a script that checks a page for people who use a keyboard or a screen reader. It returns what is wrong.
//
//go:embed testdata/accessibility.js
var accessibility string

// broken is a script that returns the words which a page breaks over two lines.
//
//go:embed testdata/broken.js
var broken string

// needBrowser returns the path of a browser. Without one it skips the test, or fails it if QUINIELA_REQUIRE_BROWSER is 1.
func needBrowser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("QUINIELA_REQUIRE_BROWSER") == "1" {
		t.Fatal("no chromium here, and QUINIELA_REQUIRE_BROWSER=1")
	}
	t.Skip("no chromium here: install Debian's package chromium")
	return ""
}

// browser is a browser with one window, and what it has reported so far. It ends with its test.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex // guards the fields below, which the protocol's own goroutine writes: see watch
	wrong  []string   // errors in the console
	others []string   // requests to other hosts
	all    int        // how many requests there were
}

func openBrowser(t *testing.T, path string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.UserDataDir(t.TempDir()))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	b := &browser{t: t}
	ctx, stop := chromedp.NewContext(allocator, chromedp.WithListener(b.watch))
	t.Cleanup(stop)
	b.ctx = ctx
	// The window has the focus, like the one that a person uses.
	b.do(send(network.Enable, network.EnableParams{}), send(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	late, end := context.WithTimeout(ctx, 5*time.Minute) // a test took 95 seconds on a machine with ten times more to do than processors
	t.Cleanup(end)
	b.ctx = late
	return b
}

// send is an action that sends a command of the browser's protocol.
func send[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// result runs JavaScript and returns its value.
func result[T any](b *browser, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// watch notes what the browser reports. The protocol's goroutine calls it for each event.
func (b *browser) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			b.wrong = append(b.wrong, fmt.Sprintf("console.%s: %s", e.Type, spoken(e.Args)))
		}
	case *log.EventEntryAdded:
		// The browser's own complaints, such as about the page's security policy. It also notes every answer of 400 and above.
		if e.Entry.Level == "error" && e.Entry.Source != "network" {
			b.wrong = append(b.wrong, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		b.all++
		if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "data" && u.Hostname() != "127.0.0.1" {
			b.others = append(b.others, e.Request.URL)
		}
	case *network.EventLoadingFailed:
		if e.BlockedReason != "" {
			b.wrong = append(b.wrong, "blocked: "+string(e.BlockedReason))
		}
	}
}

// spoken returns what a page gave to its console, as text.
func spoken(args []*runtime.RemoteObject) string {
	var text strings.Builder
	for _, a := range args {
		_, _ = fmt.Fprintf(&text, "%s%s ", a.Value, a.Description)
	}
	return text.String()
}

// faultless checks that the console has no error, and that no other host was asked for anything.
func (b *browser) faultless() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wrong) > 0 || len(b.others) > 0 {
		b.t.Errorf("errors: %q; requests to other hosts: %q", b.wrong, b.others)
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// follow does what makes the browser load another page, such as sending a form, and returns when that page is loaded. All steps
// of a test that replace the page go through it: reading a page while it is being replaced fails at random.
func (b *browser) follow(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for i, action := range actions {
		actions[i] = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			if _, err := action(ctx, t); err != nil && !replaced(err) {
				return err
			}
			return nil
		})
	}
	if _, err := chromedp.RunResponse(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// replaced reports whether an error says that the page went away while a command was at work on it. The key that sends a form
// may be answered so.
func replaced(err error) bool {
	var e *cdproto.Error
	return errors.As(err, &e) && strings.Contains(e.Message, "navigated or closed")
}

// plainSpaces makes of the spaces at which no line ends what a pattern has: a comma between thousands, and a space behind a currency's sign.
var plainSpaces = strings.NewReplacer("\u202f", ",", "\u00a0", " ")

// text returns the text of the page, with a comma between thousands. A page without a body has none.
func (b *browser) text() string {
	b.t.Helper()
	return plainSpaces.Replace(result[string](b, `document.body ? document.body.innerText : ""`))
}

// until waits until the page's text matches a pattern, for 30 seconds at most.
func (b *browser) until(pattern string) {
	b.t.Helper()
	want := regexp.MustCompile(pattern)
	for range 300 {
		if want.MatchString(b.text()) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("the page never said %s:\n%s", pattern, b.text())
}

// accessible runs the accessibility checks with light colours and with dark ones.
func (b *browser) accessible(page string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, w := range result[[]string](b, accessibility) {
			b.t.Errorf("%s, %s: %s", page, scheme, w)
		}
		b.picture(page + "-" + scheme)
	}
}

// scheme has the pages in light colours or in dark ones.
func (b *browser) scheme(name string) {
	b.t.Helper()
	b.do(send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}}))
}

// picture saves a screenshot in the folder that QUINIELA_SCREENSHOTS names, or else in screenshots, which git ignores.
func (b *browser) picture(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	b.save(name+".png", png)
}

func (b *browser) save(name string, file []byte) {
	b.t.Helper()
	dir := cmp.Or(os.Getenv("QUINIELA_SCREENSHOTS"), "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), file, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// phone makes the window as narrow as a phone's, and checks that the page needs no sideways scrolling and breaks no word.
func (b *browser) phone(page string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	if width := result[int](b, `document.documentElement.scrollWidth`); width > 360 {
		b.t.Errorf("%s is %d wide on a phone of 360", page, width)
	}
	if words := result[[]string](b, broken); len(words) > 0 {
		b.t.Errorf("%s breaks words on a phone: %q", page, words)
	}
	b.picture(page + "-phone")
	b.do(chromedp.EmulateViewport(1280, 900))
}

// language sets the language that the browser asks for.
func (b *browser) language(accept string) {
	b.t.Helper()
	b.do(send(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": accept}}))
}

func TestAPersonWatchesADraw(t *testing.T) {
	chromium := needBrowser(t)
	l := &lab{t, t.TempDir()}
	files, err := sample.Files(filepath.Join(l.dir, ".data"), 2, 20000, 1, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	server := l.launch("server", "--agencies", "2", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "127.0.0.1:0", "--admin-addr", "off")
	address, page := server.await(`address: (127\S+)`), server.await(`page: (http://\S+)/`)
	operator := l.launch("operator", "add", "ana").await(`([A-Z2-7]{52})`)

	b := openBrowser(t, chromium)
	b.language("es")
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(page))
	b.until(`Sorteo 1`)
	b.until(`en vivo`)
	b.until(`lo ve el operador`)
	b.accessible("open")
	logIn := func(wait string) {
		b.do(chromedp.SetValue(chromedp.CSS("#name"), "ana"), chromedp.Focus(chromedp.CSS("#key")))
		b.follow(chromedp.KeyEvent(operator + "\r"))
		b.until(wait)
	}

	// The operator sees what is sold. One agency sends; the page follows it to its end without being loaded again.
	client := func(n int) {
		l.launch("client", "--id", strconv.Itoa(n), "--server", address, "--file", files[n-1])
	}
	b.do(chromedp.Navigate(page + "/login"))
	logIn(`Salir`)
	client(1)
	b.until(`(?m)^1\s+134\s+20,000\s+Terminó\s+\d\d:`)
	b.until(`(?m)^2\s+0\s+0\s+Sin apuestas\s+–$`)
	b.until(`todavía no se realizó`)
	b.until(`(?m)^0 ahora`)                                // nobody sends, and the rate says so
	b.until(`(?m)^1\s+abierto\s+20,000`)                   // the list of all draws follows too
	b.until(`(?m)^Los más jugados\nNúmero\s+Apuestas\n\d`) // and so do the numbers
	b.until(`Cerrar el sorteo`)
	b.accessible("sending")

	// What a person has opened stays open while the page changes, and the keyboard stays where it is.
	result[bool](b, `document.querySelector("#numbers-table").open = true`)
	result[bool](b, `document.querySelector("#in-list-1 a").focus() === undefined`)
	client(2)
	b.until(`Número ganador 7574`)
	b.until(`(?m)^1\s+sorteado\s+40,000\s+7574\s+3$`)
	if !result[bool](b, `document.activeElement === document.querySelector("#in-list-1 a") && document.querySelector("#numbers-table").open`) {
		t.Errorf("the keyboard is on %s, or the table is closed", result[string](b, `document.activeElement.outerHTML.slice(0, 90)`))
	}
	b.until(`34679922`)
	b.until(`(?m)^2\s+2\s`) // agency 2 has two winners
	if strings.Contains(b.text(), "Cerrar el sorteo") {
		t.Error("a draw that is over is still offered to be closed")
	}
	b.follow(chromedp.Click(chromedp.CSS("header button")))
	b.until(`Ingresar`)
	b.until(`(?m)^2\s+2$`)
	text := b.text()
	for _, document := range []string{"34679922", "19564423"} {
		if strings.Contains(text, document) {
			t.Errorf("anybody sees the document %s", document)
		}
	}
	b.accessible("drawn")
	b.phone("drawn")

	// The operator, by the keyboard alone, in English.
	b.language("en")
	b.do(chromedp.Navigate(page + "/login"))
	b.until(`Each person has a name and a key`)
	b.accessible("login")
	b.phone("login")
	b.do(chromedp.SetValue(chromedp.CSS("#name"), "ana"), chromedp.Focus(chromedp.CSS("#key")))
	b.follow(chromedp.KeyEvent("wrong\r"))
	b.until(`That name and that key do not go together`)
	time.Sleep(1100 * time.Millisecond) // as the page says
	logIn(`Log out`)
	b.until(`34679922`)
	b.until(`19564423`)
	b.until(`Winning number 7574`)
	b.until(`(?m)^1\s+drawn\s+40,000\s+7574\s+3$`) // in the list of all draws
	b.accessible("operator")
	b.phone("operator")

	// Anybody's page follows a draw to its end.
	b.follow(chromedp.Click(chromedp.CSS("header button")))
	b.until(`Log in`)
	closes := time.Now().Add(110 * time.Second).Format(time.RFC3339)
	l.launch("draw", "open", "night", "--agencies", "1", "--source", "fixed", "--number", "42", "--closes", closes, "--yes").wait()
	b.do(chromedp.Navigate(page + "/draws/night"))
	b.until(`live`)
	b.until(`not been held yet`)
	b.until(`Closes in 00:01:`)
	if said := result[string](b, `document.querySelector("#countdown .said").textContent`); said != "Closes in 2 minutes" {
		t.Errorf("a screen reader is told %q", said)
	}
	l.launch("draw", "close", "night", "--yes").wait()
	b.until(`Winning number 0042`)
	if strings.Contains(b.text(), "Closes in") {
		t.Error("a closed draw is still counted down")
	}

	b.faultless()
}
