package receipt_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	"quiniela"
	"quiniela/receipt"
	"quiniela/tlog"
)

// wantMalformed checks that an error is a *MalformedError with some words in it.
func wantMalformed(t *testing.T, err error, words string) {
	t.Helper()
	var malformed *receipt.MalformedError
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), words) {
		t.Errorf("%v, want it malformed, with %q", err, words)
	}
}

func TestProofsThatCannotBeRead(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	key, hash := b64(secret[:]), b64(make([]byte, tlog.HashSize))
	for line, words := range map[string]string{
		"5|AQI=|" + key:                         "3 fields, want 4",
		"5|AQI=|" + key + "|" + hash + "|":      "5 fields, want 4",
		"x|AQI=|" + key + "|" + hash:            "",
		"-1|AQI=|" + key + "|" + hash:           "",
		"5|?|" + key + "|" + hash:               "base64",
		"5|AQI=|?|" + hash:                      "base64",
		"5|AQI=|" + key + "|?":                  "base64",
		"5|AQI=|" + b64(secret[1:]) + "|":       "a secret of 31 bytes",
		"5|AQI=|" + key + "|" + b64(secret[1:]): "hashes of 31",
		"05|AQI=|" + key + "|" + hash:           "not written as",
		"5|AQI=\r|" + key + "|" + hash:          "",
	} {
		_, err := receipt.ParseBatchProof([]byte(line))
		wantMalformed(t, err, words)
	}
	if _, err := receipt.ParseBatchProof([]byte("5|AQI=|" + key + "|" + hash)); err != nil {
		t.Errorf("a good one: %v", err)
	}
	// A file that was cut in its last line does not end there.
	whole := someProofs()
	for cut := range 40 {
		p, err := receipt.ReadProofs(bytes.NewReader(whole[:len(whole)-1-cut]))
		if err == nil {
			_, err = p.Next()
		}
		if err == nil {
			_, err = p.Next()
		}
		wantMalformed(t, err, "cut short")
	}
	p, err := receipt.ReadProofs(bytes.NewReader(append(whole, "x\n"...)))
	for err == nil {
		_, err = p.Next()
	}
	if errors.Is(err, io.EOF) {
		t.Error("a line that is no proof is passed over")
	}
}

func TestABundleThatCannotBeRead(t *testing.T) {
	bundle := someBundle(t)
	none := func(receipt.Bundled) error { return nil }
	spoiled := bytes.Clone(bundle)
	spoiled[8+3] = 'X' // QNBX
	wantMalformed(t, receipt.ReadBundle(spoiled, none), "batch 1")
	enough := errors.New("enough")
	calls := 0
	err := receipt.ReadBundle(bundle, func(receipt.Bundled) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("%v after %d batches", err, calls)
	}
}

func TestPublicRecordsAgainstTheirEntry(t *testing.T) {
	p := receipt.Public{Root: tlog.Hash{1}, Bets: 2, Stake: 3}
	e := receipt.BatchEntry{Root: p.Root, Count: p.Bets, Stake: p.Stake}
	if err := p.Check(e); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*receipt.BatchEntry){
		"root":  func(e *receipt.BatchEntry) { e.Root[31]++ },
		"bets":  func(e *receipt.BatchEntry) { e.Count++ },
		"stake": func(e *receipt.BatchEntry) { e.Stake++ },
	} {
		other := e
		change(&other)
		if p.Check(other) == nil {
			t.Errorf("another %s: accepted", name)
		}
	}
}

// The root of the totals alone is not enough: the seal's own figures are what people read.
func TestASealWithOtherSumsThanItsTotals(t *testing.T) {
	for name, change := range map[string]func(*receipt.Seal){
		"batches":  func(s *receipt.Seal) { s.Batches++ },
		"bets":     func(s *receipt.Seal) { s.Bets-- },
		"stake":    func(s *receipt.Seal) { s.Stake++ },
		"agencies": func(s *receipt.Seal) { s.Agencies++ },
		"missing":  func(s *receipt.Seal) { s.Missing-- },
		"root":     func(s *receipt.Seal) { s.Totals[0]++ },
	} {
		s := seal()
		change(&s)
		if s.CheckTotals(totals()) == nil {
			t.Errorf("other %s: accepted", name)
		}
	}
	if err := seal().CheckTotals(totals()); err != nil {
		t.Error(err)
	}
}

func TestDocumentsThatAreTooLargeOrContradictThemselves(t *testing.T) {
	e := receipt.NewLateBatch(receipt.Logged{Entry: receipt.Hex{1}}, []byte("a"), receipt.Logged{Entry: receipt.Hex{2}, Index: 3}, []byte("b"))
	for name, change := range map[string]func(*receipt.Evidence){
		"another kind":          func(e *receipt.Evidence) { e.Kind = "x" },
		"the other kind":        func(e *receipt.Evidence) { e.Kind = receipt.TwoLogs },
		"no seal":               func(e *receipt.Evidence) { e.Seal = nil },
		"no batch":              func(e *receipt.Evidence) { e.Batch = nil },
		"the other kind's size": func(e *receipt.Evidence) { e.Size = 3 },
	} {
		other := *e
		change(&other)
		text, err := other.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = receipt.ParseEvidence(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	text, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.ParseEvidence(append(text, bytes.Repeat([]byte{' '}, receipt.MaxDocument-len(text))...)); err != nil {
		t.Errorf("with blank space up to the bound: %v", err)
	}
	_, err = receipt.ParseEvidence(append(text, bytes.Repeat([]byte{' '}, receipt.MaxDocument-len(text)+1)...))
	wantMalformed(t, err, "over 262144 bytes")
}

func TestABatchThatIsTooLargeForItsRoot(t *testing.T) {
	var b receipt.BatchHasher
	if err := b.Reset(&secret); err != nil {
		t.Fatal(err)
	}
	bet := quiniela.Bet{FirstName: []byte("Ana"), LastName: []byte("Paz"), Play: quiniela.SpecifiedPlay(7)}
	long := bet
	long.FirstName = bytes.Repeat([]byte{'a'}, quiniela.MaxNameBytes+1)
	if err := b.Add(long); err == nil {
		t.Error("a name that nothing commits to is hashed")
	}
}

func TestStakesThatAreOverSixtyFourBits(t *testing.T) {
	r := receipt.Record{Play: quiniela.Play{Digits: 4, From: 1, To: 1, Number: 7, Stake: 1<<48 - 1}}.Encode()
	records := bytes.Repeat(r[:], 1<<16+1)
	_, err := receipt.ReadRecords(records, nil)
	wantMalformed(t, err, "over 64 bits")
	if p, err := receipt.ReadRecords(records[:1<<16*receipt.RecordSize], nil); err != nil || p.Stake != (1<<48-1)<<16 {
		t.Errorf("one less: %d, %v", p.Stake, err)
	}
}
