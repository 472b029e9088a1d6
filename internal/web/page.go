package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"quiniela"
	"quiniela/internal/operators"
)

// page is what a template shows. render sets the fields up to Zone.
type page struct {
	T        texts
	Section  string // the template's name
	Operator bool   // for one of those who run the lottery
	Opens    bool   // for one who may open and close draws
	Enters   bool   // for one who may enter a number
	Name     string // that person's, where it is known
	Asked    string // the language that the page's address asks for
	Here     here
	Login    bool   // whether one can log in at all
	Log      bool   // whether the public log is served
	Version  string // of the program
	Zone     string // in which the page shows times

	Alone  bool   // the page that checks receipts is a file of its own
	Failed bool   // whether the attempt to log in failed
	Next   string // the page that a login leads to

	Draws   []Draw // newest first
	List    listed // what part of all draws Draws are
	Waiting []Draw // draws that wait for a person to enter their number; of those who run the lottery

	Draw        Draw
	Named       bool     // with the documents of those who won
	Agencies    []Agency // the operator's
	Others      turn
	Missing     []Agency // the first of those that have not finished; the operator's
	MissingLeft int      // the rest of them
	Late        bool     // they are missing in a closed draw, or soon
	Winners     []Winners
	More        turn     // winners
	Forgotten   bool     // nobody knows any more who won
	Chart       chart    // the operator's
	Most        []played // the numbers played most; the operator's

	Form    form
	Record  record // of a draw, to be printed
	Trail   trailList
	Backups *Backups  // nil: the server makes none by itself
	Results *results  // of a page for bettors
	Payouts []Payouts // of the agencies, or of one
	Why     []string  // why there is no such page of the draw
}

// here is a page's address, where it can be asked for.
type here struct{ url url.URL }

// In returns the address of the page in another language.
func (h here) In(lang string) string {
	q := h.url.Query()
	q.Set("lang", lang)
	return h.url.Path + "?" + q.Encode()
}

// turn has the links to the rest of a list of which a page shows a part.
type turn struct {
	Before, After string // "" if there is none
}

// How much of each list a page shows at once. A draw may have a million agencies, each with any number of winners.
const (
	pageAgencies  = 200
	pageDraws     = 50
	pageNewest    = 10 // draws below another one
	pageWaiting   = 20
	pageMissing   = 20
	pageActs      = 100
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
	"iso":         func(t time.Time) string { return t.Format(time.RFC3339) },
	"clock":       func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") },
	"short":       func(t time.Time) string { return short(t, time.Now()) },
	"may":         operators.Role.May,
	"field":       newField,
	"whole":       whole,
	"cell":        func(column, text string) any { return struct{ Column, Text string }{column, text} },
	"columns":     columns,
	"timesFields": func() []string { return timesFields[:] },
}).ParseFS(files, "pages/*.html"))

// thousands separates a whole number's thousands with a narrow space, which is right in both languages; page.js does the same.
// go-humanize would write a comma, which is a decimal point in Spanish.
func thousands(s string) string {
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// short returns a time without its zone: of today's the hours, of others the day too.
func short(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2006-01-02 15:04")
}

// zone names the lottery's time zone, which is the server's, as it is at a time.
func zone(t time.Time) string {
	offset := strings.Replace(t.Local().Format("UTC-07:00"), "-", "\u2212", 1) // a minus, behind which no line ends
	if offset == "UTC+00:00" {
		offset = "UTC"
	}
	if name := time.Local.String(); name != "Local" && name != "UTC" {
		return name + ", " + offset
	}
	return offset
}

// whole returns a text whose words with hyphens, such as names of draws, are not broken over two lines.
func whole(text string) template.HTML {
	words := strings.Split(text, " ")
	for i, word := range words {
		words[i] = template.HTMLEscapeString(word)
		if strings.Contains(word, "-") {
			words[i] = `<span class="name">` + words[i] + `</span>`
		}
	}
	return template.HTML(strings.Join(words, " ")) // each word is escaped
}

// render answers with a page. It makes the whole page before it sends the status, so that a failure can still be a 500.
func (s *Site) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.T, p.Section, p.Login, p.Log = language(r), name, s.Operators != nil, s.Published != ""
	p.Operator, p.Opens, p.Enters = staff(r), may(r, operators.Operator), may(r, operators.Notary)
	p.Name, p.Version, p.Zone = visitorOf(r).person.Name, s.Version, zone(time.Now())
	if p.Here.url.Path == "" {
		p.Here.url = *r.URL
	}
	if r.URL.Query().Get("lang") == p.T.Lang {
		p.Asked = p.T.Lang
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: p.T.Lang, Path: "/", MaxAge: int(languageTime.Seconds()), HttpOnly: true, Secure: s.secured(r), SameSite: http.SameSiteLaxMode})
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

// The language that somebody has asked for is kept in a cookie.
const (
	languageCookie = "lang"
	languageTime   = 365 * 24 * time.Hour
)

// language returns the texts in the language that the parameter `lang` asks for, or else the one that was last asked for in this
// way, or else the one that the browser prefers. Without any it is Spanish.
func language(r *http.Request) texts {
	asked := r.URL.Query().Get("lang")
	if c, err := r.Cookie(languageCookie); err == nil {
		asked += "," + c.Value
	}
	best, quality := spanish, 0.0
	for part := range strings.SplitSeq(asked+","+r.Header.Get("Accept-Language"), ",") {
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
