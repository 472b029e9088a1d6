package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"sync"
)

// module matches the lines and words of a script that make it a module of its own: imports, and the word export.
var module = regexp.MustCompile(`(?m)^(?:import .*\n|export )`)

// VerifyPage returns the page that checks receipts as one file: its scripts, its style and the program are in it, in both languages.
// It asks nobody for anything, and its own security policy has the browser see to that. Each build of the lottery gives one file,
// byte for byte, so that two people can compare theirs.
var VerifyPage = sync.OnceValues(func() ([]byte, error) {
	code, err := program()
	if err != nil {
		return nil, err
	}
	var text [4][]byte
	for i, name := range []string{"wasi.js", "verify.js", "style.css", "icon.svg"} {
		if text[i], err = files.ReadFile("static/" + name); err != nil {
			return nil, err
		}
	}
	script := module.ReplaceAllString(string(text[0])+string(text[1]), "")
	style := string(text[2])
	var out bytes.Buffer
	err = templates.ExecuteTemplate(&out, "alone", map[string]any{
		"T": spanish, "Page": page{T: spanish, Alone: true}, "Other": page{T: english, Alone: true},
		"Policy": fmt.Sprintf("default-src 'none'; script-src %s 'wasm-unsafe-eval'; style-src %s; img-src data:; form-action 'none'; base-uri 'none'",
			hashSource(script), hashSource(style)),
		// All of these are this package's own files.
		"Script":  template.JS(script),
		"Style":   template.CSS(style),
		"Program": template.HTML(base64.StdEncoding.EncodeToString(code)),
		"Icon":    template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(text[3])),
	})
	return out.Bytes(), err
})

// hashSource returns what a security policy calls a script or a style that is in the page itself.
func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// oneFile answers with the page as one file, to be saved.
func (s *Site) oneFile(w http.ResponseWriter, r *http.Request) {
	file, err := VerifyPage()
	if err != nil {
		s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
		writeProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="verify.html"`)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(file) // a peer that has gone needs no answer
}
