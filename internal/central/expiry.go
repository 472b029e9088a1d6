package central

import (
	"github.com/prometheus/client_golang/prometheus"

	"quiniela/internal/certs"
)

// expiryFigure is the figure of when each certificate in use expires.
type expiryFigure []*certs.Files

var expiryDesc = prometheus.NewDesc("quiniela_certificate_expiry_timestamp_seconds",
	"When the first certificate in a file that is in use expires.", []string{"file"}, nil)

// Describe implements prometheus.Collector.
func (f expiryFigure) Describe(c chan<- *prometheus.Desc) { c <- expiryDesc }

// Collect implements prometheus.Collector.
func (f expiryFigure) Collect(c chan<- prometheus.Metric) {
	told := map[string]bool{} // the page and the agencies may have the same
	for _, files := range f {
		for path, at := range files.Expiry() {
			if !told[path] {
				told[path] = true
				c <- prometheus.MustNewConstMetric(expiryDesc, prometheus.GaugeValue, float64(at.Unix()), path)
			}
		}
	}
}
