package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"quiniela/internal/ledger"
)

// listed is a part of all draws.
type listed struct {
	Query, State string // what was asked for
	All          bool   // there are no other draws
	First        string // the address of the newest draws that match; "": the part begins with them
	Rest         string // the address of the older ones; "": there are none
}

// The states that the list can be asked for, apart from those of Draw.State. "waiting" is sealed and waits for a person.
var listStates = map[string]func(ledger.Draw) bool{
	"":        func(ledger.Draw) bool { return true },
	"open":    func(d ledger.Draw) bool { return !d.Sealed },
	"waiting": waits,
	"sealed":  func(d ledger.Draw) bool { return d.Sealed && d.Result == nil },
	"drawn":   func(d ledger.Draw) bool { return d.Result != nil },
}

// drawsPage lists draws, the newest first. The parameter `q` is a part of their names, `state` their state, and `before` the ordinal
// that the part of the list ends in front of.
func (s *Site) drawsPage(w http.ResponseWriter, r *http.Request) {
	var p page
	if err := s.collectList(&p, r); err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "list", p)
}

func (s *Site) collectList(p *page, r *http.Request) error {
	q := r.URL.Query()
	p.List = listed{Query: strings.TrimSpace(q.Get("q")), State: q.Get("state")}
	inState, ok := listStates[p.List.State]
	if !ok {
		p.List.State, inState = "", listStates[""]
	}
	part := strings.ToLower(p.List.Query)
	before := parameter(r, "before")
	draws, next, err := s.Ledger.LastDraws(r.Context(), before, pageDraws, func(d ledger.Draw) bool {
		return inState(d) && strings.Contains(strings.ToLower(d.ID), part)
	})
	if err != nil {
		return err
	}
	p.Draws = newDraws(r, draws)
	if before > 0 {
		p.List.First = p.List.address(0)
	}
	if next > 0 {
		p.List.Rest = p.List.address(next)
	}
	return s.collectWaiting(p, r)
}

// address is that of the list from before an ordinal on; 0 is the newest draws.
func (l listed) address(before uint64) string {
	q := url.Values{}
	for name, value := range map[string]string{"q": l.Query, "state": l.State} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if before > 0 {
		q.Set("before", strconv.FormatUint(before, 10))
	}
	return "/draws?" + q.Encode()
}
