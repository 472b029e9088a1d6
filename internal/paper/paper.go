// Package paper makes receipts for a printer: a page for each bet, with what was played and a QR code that opens the check of the
// receipt. It writes HTML in one file, which asks nobody for anything; a browser prints it.
package paper

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"
	"time"

	"quiniela"
	"quiniela/internal/qr"
	"quiniela/receipt"
	"quiniela/receipt/link"
)

// Options are how receipts are printed.
type Options struct {
	Paper string // one of Papers
	Site  string // address of the lottery's site, such as https://lottery.example
	Lang  string // es or en
}

// size is a size of paper, in millimetres.
type size struct {
	Width, Height int
	Margin        int // at each side
}

// mostCode is the greatest width of a code, in millimetres: as wide as a roll of 80 mm is printed, and so high that A6 has room for the text.
const mostCode = 72

// sizes by the names that Options.Paper knows. A roll is cut at a page's end, so that its height is what a receipt needs.
var sizes = map[string]size{
	"80mm": {Width: 80, Height: 160, Margin: 4},
	"a6":   {Width: 105, Height: 148, Margin: 7},
}

// Papers are the sizes of paper: a roll of 80 mm, and DIN A6.
var Papers = []string{"80mm", "a6"}

// dotsPerMillimetre is the resolution of a receipt printer, 203 dots an inch. A code whose squares are whole dots comes out sharp.
const dotsPerMillimetre = 8

// mostDots is the greatest width of a code's square, in dots of the printer. It bounds the code of a short text.
const mostDots = 8

//go:embed paper.html
var files embed.FS

var pages = template.Must(template.New("").ParseFS(files, "paper.html"))

// Sheet is a file of receipts that is being written.
type Sheet struct {
	out   io.Writer
	site  *url.URL
	paper size
	texts texts
}

// New begins a file of receipts. It fails where the site's address is none.
func New(out io.Writer, o Options) (*Sheet, error) {
	site, err := url.Parse(strings.TrimRight(o.Site, "/"))
	if err != nil || site.Scheme != "https" && site.Scheme != "http" || site.Host == "" || site.User != nil || strings.ContainsAny(o.Site, "?#") {
		return nil, fmt.Errorf("the site %q: want the address of the lottery's page, such as https://lottery.example", o.Site)
	}
	paper, ok := sizes[o.Paper]
	if !ok {
		return nil, fmt.Errorf("the paper %q: want one of %s", o.Paper, strings.Join(Papers, ", "))
	}
	s := &Sheet{out, site, paper, spanish}
	if o.Lang == "en" {
		s.texts = english
	}
	return s, pages.ExecuteTemplate(out, "head", map[string]any{"T": s.texts, "Paper": paper})
}

// page is what a receipt's page shows.
type page struct {
	T        texts
	Receipt  *receipt.Receipt
	Played   string
	Batch    receipt.BatchEntry
	Bet      uint32 // its place in its batch, from 1
	Received time.Time
	Site     string // as a person types it
	Results  string // likewise
	Code     qr.Code
	Whole    bool    // the code has all of the receipt
	File     string  // that has the receipt
	Width    float64 // of the code, mm
}

// Add writes the page of a receipt. file is the name of the receipt's own file: a code that cannot hold the receipt leads to the page that
// checks it, and the paper asks for that file.
func (s *Sheet) Add(file string, r *receipt.Receipt) error {
	record, err := r.Record()
	if err != nil {
		return fmt.Errorf("print a receipt: %w", err)
	}
	batch, err := receipt.ParseBatchEntry(r.Batch.Entry)
	if err != nil {
		return fmt.Errorf("print a receipt: %w", err)
	}
	p := page{
		T: s.texts, Receipt: r, Played: s.texts.played(record.Play), Batch: batch, Bet: r.Index + 1, Received: time.UnixMicro(int64(batch.Received)),
		Site: s.site.Host + s.site.Path, Results: s.site.Host + s.site.Path + "/resultados/" + r.Draw, File: file,
	}
	if p.Code, p.Whole, err = s.code(r); err != nil {
		return err
	}
	dots := min(mostCode*dotsPerMillimetre/p.Code.Side, mostDots)
	p.Width = float64(dots*p.Code.Side) / dotsPerMillimetre
	return pages.ExecuteTemplate(s.out, "receipt", p)
}

// code returns the code that opens the check of a receipt, and whether all of the receipt is in it. Otherwise it opens the page of the check.
func (s *Sheet) code(r *receipt.Receipt) (c qr.Code, whole bool, err error) {
	check := s.site.String() + "/verify"
	address, err := link.To(check, r)
	if err == nil {
		c, err = qr.Encode(address)
	}
	if errors.Is(err, link.ErrTooLong) || errors.Is(err, qr.ErrTooLong) {
		c, err = qr.Encode(check + "?draw=" + url.QueryEscape(r.Draw))
		return c, false, err
	}
	return c, true, err
}

// End writes the end of the file.
func (s *Sheet) End() error { return pages.ExecuteTemplate(s.out, "foot", nil) }

// When says a time of a receipt, in the agency's zone.
func (p page) When() string { return p.Received.Local().Format(p.T.Time) }

// played says what a bet is on.
func (t texts) played(p quiniela.Play) string {
	text := fmt.Sprintf("%0*d", p.Digits, p.Number)
	if p.From != 1 || p.To != 1 {
		text += fmt.Sprintf(t.Prizes, p.From, p.To)
	}
	if p.Stake > 0 {
		text += " · $ " + strings.Replace(quiniela.FormatCents(p.Stake), ".", t.Decimal, 1)
	}
	return text
}
