// Package refusals logs what strangers are refused, without letting them fill the log.
package refusals

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"quiniela"
	"quiniela/internal/peer"
)

// Log logs refusals: the first at once, and then one line a second at most, with counts. A line for each would let anybody turn the
// operator's own lines out of a log whose size is bounded. It may be used by several goroutines.
type Log struct {
	Counter *prometheus.CounterVec // by code

	log *slog.Logger

	mu       sync.Mutex
	timer    *time.Timer // runs while a line has been written in the last second
	codes    map[string]int
	from     map[string]int
	agencies map[string]int // those that wrong tokens were shown for
}

const (
	lineEvery   = time.Second
	mostCounted = 1000 // prefixes or agencies that are told apart in a second
	mostNamed   = 5    // of them, in a line
	others      = "others"
)

// New returns a log with a counter of a name, which is for the caller to register. Stop ends it.
func New(log *slog.Logger, name, help string) *Log {
	l := &Log{log: log, Counter: prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"code"})}
	l.clear()
	return l
}

func (l *Log) clear() {
	l.codes, l.from, l.agencies = map[string]int{}, map[string]int{}, map[string]int{}
}

// Add counts a refusal of a stranger at an address. agency is the one that it showed a wrong token for, or 0.
func (l *Log) Add(ip, code string, agency quiniela.Agency) {
	l.Counter.WithLabelValues(code).Inc()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codes[code]++
	count(l.from, peer.Network(ip))
	if agency != 0 {
		count(l.agencies, strconv.FormatUint(uint64(agency), 10))
	}
	if l.timer == nil {
		l.write()
		l.timer = time.AfterFunc(lineEvery, l.tick)
	}
}

// tick writes what has come since the last line. Where nothing has, the next refusal is written at once again.
func (l *Log) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.timer == nil: // stopped meanwhile
	case len(l.codes) == 0:
		l.timer = nil
	default:
		l.write()
		l.timer.Reset(lineEvery)
	}
}

// Stop writes what is left. It is called once nothing more is refused.
func (l *Log) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if len(l.codes) > 0 {
		l.write()
	}
}

func (l *Log) write() {
	args := []any{"result", "fail", "why", named(l.codes), "from", named(l.from)}
	if len(l.agencies) > 0 {
		args = append(args, "tokens_of", named(l.agencies))
	}
	l.log.Warn("refuse", args...)
	l.clear()
}

func count(counts map[string]int, key string) {
	if _, ok := counts[key]; !ok && len(counts) >= mostCounted {
		key = others
	}
	counts[key]++
}

// named writes the largest counts, as "a 12, b 3, others 1".
func named(counts map[string]int) string {
	left := counts[others]
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(counts)), func(k string) bool { return k == others })
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	var parts []string
	for i, k := range keys {
		if i >= mostNamed {
			left += counts[k]
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %d", k, counts[k]))
	}
	if left > 0 {
		parts = append(parts, fmt.Sprintf("%s %d", others, left))
	}
	return strings.Join(parts, ", ")
}
