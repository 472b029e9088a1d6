package web

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestABeaconsDrawShowsItsRoundAndItsPrizes(t *testing.T) {
	at, number, winners := time.Unix(1692806364, 0), uint16(4597), uint64(3)
	for _, row := range []struct {
		draw Draw
		want string
	}{
		{Draw{ID: "evening", State: "open", Source: "beacon", Round: 1000, RoundAt: &at}, `from the round signed at <time datetime="2023-08-23`},
		{Draw{ID: "evening", State: "drawn", Source: "beacon", Number: &number, Winners: &winners, Prizes: make([]uint16, 20)}, strings.Repeat("<li>0000</li>", 10) + `</ol><ol start="11">` + strings.Repeat("<li>0000</li>", 10) + "</ol></div>"},
		{Draw{ID: "evening", State: "drawn", Source: "beacon", Number: &number, Winners: &winners, Prizes: []uint16{4597, 9224, 7}}, `All twenty prizes</h3>
<div class="extract"><ol start="1"><li>4597</li><li>9224</li><li>0007</li></ol>`},
	} {
		var out bytes.Buffer
		if err := templates.ExecuteTemplate(&out, "draw", page{T: english, Draw: row.draw}); err != nil || !strings.Contains(out.String(), row.want) {
			t.Errorf("%v; want %q in\n%s", err, row.want, out.String())
		}
	}
}

// Each text is there in both languages.
func TestNoTextIsMissing(t *testing.T) {
	for _, all := range []texts{spanish, english} {
		v := reflect.ValueOf(all)
		for _, f := range reflect.VisibleFields(v.Type()) {
			if f.Type.Kind() == reflect.String && v.FieldByIndex(f.Index).String() == "" {
				t.Errorf("%s has no text %s", all.Lang, f.Name)
			}
		}
	}
	for _, a := range actNames {
		if a.Spanish == "" || a.English == "" || spanish.Act(a.Kind) != a.Spanish || english.Act(a.Kind) != a.English {
			t.Errorf("the act %s has no name", a.Kind)
		}
	}
}
