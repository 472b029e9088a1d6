package web

import (
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"quiniela/internal/journal"
	"quiniela/internal/ledger"
)

// record is the act of a draw, as it is printed and signed: what happened, when, and who did it.
type record struct {
	Extract  string   // the SHA-256, in hex, of the official extract; "": none was handed in
	Complete bool     // the draw has its result
	Signers  []string // those who have entered the number
	Printed  time.Time
}

// The acts that a draw's printed act has.
var recordActs = []string{journal.ActOpen, journal.ActClose, journal.ActEnter, journal.ActDiffer, journal.ActForget}

// mostRecordActs is the most acts that are printed, the last ones. A draw has about four.
const mostRecordActs = 100

// actPage shows the act of a draw, for print.
func (s *Site) actPage(w http.ResponseWriter, r *http.Request) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := page{Draw: newDraw(d, true)}
	if err = s.collectMissing(&p, r, d); err == nil {
		err = s.collectRecord(&p, r, d)
	}
	if err == nil {
		err = s.collectWinners(&p, r, d)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "act", p)
}

func (s *Site) collectRecord(p *page, r *http.Request, d ledger.Draw) error {
	acts, _, err := s.Ledger.Trail(r.Context(), 0, mostRecordActs, func(a journal.Act) bool { return a.Draw == d.ID && slices.Contains(recordActs, a.What) })
	if err != nil {
		return err
	}
	slices.Reverse(acts)
	for i, a := range acts {
		if d.Game != nil && a.What == journal.ActEnter && a.Note == joined(d.Prizes()) {
			acts[i].Note = "" // the act has the twenty numbers already
		}
	}
	p.Record = record{Extract: hex.EncodeToString(d.Extract), Complete: d.Result != nil, Signers: d.EnteredBy, Printed: time.Now()}
	p.Trail.Acts = newActs(acts)
	return nil
}
