//go:build unix

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"quiniela"
)

// eveningExtract is that of the worked examples in docs/QUINIELA.md.
var eveningExtract = strings.Fields("4563 4290 8068 2532 9658 0562 1642 7613 3376 7481 4062 3284 7888 0013 4533 5321 2662 6884 5828 7511")

// ranked writes an extract as a table, each number behind its prize.
func ranked(numbers []string) string {
	var text strings.Builder
	for i, n := range numbers {
		_, _ = fmt.Fprintf(&text, "%d,%s\n", i+1, n)
	}
	return text.String()
}

// pageEvening is a lottery with two agencies whose files have bets of the game quiniela.
type pageEvening struct {
	*lab
	address, site string
	keys          map[string]string // of the people, by name
}

func openPageEvening(t *testing.T) pageEvening {
	l := &lab{t, t.TempDir()}
	l.mkdir(".data")
	var bets [2]strings.Builder
	for i := range 500 {
		_, _ = fmt.Fprintf(&bets[0], "Ana,Paz,%d,1990-01-01,%02d,%d.50,1-%d\n", 30000000+i, i%100, 10+i%7, 1+i%20)
		_, _ = fmt.Fprintf(&bets[1], "Eva,Sol,%d,1990-01-01,%d,20\n", 20000000+i, i%10)
	}
	bets[0].WriteString("Ana,Paz,30904465,1990-01-01,62,100,1-20\n")
	bets[1].WriteString("Leo,Gil,30904466,1990-01-01,4563,100\n")
	e := pageEvening{lab: l, keys: map[string]string{}}
	for i := range bets {
		l.write(fmt.Sprintf(".data/agency-%d.csv", i+1), bets[i].String())
		l.write(fmt.Sprintf("agency-%d.token", i+1), l.launch("agency", "add", fmt.Sprint(i+1), "--name", []string{"Rosario centro", "San Salvador de Jujuy"}[i]).await(`(\S{40,})`)+"\n")
	}
	for name, role := range map[string]string{"ana": "operator", "nora": "notary", "nico": "notary"} {
		e.keys[name] = l.launch("operator", "add", name, "--role", role).await(`([A-Z2-7]{52})`)
	}
	cmd := exec.Command(program(t), "server", "--no-auto-draw", "--ip", "127.0.0.1", "--port", "0", "--http-addr", "127.0.0.1:0", "--admin-addr", "off")
	cmd.Env = append(os.Environ(), "TZ="+lotteryZone)
	server := l.start(cmd)
	e.address, e.site = server.await(`address: (127\S+)`), server.await(`page: (http://\S+)/`)
	return e
}

// send has an agency send its file to a draw. The client then waits for the result.
func (e pageEvening) send(draw string, agency int) *process {
	return e.launch("client", "--id", fmt.Sprint(agency), "--server", e.address, "--file", fmt.Sprintf(".data/agency-%d.csv", agency), "--draw", draw,
		"--token-file", fmt.Sprintf("agency-%d.token", agency), "--token-in-clear")
}

// attach chooses a file of the lab for the form.
func (b *browser) attach(e pageEvening, name string) {
	b.t.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{filepath.Join(e.dir, name)}))
}

// set sets a field that is no text.
func (b *browser) set(id, property, value string) {
	b.t.Helper()
	result[bool](b, fmt.Sprintf(`(document.querySelector(%q).%s = %s, true)`, id, property, value))
}

// enterKey presses Enter as a keyboard does, in one event. chromedp.KeyEvent makes a second one of it, which a page cannot prevent with the first.
var enterKey = send(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13})

// typed returns the twenty numbers that are in the form.
func (b *browser) typed() string {
	b.t.Helper()
	return result[string](b, `[...document.querySelectorAll(".twenty input[type=text]")].map((i) => i.value).join(" ")`)
}

// An evening of the game quiniela on the page alone: the operator opens a draw with a cap, two agencies send their files, the extract is
// entered from a file and looked at, and everybody reads what is paid; the agencies are settled with on sheets of paper. In another draw two
// people enter the extract, and the second sees nothing of it.
func TestAnEveningOfTheGameQuiniela(t *testing.T) {
	chromium := needBrowser(t)
	e := openPageEvening(t)
	b := openBrowser(t, chromium)
	b.language("es")
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(e.site+"/open"))
	b.come("ana", e.keys["ana"])
	b.until(`Nada de esto se puede cambiar después`)
	b.opensTheEvening()

	// It is sold, and the page follows.
	b.until(`(?s)Quiniela con premios en pesos.*600 con tres y 3,500 con cuatro.*Apuesta mínima: \$ 10,50\. Máxima: \$ 5,000,00\. Tope de banca: si los premios suman más de 2 veces`)
	b.until(`en vivo`)
	e.send(nocturna, 1)
	b.until(`(?m)^1 Rosario centro\s+\d+\s+501\s+\$ 6,844,00\s+Terminó`)
	b.until(`(?i)Apostado\s+\$ 6,844,00`)
	b.until(`(?s)La barra más alta: 6 · Apuestas a una sola cifra: 0.*Los más jugados\s+Número\s+Apuestas\s+62\s+6`)
	b.everywhere("evening-selling")
	e.send(nocturna, 2)
	b.until(`Este sorteo espera su número`)
	b.until(`Apuestas a una sola cifra: 500`)

	b.entersTheEvening(e)
	b.readsTheEvening(e)
	b.leave()
	b.bettorReadsTheEvening(e)
	b.twoEnterTheExtract(e)
	b.faultless()
}

// opensTheEvening opens the draw, after some mistakes that the form keeps.
func (b *browser) opensTheEvening() {
	b.t.Helper()
	seen := `getComputedStyle(document.querySelector(".terms")).display !== "none"`
	if result[bool](b, seen) {
		b.t.Error("the game without stakes is asked for its terms")
	}
	b.set("#game", "value", `"quiniela"`)
	if !result[bool](b, seen) {
		b.t.Error("the terms of the game with stakes are not asked for")
	}
	b.everywhere("evening-open")
	b.fill("id", nocturna)
	b.fill("again", nocturna)
	b.fill("agencies", "2")
	b.set("[value=fixed]", "checked", "true")
	b.set("[name=two]", "checked", "false")
	b.fill("min", "10,50")
	b.fill("max", "5")
	b.fill("cap", "dos")
	b.send()
	b.until(`El número no se puede fijar ahora`)
	b.until(`Este monto va de \$ 10,50 a \$ 2,814,749,767,106,55`)
	b.until(`Escriba un número entero, de 1 a 1000000`)
	b.everywhere("evening-open-wrong")
	if kept := result[string](b, `["game", "min", "max", "cap", "times-4"].map((i) => document.getElementById(i).value).join(" ")`); kept != "quiniela 10,50 5 dos 3500" {
		b.t.Errorf("the form has kept %q", kept)
	}
	b.set("[value=notary]", "checked", "true")
	b.fill("max", "5000")
	b.fill("cap", "2")
	b.send()
	b.until(`Sorteo ` + nocturna)
}

// entersTheEvening enters the extract, after a file that is none.
func (b *browser) entersTheEvening(e pageEvening) {
	b.t.Helper()
	e.write("lost.csv", strings.Replace(ranked(eveningExtract), "0562", "562", 1))
	e.write("extract.csv", ranked(eveningExtract))
	b.goTo("Ingresar el extracto")
	b.until(`se ingresa una sola vez`)
	b.everywhere("evening-enter")
	b.do(chromedp.Focus(chromedp.CSS("#prize-09")), chromedp.KeyEvent("3376"), enterKey, chromedp.KeyEvent("7481"), enterKey)
	if at := result[string](b, `document.activeElement.id`); at != "prize-11" || !strings.HasSuffix(strings.TrimSpace(b.typed()), "3376 7481") {
		b.t.Errorf("Enter leads from the ninth number and the tenth to %s: %q", at, b.typed())
	}
	b.send()
	b.until(`Corrija los premios: 1, 2, 3, 4, 5, 6, 7, 8, 11, 12`)
	b.everywhere("evening-enter-wrong")
	b.attach(e, "lost.csv")
	b.send()
	b.until(`Línea 6: premio 6: el número "562": van sus cuatro cifras, como 0562`)
	b.attach(e, "extract.csv")
	b.send()
	b.until(`todavía no se ingresó nada`)
	if got := b.typed(); got != strings.Join(eveningExtract, " ") {
		b.t.Errorf("the form is filled with %s", got)
	}
	b.everywhere("evening-read")
	b.send()
	b.until(`No es el mismo nombre`)
	b.fill("again", nocturna)
	b.send()
	b.until(`Número ganador 4563`)
}

// money is an amount as the Spanish page has it, for a pattern.
func money(cents uint64) string {
	text := regexp.MustCompile(`\B(\d{3})+\.`).ReplaceAllStringFunc(quiniela.FormatCents(cents), func(s string) string {
		return regexp.MustCompile(`\d{3}`).ReplaceAllString(s, ",$0")
	})
	return `\$ ` + strings.Replace(text, ".", ",", 1)
}

// readsTheEvening reads what was drawn and is paid, and settles with the agencies.
func (b *browser) readsTheEvening(e pageEvening) {
	b.t.Helper()
	staked := uint64(684400 + 500*2000 + 10000)
	b.until(`(?s)Apostado\s+` + money(staked) + `.*más que el tope de 2 veces lo apostado, que es ` + money(2*staked) + `.*la misma parte, el \d+,\d\d %.*Total del sorteo`)
	if columns := result[string](b, `[...document.querySelectorAll("#result .extract ol")].map((l) => l.start + ":" + l.children.length + ":" + l.children[0].textContent).join(" ")`); columns != "1:10:4563 11:10:4062" {
		b.t.Errorf("the extract is %s", columns)
	}
	b.everywhere("evening-results")
	b.goTo("Acta para imprimir")
	b.until(`(?s)Quiniela con premios en pesos.*` + money(staked) + `.*Firmas`)
	b.everywhere("evening-act")
	b.prints("evening-act")
	b.do(chromedp.Navigate(e.site + "/draws/" + nocturna))
	b.goTo("Liquidación")
	b.until(`(?s)1 Rosario centro\s+501\s+` + money(684400) + `.*2 San Salvador de Jujuy\s+501\s+` + money(1010000) + `.*−\$.*Total del sorteo\s+1,002\s+` + money(staked) + `.*−\$ `)
	b.everywhere("evening-settlement")
	b.prints("evening-settlement")
	table := b.get("/draws/" + nocturna + "/settlement.csv")
	if !strings.HasPrefix(table, "200 draw,agency,name,batches,bets,staked,winners,due,paid,balance\n"+nocturna+",1,Rosario centro,") || !strings.Contains(table, ",-") {
		b.t.Errorf("the table:\n%s", table)
	}
	if prizes := b.get("/draws/" + nocturna + "/prizes.csv"); !strings.Contains(prizes, nocturna+",2,San Salvador de Jujuy,") || !strings.Contains(prizes, ",4563,1-1,100.00,1,350000.00,") {
		b.t.Errorf("the prizes:\n%.400s", prizes)
	}
	b.goTo("2 San Salvador de Jujuy")
	b.until(`(?s)Liquidación de la agencia 2 San Salvador de Jujuy.*4062.*Por la agencia\s+Por la lotería\s+Impresa`)
	b.everywhere("evening-sheet")
	b.prints("evening-sheet")
}

// bettorReadsTheEvening reads the results on a phone, in both languages.
func (b *browser) bettorReadsTheEvening(e pageEvening) {
	b.t.Helper()
	for lang, want := range map[string]string{
		"es": `(?s)Salió el\s+4563.*más que el tope de 2 veces lo apostado.*Los veinte premios.*Dos cifras: 70 veces lo apostado`,
		"en": `(?s)The number is\s+4563.*more than the cap of 2 times what was staked.*All twenty prizes.*Two digits: 70 times the stake`,
	} {
		b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile), chromedp.Navigate(e.site+"/resultados/"+nocturna+"?lang="+lang))
		b.until(want)
		b.fits("evening-bettor-" + lang)
	}
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(e.site+"/?lang=es"))
}

// twoEnterTheExtract has two people enter the extract of a draw whose form was filled with the terms of the one before.
func (b *browser) twoEnterTheExtract(e pageEvening) {
	b.t.Helper()
	const draw = "2026-11-24-vespertina"
	b.do(chromedp.Navigate(e.site + "/open"))
	b.come("ana", e.keys["ana"])
	b.until(`Nada de esto`)
	if kept := result[string](b, `["game", "min", "max", "cap", "agencies"].map((i) => document.getElementById(i).value).join(" ")`); kept != "quiniela 10,50 5000 2 2" {
		b.t.Errorf("the terms of the last draw are %q", kept)
	}
	b.fill("id", draw)
	b.fill("again", draw)
	b.send()
	b.until(`lo ingresan dos personas`)
	b.goTo("Cerrar el sorteo")
	b.fill("note", "ensayo")
	b.fill("again", draw)
	b.send()
	b.until(`Este sorteo espera su número`)
	b.leave()
	enter := func(name, want string) {
		b.t.Helper()
		b.do(chromedp.Navigate(e.site + "/draws/" + draw + "/number"))
		b.come(name, e.keys[name])
		b.until(`Este sorteo necesita dos personas`)
		if page := result[string](b, `document.documentElement.outerHTML`); strings.Contains(page, "8068") || strings.Contains(page, "7888") {
			b.t.Errorf("%s sees the extract", name)
		}
		b.attach(e, "extract.csv")
		b.send()
		b.until(`todavía no se ingresó nada`)
		b.send()
		b.until(want)
	}
	enter("nora", `Falta una segunda persona. La primera fue nora`)
	b.leave()
	enter("nico", `Lo ingresó nora, nico`)
	b.until(`(?s)Número ganador 4563.*Ninguna apuesta ganó`)
}
