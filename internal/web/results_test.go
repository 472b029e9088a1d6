package web_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/tlog"
)

// results returns the page of a draw's results as a stranger reads it.
func (d *desk) results(address string) string {
	d.t.Helper()
	_, _, text := d.ask(d.server.URL, "GET", address, "")
	return text
}

// wants checks that a page says some things, and does not say others, which begin with "!".
func wants(t *testing.T, name, page string, all ...string) {
	t.Helper()
	for _, want := range all {
		never, not := strings.CutPrefix(want, "!")
		if strings.Contains(page, never) == not {
			t.Errorf("%s: %s\n%s", name, want, page)
		}
	}
}

// A bettor reads what was drawn and how, in Spanish without asking for it, and finds a draw by its name.
func TestABettorReadsTheResults(t *testing.T) {
	d := openWith(t, t.TempDir())
	wants(t, "open", d.results("/resultados/1"), "Todavía se puede apostar", "El número estaba fijado", "!Salió el", "!7574")
	d.drawn()
	wants(t, "drawn", d.results("/resultados/1"), "Salió el <strong>7574</strong>", "Apuestas ganadoras", "El cierre todavía no se publicó",
		`<a class="button" href="/verify?draw=1">Comprobar mi comprobante</a>`, d.server.URL+"/resultados/1", "quiniela audit "+d.server.URL+"/log/", "al terminar la última agencia")
	wants(t, "in English", d.results("/resultados/1?lang=en"), "The number is <strong>7574</strong>", `href="/verify?draw=1&amp;lang=en"`, "Check my receipt")
	wants(t, "the list", d.results("/resultados"), `<a href="/resultados/1">1</a> <strong>7574</strong>`, "Buscar un sorteo")

	answer, err := http.Get(d.server.URL + "/resultados?sorteo=1")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != 200 || answer.Request.URL.Path != "/resultados/1" {
		t.Errorf("a search ends with %d at %s", answer.StatusCode, answer.Request.URL)
	}
	for _, address := range []string{"/resultados?sorteo=%3Cb%3E", "/resultados/none", "/resultados?sorteo=//evil.example"} {
		status, _, text := d.ask(d.server.URL, "GET", address, "")
		if status != 404 || strings.Contains(text, "<b>") {
			t.Errorf("%s: %d", address, status)
		}
		wants(t, address, text, "Ningún sorteo se llama así", `href="/resultados/1"`)
	}
	for _, id := range []string{"2026-11-24-nocturna", "2026-11-24-vespertina"} {
		if _, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: id, Agencies: 1, Rule: draw.FixedNumber(1)}); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, "a part of a name", d.results("/resultados?sorteo=+Nocturna+"), "/resultados/2026-11-24-nocturna", "!vespertina", "!Ningún sorteo")
	without := open(t)
	wants(t, "without a log", without.results("/resultados/1"), "no está en un registro público", "!/verify?draw", "!quiniela audit")
}

// The page of a notary's number says how many people enter it, and which extract it is of.
func TestTheResultsSayHowANotarysNumberCame(t *testing.T) {
	d := openWith(t, t.TempDir())
	extract := sha256.Sum256([]byte("the extract"))
	for _, row := range []struct {
		id      string
		two     bool
		extract []byte
		want    []string
	}{
		{"alone", false, nil, []string{"Una persona autorizada", "El extracto no se entregó"}},
		{"both", true, extract[:], []string{"Dos personas autorizadas", hex.EncodeToString(extract[:]), "!El extracto no se entregó"}},
	} {
		if _, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: row.id, Agencies: 1, Two: row.two, Rule: draw.Rule{Source: quiniela.SourceNotary}}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.ledger.CloseDraw(t.Context(), ledger.Actor{}, row.id, "it rains"); err != nil {
			t.Fatal(err)
		}
		wants(t, row.id, d.results("/resultados/"+row.id), "El número todavía no salió", "it rains", "por decisión del operador", "!El extracto")
		people := []string{"ana"}
		if row.two {
			people = append(people, "luis")
		}
		for _, name := range people {
			if _, err := d.ledger.EnterNumber(t.Context(), ledger.Actor{Name: name, Registered: true}, row.id, 815, row.extract); err != nil {
				t.Fatal(err)
			}
		}
		for range 300 {
			if strings.Contains(d.results("/resultados/"+row.id), "0815") {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		wants(t, row.id, d.results("/resultados/"+row.id), append(row.want, "Salió el <strong>0815</strong>")...)
	}
}

// The page of a beacon's draw names its round and where to see it, and says when the draw was closed too late for it.
func TestTheResultsNameTheBeaconsRound(t *testing.T) {
	d := openWith(t, t.TempDir())
	closes := time.Now().Add(time.Hour)
	night, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "night", Agencies: 1, Closes: closes, Rule: draw.Rule{Source: quiniela.SourceBeacon}})
	if err != nil {
		t.Fatal(err)
	}
	round := fmt.Sprint(night.Rule.Round)
	wants(t, "open", d.results("/resultados/night"), "Se puede apostar hasta el", closes.Local().Format("02/01/2006 15:04:05 MST"), "El número sale de un faro público el",
		"<strong>"+round+"</strong> y se firma el", `href="https://api.drand.sh/`+draw.QuicknetHash+"/public/"+round+`"`, "!Atención")
}

// The witnesses are those whose signatures the published checkpoint of the closing has, each with its time; without any, the page says so.
func TestTheResultsSayWhoSawTheClosing(t *testing.T) {
	public := t.TempDir()
	d := openWith(t, public)
	d.drawn()
	dir := filepath.Join(public, "draws", "1")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	signer, _, err := tlog.NewLogKey("lottery.example/log", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	note, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: "lottery.example/log", Root: tlog.EmptyRoot}, signer)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, note []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), note, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sealed.unwitnessed", note)
	wants(t, "too few", d.results("/resultados/1"), "demasiado pocos testigos", "!boletín oficial")
	write("sealed.checkpoint", note)
	wants(t, "none", d.results("/resultados/1"), "sólo hay la palabra del operador", "!demasiado pocos")

	at := time.Date(2026, 11, 24, 21, 0, 3, 0, time.UTC)
	for i, name := range []string{"press.example", "university.example"} {
		witness, _, err := tlog.NewWitnessKey(name, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i) + 2}, 32)), func() time.Time { return at })
		if err != nil {
			t.Fatal(err)
		}
		line, err := tlog.Cosign(note, witness)
		if err == nil {
			note, err = tlog.AddSignatures(note, line)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("sealed.checkpoint", note)
	text := d.results("/resultados/1")
	wants(t, "two", text, "Firmaron el cierre", "<strong>press.example</strong>", "<strong>university.example</strong>", at.Local().Format("02/01/2006 15:04:05 MST"),
		"boletín oficial", "!<strong>lottery.example", "!la palabra del operador")

	write("sealed.checkpoint", []byte("not a note"))
	if status, _, _ := d.ask(d.server.URL, "GET", "/resultados/1", ""); status != 500 {
		t.Errorf("with a spoiled checkpoint: %d", status)
	}
}
