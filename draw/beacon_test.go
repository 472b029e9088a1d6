package draw_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"quiniela/draw"
)

var rounds = []struct {
	round                 uint64
	signature, randomness string
}{
	{1, "b55e7cb2d5c613ee0b2e28d6750aabbb78c39dcc96bd9d38c2c2e12198df95571de8e8e402a0cc48871c7089a2b3af4b", "1466a6cd24e327188770752f6134001c64d6efcc590ccc26b721611ad96f165a"},
	{123, "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92", "fb8f7bc29bf24db51871ec8c79f3a1e4bd0557bc0dfcee9ed1d924e69d1c60dc"},
	{1000, "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39", "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"},
	{30663002, "b9e7e1e3d7d9cf17a9f4703abfae4c137acfbef1fdb45715a98422c244a499ea381c7fd759851ed8eeb8a03d778959b3", "2a231554933f6fd70314fa470152710fac3eba10d052cab996e8f30854fa7f55"},
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheChainIsQuicknet(t *testing.T) {
	if got := fmt.Sprintf("%x", draw.ChainHash()); got != "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971" {
		t.Errorf("chain hash %s", got)
	}
}

func TestSignedRounds(t *testing.T) {
	for _, r := range rounds {
		got, err := draw.Randomness(r.round, decode(t, r.signature))
		if err != nil || fmt.Sprintf("%x", got) != r.randomness {
			t.Errorf("round %d: %x, %v; want %s", r.round, got, err, r.randomness)
		}
	}
}

func TestWhatTheChainDidNotSignIsRefused(t *testing.T) {
	signature := decode(t, rounds[2].signature)
	for _, round := range []uint64{0, 999, 1001} {
		if _, err := draw.Randomness(round, signature); err == nil {
			t.Errorf("round 1000's signature is taken for round %d", round)
		}
	}
	for i := range len(signature) {
		bad := append([]byte(nil), signature...)
		bad[i] ^= 1
		if _, err := draw.Randomness(1000, bad); err == nil {
			t.Errorf("byte %d of the signature does not matter", i)
		}
	}
	for _, size := range []int{0, 47, 49, 96} {
		if _, err := draw.Randomness(1000, append(signature, make([]byte, 48)...)[:size]); err == nil {
			t.Errorf("a signature of %d bytes is taken", size)
		}
	}
}

func TestRounds(t *testing.T) {
	for at, want := range map[int64]uint64{0: 1, 1692803367: 1, 1692803368: 2, 1692803370: 2, 1692806304: 980, 1692806364: 1000} {
		if got := draw.RoundAt(time.Unix(at, 0)); got != want {
			t.Errorf("the first round at %d or after is %d, want %d", at, got, want)
		}
	}
	if got := draw.RoundTime(1000).Unix(); got != 1692806364 {
		t.Errorf("round 1000 is at %d", got)
	}
}

func TestDerivedNumbers(t *testing.T) {
	derive := func(round int, id string, binding [32]byte, prize uint16) string {
		r := rounds[round]
		terms := draw.Terms{Chain: draw.ChainHash(), Round: r.round, ID: id, Binding: binding}
		return fmt.Sprintf("%04d", draw.Derive([32]byte(decode(t, r.randomness)), terms, prize))
	}
	var all []string
	for prize := range uint16(draw.Prizes) {
		all = append(all, derive(2, "test", [32]byte{}, prize+1))
	}
	const want = "4597 9224 2297 2132 4895 6578 8316 0297 0910 5482 4148 4197 6508 5424 7386 7824 1463 4071 2458 6050"
	if got := strings.Join(all, " "); got != want {
		t.Errorf("round 1000: %s, want %s", got, want)
	}
	if got := derive(1, "test", [32]byte{}, 1); got != "8889" {
		t.Errorf("round 123: %s", got)
	}
	binding := [32]byte(decode(t, "75b39c003bea0036c1de400ce3af38b73fa1f963eaf16ed8dbbc235015e5646a"))
	if got := derive(2, "2023-08-23-T", binding, 1); got != "8571" {
		t.Errorf("with a binding: %s", got)
	}
}
