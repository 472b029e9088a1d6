package web

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// A beacon's draw shows all its prizes, and says where its round was public before the draw was closed. No real beacon signs such a round while
// a test runs.
func TestTheResultsOfABeaconsDraw(t *testing.T) {
	at, number, winners := time.Unix(1692806364, 0), uint16(4597), uint64(3)
	d := Draw{ID: "evening", State: "drawn", Source: "beacon", Round: 1000, RoundAt: &at, Drawn: &at, Number: &number, Winners: &winners, Prizes: []uint16{4597, 9224, 7}}
	for _, late := range []bool{false, true} {
		var out bytes.Buffer
		if err := templates.ExecuteTemplate(&out, "results", page{T: spanish, Draw: d, Results: &results{T: resultsSpanish, Late: late}}); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for _, want := range []string{"<li>4597</li><li>9224</li><li>0007</li>", "<strong>1000</strong> y se firmó el <time datetime=\"2023-08-23"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
		if strings.Contains(text, "Atención") != late {
			t.Errorf("late is %t, and the page says:\n%s", late, text)
		}
	}
}
