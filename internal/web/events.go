package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// Event is one message of the stream: the draw after a change, and for the operator its agencies.
type Event struct {
	Draw     Draw     `json:"draw"`
	Agencies []Agency `json:"agencies,omitempty"` // 500 at most, the first one as requested
	Now      int64    `json:"now"`                // when the figures were read, in ms since the Unix epoch
}

// feed is the last reading of a draw that somebody follows. All followers share one reading of the draw a second, so that
// any number of onlookers does not slow down the bets. The agencies, which the operator sees beside it, are read for each stream. It has no goroutine: the first follower whose reading is too old makes
// the next one, and the others wait for it at mu.
type feed struct {
	followers int // guarded by feeds.mu

	mu   sync.Mutex // guards the fields below; held during a reading
	at   time.Time  // when the reading began
	draw ledger.Draw
}

// feeds are the feeds of all draws. The first follower of a draw makes its feed, and the last one removes it.
type feeds struct {
	mu sync.Mutex       // guards the map and every feed's followers; never held while a ledger is read
	of map[string]*feed // by draw
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

// read returns the draw as it was less than a second ago, and when that was.
func (f *feed) read(ctx context.Context, l Ledger, draw string) (ledger.Draw, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.at) < eventEvery*9/10 {
		return f.draw, f.at, nil
	}
	now := time.Now()
	d, err := l.FindDraw(ctx, draw)
	if err == nil {
		f.at, f.draw = now, d
	}
	return d, now, err
}

// stream sends server-sent events about the draw in the parameter `draw`, to the operator with its agencies from the parameter `from` on.
func (s *Site) stream(w http.ResponseWriter, r *http.Request) {
	from, _, err := paging(r)
	if err != nil {
		writeProblem(w, err)
		return
	}
	d, err := s.Ledger.FindDraw(r.Context(), r.URL.Query().Get("draw"))
	if err != nil {
		writeProblem(w, err)
		return
	}
	leave, err := s.clients.follow(s.address(r), staff(r))
	if err != nil {
		writeProblem(w, err)
		return
	}
	defer leave()
	f := s.feeds.join(d.ID)
	defer s.feeds.leave(d.ID)
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	s.follow(w, r.Context(), func() (Event, error) {
		d, at, err := f.read(r.Context(), s.Ledger, d.ID)
		if err != nil {
			return Event{}, err
		}
		e := Event{Draw: newDraw(d, staff(r)), Now: at.UnixMilli()}
		if staff(r) {
			if !s.still(visitorOf(r)) {
				return Event{}, errLoggedOut
			}
			progress, err := s.Ledger.Progress(r.Context(), d.ID, quiniela.Agency(from), eventAgencies)
			if err != nil {
				return Event{}, err
			}
			e.Agencies = s.newAgencies(d, progress)
		}
		return e, nil
	})
}

// errLoggedOut ends the operator's stream. A browser that asks again gets what is for everybody.
var errLoggedOut = errors.New("the login has ended")

// follow reads an event every second and sends it if it differs from the last one sent. It runs in the request's goroutine, and
// returns when the peer has gone, the site closes or a reading fails.
func (s *Site) follow(w http.ResponseWriter, ctx context.Context, read func() (Event, error)) {
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	var last []byte
	var sent time.Time
	for {
		e, err := read()
		if err != nil {
			return
		}
		figures, err := e.figures()
		if err != nil {
			return
		}
		text := ""
		if !bytes.Equal(figures, last) {
			text = e.message()
		} else if time.Since(sent) > heartbeat {
			text = ": still here\n\n"
		}
		if text != "" {
			last, sent = figures, time.Now()
			if send(w, text) != nil {
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

// figures returns what an event says apart from its moment. Two events with the same figures say the same.
func (e Event) figures() ([]byte, error) {
	e.Now = 0
	return json.Marshal(e)
}

// message returns the event in the form of server-sent events.
func (e Event) message() string {
	text, _ := json.Marshal(e) // figures has shown that it can be written
	return fmt.Sprintf("event: draw\ndata: %s\n\n", text)
}

// send writes a text to the peer at once. A peer that takes longer than heartbeat to accept it has gone.
func send(w http.ResponseWriter, text string) error {
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Now().Add(heartbeat)) // a writer without deadlines does without
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return out.Flush()
}
