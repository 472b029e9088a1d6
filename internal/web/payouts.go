package web

import (
	"net/http"
	"strconv"

	"quiniela"
	"quiniela/internal/ledger"
)

// This file is the accounting of a draw of the game quiniela: what each agency brought and is paid, and each winning bet.

// Payouts are what an agency brought to a draw of the game quiniela and what its bets are paid, in cents.
type Payouts struct {
	Agency  uint32 `json:"agency"`
	Name    string `json:"name,omitempty"` // in the registry
	Batches uint64 `json:"batches"`
	Bets    uint64 `json:"bets"`
	Staked  uint64 `json:"staked"`
	Winners uint64 `json:"winners"` // bets that won; 0 before the draw is held, as what follows
	Due     uint64 `json:"due"`     // their prizes before the cap
	Paid    uint64 `json:"paid"`
}

// errNoMoney says that a draw has no stakes and prizes.
func errNoMoney(d ledger.Draw) error {
	return quiniela.Refuse(quiniela.Absent, "draw %s is of the game %s, which has no stakes and no prizes in money", d.ID, d.Game.Game())
}

// listPayouts answers with the agencies that have bets in a draw.
func (s *Site) listPayouts(r *http.Request) (any, error) {
	d, from, limit, err := s.pagedDraw(r)
	if err != nil {
		return nil, err
	}
	all, next, err := s.payouts(r, d, quiniela.Agency(from), limit)
	return part("agencies", all, uint64(next)), err
}

// payouts returns the accounting of a draw's agencies that have bets, from one on, and the agency that the rest begins with; 0: there is none.
func (s *Site) payouts(r *http.Request, d ledger.Draw, from quiniela.Agency, limit int) (all []Payouts, next quiniela.Agency, err error) {
	if d.Game == nil {
		return nil, 0, errNoMoney(d)
	}
	found, err := s.Ledger.Payouts(r.Context(), d.ID, from, limit+1)
	if err != nil {
		return nil, 0, err
	}
	if len(found) > limit {
		next, found = found[limit].Agency, found[:limit]
	}
	for _, p := range found {
		all = append(all, Payouts{uint32(p.Agency), s.nameOf(p.Agency), p.Batches, p.Bets, p.Staked, p.Winners, p.Due, p.Paid})
	}
	return all, next, nil
}

// prizesCSV sends each winning bet of a draw of the game quiniela, by agency and in the order in which the bets were stored. It names nobody.
func (s *Site) prizesCSV(w http.ResponseWriter, r *http.Request) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
	case d.Game == nil:
		err = errNoMoney(d)
	case d.Result == nil:
		err = quiniela.Refuse(quiniela.Absent, "draw %s has no result yet: it is %s", d.ID, d.State())
	}
	if err != nil {
		writeProblem(w, err)
		return
	}
	t := sendTable(w, d.ID+"-prizes.csv", "draw", "agency", "name", "batch", "line", "number", "prizes", "stake", "hits", "due", "prize")
	err = s.Ledger.EachPrize(r.Context(), d.ID, func(p ledger.Prize) error {
		t.row(d.ID, strconv.FormatUint(uint64(p.Agency), 10), s.nameOf(p.Agency), strconv.FormatUint(p.Batch, 10), strconv.Itoa(p.Line),
			p.Play.Appearance(), p.Play.Range(), quiniela.FormatCents(p.Play.Stake), strconv.Itoa(p.Hits), quiniela.FormatCents(p.Due), quiniela.FormatCents(p.Paid))
		return t.Error()
	})
	if err != nil {
		s.cut(r, err)
	}
	t.Flush()
}
