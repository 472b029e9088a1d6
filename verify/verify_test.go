package verify_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/verify"
	"quiniela/verify/verifytest"
)

func lottery(t *testing.T, terms verifytest.Terms) *verifytest.Lottery {
	t.Helper()
	l, err := verifytest.New(terms)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func all(l *verifytest.Lottery) verify.Options {
	return verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy, Beacon: l.Beacon, Checkpoint: l.Sealed}
}

func check(t *testing.T, in verify.Options) *verify.Report {
	t.Helper()
	r, err := verify.Check(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// states says how each step went: "part/name state" lines.
func states(r *verify.Report) (list []string) {
	for _, s := range r.Steps {
		list = append(list, s.Part+"/"+s.Name+" "+string(s.State))
	}
	return list
}

func failed(r *verify.Report) (list []string) {
	for _, s := range r.Steps {
		if s.State == verify.Failed {
			list = append(list, s.Part+"/"+s.Name)
		}
	}
	return list
}

func TestAGoodReceiptIsProven(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	r := check(t, all(l))
	want := []string{
		"receipt/format ok", "receipt/bet ok", "receipt/commitment ok", "receipt/batch ok", "receipt/bet in batch ok", "receipt/checkpoint ok",
		"receipt/witnesses ok", "receipt/batch in log ok",
		"outcome/format ok", "outcome/checkpoint ok", "outcome/witnesses ok", "outcome/draw-open entry ok", "outcome/seal ok", "outcome/result ok",
		"outcome/before the seal ok", "outcome/number ok", "outcome/round after the close ok",
		"beacon/beacon ok", "checkpoint/checkpoint ok", "checkpoint/same log ok", "checkpoint/sealed in time ok",
	}
	if diff := cmp.Diff(want, states(r)); diff != "" {
		t.Error(diff)
	}
	if !r.Proven || r.Won == nil || !*r.Won || !strings.Contains(r.Verdict, "THE BET WON") || len(r.Notes) > 0 {
		t.Errorf("proven %t, won %v: %s %q", r.Proven, r.Won, r.Verdict, r.Notes)
	}
	in := all(l)
	in.Receipt = l.Lost
	if r := check(t, in); !r.Proven || r.Won == nil || *r.Won || !strings.Contains(r.Verdict, "did not win") {
		t.Errorf("the other bet: proven %t, won %v: %s", r.Proven, r.Won, r.Verdict)
	}
}

func TestWhatIsNotGivenIsNotClaimed(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	r := check(t, verify.Options{Receipt: l.Receipt, Key: l.Key})
	if !r.Proven || r.Won != nil || !strings.Contains(r.Verdict, "needs the draw's outcome") || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "No witness") {
		t.Errorf("a receipt and a key: %s %q", r.Verdict, r.Notes)
	}
	r = check(t, verify.Options{Outcome: l.Outcome, Policy: l.Policy})
	if !r.Proven || r.Won != nil || !strings.Contains(r.Verdict, fmt.Sprintf("the number is %04d", l.Number)) {
		t.Errorf("an outcome alone: %s", r.Verdict)
	}
	// Without witnesses nobody says when the seal was there.
	r = check(t, verify.Options{Outcome: l.Outcome, Key: l.Key, Checkpoint: l.Sealed})
	if !r.Proven || !slices.Contains(states(r), "checkpoint/sealed in time skipped") {
		t.Error(states(r))
	}
	// A checkpoint of a size that nothing here shows.
	r = check(t, verify.Options{Receipt: l.Receipt, Policy: l.Policy, Checkpoint: l.Sealed})
	if !r.Proven || !slices.Contains(states(r), "checkpoint/same log skipped") || !strings.Contains(strings.Join(r.Notes, ""), "could not be compared") {
		t.Errorf("%q %q", states(r), r.Notes)
	}
}

func TestWhatCannotBeCheckedAtAll(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	for name, c := range map[string]struct {
		in   verify.Options
		want string
	}{
		"nobody to believe": {verify.Options{Receipt: l.Receipt}, "newspaper"},
		"en castellano":     {verify.Options{Receipt: l.Receipt, Lang: "es"}, "boletín oficial"},
		"both":              {verify.Options{Receipt: l.Receipt, Policy: l.Policy, Key: l.Key}, "not both"},
		"nothing":           {verify.Options{Policy: l.Policy}, "give a receipt"},
		"a beacon alone":    {verify.Options{Receipt: l.Receipt, Policy: l.Policy, Beacon: l.Beacon}, "outcome too"},
		"no policy":         {verify.Options{Receipt: l.Receipt, Policy: []byte("x")}, "the policy cannot be used"},
		"an empty policy":   {verify.Options{Receipt: l.Receipt, Policy: []byte{}}, "the policy cannot be used"},
		"no key":            {verify.Options{Receipt: l.Receipt, Key: []byte("x")}, "one line, name+id+base64"},
		"two keys":          {verify.Options{Receipt: l.Receipt, Key: append(l.Key, l.Key...)}, "more than one word"},
	} {
		if _, err := verify.Check(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherSources(t *testing.T) {
	for source, want := range map[string]string{quiniela.SourceFixed: "fixed when the draw was opened", quiniela.SourceNotary: "the notary's word"} {
		l := lottery(t, verifytest.Terms{Source: source})
		in := verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy, Checkpoint: l.Sealed}
		r := check(t, in)
		if !r.Proven || !*r.Won || !strings.Contains(strings.Join(r.Notes, " "), want) {
			t.Errorf("%s: %s %q", source, r.Verdict, r.Notes)
		}
		in.Beacon = l.Beacon
		if got := failed(check(t, in)); !slices.Equal(got, []string{"beacon/beacon"}) {
			t.Errorf("%s, with a beacon: %q", source, got)
		}
	}
	l := lottery(t, verifytest.Terms{Notary: true})
	in := verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy}
	if r := check(t, in); !r.Proven || !strings.Contains(strings.Join(r.Notes, " "), "instead") {
		t.Errorf("the fallback: %s %q", r.Verdict, r.Notes)
	}
	in.Beacon = l.Beacon // the round did come
	if got := failed(check(t, in)); !slices.Equal(got, []string{"beacon/beacon"}) {
		t.Errorf("a fallback where the round is there: %q", got)
	}
}

func TestTheBeaconFromElsewhere(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	for name, bad := range map[string]string{
		"another round":            strings.Replace(string(l.Beacon), "1000", "1001", 1),
		"another round, its own":   `{"round":123,"signature":"b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"}`,
		"another round's as 1000":  `{"round":1000,"signature":"b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"}`,
		"something else entirely?": `{}`,
	} {
		in := all(l)
		in.Beacon = []byte(bad)
		if r := check(t, in); !slices.Equal(failed(r), []string{"beacon/beacon"}) || r.Proven {
			t.Errorf("%s: %q", name, states(r))
		}
	}
}

func TestARoundThatWasPublicTooEarly(t *testing.T) {
	public := draw.Quicknet().TimeOf(1000).Unix()
	for sealed, want := range map[int64]bool{public - 1: true, public: false, public + 60: false} {
		l := lottery(t, verifytest.Terms{Sealed: sealed})
		r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy})
		if r.Proven != want || !want && !slices.Equal(failed(r), []string{"outcome/round after the close"}) {
			t.Errorf("sealed %d s after the round: %q", sealed-public, states(r))
		}
	}
	for seen, want := range map[int64]bool{public - 1: true, public: false, public + 60: false} {
		l := lottery(t, verifytest.Terms{Seen: seen})
		if r := check(t, all(l)); r.Proven != want || !want && !slices.Equal(failed(r), []string{"checkpoint/sealed in time"}) {
			t.Errorf("seen %d s after the round: %q", seen-public, states(r))
		}
	}
}

func TestAKeptCheckpointOfAnotherLog(t *testing.T) {
	l, fork := lottery(t, verifytest.Terms{}), lottery(t, verifytest.Terms{Entry: "fork"})
	in := all(l)
	in.Checkpoint = l.Newest
	if r := check(t, in); !r.Proven || !slices.Contains(states(r), "checkpoint/same log ok") {
		t.Errorf("the newest: %q", states(r))
	}
	for name, kept := range map[string][]byte{"the same size": fork.Newest, "the size of the seal": fork.Sealed} {
		in.Checkpoint = kept
		r := check(t, in)
		if !slices.Equal(failed(r), []string{"checkpoint/same log"}) || !strings.Contains(r.Text(), "publish them") {
			t.Errorf("%s: %q", name, states(r))
		}
	}
	// The early receipt ends the log with its batch, and the late one shows the log at that size too.
	early, err := receipt.ParseReceipt(l.Early)
	if err != nil {
		t.Fatal(err)
	}
	in = verify.Options{Receipt: l.Receipt, Policy: l.Policy, Checkpoint: []byte(early.Checkpoint)}
	if r := check(t, in); !r.Proven || !slices.Contains(states(r), "checkpoint/same log ok") {
		t.Errorf("an earlier checkpoint: %q", states(r))
	}
	other, err := receipt.ParseReceipt(fork.Early)
	if err != nil {
		t.Fatal(err)
	}
	in.Checkpoint = []byte(other.Checkpoint)
	if r := check(t, in); !slices.Equal(failed(r), []string{"checkpoint/same log"}) {
		t.Errorf("an earlier checkpoint of a fork: %q", states(r))
	}
	// A receipt of one log and an outcome of the other.
	if r := check(t, verify.Options{Receipt: fork.Receipt, Outcome: l.Outcome, Policy: l.Policy}); r.Proven || len(failed(r)) == 0 {
		t.Errorf("two logs: %q", states(r))
	}
}

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
	want, err := receipt.ParseReceipt(l.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	tolerated := 0
	flips(l.Receipt, func(at int, changed []byte) {
		r := check(t, verify.Options{Receipt: changed, Policy: l.Policy})
		if !r.Proven {
			if len(failed(r)) == 0 {
				t.Errorf("byte %d: not proven, and no step failed", at)
			}
			return
		}
		tolerated++
		got, err := receipt.ParseReceipt(changed)
		if err != nil || !cmp.Equal(want, got) || !blank(l.Receipt[at]) || !blank(changed[at]) {
			t.Errorf("byte %d, %q for %q: still proven", at, changed[at], l.Receipt[at])
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
		if r.Proven || r.Won != nil {
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
	fewFlips(l.Sealed, func(at int, changed []byte) {
		in := all(l)
		in.Checkpoint = changed
		if check(t, in).Proven {
			t.Errorf("byte %d of the sealed checkpoint, %q for %q: still proven", at, changed[at], l.Sealed[at])
		}
	})
	fewFlips(l.Beacon, func(at int, changed []byte) {
		in := all(l)
		in.Beacon = changed
		if check(t, in).Proven {
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
		r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome[:i:i], Policy: l.Policy, Checkpoint: l.Sealed})
		if !slices.Equal(failed(r), []string{"outcome/format"}) || r.Won != nil {
			t.Fatalf("an outcome of %d bytes: %q", i, states(r))
		}
	}
}

func TestTheStepThatFailsIsTheRightOne(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	for change, want := range map[[2]string]string{
		{"Lorca", "Lorcb"}:                             "receipt/commitment",
		{`"index": 0`, `"index": 1`}:                   "receipt/bet in batch",
		{`"count": 3`, `"count": 4`}:                   "receipt/batch",
		{`"record": "01`, `"record": "02`}:             "receipt/bet",
		{`/ledger\n11`, `/ledger\n12`}:                 "receipt/checkpoint",
		{`quiniela/v1/receipt`, `quiniela/v2/rec`}:     "receipt/format",
		{`"index": 3`, `"index": 4`}:                   "receipt/batch in log",
		{`— witness1.example `, `— witness3.example `}: "receipt/witnesses",
	} {
		changed := strings.Replace(string(l.Receipt), change[0], change[1], 1)
		if changed == string(l.Receipt) {
			t.Fatalf("no %q in the receipt", change[0])
		}
		r := check(t, verify.Options{Receipt: []byte(changed), Policy: l.Policy, Outcome: l.Outcome})
		if got := failed(r); len(got) == 0 || got[0] != want || r.Won != nil {
			t.Errorf("%q: failed at %q, want %s", change[1], got, want)
		}
	}
}

// A report in Spanish has the same steps, and none of its own texts in English where all is well.
func TestSpanish(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	in := all(l)
	english := check(t, in)
	in.Lang = "es"
	spanish := check(t, in)
	if diff := cmp.Diff(states(english), states(spanish)); diff != "" {
		t.Error(diff)
	}
	for i, s := range spanish.Steps {
		if s.Title == s.Name || s.Text == english.Steps[i].Text || s.Text == "" {
			t.Errorf("the step %s says %q: %q", s.Name, s.Title, s.Text)
		}
	}
	if !strings.Contains(spanish.Verdict, "LA APUESTA GANÓ") {
		t.Error(spanish.Verdict)
	}
	in.Receipt = bytes.Replace(l.Receipt, []byte("Lorca"), []byte("Lorcb"), 1)
	if r := check(t, in); !strings.Contains(r.Verdict, "«de quién es» del comprobante") {
		t.Error(r.Verdict)
	}
}

func TestANameCannotMoveTheCursor(t *testing.T) {
	r := &verify.Report{Steps: []verify.Step{{Part: "receipt", Name: "x", Text: "a\x1b[2Jb\u202ec\nd"}}, Verdict: "v\x9b"}
	if text := r.Text(); strings.ContainsAny(text, "\x1b\u202e\u009b") || strings.Count(text, "\n") != 4 {
		t.Errorf("%q", text)
	}
}

func TestAReportAsJSON(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	text, err := json.Marshal(check(t, all(l)))
	if err != nil || !bytes.Contains(text, []byte(`"name":"commitment","title":"commitment","state":"ok"`)) || !bytes.Contains(text, []byte(`"won":true`)) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestParseChain(t *testing.T) {
	info := fmt.Sprintf(`{"public_key":"%s","period":3,"genesis_time":1692803367,"hash":"%s","groupHash":"%s","schemeID":"bls-unchained-g1-rfc9380","metadata":{"beaconID":"quicknet"}}`,
		draw.QuicknetPublicKey, draw.QuicknetHash, draw.QuicknetGroupHash)
	c, err := verify.ParseChain([]byte(info))
	if err != nil || c.Hash() != draw.Quicknet().Hash() {
		t.Fatal(err)
	}
	l := lottery(t, verifytest.Terms{})
	in := all(l)
	in.Chains = []*draw.Chain{c}
	if r := check(t, in); !r.Proven {
		t.Errorf("%q", states(r))
	}
	other, err := verify.ParseChain([]byte(strings.Replace(info, `"period":3`, `"period":30`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	in.Chains = []*draw.Chain{other}
	if r := check(t, in); r.Proven || !slices.Equal(failed(r), []string{"outcome/number"}) {
		t.Errorf("an unknown chain: %q", states(r))
	}
	for _, bad := range []string{"", "{}", strings.Replace(info, "83cf", "83c", 1), strings.Replace(info, "f477", "x477", 1)} {
		if _, err := verify.ParseChain([]byte(bad)); err == nil {
			t.Errorf("%.60s: a chain", bad)
		}
	}
}

// Checking is what a person waits for.
func TestItIsQuick(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	check(t, all(l))
	began := time.Now()
	check(t, all(l))
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("%s", took)
	}
}
