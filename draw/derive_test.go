package draw_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
)

func terms(round uint64) draw.Terms {
	return draw.Terms{ChainHash: draw.Quicknet().Hash(), Round: round, DrawID: "test"}
}

func randomness(t *testing.T, i int) [32]byte { return [32]byte(unhex(t, rounds[i].randomness)) }

func TestPrizesOfRound1000(t *testing.T) {
	got, err := draw.Prizes(randomness(t, 2), terms(1000))
	if err != nil {
		t.Fatal(err)
	}
	want := "4597 9224 2297 2132 4895 6578 8316 0297 0910 5482 4148 4197 6508 5424 7386 7824 1463 4071 2458 6050"
	var words []string
	for _, n := range got {
		words = append(words, fmt.Sprintf("%04d", n))
	}
	if diff := cmp.Diff(want, strings.Join(words, " ")); diff != "" {
		t.Error(diff)
	}
}

func TestDerive(t *testing.T) {
	bound := terms(1000)
	bound.DrawID = "2023-08-23-T"
	bound.Binding = [32]byte(unhex(t, "75b39c003bea0036c1de400ce3af38b73fa1f963eaf16ed8dbbc235015e5646a"))
	for _, c := range []struct {
		random [32]byte
		terms  draw.Terms
		want   quiniela.Number
	}{
		{randomness(t, 1), terms(123), 8889},
		{randomness(t, 2), terms(1000), 4597},
		{randomness(t, 2), bound, 8571},
	} {
		if got, err := draw.Derive(c.random, c.terms, 1); err != nil || got != c.want {
			t.Errorf("round %d, %q: %04d, %v; want %04d", c.terms.Round, c.terms.DrawID, got, err, c.want)
		}
	}
}

// Each part of what a draw fixes when it opens must move the numbers.
func TestEveryTermCounts(t *testing.T) {
	want, _ := draw.Prizes(randomness(t, 2), terms(1000))
	for name, change := range map[string]func(*[32]byte, *draw.Terms){
		"randomness": func(r *[32]byte, _ *draw.Terms) { r[31] ^= 1 },
		"chain":      func(_ *[32]byte, x *draw.Terms) { x.ChainHash[0] ^= 1 },
		"round":      func(_ *[32]byte, x *draw.Terms) { x.Round++ },
		"id":         func(_ *[32]byte, x *draw.Terms) { x.DrawID += "\x00" },
		"binding":    func(_ *[32]byte, x *draw.Terms) { x.Binding[31] ^= 1 },
	} {
		r, x := randomness(t, 2), terms(1000)
		change(&r, &x)
		if got, err := draw.Prizes(r, x); err != nil || got == want {
			t.Errorf("%s does not count: %v", name, err)
		}
	}
}

func TestTermsThatYieldNoNumber(t *testing.T) {
	long := terms(1)
	long.DrawID = strings.Repeat("x", 256)
	nameless := terms(1)
	nameless.DrawID = ""
	for _, c := range []struct {
		terms draw.Terms
		prize int
	}{{terms(0), 1}, {long, 1}, {nameless, 1}, {terms(1), 0}, {terms(1), 21}, {terms(1), -1}} {
		if _, err := draw.Derive([32]byte{}, c.terms, c.prize); err == nil {
			t.Errorf("round %d, id of %d bytes, prize %d: accepted", c.terms.Round, len(c.terms.DrawID), c.prize)
		}
	}
	if _, err := draw.Prizes([32]byte{}, long); err == nil {
		t.Error("an id of 256 bytes is accepted")
	}
}

// Over many rounds no number is much more likely than another: 100,000 draws, chi-squared over the first digit.
func TestNumbersAreEvenlySpread(t *testing.T) {
	const draws = 100000
	var seen [10]float64
	for i := range draws {
		n, err := draw.Derive([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, terms(1), 1)
		if err != nil {
			t.Fatal(err)
		}
		seen[n/1000]++
	}
	chi := 0.0
	for _, n := range seen {
		chi += (n - draws/10) * (n - draws/10) / (draws / 10)
	}
	if chi > 33.7 { // p = 0.0001 at 9 degrees of freedom; the inputs are fixed, so that it never flakes
		t.Errorf("first digits %v: chi-squared %.1f", seen, chi)
	}
}
