package web

import (
	"net/http"
	"strings"

	"quiniela"
)

// verifyPage shows the page that checks a receipt. A WebAssembly program does it inside the browser, so the receipt does not
// leave it. No other page may run WebAssembly. The parameter `draw` names the draw whose outcome the page shows before there is a
// receipt.
func (s *Site) verifyPage(w http.ResponseWriter, r *http.Request) {
	var p page
	if id := r.URL.Query().Get("draw"); id != "" {
		d, err := s.Ledger.FindDraw(r.Context(), id)
		if quiniela.CodeOf(err) == quiniela.NoDraw {
			s.show(w, r, id) // says that there is no such draw, and which ones there are
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		p.Draw.ID = d.ID
	}
	if policy := w.Header().Get(securityPolicy); policy != "" {
		w.Header().Set(securityPolicy, strings.Replace(policy, "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", 1))
	}
	s.render(w, r, http.StatusOK, "verify", p)
}

const securityPolicy = "Content-Security-Policy"

// program returns the compressed WebAssembly program.
func program() ([]byte, error) { return files.ReadFile("static/verify.wasm.gz") }

// verifier answers with that program. It is embedded compressed and sent so: every browser with WebAssembly reads gzip.
func verifier(w http.ResponseWriter, _ *http.Request) {
	code, err := program()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/wasm")
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(code) // a peer that has gone needs no answer
}
