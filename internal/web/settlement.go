package web

import (
	"net/http"
	"strconv"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
)

// This file is the settlement of a draw of the game quiniela: what each agency owes the lottery, or is owed, for those who run it.

// Balance is what an agency owes the lottery, in cents: its stakes less what its bets are paid. Under zero the lottery owes it.
func (p Payouts) Balance() int64 { return int64(p.Staked) - int64(p.Paid) } // both have 63 bits, see quiniela.Terms.MostStaked

// Balance is that of all agencies.
func (d Draw) Balance() int64 {
	if d.Figures == nil || d.Payout == nil {
		return 0
	}
	return int64(d.Staked) - int64(d.Paid)
}

// moneyDraw returns the draw that a request's address names, where it has stakes and, if that is asked for, its result. Otherwise it answers
// with a page that says why not.
func (s *Site) moneyDraw(w http.ResponseWriter, r *http.Request, drawn bool) (d ledger.Draw, ok bool) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	t := language(r)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case d.Game == nil:
		s.render(w, r, http.StatusNotFound, "none", page{Draw: newDraw(d, true), Why: []string{t.NoMoney, t.NoMoneyHelp}})
	case drawn && d.Result == nil:
		s.render(w, r, http.StatusNotFound, "none", page{Draw: newDraw(d, true), Why: []string{t.NoResult, t.NoResultHelp}})
	default:
		return d, true
	}
	return d, false
}

// settlementPage shows what each agency brought and is paid, from the agency in the parameter `from` on, and the draw's totals.
func (s *Site) settlementPage(w http.ResponseWriter, r *http.Request) {
	d, ok := s.moneyDraw(w, r, false)
	if !ok {
		return
	}
	from := parameter(r, "from")
	all, next, err := s.payouts(r, d, quiniela.Agency(from), pageAgencies)
	if err == nil && len(all) == 0 {
		from = 0
		all, next, err = s.payouts(r, d, 0, pageAgencies)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := page{Draw: newDraw(d, true), Payouts: all}
	if from > 0 {
		p.Others.Before = link(r, "from", 0, language(r).AtSettlement)
	}
	if next > 0 {
		p.Others.After = link(r, "from", uint64(next), language(r).AtSettlement)
	}
	s.render(w, r, http.StatusOK, "settlement", p)
}

// sheetPage shows the settlement of one agency, for print. An agency that is expected and brought nothing has one too.
func (s *Site) sheetPage(w http.ResponseWriter, r *http.Request) {
	d, ok := s.moneyDraw(w, r, false)
	if !ok {
		return
	}
	n, err := quiniela.ParseAgency(r.PathValue("agency"))
	var found []Payouts
	if err == nil {
		found, _, err = s.payouts(r, d, n, 1)
	}
	one := Payouts{Agency: uint32(n), Name: s.nameOf(n)}
	switch {
	case err != nil && quiniela.CodeOf(err) != quiniela.NoAgency:
		s.fail(w, r, err)
		return
	case len(found) == 1 && found[0].Agency == one.Agency:
		one = found[0]
	case err != nil || n == quiniela.Unattributed || uint32(n) > d.Agencies:
		s.render(w, r, http.StatusNotFound, "none", page{Draw: newDraw(d, true), Why: []string{language(r).NoSuchAgency}})
		return
	}
	s.render(w, r, http.StatusOK, "sheet", page{Draw: newDraw(d, true), Payouts: []Payouts{one}, Record: record{Complete: d.Result != nil, Printed: time.Now()}})
}

// settlementCSV sends what each agency brought and is paid.
func (s *Site) settlementCSV(w http.ResponseWriter, r *http.Request) {
	d, ok := s.moneyDraw(w, r, true)
	if !ok {
		return
	}
	all, next, err := s.payouts(r, d, 0, mostPage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	t := sendTable(w, d.ID+"-settlement.csv", "draw", "agency", "name", "batches", "bets", "staked", "winners", "due", "paid", "balance")
	for {
		for _, p := range all {
			_ = t.Write(p.cells(d.ID)) // not by row, which would take a balance under zero for a formula
		}
		if next == 0 {
			break
		}
		if all, next, err = s.payouts(r, d, next, mostPage); err != nil {
			s.cut(r, err)
		}
	}
	t.Flush()
}

// cells are an agency's row in a table.
func (p Payouts) cells(draw string) []string {
	return []string{
		draw, strconv.FormatUint(uint64(p.Agency), 10), quiniela.Cell(p.Name), strconv.FormatUint(p.Batches, 10), strconv.FormatUint(p.Bets, 10),
		quiniela.FormatCents(p.Staked), strconv.FormatUint(p.Winners, 10), quiniela.FormatCents(p.Due), quiniela.FormatCents(p.Paid), signed(p.Balance()),
	}
}

// signed is quiniela.FormatCents of what may be under zero.
func signed(cents int64) string {
	if cents < 0 {
		return "-" + quiniela.FormatCents(-uint64(cents))
	}
	return quiniela.FormatCents(uint64(cents))
}

// prizesPage sends the table of each winning bet to whoever has logged in, and says on a page where there is none.
func (s *Site) prizesPage(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.moneyDraw(w, r, true); ok {
		s.prizesCSV(w, r)
	}
}
