package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
)

// sources are where the number of a new draw may come from, in the order of the form.
var sources = []string{string(quiniela.SourceNotary), string(quiniela.SourceBeacon), string(quiniela.SourceFixed)}

// localTime is how a browser writes a time without a zone.
const localTime = "2006-01-02T15:04"

// openForm shows the form for a new draw, with the game of the last one, its terms and as many agencies.
func (s *Site) openForm(w http.ResponseWriter, r *http.Request) {
	last, _, err := s.Ledger.LastDraws(r.Context(), 0, 1, func(ledger.Draw) bool { return true })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	f := newForm(w, r)
	f.Typed["source"] = sources[0]
	var game *quiniela.Terms
	if len(last) > 0 {
		f.Typed["agencies"] = strconv.FormatUint(uint64(last[0].Agencies), 10)
		game = last[0].Game
	}
	f.prefill(language(r), game)
	if f.People = s.whoMayEnter(); f.People >= 2 {
		f.Typed["two"] = "yes"
	}
	s.render(w, r, http.StatusOK, "open", page{Form: f})
}

// takeTerms opens the draw of a form that was sent.
func (s *Site) takeTerms(w http.ResponseWriter, r *http.Request) {
	f := newForm(w, r, append([]string{"id", "again", "agencies", "closes", "source", "number", "two"}, termFields...)...)
	f.People = s.whoMayEnter()
	terms := f.terms(language(r), time.Now())
	if len(f.Wrong) == 0 {
		d, err := s.open(r, terms)
		if err == nil {
			http.Redirect(w, r, "/draws/"+d.ID, http.StatusSeeOther)
			return
		}
		f.refusedTerms(language(r), err)
	}
	p := page{Form: f}
	p.Here.url.Path = "/open"
	s.render(w, r, http.StatusUnprocessableEntity, "open", p)
}

// terms reads the form, and notes what is wrong with it.
func (f *form) terms(t texts, now time.Time) Terms {
	v := Terms{ID: f.Typed["id"], Source: f.Typed["source"]}
	if quiniela.CheckDrawID(v.ID) != nil {
		f.reject("id", t.WrongID)
	} else if f.Typed["again"] != v.ID {
		f.reject("again", t.WrongAgain)
	}
	agencies, err := quiniela.ParseUint(f.Typed["agencies"], 32)
	if err != nil || agencies < 1 || agencies > ledger.MaxAgencies {
		f.reject("agencies", t.WrongAgencies)
	}
	v.Agencies = uint32(agencies)
	v.Closes = f.closing(t, now)
	f.game(t, &v)
	if !slices.Contains(sources, v.Source) {
		f.reject("source", t.WrongSource)
	}
	switch draw.Source(v.Source) {
	case quiniela.SourceBeacon:
		if v.Closes == nil {
			f.reject("closes", t.WrongBeaconCloses)
		}
	case quiniela.SourceFixed:
		if v.Game == quiniela.GameQuiniela {
			f.reject("source", t.WrongFixed)
		} else if v.Number, err = fourDigits(f.Typed["number"]); err != nil {
			f.reject("number", t.WrongNumber)
		}
	case quiniela.SourceNotary:
		two := f.Typed["two"] == "yes" && f.People >= 2
		v.Two = &two
	}
	return v
}

// closing reads the closing time, which is in the lottery's zone; nil where there is none.
func (f *form) closing(t texts, now time.Time) *time.Time {
	text := f.Typed["closes"]
	if text == "" {
		return nil
	}
	at, err := time.ParseInLocation(localTime, text, time.Local)
	switch {
	case err != nil, at.Format(localTime) != text: // an hour that the clocks leave out
		f.reject("closes", t.WrongCloses)
	case !at.After(now):
		f.reject("closes", t.WrongPast+" "+zone(at)+".")
	}
	return &at
}

// fourDigits reads a number as it is drawn: with all its digits.
func fourDigits(s string) (*uint16, error) {
	if len(s) != 4 {
		return nil, quiniela.Refuse(quiniela.Invalid, "the number %q: want four digits", quiniela.Clip(s))
	}
	n, err := quiniela.ParseUint(s, 16)
	v := uint16(n)
	return &v, err
}

// refusedTerms notes why the ledger refused what looked right.
func (f *form) refusedTerms(t texts, err error) {
	if quiniela.CodeOf(err) == quiniela.NoDraw { // the code of a draw that cannot be opened
		f.reject("id", t.WrongTaken)
		return
	}
	f.refused(t, err)
}
