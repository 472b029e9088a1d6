package tlog_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/mod/sumdb/note"

	"quiniela/tlog"
)

const origin = "quiniela.example/ledger"

func key(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func logKey(t testing.TB) (note.Signer, string) {
	t.Helper()
	s, v, err := tlog.NewLogKey(origin, key(0x42))
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func witnessKey(t testing.TB, i byte) (note.Signer, string) {
	t.Helper()
	s, v, err := tlog.NewWitnessKey(fmt.Sprintf("witness%d.example", i), key(i), func() time.Time { return time.Unix(1692806300+int64(i), 0) })
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// signed is the checkpoint of a log, cosigned by the witnesses named.
func signed(t testing.TB, c tlog.Checkpoint, witnesses ...byte) []byte {
	t.Helper()
	log, _ := logKey(t)
	text, err := tlog.SignCheckpoint(c, log)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range witnesses {
		w, _ := witnessKey(t, i)
		line, err := tlog.Cosign(text, w)
		if err != nil {
			t.Fatal(err)
		}
		if text, err = tlog.AddSignatures(text, line); err != nil {
			t.Fatal(err)
		}
	}
	return text
}

// policy knows the log and three witnesses. quorum is the last lines of its text.
func policy(t testing.TB, quorum string) *tlog.Policy {
	t.Helper()
	p, err := tlog.ParsePolicy([]byte(policyText(t, quorum)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func policyText(t testing.TB, quorum string) string {
	_, log := logKey(t)
	text := "# whom we believe\n\nlog " + log + " https://quiniela.example/\n"
	for i := byte(1); i <= 3; i++ {
		_, w := witnessKey(t, i)
		text += fmt.Sprintf(" witness\tW%d %s\n", i, w)
	}
	return text + quorum
}

func some() tlog.Checkpoint {
	return tlog.Checkpoint{Origin: origin, Size: 5, Root: tlog.Hash{1, 2, 3}}
}

func TestTheVectorsVerifierKey(t *testing.T) {
	var vectors struct {
		Key struct{ Seed, Origin, Verifier string }
	}
	text, err := os.ReadFile("../testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(text, &vectors)
	}
	seed, failed := hex.DecodeString(vectors.Key.Seed)
	if err != nil || failed != nil || len(seed) != ed25519.SeedSize {
		t.Fatalf("the vectors: %v, %v", err, failed)
	}
	_, v, err := tlog.NewLogKey(vectors.Key.Origin, ed25519.NewKeyFromSeed(seed))
	if want := vectors.Key.Verifier; err != nil || v != want {
		t.Errorf("verifier key %s, %v; want %s", v, err, want)
	}
}

func TestACheckpointIsANote(t *testing.T) {
	log, v := logKey(t)
	text, err := tlog.SignCheckpoint(some(), log)
	if err != nil {
		t.Fatal(err)
	}
	if want := origin + "\n5\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— " + origin + " PtH0p"; !strings.HasPrefix(string(text), want) {
		t.Errorf("%s\nwant %s…", text, want)
	}
	theirs, err := note.NewVerifier(v)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open(text, note.VerifierList(theirs)); err != nil || n.Text != some().Text() {
		t.Errorf("the note package: %v", err)
	}
	other := some()
	other.Origin = "another"
	if _, err := tlog.SignCheckpoint(other, log); err == nil {
		t.Error("a checkpoint of another log is signed")
	}
}

func TestParseCheckpoint(t *testing.T) {
	root := "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	if got, err := tlog.ParseCheckpoint(some().Text()); err != nil || got != some() {
		t.Errorf("%v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"nothing": "", "no line end": "o\n5\n" + root, "no origin": "\n5\n" + root + "\n", "an extension": "o\n5\n" + root + "\nx\n",
		"size 05": "o\n05\n" + root + "\n", "size +5": "o\n+5\n" + root + "\n", "size -5": "o\n-5\n" + root + "\n", "no size": "o\n\n" + root + "\n",
		"size too large": "o\n9223372036854775808\n" + root + "\n", "root cut": "o\n5\nAQID\n", "no base64": "o\n5\n!" + root[1:] + "\n",
		"stray bits in the root": "o\n5\n" + root[:42] + "B=\n", "a full log of nothing": "o\n0\n" + root + "\n", "carriage return": "o\n5\r\n" + root + "\n",
	} {
		if got, err := tlog.ParseCheckpoint(bad); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	empty := tlog.Checkpoint{Origin: "o", Root: tlog.EmptyRoot}
	if got, err := tlog.ParseCheckpoint(empty.Text()); err != nil || got != empty {
		t.Errorf("an empty log: %v, %v", got, err)
	}
}

// The message that a witness signs, as C2SP tlog-cosignature has it, by hand.
func TestACosignatureIsOverTimeAndText(t *testing.T) {
	text := signed(t, some(), 1)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	b64, ok := strings.CutPrefix(lines[len(lines)-1], "— witness1.example ")
	raw, err := base64.StdEncoding.DecodeString(b64)
	if !ok || err != nil || len(raw) != 4+8+64 || !bytes.Equal(raw[4:12], []byte{0, 0, 0, 0, 0x64, 0xe6, 0x2c, 0x9d}) {
		t.Fatalf("%x, %v", raw, err)
	}
	message := "cosignature/v1\ntime 1692806301\n" + some().Text()
	if !ed25519.Verify(key(1).Public().(ed25519.PublicKey), []byte(message), raw[12:]) {
		t.Error("not the signature of this message")
	}
	_, v := witnessKey(t, 1)
	if b64 := v[strings.LastIndex(v, "+")+1:]; !strings.HasPrefix(b64, "BI") {
		t.Errorf("the key %s is not of type 4", v)
	}
}

func TestQuorums(t *testing.T) {
	for _, c := range []struct {
		quorum string
		by     []byte
		want   bool
	}{
		{"quorum none", nil, true},
		{"quorum W1", []byte{1}, true},
		{"quorum W1", []byte{2, 3}, false},
		{"group g any W1 W2 W3\nquorum g\n", nil, false},
		{"group g any W1 W2 W3\nquorum g\n", []byte{3}, true},
		{"group g 2 W1 W2 W3\nquorum g\n", []byte{3}, false},
		{"group g 2 W1 W2 W3\nquorum g\n", []byte{3, 1}, true},
		{"group g all W1 W2 W3\nquorum g\n", []byte{3, 1}, false},
		{"group g all W1 W2 W3\nquorum g\n", []byte{3, 1, 2}, true},
		{"group g any W1 W2\ngroup h all g W3\nquorum h\n", []byte{1, 2}, false},
		{"group g any W1 W2\ngroup h all g W3\nquorum h\n", []byte{3, 2}, true},
		{"quorum W1", []byte{4}, false}, // unknown to the policy
	} {
		p := policy(t, c.quorum)
		o, err := p.VerifyCheckpoint(signed(t, some(), c.by...))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Quorum(o) == nil; got != c.want {
			t.Errorf("%q, cosigned by %v: %v, want %v", c.quorum, c.by, got, c.want)
		}
		if p.NeedsWitnesses() == strings.HasSuffix(c.quorum, "none") {
			t.Errorf("%q: NeedsWitnesses is %v", c.quorum, p.NeedsWitnesses())
		}
	}
}

func TestAVerifiedCheckpointSaysWhoCosignedItWhen(t *testing.T) {
	p := policy(t, "quorum none")
	o, err := p.VerifyCheckpoint(signed(t, some(), 2, 4))
	if err != nil {
		t.Fatal(err)
	}
	want := []tlog.Cosigned{{Witness: "witness2.example", At: time.Unix(1692806302, 0).UTC()}}
	if diff := cmp.Diff(want, o.Cosigned, cmpopts.IgnoreUnexported(tlog.Cosigned{})); diff != "" || o.Checkpoint != some() {
		t.Errorf("%v\n%s", o.Checkpoint, diff)
	}
	if diff := cmp.Diff([]string{origin}, p.Origins()); diff != "" {
		t.Error(diff)
	}
}

func TestPoliciesThatAreNone(t *testing.T) {
	_, log := logKey(t)
	_, w4 := witnessKey(t, 4)
	_, w1 := witnessKey(t, 1)
	for name, text := range map[string]string{
		"nothing":               "",
		"no log":                "quorum none\n",
		"no quorum":             "log " + log + "\n",
		"two quorums":           policyText(t, "quorum none\nquorum none\n"),
		"unknown quorum":        policyText(t, "quorum W9\n"),
		"quorum before group":   policyText(t, "quorum g\ngroup g any W1\n"),
		"group of none":         policyText(t, "group g any none\nquorum g\n"),
		"group of itself":       policyText(t, "group g any g\nquorum g\n"),
		"group without members": policyText(t, "group g any\nquorum none\n"),
		"0 of a group":          policyText(t, "group g 0 W1\nquorum g\n"),
		"2 of 1":                policyText(t, "group g 2 W1\nquorum g\n"),
		"01 of a group":         policyText(t, "group g 01 W1\nquorum g\n"),
		"a witness twice":       policyText(t, "group g any W1 W1\nquorum g\n"),
		"in two groups":         policyText(t, "group g any W1\ngroup h any W1\nquorum g\n"),
		"a name twice":          policyText(t, "witness W1 "+w4+"\nquorum none\n"),
		"a name none":           policyText(t, "witness none "+w4+"\nquorum none\n"),
		"a key twice":           policyText(t, "witness W4 "+w1+"\nquorum none\n"),
		"a log twice":           policyText(t, "log "+log+"\nquorum none\n"),
		"a log as a witness":    policyText(t, "witness W4 "+log+"\nquorum none\n"),
		"a witness as a log":    policyText(t, "log "+w4+"\nquorum none\n"),
		"another key id":        policyText(t, "log "+strings.Replace(log, "3ed1f4a6", "3ed1f4a7", 1)+"\nquorum none\n"),
		"a key id in capitals":  strings.Replace(policyText(t, "quorum none\n"), "3ed1f4a6", "3ED1F4A6", 1),
		"another line":          policyText(t, "quorum none\nallow all\n"),
		"a carriage return":     policyText(t, "quorum none\r\n"),
	} {
		if _, err := tlog.ParsePolicy([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCheckpointsThatAreRefused(t *testing.T) {
	p := policy(t, "quorum none")
	good := string(signed(t, some(), 1))
	if _, err := p.VerifyCheckpoint([]byte(good)); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(good, "\n") // text 0-2, blank 3, log 4, witness 5
	other, _, err := tlog.NewLogKey(origin, key(0x43))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := tlog.SignCheckpoint(some(), other)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing":                "",
		"no signature":           strings.Join(lines[:4], ""),
		"the witness's only":     strings.Join(lines[:4], "") + lines[5],
		"another key's":          string(foreign),
		"another size":           strings.Replace(good, "\n5\n", "\n6\n", 1),
		"another origin":         strings.Replace(good, origin+"\n", origin+"x\n", 1),
		"a signature twice":      good + lines[4],
		"a cosignature twice":    good + lines[5],
		"no line end":            strings.TrimSuffix(good, "\n"),
		"a line behind":          good + "x\n",
		"stray bits":             strings.Replace(good, "=\n", "=\n", 1) + "— x AAAAAAB=\n",
		"cosignature of nothing": strings.Join(lines[:5], "") + "— x AAAAAA==\n",
		"too long":               good + strings.Repeat("— x AAAAAAAAAAAA\n", 3000),
	} {
		if _, err := p.VerifyCheckpoint([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

var exhaustive = flag.Bool("exhaustive", false, "change every bit of a checkpoint, not a sample of them")

func TestEveryByteOfACheckpointCounts(t *testing.T) {
	t.Parallel()
	p := policy(t, "group g all W1 W2\nquorum g\n")
	good := signed(t, some(), 1, 2)
	step := 13 // odd, so that all bits have their turn
	if *exhaustive {
		step = 1
	}
	for change := 0; change < 8*len(good); change += step {
		i, bad := change/8, bytes.Clone(good)
		bad[i] ^= 1 << (change % 8)
		if o, err := p.VerifyCheckpoint(bad); err == nil && p.Quorum(o) == nil {
			t.Errorf("byte %d, %q changed to %q: accepted", i, good[i], bad[i])
		}
	}
}

func TestSignaturesAreCounted(t *testing.T) {
	for want, note := range map[int][]byte{1: signed(t, some()), 3: signed(t, some(), 1, 2)} {
		if got, err := tlog.CountSignatures(note); err != nil || got != want {
			t.Errorf("%d signatures, %v; want %d", got, err, want)
		}
		if c, err := tlog.UnverifiedCheckpoint(note); err != nil || c != some() {
			t.Errorf("%+v, %v; want %+v", c, err, some())
		}
	}
	w, _ := witnessKey(t, 1)
	line, err := tlog.Cosign(signed(t, some()), w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.AddSignatures(signed(t, some(), 1), line); !errors.Is(err, tlog.ErrTwice) {
		t.Errorf("a second signature by one key: %v", err)
	}
	for _, bad := range [][]byte{nil, []byte(some().Text())} {
		if n, err := tlog.CountSignatures(bad); err == nil {
			t.Errorf("%q: %d signatures", bad, n)
		}
		if c, err := tlog.UnverifiedCheckpoint(bad); err == nil {
			t.Errorf("%q: %+v", bad, c)
		}
	}
}

func TestNamesThatNoKeyHas(t *testing.T) {
	for _, name := range []string{"", "a b", "a+b", "a\nb", "\xff"} {
		if _, _, err := tlog.NewLogKey(name, key(1)); err == nil {
			t.Errorf("a log named %q", name)
		}
		if _, _, err := tlog.NewWitnessKey(name, key(1), time.Now); err == nil {
			t.Errorf("a witness named %q", name)
		}
	}
	w, _, err := tlog.NewWitnessKey("w", key(1), func() time.Time { return time.Unix(-1, 0) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.Cosign(signed(t, some()), w); err == nil {
		t.Error("a witness signs before 1970")
	}
	if _, err := tlog.Cosign([]byte("x"), w); err == nil {
		t.Error("a witness signs what is no note")
	}
	if _, err := tlog.AddSignatures(signed(t, some()), []byte("x\n")); err == nil {
		t.Error("anything is added as a signature")
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(some().Text())
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := tlog.ParseCheckpoint(text); err == nil && c.Text() != text {
			t.Errorf("%q is written as %q", text, c.Text())
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	p := policy(f, "quorum W1")
	f.Add(signed(f, some(), 1))
	f.Add(signed(f, some(), 1, 4))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o, err := p.VerifyCheckpoint(data); err == nil && o.Checkpoint != some() {
			t.Errorf("%q was never signed", data)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(policyText(f, "group g any W1 W2\ngroup h 2 g W3\nquorum h\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := tlog.ParsePolicy(data); err == nil {
			_ = p.Quorum(&tlog.VerifiedCheckpoint{})
		}
	})
}

func TestUnverifiedSignatures(t *testing.T) {
	found, err := tlog.UnverifiedSignatures(signed(t, some(), 1, 3))
	want := []tlog.Signature{{Name: origin}, {"witness1.example", time.Unix(1692806301, 0).UTC()}, {"witness3.example", time.Unix(1692806303, 0).UTC()}}
	if diff := cmp.Diff(want, found); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if found, err := tlog.UnverifiedSignatures([]byte("no note")); err == nil {
		t.Errorf("no note has %v", found)
	}
}
