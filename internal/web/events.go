package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
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
	Agencies []Agency `json:"agencies"` // 500 at most, from the one that was asked for on
	Now      int64    `json:"now"`      // ms since the Unix epoch, of the figures
}

// feed is what is known of a draw that somebody follows. All who follow it share one reading of the ledger a second,
// so that onlookers, however many, do not slow down the bets.
type feed struct {
	followers int // guarded by feeds.mu

	mu       sync.Mutex
	at       time.Time
	draw     ledger.Draw
	agencies []ledger.AgencyProgress
}

type feeds struct {
	mu sync.Mutex
	of map[string]*feed // by draw, while it has followers
}

func (f *feeds) join(draw string) *feed {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[string]*feed{}
	}
	if f.of[draw] == nil {
		f.of[draw] = &feed{}
	}
	f.of[draw].followers++
	return f.of[draw]
}

func (f *feeds) leave(draw string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[draw].followers--; f.of[draw].followers == 0 {
		delete(f.of, draw)
	}
}

// read returns the draw and its agencies as they were less than a second ago. The caller must not change them.
func (f *feed) read(ctx context.Context, l Ledger, draw string) (ledger.Draw, []ledger.AgencyProgress, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.at) < eventEvery*9/10 {
		return f.draw, f.agencies, f.at, nil
	}
	now := time.Now()
	d, err := l.FindDraw(ctx, draw)
	if err != nil {
		return d, nil, now, err
	}
	all, err := l.Progress(ctx, draw)
	if err != nil {
		return d, nil, now, err
	}
	f.at, f.draw, f.agencies = now, d, all
	return d, all, now, nil
}

// stream sends server-sent events about the draw in the parameter `draw`, with its agencies from the parameter `from` on.
func (s *Site) stream(w http.ResponseWriter, r *http.Request) {
	from, err := firstAgency(r)
	if err != nil {
		writeProblem(w, err)
		return
	}
	d, err := s.Ledger.FindDraw(r.Context(), r.URL.Query().Get("draw"))
	if err != nil {
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
	f := s.feeds.join(d.ID)
	defer s.feeds.leave(d.ID)
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	s.follow(w, r.Context(), func(last *[]byte) (string, error) {
		d, all, at, err := f.read(r.Context(), s.Ledger, d.ID)
		if err != nil {
			return "", err
		}
		shown, _ := window(all, from, eventAgencies)
		return event(Event{Draw: newDraw(d), Agencies: newAgencies(shown)}, at, last)
	})
}

// follow says what next returns, every second, until the peer has gone, the site closes or next fails.
func (s *Site) follow(w http.ResponseWriter, ctx context.Context, next func(last *[]byte) (string, error)) {
	out := http.NewResponseController(w)
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	var last []byte
	said := time.Now()
	for {
		text, err := next(&last)
		switch {
		case err != nil:
			return
		case text == "" && time.Since(said) > heartbeat:
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
		case <-ctx.Done():
			return
		case <-s.closing:
			return
		}
	}
}

// event returns the text of e, whose figures are of a moment, or nothing where it says what last said.
func event(e Event, at time.Time, last *[]byte) (string, error) {
	same, err := json.Marshal(e)
	if err != nil || bytes.Equal(same, *last) {
		return "", err
	}
	*last = same
	e.Now = at.UnixMilli()
	text, err := json.Marshal(e)
	return fmt.Sprintf("event: draw\ndata: %s\n\n", text), err
}
