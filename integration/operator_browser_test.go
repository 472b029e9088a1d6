//go:build unix

package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"quiniela/internal/sample"
)

// lotteryZone is where the lottery of TestAnOperatorsDay is.
const lotteryZone = "America/Argentina/Buenos_Aires"

// fill puts a text into a field.
func (b *browser) fill(id, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS("#"+id), text))
}

// send sends the form of the page.
func (b *browser) send() {
	b.t.Helper()
	b.follow(chromedp.Click(chromedp.CSS("main form button")))
}

// goTo goes to a page by a link with a text.
func (b *browser) goTo(link string) {
	b.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("a[href]")].find((a) => a.textContent.trim() === %q)`, link)
	if !result[bool](b, "!!"+find) {
		b.t.Fatalf("the page has no link %q:\n%s", link, b.text())
	}
	result[bool](b, find+`.id = "wanted"; true`)
	b.follow(chromedp.Click(chromedp.CSS("#wanted")))
}

// come logs somebody in.
func (b *browser) come(name, key string) {
	b.t.Helper()
	b.fill("name", name)
	b.fill("key", key)
	b.send()
	b.until(name)
}

// leave logs somebody out.
func (b *browser) leave() {
	b.t.Helper()
	b.follow(chromedp.Click(chromedp.CSS("header button")))
	b.until(`Ingresar|Log in`)
}

// get returns what the page's address answers to the person who has logged in.
func (b *browser) get(path string) string {
	b.t.Helper()
	return result[string](b, fmt.Sprintf(`(() => { const r = new XMLHttpRequest(); r.open("GET", %q, false); r.send(); return r.status + " " + r.responseText; })()`, path))
}

// everywhere runs the checks of a page: in both themes, and on a phone in both languages.
func (b *browser) everywhere(name string) {
	b.t.Helper()
	b.accessible(name)
	b.phone(name)
}

// A day of those who run a lottery, on the page alone: the operator opens a draw and closes it with a reason while an agency is
// missing, two people enter its number, and the operator prints the act.
func TestAnOperatorsDay(t *testing.T) {
	chromium := needBrowser(t)
	l := &lab{t, t.TempDir()}
	files, err := sample.Files(filepath.Join(l.dir, ".data"), 3, 4000, 1, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[int]string{}
	for n, name := range map[int]string{1: "Rosario centro", 2: "Bahía Blanca", 3: "San Salvador de Jujuy"} {
		tokens[n] = fmt.Sprintf("agency-%d.token", n)
		l.write(tokens[n], l.launch("agency", "add", fmt.Sprint(n), "--name", name).await(`(\S{40,})`)+"\n")
	}
	keys := map[string]string{}
	for name, role := range map[string]string{"ana": "operator", "nora": "notary", "nico": "notary", "vera": "viewer"} {
		keys[name] = l.launch("operator", "add", name, "--role", role).await(`([A-Z2-7]{52})`)
	}
	l.mkdir("backups")
	cmd := exec.Command(program(t), "server", "--no-auto-draw", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "127.0.0.1:0", "--admin-addr", "off",
		"--backup-dir", filepath.Join(l.dir, "backups"))
	cmd.Env = append(os.Environ(), "TZ="+lotteryZone)
	server := l.start(cmd)
	address, site := server.await(`address: (127\S+)`), server.await(`page: (http://\S+)/`)
	const draw = "2026-11-24-nocturna"
	client := func(n int) *process {
		return l.launch("client", "--id", fmt.Sprint(n), "--server", address, "--file", files[n-1], "--draw", draw, "--token-file", tokens[n], "--token-in-clear")
	}

	b := openBrowser(t, chromium)
	b.language("es")
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(site))
	b.until(`Todavía no hay ningún sorteo`)
	b.everywhere("empty")

	// The form asks who comes first, and leads on to where the person wanted to go.
	b.do(chromedp.Navigate(site + "/open"))
	b.come("ana", keys["ana"])
	b.until(`Nada de esto se puede cambiar después`)
	b.until(lotteryZone)
	b.everywhere("open")
	zone, err := time.LoadLocation(lotteryZone)
	if err != nil {
		t.Fatal(err)
	}
	closes := time.Now().Add(90 * time.Minute).In(zone)
	b.fill("id", draw)
	b.fill("again", "2026-11-24-noctruna")
	b.fill("agencies", "3")
	b.fill("closes", closes.AddDate(0, 0, -1).Format("2006-01-02T15:04"))
	b.send()
	b.until(`No es el mismo nombre`)
	b.until(`Esa hora ya pasó`)
	if kept := result[string](b, `document.getElementById("id").value + " " + document.getElementById("agencies").value`); kept != draw+" 3" {
		t.Errorf("the form has kept %q", kept)
	}
	b.everywhere("open-wrong")
	b.fill("again", draw)
	b.fill("closes", closes.Format("2006-01-02T15:04"))
	b.send()

	// The operator watches, and sees who is missing.
	b.until(`Sorteo ` + draw)
	b.until(`Cierra en 01:(29|30):`)
	b.until(closes.Format("2006-01-02 15:04:00") + " -03")
	b.until(`lo ingresan dos personas`)
	b.until(`en vivo`)
	client(1)
	client(2)
	b.until(`(?m)^1 Rosario centro\s+27\s+4,000\s+Terminó\s+\d\d:\d\d:\d\d$`)
	b.until(`(?m)^2 Bahía Blanca\s+27\s+4,000\s+Terminó`)
	b.until(`Todavía no terminaron: 3 San Salvador de Jujuy\.`)
	b.everywhere("watching")

	// The operator closes it with a reason. The name is asked for again.
	b.goTo("Cerrar el sorteo")
	b.until(`nadie puede volver a abrir`)
	b.until(`Todavía no terminaron: 3 San Salvador de Jujuy`)
	b.fill("note", "agencia 3 sin luz desde las 18:40")
	b.fill("again", "nocturna")
	b.send()
	b.until(`No es el mismo nombre`)
	b.everywhere("close-wrong")
	b.fill("again", draw)
	b.send()
	b.until(`Este sorteo espera su número`)
	b.until(`Faltaron al cierre: 3 San Salvador de Jujuy`)
	b.until(`agencia 3 sin luz desde las 18:40`)
	b.everywhere("waiting")
	b.goTo("Sorteos")
	b.until(`(?s)Esperan su número.*` + draw + `.*Parte del nombre`)
	b.everywhere("draws")
	b.fill("q", "NOCTURNA")
	b.send()
	b.until(draw + `\s+◔?\s*cerrado`)
	b.fill("q", "vespertina")
	b.send()
	b.until(`Ningún sorteo es así`)
	b.leave()

	// Two people enter the number, and the second never sees what the first has entered. Where they differ, neither counts.
	l.write("extracto.pdf", "%PDF the official extract of "+draw)
	enter := func(name, number, want string) {
		t.Helper()
		b.do(chromedp.Navigate(site + "/draws/" + draw + "/number"))
		b.come(name, keys[name])
		b.until(`Este sorteo necesita dos personas`)
		if strings.Contains(result[string](b, `document.documentElement.outerHTML`), "7574") {
			t.Errorf("%s sees the number", name)
		}
		b.fill("number", number)
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{filepath.Join(l.dir, "extracto.pdf")}))
		b.send()
		b.until(want)
	}
	enter("nora", "7574", `Falta una segunda persona. La primera fue nora`)
	b.everywhere("first")
	b.leave()
	enter("nico", "7575", `ninguno vale`)
	b.everywhere("number-differs")
	b.fill("number", "7574")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{filepath.Join(l.dir, "extracto.pdf")}))
	b.send()
	b.until(`La primera fue nico`)
	b.leave()
	enter("nora", "7574", `Lo ingresó nico, nora`)
	b.until(`Número ganador 7574`)
	b.everywhere("results")
	b.prints("results")

	// Results as tables, and for those who may see them with the documents.
	winners, documents := b.get("/draws/"+draw+"/winners.csv"), b.get("/draws/"+draw+"/documents.csv")
	if !strings.HasPrefix(winners, "200 agency,name,winners\n1,Rosario centro,") || !regexp.MustCompile(`(?m)^1,Rosario centro,\d{7,}$`).MatchString(documents) {
		t.Errorf("winners:\n%s\ndocuments:\n%s", winners, documents)
	}
	b.leave()
	b.do(chromedp.Navigate(site + "/draws/" + draw + "/documents.csv"))
	b.come("vera", keys["vera"])
	b.until(`Su función no permite hacer esto`)
	b.everywhere("forbidden")
	b.leave()

	// The act is printed on one sheet, and the trail has everybody.
	b.do(chromedp.Navigate(site + "/draws/" + draw + "/act"))
	b.come("ana", keys["ana"])
	b.until(`(?s)Acta del sorteo ` + draw + `.*agencia 3 sin luz.*3 San Salvador de Jujuy.*7574.*nico, nora.*[0-9a-f]{64}.*ana\s+abrió un sorteo.*Firmas`)
	b.everywhere("act")
	b.prints("act")
	b.goTo("Registro de actos")
	b.until(`nico\s+ingresó un número distinto\s+` + draw)
	b.everywhere("trail")
	if csv := b.get("/trail.csv?draw=" + draw); strings.Count(csv, "\n") != 7 || !strings.Contains(csv, ",nora,") {
		t.Errorf("the trail of the draw:\n%s", csv)
	}
	b.goTo("Copias de seguridad")
	b.until(`(?i)Copias guardadas`)
	b.everywhere("backups")
	b.goTo("Registro de actos")
	b.until(`nora y nico ingresaron números distintos`)
	b.goTo("English")
	b.until(`nora and nico entered different numbers`)
	b.goTo("Draws")
	b.until(`Part of the name`) // the language stays
	b.phone("draws-english")
	b.goTo(draw)
	b.until(`Winning number 7574`)
	b.phone("results-english")
	b.forReadme()
	b.leave()
	b.faultless()
}

// prints checks that the page is one sheet of A4, and saves it.
func (b *browser) prints(name string) {
	b.t.Helper()
	css := true
	var pdf []byte
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		r, err := cdp.Call(ctx, t, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: &css})
		pdf = r.Data
		return err
	}))
	b.save(name+".pdf", pdf)
	if pages := len(regexp.MustCompile(`/Type ?/Page\b`).FindAll(pdf, -1)); pages != 1 || !regexp.MustCompile(`/MediaBox ?\[0 0 59[45][.0-9]* 84[12]`).Match(pdf) {
		b.t.Errorf("%s is printed on %d pages: %s", name, pages, regexp.MustCompile(`/MediaBox[^\]]*\]`).Find(pdf))
	}
}

// forReadme saves the picture that the README shows: the page of a draw in light colours, as much as a window has.
func (b *browser) forReadme() {
	b.t.Helper()
	b.scheme("light")
	b.do(chromedp.EmulateViewport(1000, 1060))
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	b.save("page.png", png)
}
