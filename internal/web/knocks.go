package web

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"quiniela/internal/journal"
)

// knocks writes failed logins into the audit trail, and lets nobody fill it with them: the first one at once, and what comes after it as
// one entry after a minute, then after two, and so on up to an hour while they go on.
type knocks struct {
	record func(context.Context, ...journal.Act) error

	mu    sync.Mutex
	timer *time.Timer // runs while one was written lately; nil: the next one is written at once
	wait  time.Duration
	count int
	from  map[string]int // addresses
	names map[string]int // that were typed
	ended bool
	busy  sync.WaitGroup // entries that are being written
}

const (
	firstWait   = time.Minute
	longestWait = time.Hour
	mostKnown   = 1000 // addresses or names that are told apart in one entry
	mostNamed   = 5    // of them, in the entry
	longestName = 40   // characters of a name that was typed
)

// add counts a failed login of a stranger at an address. name is what was typed, or "".
func (k *knocks) add(address, name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return
	}
	if k.from == nil {
		k.from, k.names = map[string]int{}, map[string]int{}
	}
	k.count++
	note(k.from, address)
	if name != "" {
		note(k.names, shorten(name))
	}
	if k.timer == nil {
		k.write()
		k.wait = firstWait
		k.timer = time.AfterFunc(k.wait, k.tick)
	}
}

func note(counts map[string]int, what string) {
	if _, known := counts[what]; known || len(counts) < mostKnown {
		counts[what]++
	}
}

func shorten(name string) string {
	if r := []rune(name); len(r) > longestName {
		return string(r[:longestName]) + "…"
	}
	return name
}

// tick writes what has come since the last entry. Where nothing has, the next failed login is written at once again.
func (k *knocks) tick() {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.ended:
	case k.count == 0:
		k.timer = nil
	default:
		k.write()
		k.wait = min(2*k.wait, longestWait)
		k.timer.Reset(k.wait)
	}
}

// write hands what has come to the trail, without waiting for the disk. mu is held.
func (k *knocks) write() {
	a := journal.Act{What: journal.ActRefused, From: most(k.from), About: most(k.names), Failed: "wrong name or key"}
	if k.count > 1 {
		a.Note = fmt.Sprintf("%d times", k.count)
	}
	k.count = 0
	clear(k.from)
	clear(k.names)
	k.busy.Go(func() { _ = k.record(context.Background(), a) }) // a ledger that has failed says so by itself
}

// most returns those of a count that came most often.
func most(counts map[string]int) string {
	all := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	more := ""
	if len(all) > mostNamed {
		more = fmt.Sprintf(" and %d more", len(all)-mostNamed)
		all = all[:mostNamed]
	}
	return strings.Join(all, ", ") + more
}

// stop writes what is left, and waits until it is in the trail.
func (k *knocks) stop() {
	k.mu.Lock()
	if !k.ended && k.count > 0 {
		k.write()
	}
	k.ended = true
	if k.timer != nil {
		k.timer.Stop()
	}
	k.mu.Unlock()
	k.busy.Wait()
}
