package web

import (
	"net/http"
	"strings"
)

// verifyPage shows the page that checks a receipt. A WebAssembly program does it inside the browser, so the receipt does not
// leave it. No other page may run WebAssembly.
func (s *Site) verifyPage(w http.ResponseWriter, r *http.Request) {
	if policy := w.Header().Get(securityPolicy); policy != "" {
		w.Header().Set(securityPolicy, strings.Replace(policy, "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", 1))
	}
	s.render(w, r, http.StatusOK, "verify", page{})
}

const securityPolicy = "Content-Security-Policy"

// verifier answers with that program. It is embedded compressed and sent so: every browser with WebAssembly reads gzip.
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
