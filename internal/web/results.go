package web

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/internal/qr"
	"quiniela/tlog"
)

// results is what the page of a draw's results shows beside the draw itself: it is for bettors, and no operator sees more.
type results struct {
	T        resultTexts
	Address  string // of the page
	Code     qr.Code
	Extract  string // SHA-256 of the notary's extract, hex; "" where there is none
	RoundURL string // where a relay of the beacon has the round
	LogURL   string // of the published log
	// Late reports that the draw was closed when its round was public already, so that the number could have been known before.
	Late      bool
	Sealing   sealing
	Witnesses []tlog.Signature
	Absent    string // of the list of draws: a text that no draw's name has
}

// sealing says how far the witnesses of a draw's closing are.
type sealing string

const (
	notSealed  sealing = ""           // the draw is open, or its closing is not published yet
	unlogged   sealing = "unlogged"   // the draw is in no public log
	tooFew     sealing = "too few"    // they are being asked
	witnessed  sealing = "witnessed"  // as many as the operator asks for have signed
	unattended sealing = "unattended" // the operator asks for none
)

// relay is where a bettor can read a round of the beacon without the lottery.
const relay = "https://api.drand.sh/" + draw.QuicknetHash + "/public/"

// resultsPage shows the results of a draw in plain words.
func (s *Site) resultsPage(w http.ResponseWriter, r *http.Request) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	if quiniela.CodeOf(err) == quiniela.NoDraw {
		s.resultsList(w, r, http.StatusNotFound, r.PathValue("id"))
		return
	}
	p := page{Draw: newDraw(d, false)}
	if err == nil {
		p.Results, err = s.newResults(r, d)
	}
	if err != nil {
		s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
		writeProblem(w, err)
		return
	}
	s.render(w, r, http.StatusOK, "results", p)
}

// findResults leads to the results of the draw that the parameter `sorteo` names. Otherwise it lists the draws whose names have that text.
func (s *Site) findResults(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSpace(r.URL.Query().Get("sorteo"))
	if quiniela.CheckDrawID(id) != nil { // nothing, or what no draw is called
		s.resultsList(w, r, http.StatusOK, id)
		return
	}
	switch _, err := s.Ledger.FindDraw(r.Context(), id); {
	case quiniela.CodeOf(err) == quiniela.NoDraw:
		s.resultsList(w, r, http.StatusOK, id)
	case err != nil:
		s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
		writeProblem(w, err)
	default:
		address := "/resultados/" + url.PathEscape(id)
		if lang := r.URL.Query().Get("lang"); lang != "" {
			address += "?" + url.Values{"lang": {lang}}.Encode()
		}
		http.Redirect(w, r, address, http.StatusSeeOther)
	}
}

// resultsList shows the newest draws whose names have a text, or all of them where none has.
func (s *Site) resultsList(w http.ResponseWriter, r *http.Request, status int, part string) {
	p := page{Results: &results{T: resultTextsIn(language(r).Lang)}}
	found, more, err := s.Ledger.LastDraws(r.Context(), 0, pageDraws, func(d ledger.Draw) bool { return strings.Contains(strings.ToLower(d.ID), strings.ToLower(part)) })
	if err == nil && len(found) == 0 && part != "" {
		p.Results.Absent, status = part, http.StatusNotFound
		found, more, err = s.Ledger.LastDraws(r.Context(), 0, pageDraws, func(ledger.Draw) bool { return true })
	}
	if err != nil {
		s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
		writeProblem(w, err)
		return
	}
	p.Draws, p.List.All = newDraws(r, found), more == 0
	s.render(w, r, status, "results-list", p)
}

func (s *Site) newResults(r *http.Request, d ledger.Draw) (*results, error) {
	scheme := "http://"
	if s.secured(r) {
		scheme = "https://"
	}
	site := scheme + r.Host
	found := &results{T: resultTextsIn(language(r).Lang), Address: site + "/resultados/" + url.PathEscape(d.ID), LogURL: site + "/log/"}
	if d.Extract != nil {
		found.Extract = hex.EncodeToString(d.Extract)
	}
	if round := d.Rule.Round; round != 0 {
		found.RoundURL = relay + strconv.FormatUint(round, 10)
		found.Late = d.Sealed && !d.SealedAt.Before(draw.Quicknet().TimeOf(round))
	}
	var err error
	if found.Code, err = qr.Encode(found.Address); err != nil {
		return nil, err
	}
	found.Sealing, found.Witnesses, err = s.witnesses(d)
	return found, err
}

// witnesses returns who has signed the checkpoint of a draw's closing, as the published log has it. The publisher has verified each
// signature against the key that the operator was given; a reader verifies them again with keys of his own.
func (s *Site) witnesses(d ledger.Draw) (sealing, []tlog.Signature, error) {
	if s.Published == "" || !d.Logged() {
		return unlogged, nil, nil
	}
	folder := os.DirFS(s.Published)
	for _, file := range []struct {
		name string
		is   sealing
	}{{"sealed.checkpoint", witnessed}, {"sealed.unwitnessed", tooFew}} {
		note, err := fs.ReadFile(folder, "draws/"+d.ID+"/"+file.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		all, err := tlog.UnverifiedSignatures(note)
		if err != nil {
			return "", nil, fmt.Errorf("%s of draw %s: %w", file.name, d.ID, err)
		}
		var signed []tlog.Signature
		for _, by := range all {
			if !by.At.IsZero() { // the log's own signature has no time
				signed = append(signed, by)
			}
		}
		if len(signed) == 0 && file.is == witnessed {
			return unattended, nil, nil
		}
		return file.is, signed, nil
	}
	return notSealed, nil, nil
}

// Time says a moment, in the lottery's zone.
func (r *results) Time(t time.Time) string { return t.Local().Format(r.T.Clock) }
