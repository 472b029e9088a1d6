package ledger

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the ledger's figures. Where they are registered nowhere, counting costs next to nothing all the same.
type metrics struct {
	batches, bets prometheus.Counter
	commitSeconds prometheus.Histogram
	commitSize    prometheus.Histogram
}

func newMetrics(l *Ledger, r prometheus.Registerer) *metrics {
	m := &metrics{
		batches: prometheus.NewCounter(prometheus.CounterOpts{Name: "quiniela_batches_total", Help: "Batches stored since the start."}),
		bets:    prometheus.NewCounter(prometheus.CounterOpts{Name: "quiniela_bets_total", Help: "Bets stored since the start."}),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "quiniela_commit_seconds", Help: "Time until a group of requests was durable.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}),
		commitSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "quiniela_commit_requests", Help: "Requests made durable together.", Buckets: prometheus.ExponentialBuckets(1, 2, 13),
		}),
	}
	if r != nil {
		r.MustRegister(m.batches, m.bets, m.commitSeconds, m.commitSize, drawFigures{l})
	}
	return m
}

// committed counts a group that is durable.
func (m *metrics) committed(requests []*request, began time.Time) {
	var batches, bets int
	for _, r := range requests {
		if r.batch != nil && r.err == nil && r.fresh {
			batches++
			bets += r.stored
		}
	}
	m.batches.Add(float64(batches))
	m.bets.Add(float64(bets))
	m.commitSeconds.Observe(time.Since(began).Seconds())
	m.commitSize.Observe(float64(len(requests)))
}

// drawFigures reads off what the ledger knows when somebody asks.
type drawFigures struct{ l *Ledger }

func figure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("quiniela_"+name, help, labels, nil)
}

var (
	queueFigure    = figure("queue_bytes", "Bytes that wait for the committer.")
	failedFigure   = figure("failed", "1 once the ledger has stopped because it could not go on.")
	drawsFigure    = figure("draws", "Draws by state.", "state")
	missingFigure  = figure("agencies_missing", "Agencies of an open draw that have not finished.", "draw")
	closesFigure   = figure("draw_closes_timestamp_seconds", "Closing time of an open draw that has one.", "draw")
	waitingFigure  = figure("draw_sealed_timestamp_seconds", "When a draw was closed that has no result yet; source is where its number comes from.", "draw", "source")
	positionFigure = figure("journal_entries", "Entries of the journal.")
	journalFigure  = figure("journal_bytes", "Bytes of the journal on the disk, where it is local.")
)

// Describe implements prometheus.Collector.
func (f drawFigures) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		queueFigure, failedFigure, drawsFigure, missingFigure, closesFigure, waitingFigure, positionFigure, journalFigure,
	} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (f drawFigures) Collect(c chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	failed := 0.0
	if f.l.Err() != nil {
		failed = 1
	}
	gauge(failedFigure, failed)
	gauge(queueFigure, float64(f.l.queue.size()))
	if j, ok := f.l.journal.(interface{ Size() uint64 }); ok {
		gauge(journalFigure, float64(j.Size()))
	}
	s := f.l.state
	s.mu.RLock()
	defer s.mu.RUnlock()
	gauge(positionFigure, float64(s.head.Position))
	states := map[string]int{"open": 0, "sealed": 0, "drawn": 0}
	for _, d := range s.draws {
		states[d.State()]++
		switch {
		case d.State() == "sealed":
			gauge(waitingFigure, float64(d.SealedAt.Unix()), d.ID, string(d.Rule.Source))
		case d.State() == "open":
			gauge(missingFigure, float64(d.Agencies-d.Finished), d.ID)
			if !d.Closes.IsZero() {
				gauge(closesFigure, float64(d.Closes.UnixMilli())/1000, d.ID)
			}
		}
	}
	for state, n := range states {
		gauge(drawsFigure, float64(n), state)
	}
}
