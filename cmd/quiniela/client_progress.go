package main

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"quiniela/internal/client"
)

const (
	tellEvery = time.Second      // between two lines about bets that are sent
	waitEvery = 30 * time.Second // between two lines about the same wait, but for the first, which comes after tellEvery
)

// progress returns what shows how far the agency is: a bar on the terminal, where somebody watches one.
func (c *sendCommand) progress(e env) *progress {
	switch {
	case c.Mode != "batch":
		return new(progress)
	case terminal(e.stdout):
		return newProgress(e.stdout)
	}
	return newProgress(e.stderr)
}

// watch shows how far an agency is and what it waits for: with a bar on a terminal, and otherwise with lines of the log. Its end stops it.
type watch struct {
	env
	log    *slog.Logger
	id     uint32 // as it was typed
	server string
	shown  *progress
	bar    bar
	stop   chan struct{} // closed by end
	ended  chan struct{} // closed by the goroutine that writes lines

	mu   sync.Mutex // protects what follows
	now  client.Progress
	bets int       // at the last line about sending, or when sending began
	told time.Time // when the last line about a wait was written
}

// newWatch begins to watch. On a terminal there is a bar, and no goroutine that writes lines.
func newWatch(e env, c agencyFlags, shown *progress, log *slog.Logger) *watch {
	w := &watch{env: e, log: log, id: *c.ID, server: c.Server, shown: shown, stop: make(chan struct{}), ended: make(chan struct{})}
	w.bar = shown.addSaying(fmt.Sprintf(e.say("agency %d"), w.id), e.say("bets"), 0, w.says)
	if shown.out != nil {
		close(w.ended)
		return w
	}
	go w.lines()
	return w
}

// tell is client.Options.Progress.
func (w *watch) tell(p client.Progress) {
	w.mu.Lock()
	if p.Stage == "send" && w.now.Stage != "send" {
		w.bets = p.Bets
	}
	w.now = p
	w.mu.Unlock()
	w.bar.of(int64(p.Total))
	if p.Stage != "check" {
		w.bar.set(int64(p.Bets))
	}
	if p.Stage == "done" {
		w.bar.finish()
	}
}

// end stops watching, once the client has ended.
func (w *watch) end() {
	close(w.stop)
	<-w.ended
	w.shown.end()
}

// says is what the bar says.
func (w *watch) says() string {
	w.mu.Lock()
	p := w.now
	w.mu.Unlock()
	since := p.Since.Format(time.TimeOnly)
	switch p.Stage {
	case "check":
		return ", " + w.say("checking the file")
	case "connect":
		return ", " + fmt.Sprintf(w.say("waiting for the server since %s"), since)
	case "wait":
		return ", " + fmt.Sprintf(w.say("waiting for the draw since %s"), since)
	}
	return ""
}

// lines writes lines to the log until end.
func (w *watch) lines() {
	defer close(w.ended)
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case now := <-tick.C:
			w.line(now)
		}
	}
}

// line writes what there is to say by now.
func (w *watch) line(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.now
	switch p.Stage {
	case "check":
		w.log.Info("check", "result", "in_progress", "client_id", w.id, "bets", p.Bets)
	case "send":
		w.log.Info("send", "result", "in_progress", "client_id", w.id, "bets", p.Bets, "of", p.Total, "bets_per_second", p.Bets-w.bets)
		w.bets = p.Bets
	case "connect", "wait":
		if now.Sub(p.Since) < tellEvery || w.told.After(p.Since) && now.Sub(w.told) < waitEvery {
			return
		}
		w.told = now
		if p.Stage == "connect" {
			w.log.Info("connect", "result", "in_progress", "client_id", w.id, "waiting_for", "the server", "server_address", w.server, "since", p.Since, "error", p.Cause)
			return
		}
		w.log.Info("wait", "result", "in_progress", "client_id", w.id, "waiting_for", "the draw", "since", p.Since, "bets", p.Bets)
	}
}
