package bench

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
)

// panels are the figures that the picture shows.
var panels = []struct{ bench, figure, title string }{
	{Ingest, "bets acknowledged", "bets acknowledged a second"},
	{Ingest, "server memory, peak", "server memory, peak, MB"},
	{Start, "start after SIGKILL", "start after SIGKILL, s"},
	{Draw, "last notification to first answer", "draw, s"},
}

const (
	panelWidth, panelHeight = 340, 220
	panelMargin             = 48
)

// WriteSVG draws how the figures grow with the bets stored: a panel each, both axes linear in the logarithm of the bets
// and in the figure, from zero.
func WriteSVG(w io.Writer, rows []Row) error {
	var b strings.Builder
	width, height := 2*panelWidth, (len(panels)+1)/2*panelHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i, p := range panels {
		var points []Row
		for _, r := range rows {
			if r.Bench == p.bench && r.Figure == p.figure {
				points = append(points, r)
			}
		}
		slices.SortFunc(points, func(x, y Row) int { return cmp.Compare(x.Size, y.Size) })
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", i%2*panelWidth, i/2*panelHeight)
		drawPanel(&b, p.title, points)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func drawPanel(b *strings.Builder, title string, points []Row) {
	const left, right, top, bottom = panelMargin, panelWidth - panelMargin, panelMargin, panelHeight - panelMargin
	fmt.Fprintf(b, `<text x="%d" y="24" font-weight="bold">%s</text>`+"\n", left-24, html.EscapeString(title))
	fmt.Fprintf(b, `<path d="M%d %dV%dH%d" fill="none" stroke="#888"/>`+"\n", left-12, top-8, bottom, right+12)
	if len(points) == 0 {
		return
	}
	most := slices.MaxFunc(points, func(x, y Row) int { return cmp.Compare(x.Median, y.Median) }).Median
	first, last := math.Log(float64(points[0].Size)), math.Log(float64(points[len(points)-1].Size))
	var line []string
	for _, p := range points {
		x, y := float64(left+right)/2, float64(bottom)
		if last > first {
			x = left + (right-left)*(math.Log(float64(p.Size))-first)/(last-first)
		}
		if most > 0 {
			y = bottom - (bottom-top)*p.Median/most
		}
		line = append(line, fmt.Sprintf("%.1f,%.1f", x, y))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="#0b57a4"/>`+"\n", x, y)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", x, y-9, Short(p.Median))
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%s bets</text>`+"\n", x, bottom+18, Short(float64(p.Size)))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="#0b57a4" stroke-width="2"/>`+"\n", strings.Join(line, " "))
}

// Short writes a value with three digits that count, and with k or M where it is large.
func Short(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e6, " M"}, {1e3, " k"}} {
		if v >= unit.size {
			return fmt.Sprintf("%.3g%s", v/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.3g", v)
}
