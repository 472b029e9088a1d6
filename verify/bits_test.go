package verify_test

import (
	"bytes"
	"flag"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela/receipt"
	"quiniela/verify"
	"quiniela/verify/verifytest"
)

// exhaustive makes the tests that change or cut documents do so at every place, which takes half a minute.
var exhaustive = flag.Bool("exhaustive", false, "change every bit of a document, and cut it everywhere, not at a sample of places")

// sample is every how many changes one is tried without -exhaustive. It is odd, so that all bits have their turn.
const sample = 61

// flips runs f over data with each bit of each byte changed.
func flips(data []byte, f func(at int, changed []byte)) {
	flipBits(data, []int{0, 1, 2, 3, 4, 5, 6, 7}, f)
}

// fewFlips changes three bits of each byte: the lowest, that of the case, and another one. It is for documents with a
// beacon, whose check takes milliseconds.
func fewFlips(data []byte, f func(at int, changed []byte)) {
	flipBits(data, []int{0, 5, 3}, f)
}

func flipBits(data []byte, bits []int, f func(at int, changed []byte)) {
	for change := range places(len(data) * len(bits)) {
		at := change / len(bits)
		changed := bytes.Clone(data)
		changed[at] ^= 1 << bits[change%len(bits)]
		f(at, changed)
	}
}

// places returns the numbers from 0 to n that a test tries: all of them, or a sample.
func places(n int) iter.Seq[int] {
	step := sample
	if *exhaustive {
		step = 1
	}
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i += step {
		}
	}
}

// No bit of a receipt can be changed but in the blank space between its tokens.
func TestEveryBitOfAReceiptCounts(t *testing.T) {
	t.Parallel()
	l := lottery(t, verifytest.Terms{})
	want, err := receipt.ParseReceipt(l.Early) // which no witness has cosigned: nothing asks for them here
	if err != nil {
		t.Fatal(err)
	}
	tolerated := 0
	flips(l.Early, func(at int, changed []byte) {
		r := check(t, verify.Options{Receipt: changed, Policy: l.Policy})
		if r.Result != verify.NotYet {
			if len(failed(r)) == 0 {
				t.Errorf("byte %d: not proven, and no step failed", at)
			}
			return
		}
		tolerated++
		got, err := receipt.ParseReceipt(changed)
		if err == nil && got.Draw != want.Draw { // its name is proven by the outcome
			r := check(t, verify.Options{Receipt: changed, Policy: l.Policy, Outcome: l.Outcome})
			if !slices.Equal(failed(r), []string{"outcome/before the seal"}) {
				t.Errorf("byte %d: of the draw %q: %q", at, got.Draw, states(r))
			}
			return
		}
		if err != nil || !cmp.Equal(want, got) || !blank(l.Early[at]) || !blank(changed[at]) {
			t.Errorf("byte %d, %q for %q: still right", at, changed[at], l.Early[at])
		}
	})
	t.Logf("%d changes were of blank space alone", tolerated)
}

func TestEveryByteOfAnOutcomeCounts(t *testing.T) {
	t.Parallel()
	l := lottery(t, verifytest.Terms{})
	want, err := receipt.ParseOutcome(l.Outcome)
	if err != nil {
		t.Fatal(err)
	}
	fewFlips(l.Outcome, func(at int, changed []byte) {
		r := check(t, verify.Options{Receipt: l.Receipt, Outcome: changed, Policy: l.Policy})
		if r.Result == verify.Proven || r.Won != nil {
			got, err := receipt.ParseOutcome(changed)
			if err != nil || !cmp.Equal(want, got) || !blank(l.Outcome[at]) || !blank(changed[at]) {
				t.Errorf("byte %d, %q for %q: still proven", at, changed[at], l.Outcome[at])
			}
		}
	})
}

func TestEveryByteOfACheckpointAndABeaconCounts(t *testing.T) {
	t.Parallel()
	l := lottery(t, verifytest.Terms{})
	sealed, err := l.Log("draws/2023-08-23-T/sealed.checkpoint") // which no witness has cosigned: nothing asks for them here
	if err != nil {
		t.Fatal(err)
	}
	fewFlips(sealed, func(at int, changed []byte) {
		in := all(l)
		in.Checkpoint = changed
		if check(t, in).Result == verify.Proven {
			t.Errorf("byte %d of the sealed checkpoint, %q for %q: still proven", at, changed[at], sealed[at])
		}
	})
	fewFlips(l.Beacon, func(at int, changed []byte) {
		in := all(l)
		in.Beacon = changed
		if check(t, in).Result == verify.Proven {
			t.Errorf("byte %d of the beacon, %q for %q: still proven", at, changed[at], l.Beacon[at])
		}
	})
}

func blank(b byte) bool { return strings.IndexByte(" \t\r\n", b) >= 0 }

func TestACutOrEmptyDocument(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	for i := range places(len(bytes.TrimSpace(l.Receipt))) {
		if r := check(t, verify.Options{Receipt: l.Receipt[:i:i], Policy: l.Policy}); !slices.Equal(failed(r), []string{"receipt/format"}) {
			t.Fatalf("a receipt of %d bytes: %q", i, states(r))
		}
	}
	for i := range places(len(bytes.TrimSpace(l.Outcome))) {
		r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome[:i:i], Policy: l.Policy})
		if !slices.Equal(failed(r), []string{"outcome/format"}) || r.Won != nil {
			t.Fatalf("an outcome of %d bytes: %q", i, states(r))
		}
	}
}
