package verify_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

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
	in := all(l)
	in.Log = l.Log
	r := check(t, in)
	want := []string{
		"receipt/format ok", "receipt/bet ok", "receipt/commitment ok", "receipt/batch ok", "receipt/bet in batch ok", "receipt/checkpoint ok",
		"receipt/batch in log ok", "log/checkpoint ok",
		"outcome/format ok", "outcome/checkpoint ok", "outcome/draw-open entry ok", "outcome/seal ok", "outcome/result ok",
		"outcome/sealed checkpoint ok", "outcome/witnesses ok", "outcome/number ok", "outcome/round after the close ok", "outcome/sealed in time ok",
		"outcome/before the seal ok", "outcome/in the sealed log ok",
		"beacon/beacon ok", "checkpoint/checkpoint ok", "checkpoint/same log ok", "log/same log ok",
	}
	if diff := cmp.Diff(want, states(r)); diff != "" {
		t.Error(diff)
	}
	if r.Result != verify.Proven || r.Won == nil || !*r.Won || !strings.HasPrefix(r.Verdict, "PROVEN: ") || !strings.Contains(r.Verdict, "THE BET WON") || len(r.Notes) > 0 {
		t.Errorf("%s, won %v: %s %q", r.Result, r.Won, r.Verdict, r.Notes)
	}
	in = all(l)
	in.Receipt = l.Lost
	if r := check(t, in); r.Result != verify.Proven || r.Won == nil || *r.Won || !strings.Contains(r.Verdict, "did not win") {
		t.Errorf("the other bet: %s, won %v: %s", r.Result, r.Won, r.Verdict)
	}
}

// However and whenever a receipt was made, it is proven where the sealed log can be compared, and never where it was not.
func TestAReceiptIsTiedToTheSealedLog(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	for name, c := range map[string]struct {
		receipt []byte
		log     verify.Log
		outcome []byte
		want    verify.Result
		sealed  verify.State
	}{
		"made late":                            {l.Receipt, nil, l.Outcome, verify.Proven, verify.OK},
		"made when the draw was closed":        {l.AtSeal, nil, l.Outcome, verify.Proven, verify.OK},
		"made early, without the log":          {l.Early, nil, l.Outcome, verify.NotYet, verify.Skipped},
		"made early, with the log":             {l.Early, l.Log, l.Outcome, verify.Proven, verify.OK},
		"made early, with the log alone":       {l.Early, l.Log, nil, verify.Proven, verify.OK},
		"made early, alone":                    {l.Early, nil, nil, verify.NotYet, ""},
		"made early, and the draw not drawn":   {l.Early, without(l.Log, "outcome.json"), nil, verify.NotYet, ""},
		"made early, and a log without tiles":  {l.Early, without(l.Log, "tile/"), l.Outcome, verify.NotProven, verify.Failed},
		"made early, and no log where it is":   {l.Early, without(l.Log, "checkpoint"), l.Outcome, verify.NotProven, verify.Skipped},
		"made late, and a log without tiles":   {l.Receipt, without(l.Log, "tile/"), l.Outcome, verify.NotProven, verify.OK},
		"made at the seal, and only full tile": {l.Early, full(l), l.Outcome, verify.Proven, verify.OK},
	} {
		r := check(t, verify.Options{Receipt: c.receipt, Log: c.log, Outcome: c.outcome, Policy: l.Policy})
		sealed := verify.State("")
		for _, s := range r.Steps {
			if s.Name == verify.StepInSealed {
				sealed = s.State
			}
		}
		if r.Result != c.want || sealed != c.sealed || (r.Won != nil) != (c.want == verify.Proven) || r.Evidence != nil {
			t.Errorf("%s: %s (%s), in the sealed log: %s; want %s, %s\n%s", name, r.Result, r.Verdict, sealed, c.want, c.sealed, r.Text())
		}
	}
}

// One checkpoint may be the sealed one of several draws, and have more than their seals.
func TestASealedCheckpointMayCoverMore(t *testing.T) {
	l := lottery(t, verifytest.Terms{Covering: true})
	for name, in := range map[string]verify.Options{
		"late": {Receipt: l.Receipt, Outcome: l.Outcome}, "at the seal": {Receipt: l.AtSeal, Outcome: l.Outcome}, "early": {Receipt: l.Early, Log: l.Log},
	} {
		in.Policy = l.Policy
		if r := check(t, in); r.Result != verify.Proven || !slices.Contains(states(r), "outcome/in the sealed log ok") {
			t.Errorf("%s: %s", name, r.Text())
		}
	}
	fork := lottery(t, verifytest.Terms{Covering: true, Entry: "fork"})
	o, err := receipt.ParseOutcome(l.Outcome)
	if err != nil {
		t.Fatal(err)
	}
	other, err := receipt.ParseOutcome(fork.Outcome)
	if err != nil {
		t.Fatal(err)
	}
	o.Sealed, o.SealedProof = other.Sealed, other.SealedProof
	mixed, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	r := check(t, verify.Options{Outcome: mixed, Policy: l.Policy})
	if r.Result != verify.Contradicted || check(t, verify.Options{Evidence: r.Evidence, Key: l.Key}).Result != verify.Contradicted {
		t.Errorf("a sealed checkpoint of another log: %s", r.Text())
	}
}

// without is a log that lacks the files with a word in their names.
func without(log verify.Log, word string) verify.Log {
	return func(name string) ([]byte, error) {
		if strings.Contains(name, word) && !strings.Contains(name, "sealed.") {
			return nil, fs.ErrNotExist
		}
		return log(name)
	}
}

// full is a log that has kept no partial tiles: it has grown since.
func full(l *verifytest.Lottery) verify.Log {
	return func(name string) ([]byte, error) {
		if at, _, partial := strings.Cut(name, ".p/"); partial || !strings.HasPrefix(name, "tile/") {
			if partial {
				return nil, fmt.Errorf("%s: %w", at, fs.ErrNotExist)
			}
			return l.Log(name)
		}
		data, err := l.Log(name + ".p/11")
		return append(data, make([]byte, 245*32)...), err
	}
}

func TestWhatIsNotGivenIsNotClaimed(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	r := check(t, verify.Options{Receipt: l.Receipt, Key: l.Key})
	if r.Result != verify.NotYet || r.Won != nil || !strings.Contains(r.Verdict, "needs the draw's outcome") {
		t.Errorf("a receipt and a key: %s %q", r.Verdict, r.Notes)
	}
	r = check(t, verify.Options{Outcome: l.Outcome, Policy: l.Policy})
	if r.Result != verify.Proven || r.Won != nil || !strings.Contains(r.Verdict, fmt.Sprintf("the number is %04d", l.Number)) {
		t.Errorf("an outcome alone: %s", r.Verdict)
	}
	// Without witnesses nobody says when the seal was there.
	r = check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Key: l.Key})
	if r.Result != verify.ByOperator || !slices.Contains(states(r), "outcome/sealed in time skipped") || !slices.Contains(states(r), "outcome/witnesses skipped") ||
		!strings.HasPrefix(r.Verdict, "PROVEN, BUT ONLY BY THE OPERATOR'S WORD FOR THE TIME: ") || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "No witness") {
		t.Errorf("%s %q %q", r.Verdict, r.Notes, states(r))
	}
	// A checkpoint of a size that nothing here shows.
	early, err := receipt.ParseReceipt(l.Early)
	if err != nil {
		t.Fatal(err)
	}
	r = check(t, verify.Options{Outcome: l.Outcome, Policy: l.Policy, Checkpoint: []byte(early.Checkpoint)})
	if r.Result != verify.Proven || !slices.Contains(states(r), "checkpoint/same log skipped") || !strings.Contains(strings.Join(r.Notes, ""), "could not be compared") {
		t.Errorf("%q %q", states(r), r.Notes)
	}
}

// Who closed the draw, and whom that left out, is part of what a reader is told.
func TestAnEarlyCloseIsShown(t *testing.T) {
	l := lottery(t, verifytest.Terms{Operator: "a storm"})
	r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy})
	notes := strings.Join(r.Notes, " ")
	for _, want := range []string{"An operator closed the draw by hand", "a storm", "before its closing time", "1 of 1 agencies had not finished"} {
		if r.Result != verify.Proven || !strings.Contains(notes, want) {
			t.Errorf("%s: %q, want %q", r.Result, notes, want)
		}
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
		"evidence with":     {verify.Options{Evidence: []byte("{}"), Receipt: l.Receipt, Policy: l.Policy}, "alone"},
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
		if r.Result != verify.Proven || !*r.Won || !strings.Contains(strings.Join(r.Notes, " "), want) {
			t.Errorf("%s: %s %q", source, r.Verdict, r.Notes)
		}
		in.Beacon = l.Beacon
		if got := failed(check(t, in)); !slices.Equal(got, []string{"beacon/beacon"}) {
			t.Errorf("%s, with a beacon: %q", source, got)
		}
	}
}

// The number is what was fixed when the draw opened, or what the round that was named then gives, all twenty of them. A beacon's draw
// has no other end, whatever the operator says of why.
func TestAnotherNumberIsNotProven(t *testing.T) {
	other, err := hex.DecodeString("b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92")
	if err != nil {
		t.Fatal(err)
	}
	more := func(n quiniela.Number) quiniela.Number { return (n + 1) % (quiniela.MaxNumber + 1) }
	for name, terms := range map[string]verifytest.Terms{
		"by hand":               {Result: verifytest.ByHand},
		"fixed, not a notary's": {Source: quiniela.SourceNotary, Result: func(r *receipt.Result) { r.Source = quiniela.SourceFixed }},
		"a notary's, not fixed": {Source: quiniela.SourceFixed, Result: func(r *receipt.Result) { r.Source = quiniela.SourceNotary }},
		"another than fixed":    {Source: quiniela.SourceFixed, Result: func(r *receipt.Result) { r.Number++ }},
		"another first number":  {Result: func(r *receipt.Result) { r.Number = more(r.Number); r.Prizes[0] = r.Number }},
		"another last number":   {Result: func(r *receipt.Result) { r.Prizes[19] = more(r.Prizes[19]) }},
		"in another order": {Result: func(r *receipt.Result) {
			slices.Reverse(r.Prizes)
			r.Number = r.Prizes[0]
		}},
		"another round's signature": {Result: func(r *receipt.Result) { r.Evidence = other }},
	} {
		l := lottery(t, terms)
		r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy})
		if r.Result != verify.NotProven || !slices.Equal(failed(r), []string{"outcome/number"}) {
			t.Errorf("%s: %s %q", name, r.Verdict, states(r))
		}
	}
}

// An outcome is of one draw, and its seal counts the bet. What the operator has signed otherwise proves nothing.
func TestAnotherDrawsEntriesAreNotProven(t *testing.T) {
	for name, c := range map[string]struct {
		terms verifytest.Terms
		want  string
	}{
		"another draw's seal":               {verifytest.Terms{Seal: func(s *receipt.Seal) { s.Draw = 1 }}, "outcome/seal"},
		"the seal of another opening":       {verifytest.Terms{Seal: func(s *receipt.Seal) { s.Open = 0 }}, "outcome/seal"},
		"another draw's result":             {verifytest.Terms{Result: func(r *receipt.Result) { r.Draw = 1 }}, "outcome/result"},
		"the result of another opening":     {verifytest.Terms{Result: func(r *receipt.Result) { r.Open = 0 }}, "outcome/result"},
		"the result of another seal":        {verifytest.Terms{Result: func(r *receipt.Result) { r.Seal = 4 }}, "outcome/result"},
		"a seal that counts fewer bets":     {verifytest.Terms{Seal: func(s *receipt.Seal) { s.Bets = 2 }}, "outcome/before the seal"},
		"a batch before its draw's opening": {verifytest.Terms{Before: true}, "outcome/before the seal"},
	} {
		l := lottery(t, c.terms)
		r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy})
		if r.Result != verify.NotProven || len(failed(r)) == 0 || failed(r)[0] != c.want {
			t.Errorf("%s: %s", name, r.Text())
		}
	}
}

// A sealed checkpoint that has no seal, or no proof of it, contradicts nothing: it is only no proof.
func TestASealedCheckpointHasTheSeal(t *testing.T) {
	l := lottery(t, verifytest.Terms{Covering: true})
	early, err := receipt.ParseReceipt(l.Early)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*receipt.Outcome){
		"another proof":    func(o *receipt.Outcome) { o.SealedProof[0][0]++ },
		"no proof":         func(o *receipt.Outcome) { o.SealedProof = nil },
		"from before that": func(o *receipt.Outcome) { o.Sealed = early.Checkpoint },
	} {
		o, err := receipt.ParseOutcome(l.Outcome)
		if err != nil {
			t.Fatal(err)
		}
		change(o)
		outcome, err := o.Encode()
		if err != nil {
			t.Fatal(err)
		}
		r := check(t, verify.Options{Outcome: outcome, Key: l.Key})
		if r.Result != verify.NotProven || r.Evidence != nil || !slices.Equal(failed(r), []string{"outcome/sealed checkpoint"}) {
			t.Errorf("%s: %s", name, r.Text())
		}
	}
}

// A log that cannot be read is an error, and not one that has no outcome yet.
func TestALogThatCannotBeRead(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	broken := errors.New("the line is down")
	log := func(name string) ([]byte, error) {
		if strings.HasSuffix(name, "outcome.json") {
			return nil, broken
		}
		return l.Log(name)
	}
	if r, err := verify.Check(verify.Options{Receipt: l.Early, Log: log, Policy: l.Policy}); !errors.Is(err, broken) {
		t.Errorf("%v, %v", r, err)
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
		if r := check(t, in); !slices.Equal(failed(r), []string{"beacon/beacon"}) || r.Result != verify.NotProven {
			t.Errorf("%s: %q", name, states(r))
		}
	}
}

func TestARoundThatWasPublicTooEarly(t *testing.T) {
	public := draw.Quicknet().TimeOf(1000).Unix()
	for sealed, want := range map[int64]bool{public - 1: true, public: false, public + 60: false} {
		l := lottery(t, verifytest.Terms{Sealed: sealed})
		r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy})
		if (r.Result == verify.Proven) != want || !want && !slices.Equal(failed(r), []string{"outcome/round after the close"}) {
			t.Errorf("sealed %d s after the round: %q", sealed-public, states(r))
		}
	}
	for seen, want := range map[int64]bool{public - 1: true, public: false, public + 60: false} {
		l := lottery(t, verifytest.Terms{Seen: seen})
		r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy})
		if (r.Result == verify.Proven) != want || !want && !slices.Equal(failed(r), []string{"outcome/sealed in time"}) {
			t.Errorf("seen %d s after the round: %q", seen-public, states(r))
		}
	}
}

// A checkpoint that somebody kept is compared, or it is said that it was not.
func TestAKeptCheckpoint(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	early, err := receipt.ParseReceipt(l.Early)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]verify.Options{
		"the newest":                         {Outcome: l.Outcome, Checkpoint: l.Newest},
		"the seal's":                         {Outcome: l.Outcome, Checkpoint: l.Sealed},
		"one that ends with the batch":       {Receipt: l.Receipt, Outcome: l.Outcome, Checkpoint: []byte(early.Checkpoint)},
		"any, where the published log is":    {Outcome: l.Outcome, Checkpoint: []byte(early.Checkpoint), Log: l.Log},
		"any, with the receipt alone and it": {Receipt: l.Early, Checkpoint: l.Sealed, Log: l.Log},
	} {
		in.Policy = l.Policy
		if r := check(t, in); r.Result != verify.Proven || !slices.Contains(states(r), "checkpoint/same log ok") {
			t.Errorf("%s: %s %q", name, r.Verdict, states(r))
		}
	}
}

func TestTheStepThatFailsIsTheRightOne(t *testing.T) {
	l := lottery(t, verifytest.Terms{})
	for change, want := range map[[2]string]string{
		{"Lorca", "Lorcb"}:                              "receipt/commitment",
		{`"index": 0`, `"index": 1`}:                    "receipt/commitment",
		{`"index": 0`, `"index": 16`}:                   "receipt/bet in batch",
		{`"page": "02`, `"page": "03`}:                  "receipt/bet",
		{`/ledger\n11`, `/ledger\n12`}:                  "receipt/checkpoint",
		{`quiniela/v2/receipt`, `quiniela/v1/receipt`}:  "receipt/format",
		{`"index": 3`, `"index": 4`}:                    "receipt/batch in log",
		{`"draw": "2023-08-23-T"`, `"draw": "2023-08"`}: "outcome/before the seal",
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

// What a notary reads before bets end: the times as dates beside the numbers, in both languages, and nothing that the entry does not say.
func TestAnOpeningForPeople(t *testing.T) {
	for source, want := range map[string][]string{
		quiniela.SourceBeacon: {"round 1000 of the beacon, which is public at 2023-08-23 15:59:24 UTC", "la ronda 1000 del faro, que se publica el 2023-08-23 15:59:24 UTC",
			"Bets end: 2023-08-23 15:58:14 UTC (1692806294000000 µs)", "Fin de las apuestas: 2023-08-23 15:58:14 UTC"},
		quiniela.SourceNotary: {"a notary's", "de un escribano"},
		quiniela.SourceFixed:  {"fixed: 7574", "fijado: 7574"},
	} {
		o, err := receipt.ParseOutcome(lottery(t, verifytest.Terms{Source: source}).Outcome)
		if err != nil {
			t.Fatal(err)
		}
		text, err := verify.Opening(o.Open.Entry, "quiniela.example/ledger")
		for _, w := range append(want, "Draw 2023-08-23-T, number 2 of the log quiniela.example/ledger", "Sorteo 2023-08-23-T") {
			if err != nil || !strings.Contains(text, w) {
				t.Errorf("%s: no %q in %v\n%s", source, w, err, text)
			}
		}
	}
	if _, err := verify.Opening([]byte("x"), ""); err == nil {
		t.Error("something else is an opening")
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
	if r := check(t, in); r.Result != verify.Proven {
		t.Errorf("%q", states(r))
	}
	other, err := verify.ParseChain([]byte(strings.Replace(info, `"period":3`, `"period":30`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	in.Chains = []*draw.Chain{other}
	if r := check(t, in); r.Result != verify.NotProven || !slices.Equal(failed(r), []string{"outcome/number"}) {
		t.Errorf("an unknown chain: %q", states(r))
	}
	for _, bad := range []string{"", "{}", strings.Replace(info, "83cf", "83c", 1), strings.Replace(info, "f477", "x477", 1)} {
		if _, err := verify.ParseChain([]byte(bad)); err == nil {
			t.Errorf("%.60s: a chain", bad)
		}
	}
}

// The specified game has one kind of bet. A record that says more, or less, is no bet of it, whatever its number.
func TestABetThatTheGameDoesNotHaveWinsNothing(t *testing.T) {
	for _, play := range []quiniela.Play{
		{Digits: 2, From: 1, To: 1, Number: 7}, {Digits: 4, From: 1, To: 20, Number: 7}, {Digits: 4, From: 1, To: 1, Number: 7, Stake: 1}, {Digits: 4, From: 2, To: 2, Number: 7},
	} {
		if err := quiniela.Specified.CheckPlay(play); err == nil {
			t.Errorf("%+v: a bet of the specified game", play)
		}
	}
	if err := quiniela.Specified.CheckPlay(quiniela.SpecifiedPlay(7)); err != nil {
		t.Error(err)
	}
	l, err := verifytest.New(verifytest.Terms{Digits: 3})
	if err != nil {
		t.Fatal(err)
	}
	r := check(t, verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Policy: l.Policy})
	if r.Result != verify.NotProven || !slices.Equal(failed(r), []string{"outcome/before the seal"}) || r.Won != nil {
		t.Errorf("a bet on three digits: %s", r.Text())
	}
}
