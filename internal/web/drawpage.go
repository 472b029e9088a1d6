package web

import (
	"net/http"
	"slices"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
)

// home shows the current draw, and the list of all draws.
func (s *Site) home(w http.ResponseWriter, r *http.Request) { s.show(w, r, "") }

func (s *Site) drawPage(w http.ResponseWriter, r *http.Request) { s.show(w, r, r.PathValue("id")) }

// fail answers where a page cannot be made: with a page where there is no such draw, or else with a problem.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if quiniela.CodeOf(err) == quiniela.NoDraw {
		var p page
		if err = s.collectNewest(&p, r); err == nil {
			s.render(w, r, http.StatusNotFound, "missing", p)
			return
		}
	}
	s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
	writeProblem(w, err)
}

func (s *Site) show(w http.ResponseWriter, r *http.Request, id string) {
	p, err := s.collect(r, id)
	switch {
	case quiniela.CodeOf(err) == quiniela.NoDraw && id == "":
		s.render(w, r, http.StatusOK, "empty", p)
	case err != nil:
		s.fail(w, r, err)
	default:
		s.render(w, r, http.StatusOK, "draw", p)
	}
}

func (s *Site) collect(r *http.Request, id string) (p page, err error) {
	if err := s.collectNewest(&p, r); err != nil {
		return p, err
	}
	d, err := s.Ledger.FindDraw(r.Context(), id)
	if err != nil {
		return p, err
	}
	p.Draw = newDraw(d, staff(r))
	p.Waiting = slices.DeleteFunc(p.Waiting, func(other Draw) bool { return other.ID == d.ID }) // the page says so itself
	if err := s.collectWinners(&p, r, d); err != nil || !staff(r) {
		return p, err
	}
	if err := s.collectMissing(&p, r, d); err != nil {
		return p, err
	}
	if err := s.collectAgencies(&p, r, d); err != nil {
		return p, err
	}
	tally, err := s.Ledger.Tally(r.Context(), d.ID)
	if err != nil {
		return p, err
	}
	p.Chart, p.Most = distribution(d.Game, tally)
	return p, nil
}

// collectNewest takes the draws that were opened last, and those that wait for a person.
func (s *Site) collectNewest(p *page, r *http.Request) error {
	newest, more, err := s.Ledger.LastDraws(r.Context(), 0, pageNewest, func(ledger.Draw) bool { return true })
	if err != nil {
		return err
	}
	p.Draws, p.List.All = newDraws(r, newest), more == 0
	return s.collectWaiting(p, r)
}

// collectWaiting takes, for those who run the lottery, the draws that wait for one of them to enter their number.
func (s *Site) collectWaiting(p *page, r *http.Request) error {
	if !staff(r) {
		return nil
	}
	waiting, _, err := s.Ledger.LastDraws(r.Context(), 0, pageWaiting, waits)
	p.Waiting = newDraws(r, waiting)
	return err
}

// waits reports whether a draw waits for a person to enter its number.
func waits(d ledger.Draw) bool {
	return d.Sealed && d.Result == nil && d.Entered == nil && d.Rule.Source == quiniela.SourceNotary
}

func newDraws(r *http.Request, from []ledger.Draw) []Draw {
	draws := make([]Draw, len(from))
	for i, d := range from {
		draws[i] = newDraw(d, staff(r))
	}
	return draws
}

// soon is how long before the closing time of a draw its missing agencies stand out.
const soon = 15 * time.Minute

// collectMissing takes the agencies that have not finished.
func (s *Site) collectMissing(p *page, r *http.Request, d ledger.Draw) error {
	missing, err := s.Ledger.Unfinished(r.Context(), d.ID, pageMissing)
	if err != nil {
		return err
	}
	p.Missing, p.MissingLeft = s.newAgencies(d, missing), int(d.Agencies-d.Finished)-len(missing)
	p.Late = d.Sealed || !d.Closes.IsZero() && time.Until(d.Closes) < soon
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
	if from > 0 { // agency 0 may be the first
		p.More.Before = link(r, "winners", 0, language(r).AtWinners)
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
		p.Others.Before = link(r, "from", uint64(from-min(from, pageAgencies)), language(r).AtAgencies)
	}
	if len(shown) > pageAgencies {
		p.Others.After = link(r, "from", uint64(shown[pageAgencies].Agency), language(r).AtAgencies)
		shown = shown[:pageAgencies]
	}
	p.Agencies = s.newAgencies(d, shown)
	return nil
}
