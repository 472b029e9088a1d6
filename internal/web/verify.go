package web

import (
	"net/http"
	"strings"
)

// verifyPage is where a person checks a receipt. The check is made by a program in the browser, which this page alone may
// run; the receipt does not leave it.
func (s *Site) verifyPage(w http.ResponseWriter, r *http.Request) {
	if policy := w.Header().Get(securityPolicy); policy != "" {
		w.Header().Set(securityPolicy, strings.Replace(policy, "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", 1))
	}
	s.render(w, r, http.StatusOK, "verify", page{})
}

const securityPolicy = "Content-Security-Policy"

// verifier answers with the program, which is kept compressed: every browser that runs it reads that.
func verifier(w http.ResponseWriter, r *http.Request) {
	program, err := files.ReadFile("static/verify.wasm.gz")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/wasm")
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(program) // a peer that has gone needs no answer
}
