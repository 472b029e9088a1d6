package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
)

// trailList is a part of the audit trail.
type trailList struct {
	Draw, Who, What string // what was asked for; "": everything
	Acts            []Act  // newest first
	First           string // the address of the newest acts; "": the part begins with them
	Rest            string // the address of the older ones; "": there are none
	CSV             string // the address of all of them, as a file
}

// newTrailList returns the part of the trail that a request asks for, without its acts.
func newTrailList(r *http.Request) trailList {
	q := r.URL.Query()
	return trailList{Draw: q.Get("draw"), Who: q.Get("who"), What: q.Get("what")}
}

// wants reports whether an act is one of those that were asked for.
func (l trailList) wants(a journal.Act) bool {
	return (l.Draw == "" || l.Draw == a.Draw) && (l.Who == "" || l.Who == a.Who) && (l.What == "" || l.What == a.What)
}

// address is that of the same part at a path, before a position; 0 is its newest acts.
func (l trailList) address(path string, before uint64) string {
	q := url.Values{}
	for name, value := range map[string]string{"draw": l.Draw, "who": l.Who, "what": l.What} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if before > 0 {
		q.Set("before", strconv.FormatUint(before, 10))
	}
	return path + "?" + q.Encode()
}

// trailPage shows the acts, the newest first. The parameters are those of listTrail.
func (s *Site) trailPage(w http.ResponseWriter, r *http.Request) {
	l := newTrailList(r)
	before, err := quiniela.ParseUint(r.URL.Query().Get("before"), 64)
	if err != nil {
		before = 0
	}
	acts, next, err := s.Ledger.Trail(r.Context(), before, pageActs, l.wants)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	l.Acts, l.CSV = newActs(acts), l.address("/trail.csv", 0)
	if before > 0 {
		l.First = l.address("/trail", 0)
	}
	if next > 0 {
		l.Rest = l.address("/trail", next)
	}
	s.render(w, r, http.StatusOK, "trail", page{Trail: l})
}

func newActs(from []ledger.Recorded) []Act {
	acts := make([]Act, len(from))
	for i, a := range from {
		acts[i] = Act{
			Position: a.Position, At: time.UnixMicro(a.At).UTC(), Who: a.Who, What: a.What, From: a.From, Draw: a.Draw, About: a.About, Note: a.Note, Failed: a.Failed,
		}
	}
	return acts
}

// Backups is how the backups stand that the server makes by itself.
type Backups struct {
	Newest time.Time // when the newest one was made that is there; zero: there is none
	Next   time.Time // when the next one is due
	Count  int       // how many are there
	Failed bool      // the last one that was due was not made
}

// Old reports whether the newest backup is older than it should be: a backup is made each day.
func (b Backups) Old() bool { return time.Since(b.Newest) > 26*time.Hour }

// backupsPage shows how the backups stand, and the last ones that somebody made or restored.
func (s *Site) backupsPage(w http.ResponseWriter, r *http.Request) {
	acts, _, err := s.Ledger.Trail(r.Context(), 0, pageActs, func(a journal.Act) bool { return a.What == journal.ActBackup || a.What == journal.ActRestore })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := page{Trail: trailList{Acts: newActs(acts)}}
	if s.Backups != nil {
		state := s.Backups()
		p.Backups = &state
	}
	s.render(w, r, http.StatusOK, "backups", p)
}
