package server

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"quiniela"
)

// refused logs what strangers were refused: the first at once, and then one line a second at most, with counts. A line for each would
// let anybody turn the operator's own lines out of a log whose size is bounded.
type refused struct {
	log     *slog.Logger
	counter *prometheus.CounterVec

	mu       sync.Mutex
	timer    *time.Timer // runs while a line has been written in the last second
	codes    map[string]int
	from     map[string]int
	agencies map[string]int // those that wrong tokens were shown for
}

const (
	refusedEvery = time.Second
	mostCounted  = 1000 // prefixes or agencies that are told apart in a second
	mostNamed    = 5    // of them, in a line
	others       = "others"
)

func newRefused(log *slog.Logger) *refused {
	r := &refused{log: log, counter: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "quiniela_refusals_total", Help: "Requests and connections refused, by code.",
	}, []string{"code"})}
	r.clear()
	return r
}

func (r *refused) clear() {
	r.codes, r.from, r.agencies = map[string]int{}, map[string]int{}, map[string]int{}
}

// add counts a refusal of a stranger. agency is the one that it showed a wrong token for, or 0.
func (r *refused) add(ip, code string, agency quiniela.Agency) {
	r.counter.WithLabelValues(code).Inc()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codes[code]++
	count(r.from, network(ip))
	if agency != 0 {
		count(r.agencies, strconv.FormatUint(uint64(agency), 10))
	}
	if r.timer == nil {
		r.write()
		r.timer = time.AfterFunc(refusedEvery, r.tick)
	}
}

// tick writes what has come since the last line. Where nothing has, the next refusal is written at once again.
func (r *refused) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.timer == nil: // stopped meanwhile
	case len(r.codes) == 0:
		r.timer = nil
	default:
		r.write()
		r.timer.Reset(refusedEvery)
	}
}

// stop writes what is left. It is called once nothing more is refused.
func (r *refused) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	if len(r.codes) > 0 {
		r.write()
	}
}

func (r *refused) write() {
	args := []any{"result", "fail", "why", named(r.codes), "from", named(r.from)}
	if len(r.agencies) > 0 {
		args = append(args, "tokens_of", named(r.agencies))
	}
	r.log.Warn("refuse", args...)
	r.clear()
}

// network returns the /24 of an IPv4 address, or the /48 of an IPv6 one.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p.String()
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
