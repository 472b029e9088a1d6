package verify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela/receipt"
	"quiniela/verify"
	"quiniela/verify/verifytest"
)

// What an operator with the key can sign, and cannot take back: each is found, and the evidence convicts without the receipt.
func TestASecondLogConvicts(t *testing.T) {
	l, fork := lottery(t, verifytest.Terms{}), lottery(t, verifytest.Terms{Entry: "fork"})
	late := lottery(t, verifytest.Terms{Late: true})
	early := func(l *verifytest.Lottery) []byte {
		r, err := receipt.ParseReceipt(l.Early)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(r.Checkpoint)
	}
	for name, in := range map[string]verify.Options{
		"a bet dropped from the sealed log":          {Receipt: l.Early, Log: fork.Log},
		"the same, with an outcome":                  {Receipt: l.Early, Outcome: fork.Outcome, Log: fork.Log},
		"a late receipt of the other":                {Receipt: l.Receipt, Outcome: fork.Outcome},
		"a receipt at the seal of the other":         {Receipt: l.AtSeal, Outcome: fork.Outcome},
		"a log that is not the outcome's":            {Receipt: l.Receipt, Outcome: l.Outcome, Log: fork.Log},
		"a kept checkpoint of the same size":         {Outcome: l.Outcome, Checkpoint: fork.Newest},
		"a kept checkpoint of the seal":              {Outcome: l.Outcome, Checkpoint: fork.Sealed},
		"a kept checkpoint of another size":          {Outcome: l.Outcome, Checkpoint: early(fork), Log: l.Log},
		"a kept checkpoint that ends with the batch": {Receipt: l.Receipt, Checkpoint: early(fork)},
		"a batch after the seal":                     {Receipt: late.Receipt, Outcome: late.Outcome},
		"a batch after the seal, in another log":     {Receipt: late.Receipt, Outcome: l.Outcome},
	} {
		in.Policy = l.Policy
		r := check(t, in)
		if r.Result != verify.Contradicted || r.Won != nil || r.Evidence == nil || !strings.HasPrefix(r.Verdict, "CONTRADICTED") {
			t.Errorf("%s: %s %s\n%s", name, r.Result, r.Verdict, r.Text())
			continue
		}
		if bytes.Contains(r.Evidence, []byte("Lorca")) || bytes.Contains(r.Evidence, []byte("salt")) {
			t.Errorf("%s: the evidence shows who bet", name)
		}
		proof := check(t, verify.Options{Evidence: r.Evidence, Key: l.Key})
		want := []string{"evidence/format ok", "evidence/checkpoint ok", "evidence/second checkpoint ok", "evidence/contradiction ok"}
		if diff := cmp.Diff(want, states(proof)); diff != "" || proof.Result != verify.Contradicted {
			t.Errorf("%s: the evidence: %s\n%s", name, proof.Result, diff)
		}
	}
}

// Nobody is convicted by something that only looks like evidence.
func TestWhatIsNoEvidence(t *testing.T) {
	l, fork := lottery(t, verifytest.Terms{}), lottery(t, verifytest.Terms{Entry: "fork"})
	found := check(t, verify.Options{Receipt: l.Early, Log: fork.Log, Policy: l.Policy}).Evidence
	good, err := receipt.ParseEvidence(found)
	if err != nil {
		t.Fatal(err)
	}
	late := lottery(t, verifytest.Terms{Late: true})
	lateFound := check(t, verify.Options{Receipt: late.Receipt, Outcome: late.Outcome, Policy: l.Policy}).Evidence
	goodLate, err := receipt.ParseEvidence(lateFound)
	if err != nil {
		t.Fatal(err)
	}
	itself := receipt.Shown{Checkpoint: string(l.Newest), Leaf: receipt.Hex{}}
	seal, inTime, foreign := logged(t, l, 5), logged(t, l, 4), logged(t, l, 6)
	for name, e := range map[string]*receipt.Evidence{
		"one log":           receipt.NewTwoLogs(11, itself, itself),
		"its own beginning": change(good, func(e *receipt.Evidence) { e.First = e.Second }),
		"another leaf":      change(good, func(e *receipt.Evidence) { e.Second.Leaf[0]++ }),
		"no leaf":           change(good, func(e *receipt.Evidence) { e.Second.Leaf = receipt.Hex{} }),
		"no proof":          change(good, func(e *receipt.Evidence) { e.Second.Proof = nil }),
		"another size":      change(good, func(e *receipt.Evidence) { e.Size++ }),
		"a size of nobody":  change(good, func(e *receipt.Evidence) { e.Size = 1 << 63 }),
		"a batch of another draw": change(goodLate, func(e *receipt.Evidence) {
			e.Batch.Entry[11] = 1
		}),
		"a batch before the seal":            receipt.NewLateBatch(seal, l.Newest, inTime, l.Newest),
		"another draw's batch, and the seal": receipt.NewLateBatch(seal, l.Newest, foreign, l.Newest),
		"a batch elsewhere":                  change(goodLate, func(e *receipt.Evidence) { e.Batch.Index-- }),
		"unsigned": change(good, func(e *receipt.Evidence) {
			e.First.Checkpoint = strings.Replace(e.First.Checkpoint, "— quiniela", "— kuiniela", 1)
		}),
	} {
		data, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if r := check(t, verify.Options{Evidence: data, Policy: l.Policy}); r.Result != verify.NotProven || r.Evidence != nil {
			t.Errorf("%s: %s", name, r.Text())
		}
	}
	fewFlips(found, func(at int, changed []byte) {
		r := check(t, verify.Options{Evidence: changed, Policy: l.Policy})
		if r.Result == verify.Contradicted && !bytes.Equal(compact(t, r.Evidence), compact(t, found)) {
			t.Errorf("byte %d, %q for %q: still evidence", at, changed[at], found[at])
		}
	})
}

func logged(t *testing.T, l *verifytest.Lottery, index int64) receipt.Logged {
	t.Helper()
	e, err := l.Logged(index)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Two logs may say different things. A reader who trusts both is not told that one of them has contradicted itself.
func TestTwoLogsThatAreTrustedConvictNobody(t *testing.T) {
	l, other := lottery(t, verifytest.Terms{}), lottery(t, verifytest.Terms{Origin: "other.example/ledger", Entry: "other"})
	both := fmt.Appendf(nil, "log %slog %squorum none\n", l.Key, other.Key)
	itself := func(l *verifytest.Lottery) receipt.Shown {
		return receipt.Shown{Checkpoint: string(l.Newest), Leaf: receipt.Hex{}}
	}
	evidence, err := receipt.NewTwoLogs(11, itself(l), itself(other)).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		in   verify.Options
	}{
		{"evidence/contradiction", verify.Options{Evidence: evidence}},
		{"outcome/before the seal", verify.Options{Receipt: l.Receipt, Outcome: other.Outcome}},
		{"log/same log", verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Log: other.Log}},
		{"checkpoint/same log", verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Checkpoint: other.Newest}},
		{"checkpoint/same log", verify.Options{Receipt: l.Receipt, Outcome: l.Outcome, Log: l.Log, Checkpoint: other.Newest}},
	} {
		c.in.Policy = both
		r := check(t, c.in)
		if r.Result != verify.NotProven || r.Evidence != nil || !slices.Contains(failed(r), c.want) {
			t.Errorf("%s: %s", c.want, r.Text())
		}
	}
}

// change returns a copy of evidence that was changed.
func change(e *receipt.Evidence, f func(*receipt.Evidence)) *receipt.Evidence {
	data, err := e.Encode()
	if err != nil {
		panic(err)
	}
	c, err := receipt.ParseEvidence(data)
	if err != nil {
		panic(err)
	}
	f(c)
	return c
}

func compact(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
