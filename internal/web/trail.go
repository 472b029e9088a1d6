package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"quiniela"
	"quiniela/internal/journal"
)

// Act is an entry of the audit trail, as the API shows it.
type Act struct {
	Position uint64    `json:"position"` // of its entry in the journal
	At       time.Time `json:"at"`
	Who      string    `json:"who"` // an operator's name, "local:" and a user of the server's machine, "server:" and a part of the program; "" is a stranger
	What     string    `json:"what"`
	From     string    `json:"from,omitempty"`
	Draw     string    `json:"draw,omitempty"`
	About    string    `json:"about,omitempty"`
	Note     string    `json:"note,omitempty"`
	Failed   string    `json:"failed,omitempty"` // why it was not done
}

// listTrail answers with the acts before the parameter `before`, the newest first; without it the last ones. The parameters who, what
// and draw leave out all others.
func (s *Site) listTrail(r *http.Request) (any, error) {
	q := r.URL.Query()
	_, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	from := uint64(0)
	if text := q.Get("before"); text != "" {
		if from, err = quiniela.ParseUint(text, 64); err != nil {
			return nil, quiniela.Refuse(quiniela.Invalid, "before: %v", err)
		}
	}
	wanted := func(a journal.Act) bool {
		for name, value := range map[string]string{"who": a.Who, "what": a.What, "draw": a.Draw} {
			if q.Has(name) && q.Get(name) != value {
				return false
			}
		}
		return true
	}
	found, before, err := s.Ledger.Trail(r.Context(), from, limit, wanted)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"acts": newActs(found)}
	if before != 0 {
		answer["before"] = before
	}
	return answer, nil
}

// record writes into the trail and the log what a visitor has done or, where err says why not, has tried to do. It is for what the ledger
// does not record by itself.
func (s *Site) record(r *http.Request, v visitor, a journal.Act, err error) {
	a.Who, a.From = v.actor.Name, v.actor.From
	args := []any{"result", "success", "who", a.Who, "ip", a.From}
	if a.About != "" {
		args = append(args, "about", a.About)
	}
	level := slog.LevelInfo
	if err != nil {
		a.Failed = err.Error()
		level, args[1] = slog.LevelError, "fail"
		args = append(args, "error", err)
	}
	s.Log.Log(r.Context(), level, a.What, args...)
	if err := s.Ledger.Record(context.WithoutCancel(r.Context()), a); err != nil {
		s.Log.Error("trail", "result", "fail", "act", a.What, "who", a.Who, "error", err)
	}
}
