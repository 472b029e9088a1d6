package draw_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela/draw"
)

func terms(round uint64) draw.Terms {
	return draw.Terms{ChainHash: draw.Quicknet().Hash(), Round: round, DrawID: "test"}
}

func randomness(t *testing.T, i int) [32]byte { return [32]byte(unhex(t, rounds[i].Randomness)) }

func TestTheVectorsDraws(t *testing.T) {
	if len(known.Draws) != 3 {
		t.Fatalf("%d draws among the vectors, want 3", len(known.Draws))
	}
	for _, v := range known.Draws {
		x := draw.Terms{ChainHash: draw.Quicknet().Hash(), Round: v.Round, DrawID: v.ID, Binding: [32]byte(unhex(t, v.Binding))}
		random := randomnessOf(t, v.Round)
		for ctr, want := range v.Blocks {
			if got := draw.Block(random, x, 1, uint32(ctr)); hex.EncodeToString(got[:]) != want {
				t.Errorf("round %d, %q: block %d of prize 1 is %x, want %s", v.Round, v.ID, ctr, got, want)
			}
		}
		got, err := draw.Prizes(random, x)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v.Prizes, got[:len(v.Prizes)]); diff != "" {
			t.Errorf("round %d, %q: the prizes: %s", v.Round, v.ID, diff)
		}
		if one, err := draw.Derive(random, x, 1); err != nil || one != v.Prizes[0] {
			t.Errorf("round %d, %q: %04d, %v; want %04d", v.Round, v.ID, one, err, v.Prizes[0])
		}
	}
}

// randomnessOf returns the randomness of one of the vectors' rounds.
func randomnessOf(t *testing.T, round uint64) [32]byte {
	t.Helper()
	for i, r := range rounds {
		if r.Round == round {
			return randomness(t, i)
		}
	}
	t.Fatalf("round %d is not among the vectors", round)
	return [32]byte{}
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
