package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"quiniela"
)

const (
	eventEvery = time.Second
	// heartbeat keeps proxies from ending a stream in which nothing happens.
	heartbeat = 15 * time.Second
	// eventAgencies bounds the agencies of an event.
	eventAgencies = 500
)

// Event is what a stream says when something has changed.
type Event struct {
	Draw     Draw     `json:"draw"`
	Agencies []Agency `json:"agencies"` // the first 500
	Now      int64    `json:"now"`      // ms since the Unix epoch, of the figures
}

// stream sends server-sent events about the draw in the parameter `draw`.
func (s *Site) stream(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("draw")
	if _, err := s.Ledger.FindDraw(r.Context(), id); err != nil {
		writeProblem(w, err)
		return
	}
	select {
	case s.events <- struct{}{}:
		defer func() { <-s.events }()
	default:
		writeProblem(w, quiniela.Refuse(quiniela.Busy, "%d listen already; ask /api/v1/draws now and then", mostListeners))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{})
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	var last []byte
	said := time.Now()
	for {
		text, err := s.event(r, id, &last)
		switch {
		case err != nil:
			return
		case text != "":
		case time.Since(said) > heartbeat:
			text = ": still here\n\n"
		}
		if text != "" {
			said = time.Now()
			_ = out.SetWriteDeadline(said.Add(heartbeat))
			if _, err := w.Write([]byte(text)); err != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.closing:
			return
		}
	}
}

// event returns what there is to say since last, or nothing.
func (s *Site) event(r *http.Request, id string, last *[]byte) (string, error) {
	d, err := s.Ledger.FindDraw(r.Context(), id)
	if err != nil {
		return "", err
	}
	all, err := s.agencies(r, d.ID)
	if err != nil {
		return "", err
	}
	e := Event{Draw: newDraw(d), Agencies: all[:min(len(all), eventAgencies)]}
	same, err := json.Marshal(e)
	if err != nil || bytes.Equal(same, *last) {
		return "", err
	}
	*last = same
	e.Now = time.Now().UnixMilli()
	text, err := json.Marshal(e)
	return fmt.Sprintf("event: draw\ndata: %s\n\n", text), err
}
