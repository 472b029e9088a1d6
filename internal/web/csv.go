package web

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"quiniela"
)

// table is a CSV file (RFC 4180) that is being sent.
type table struct{ *csv.Writer }

// sendTable begins to answer with a CSV file. It may take longer than other answers.
func sendTable(w http.ResponseWriter, name string, head ...string) table {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a writer without deadlines does without
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	t := table{csv.NewWriter(w)}
	t.row(head...)
	return t
}

// row writes one row. A peer that has gone needs none.
func (t table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = quiniela.Cell(c)
	}
	_ = t.Write(cells)
}

// cut ends a file that could not be sent whole: its connection is broken, so that nobody takes the part for all of it.
func (s *Site) cut(r *http.Request, err error) {
	if r.Context().Err() == nil {
		s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
	}
	panic(http.ErrAbortHandler)
}

// winnersCSV sends how many winners each agency has, and in the game quiniela what they are paid.
func (s *Site) winnersCSV(w http.ResponseWriter, r *http.Request) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	head := []string{"agency", "name", "winners"}
	if d.Game != nil {
		head = append(head, "due", "paid")
	}
	s.eachWinners(w, r, "winners", head, func(t table, one Winners) error {
		cells := []string{strconv.Itoa(int(one.Agency)), one.Name, strconv.Itoa(int(one.Winners))}
		if d.Game != nil {
			cells = append(cells, quiniela.FormatCents(one.Due), quiniela.FormatCents(one.Paid))
		}
		t.row(cells...)
		return nil
	})
}

// documentsCSV sends the documents of those who won.
func (s *Site) documentsCSV(w http.ResponseWriter, r *http.Request) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.eachWinners(w, r, "documents", []string{"agency", "name", "document"}, func(t table, one Winners) error {
		for from := uint32(0); from < one.Winners; {
			documents, err := s.documents(r, d, quiniela.Agency(one.Agency), from, mostPage)
			if err != nil {
				return err
			}
			for _, document := range documents {
				t.row(strconv.Itoa(int(one.Agency)), one.Name, document)
			}
			from += uint32(max(len(documents), 1))
		}
		return nil
	})
}

// eachWinners sends a file that is made of every agency that has winners. Its first part is read before the answer begins, so that an error
// can still be one.
func (s *Site) eachWinners(w http.ResponseWriter, r *http.Request, kind string, head []string, add func(table, Winners) error) {
	id := r.PathValue("id")
	all, next, err := s.winners(r, id, 0, mostPage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	t := sendTable(w, id+"-"+kind+".csv", head...)
	for {
		for _, one := range all {
			if err := add(t, one); err != nil {
				s.cut(r, err)
			}
		}
		if next == 0 {
			break
		}
		if all, next, err = s.winners(r, id, next, mostPage); err != nil {
			s.cut(r, err)
		}
	}
	t.Flush()
}

// trailCSV sends the acts that the page shows, and all older ones.
func (s *Site) trailCSV(w http.ResponseWriter, r *http.Request) {
	l := newTrailList(r)
	acts, before, err := s.Ledger.Trail(r.Context(), 0, mostPage, l.wants)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	t := sendTable(w, "trail.csv", "position", "at", "who", "from", "what", "draw", "about", "note", "failed")
	for {
		for _, a := range newActs(acts) {
			t.row(strconv.FormatUint(a.Position, 10), a.At.Format(time.RFC3339Nano), a.Who, a.From, a.What, a.Draw, a.About, a.Note, a.Failed)
		}
		if before == 0 {
			break
		}
		if acts, before, err = s.Ledger.Trail(r.Context(), before, mostPage, l.wants); err != nil {
			s.cut(r, err)
		}
	}
	t.Flush()
}
