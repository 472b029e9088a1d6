package web

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
)

// page is what a template shows.
type page struct {
	T         texts
	Operator  bool   // for one of those who run the lottery
	Name      string // that person's, where it is known
	Named     bool   // with the documents of those who won
	Asked     string // the language that the page's address asks for
	Login     bool   // whether one can log in at all
	Log       bool   // whether the public log is served
	Alone     bool   // the page that checks receipts is a file of its own
	Failed    bool   // whether the attempt to log in failed
	Draws     []Draw // newest first
	AllDraws  turn
	Draw      Draw
	Agencies  []Agency // the operator's
	Others    turn
	Winners   []Winners
	More      turn     // winners
	Forgotten bool     // nobody knows any more who won
	Buckets   []bucket // the operator's
	Most      []played // the numbers played most; the operator's
}

// turn has the links to the rest of a list of which a page shows a part.
type turn struct {
	Before, After string // "" if there is none
}

// bucket is a hundred numbers in a row.
type bucket struct {
	From, To     uint16
	Bets         uint64
	X, Y, Height float64 // of its bar, in the picture's units
}

// played is a number and how many bets are on it.
type played struct {
	Number uint16
	Bets   uint64
}

// How much of each list a page shows at once. A draw may have a million agencies, each with any number of winners.
const (
	pageAgencies  = 200
	pageDraws     = 50
	pageDocuments = 20 // of an agency, to the operator
)

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"number": func(n uint16) string { return fmt.Sprintf("%04d", n) },
	"total":  func(n uint64) string { return thousands(fmt.Sprint(n)) }, // takes a pointer too, which count would print
	"count":  func(n any) string { return thousands(fmt.Sprint(n)) },
	"turnOf": func(t texts, label string, of turn) any {
		return struct {
			turn
			T     texts
			Label string
		}{of, t, label}
	},
	"iso":   func(t time.Time) string { return t.Format(time.RFC3339) },
	"clock": func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") },
}).ParseFS(files, "pages/*.html"))

// thousands separates a whole number's thousands with a narrow space, which is right in both languages; page.js does the same.
// go-humanize would write a comma, which is a decimal point in Spanish.
func thousands(s string) string {
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// render answers with a page. It makes the whole page before it sends the status, so that a failure can still be a 500.
func (s *Site) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.T, p.Operator, p.Login, p.Log = language(r), staff(r), s.Operators != nil, s.Published != ""
	p.Name = visitorOf(r).person.Name
	if r.URL.Query().Get("lang") == p.T.Lang {
		p.Asked = p.T.Lang
	}
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, p); err != nil {
		s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
		http.Error(w, "the page could not be made; see the server's log", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // a peer that has gone needs no answer
}

// home shows the current draw, and the list of all draws.
func (s *Site) home(w http.ResponseWriter, r *http.Request) { s.show(w, r, "") }

func (s *Site) drawPage(w http.ResponseWriter, r *http.Request) { s.show(w, r, r.PathValue("id")) }

func (s *Site) show(w http.ResponseWriter, r *http.Request, id string) {
	p, err := s.collect(r, id)
	switch {
	case quiniela.CodeOf(err) == quiniela.NoDraw && id == "":
		s.render(w, r, http.StatusOK, "empty", p)
	case quiniela.CodeOf(err) == quiniela.NoDraw:
		s.render(w, r, http.StatusNotFound, "missing", p)
	case err != nil:
		s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
		writeProblem(w, err)
	default:
		s.render(w, r, http.StatusOK, "draw", p)
	}
}

func (s *Site) collect(r *http.Request, id string) (p page, err error) {
	if err := s.collectDraws(&p, r); err != nil {
		return p, err
	}
	d, err := s.Ledger.FindDraw(r.Context(), id)
	if err != nil {
		return p, err
	}
	p.Draw = newDraw(d, staff(r))
	if err := s.collectWinners(&p, r, d); err != nil || !staff(r) {
		return p, err
	}
	if err := s.collectAgencies(&p, r, d); err != nil {
		return p, err
	}
	tally, err := s.Ledger.Tally(r.Context(), d.ID)
	if err != nil {
		return p, err
	}
	p.Buckets, p.Most = distribution(tally)
	return p, nil
}

// collectDraws takes the draws up to the parameter `draws`, an ordinal, or the last ones.
func (s *Site) collectDraws(p *page, r *http.Request) error {
	_, last, err := s.Ledger.DrawsFrom(r.Context(), 0, 0)
	if err != nil {
		return err
	}
	newest := last
	if n := parameter(r, "draws"); n > 0 && n < last {
		newest = n
	}
	first := uint64(1)
	if newest > pageDraws {
		first = newest - pageDraws + 1
	}
	all, _, err := s.Ledger.DrawsFrom(r.Context(), first, int(newest-first+1))
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(all) {
		p.Draws = append(p.Draws, newDraw(d, staff(r)))
	}
	if newest < last {
		p.AllDraws.Before = link(r, "draws", min(last, newest+pageDraws), language(r).AtDraws)
	}
	if first > 1 {
		p.AllDraws.After = link(r, "draws", first-1, language(r).AtDraws)
	}
	return nil
}

// collectWinners takes how many winners the agencies have, from the parameter `winners` on, and for the operator the first documents.
func (s *Site) collectWinners(p *page, r *http.Request, d ledger.Draw) (err error) {
	from := parameter(r, "winners")
	var next quiniela.Agency
	p.Winners, next, err = s.winners(r, d.ID, quiniela.Agency(from), pageAgencies)
	if quiniela.CodeOf(err) == quiniela.Absent {
		p.Forgotten = true
		return nil
	}
	if err != nil {
		return err
	}
	if from > 1 {
		p.More.Before = link(r, "winners", 1, language(r).AtWinners)
	}
	if next > 0 {
		p.More.After = link(r, "winners", uint64(next), language(r).AtWinners)
	}
	if p.Named = may(r, operators.Notary); !p.Named {
		return nil
	}
	for i := range p.Winners {
		w := &p.Winners[i]
		if w.Documents, err = s.documents(r, d, quiniela.Agency(w.Agency), 0, pageDocuments); err != nil {
			return err
		}
	}
	return nil
}

// collectAgencies takes the progress of the agencies from the parameter `from` on. Where there are none any more, or somebody has
// changed the link, they are the first ones.
func (s *Site) collectAgencies(p *page, r *http.Request, d ledger.Draw) error {
	from := quiniela.Agency(parameter(r, "from"))
	shown, err := s.Ledger.Progress(r.Context(), d.ID, from, pageAgencies+1)
	if err == nil && len(shown) == 0 {
		from = 0
		shown, err = s.Ledger.Progress(r.Context(), d.ID, from, pageAgencies+1)
	}
	if err != nil {
		return err
	}
	if from > 1 {
		p.Others.Before = link(r, "from", uint64(max(from, pageAgencies+1)-pageAgencies), language(r).AtAgencies)
	}
	if len(shown) > pageAgencies {
		p.Others.After = link(r, "from", uint64(shown[pageAgencies].Agency), language(r).AtAgencies)
		shown = shown[:pageAgencies]
	}
	p.Agencies = s.newAgencies(d, shown)
	return nil
}

// parameter returns a number of the page's address, or 0.
func parameter(r *http.Request, name string) uint64 {
	n, err := quiniela.ParseUint(r.URL.Query().Get(name), 32)
	if err != nil {
		return 0
	}
	return n
}

// link returns a link to the same page, with another part of one list.
func link(r *http.Request, list string, from uint64, anchor string) string {
	q := url.Values{list: {strconv.FormatUint(from, 10)}}
	if lang := r.URL.Query().Get("lang"); lang != "" {
		q.Set("lang", lang)
	}
	return "?" + q.Encode() + "#" + anchor
}

// Sizes of the picture of the distribution, in its own units, and how many of the numbers played most are listed.
const (
	buckets     = 100
	pictureHigh = 100
	mostPlayed  = 10
)

// distribution returns the bars of the picture, and the numbers played most, the one with most bets first.
func distribution(tally *[ledger.Numbers]uint64) (all []bucket, most []played) {
	const each = ledger.Numbers / buckets
	highest := uint64(1)
	for i := range buckets {
		first := i * each
		b := bucket{From: uint16(first), To: uint16(first + each - 1), X: float64(i * 10)}
		for _, bets := range tally[first : first+each] {
			b.Bets += bets
		}
		highest = max(highest, b.Bets)
		all = append(all, b)
	}
	for i := range all {
		all[i].Height = pictureHigh * float64(all[i].Bets) / float64(highest)
		all[i].Y = pictureHigh - all[i].Height
	}
	for n, bets := range tally {
		if bets > 0 {
			most = append(most, played{uint16(n), bets})
		}
	}
	slices.SortStableFunc(most, func(a, b played) int { return cmp.Compare(b.Bets, a.Bets) })
	return all, most[:min(len(most), mostPlayed)]
}

// language returns the texts in the language that the parameter `lang` asks for, or else the one that the browser prefers.
// Without either it is Spanish.
func language(r *http.Request) texts {
	accept := r.URL.Query().Get("lang") + "," + r.Header.Get("Accept-Language")
	best, quality := spanish, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		q := weight(params)
		for _, t := range []texts{spanish, english} {
			if base == t.Lang && q > quality {
				best, quality = t, q
			}
		}
	}
	return best
}

// weight returns the weight of a language in Accept-Language, from its parameters: 1 without any, 0 if it is not a number.
func weight(params string) float64 {
	text, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return q
}
