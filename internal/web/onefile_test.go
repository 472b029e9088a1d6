package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"quiniela/internal/web"
)

// The page as one file has all that it needs in it, in both languages, and its policy allows it no request. The site offers the file
// that the command writes.
func TestThePageAsOneFile(t *testing.T) {
	text, err := web.VerifyPage()
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, want := range []string{
		"default-src &#39;none&#39;", "Verificar un comprobante", "Check a receipt", `<template id="other" data-lang="en"`, "async function checkWith(", "--accent:",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("it has no %q", want)
		}
	}
	for _, never := range []string{"connect-src", "import {", "\nexport ", "ZgotmplZ", "data-log=", "/verify.html"} {
		if strings.Contains(page, never) {
			t.Errorf("it has %q", never)
		}
	}
	if found := regexp.MustCompile(`(?:href|src)="[^#d][^"]*"`).FindAllString(page, -1); len(found) > 0 {
		t.Errorf("it leads elsewhere: %q", found)
	}
	d := open(t)
	status, h, served := d.ask(d.server.URL, "GET", "/verify.html", "")
	if status != 200 || served != page || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") {
		t.Errorf("the site's file: %d, %d bytes, %v", status, len(served), h)
	}
}

// The results page of a draw leads to a check of its receipts in the reader's language, where the site shows its log.
func TestADrawLeadsToTheVerifier(t *testing.T) {
	d := openWith(t, t.TempDir())
	for address, want := range map[string]string{
		"/draws/1":            `<a href="/verify?draw=1">Verificar un comprobante de este sorteo</a>`,
		"/draws/1?lang=en":    `<a href="/verify?draw=1&amp;lang=en">Check a receipt of this draw</a>`,
		"/verify?draw=1":      `data-log="/log/" data-draw="1"`,
		"/verify":             `data-log="/log/" data-ready`,
		"/verify?lang=en":     `served by the operator, and it is the operator whom it checks`,
		"/verify?draw=none":   `No hay un sorteo con ese nombre`,
		"/verify?draw=%22%3E": `No hay un sorteo con ese nombre`,
	} {
		if _, _, text := d.ask(d.server.URL, "GET", address, ""); !strings.Contains(text, want) {
			t.Errorf("%s has no %s:\n%s", address, want, text)
		}
	}
	without := open(t)
	if _, _, text := without.ask(without.server.URL, "GET", "/draws/1", ""); strings.Contains(text, "/verify?draw") {
		t.Error("a site without the log leads to a check that needs it")
	}
	if _, _, text := without.ask(without.server.URL, "GET", "/verify?draw=1", ""); strings.Contains(text, "data-log") {
		t.Error("a site without the log says that it has one")
	}
}

// Each text that the script reads says something for each name, in both languages.
func TestTheScriptsTextsAreComplete(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("static", "verify.js"))
	if err != nil {
		t.Fatal(err)
	}
	d := openWith(t, t.TempDir())
	for _, lang := range []string{"es", "en"} {
		_, _, text := d.ask(d.server.URL, "GET", "/verify?draw=1&lang="+lang, "")
		for _, m := range regexp.MustCompile(`root\.dataset\.([a-z]+)`).FindAllStringSubmatch(string(script), -1) {
			if found := regexp.MustCompile(` data-` + m[1] + `="[^"]+"`).FindString(text); found == "" {
				t.Errorf("%s: no data-%s", lang, m[1])
			}
		}
		for list, names := range map[string]string{
			"states": "ok failed skipped", "kinds": "receipt outcome policy key beacon checkpoint evidence",
			"parts": "receipt outcome beacon checkpoint log evidence", "refusals": "unknown several secret folder code old",
		} {
			found := regexp.MustCompile(` data-` + list + `="([^"]+)"`).FindStringSubmatch(text)
			if found == nil {
				t.Fatalf("%s: no data-%s", lang, list)
			}
			pairs := strings.Split(found[1], "|")
			for i, name := range strings.Fields(names) {
				if i >= len(pairs) || !strings.HasPrefix(pairs[i], name+"=") || strings.Count(pairs[i], "=") != 1 || len(pairs) != len(strings.Fields(names)) {
					t.Errorf("%s: %s is %q, want a text for each of %s", lang, list, pairs, names)
					break
				}
			}
		}
	}
}
