package draw_test

import (
	"encoding/hex"
	"errors"
	"flag"
	"testing"
	"time"

	"github.com/cloudflare/circl/ecc/bls12381"

	"quiniela/draw"
)

// rounds are published rounds of Quicknet.
var rounds = []struct {
	round      uint64
	signature  string
	randomness string
}{
	{1, "b55e7cb2d5c613ee0b2e28d6750aabbb78c39dcc96bd9d38c2c2e12198df95571de8e8e402a0cc48871c7089a2b3af4b",
		"1466a6cd24e327188770752f6134001c64d6efcc590ccc26b721611ad96f165a"},
	{123, "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92",
		"fb8f7bc29bf24db51871ec8c79f3a1e4bd0557bc0dfcee9ed1d924e69d1c60dc"},
	{1000, "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
		"fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"},
	{30663002, "b9e7e1e3d7d9cf17a9f4703abfae4c137acfbef1fdb45715a98422c244a499ea381c7fd759851ed8eeb8a03d778959b3",
		"2a231554933f6fd70314fa470152710fac3eba10d052cab996e8f30854fa7f55"},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestQuicknetsHashIsThatOfItsParameters(t *testing.T) {
	if got := hex.EncodeToString(hashOf(draw.Quicknet())); got != draw.QuicknetHash {
		t.Errorf("chain hash %s, want %s", got, draw.QuicknetHash)
	}
}

func hashOf(c *draw.Chain) []byte {
	h := c.Hash()
	return h[:]
}

func TestPublishedRoundsVerify(t *testing.T) {
	for _, r := range rounds {
		got, err := draw.Quicknet().Verify(r.round, unhex(t, r.signature))
		if err != nil || hex.EncodeToString(got[:]) != r.randomness {
			t.Errorf("round %d: %x, %v; want %s", r.round, got, err, r.randomness)
		}
	}
}

func TestOtherSignaturesAreRefused(t *testing.T) {
	good := unhex(t, rounds[2].signature)
	for name, c := range map[string]struct {
		round uint64
		sig   []byte
	}{
		"another round's":       {1001, good},
		"round 0":               {0, good},
		"of another round":      {1000, unhex(t, rounds[1].signature)},
		"none":                  {1000, nil},
		"cut short":             {1000, good[:47]},
		"with a byte behind it": {1000, append(good[:48:48], 0)},
		"uncompressed":          {1000, uncompressed(t, good)},
		"the point at infinity": {1000, append([]byte{0xc0}, make([]byte, 47)...)},
		"zeros":                 {1000, make([]byte, 48)},
	} {
		if r, err := draw.Quicknet().Verify(c.round, c.sig); !errors.Is(err, draw.ErrBeacon) || r != [32]byte{} {
			t.Errorf("%s: %x, %v", name, r, err)
		}
	}
}

var exhaustive = flag.Bool("exhaustive", false, "turn every bit of a signature, not a sample of them")

func TestEveryBitOfASignatureCounts(t *testing.T) {
	t.Parallel()
	step := 7 // odd, so that all bits of a byte have their turn
	if *exhaustive {
		step = 1
	}
	sig := unhex(t, rounds[2].signature)
	for i := 0; i < len(sig)*8; i += step {
		sig[i/8] ^= 1 << (i % 8)
		if _, err := draw.Quicknet().Verify(1000, sig); err == nil {
			t.Errorf("bit %d turned and it verifies", i)
		}
		sig[i/8] ^= 1 << (i % 8)
	}
}

// uncompressed writes the same point in its 96 bytes, which would verify and hash to something else.
func uncompressed(t *testing.T, sig []byte) []byte {
	var p bls12381.G1
	if err := p.SetBytes(sig); err != nil {
		t.Fatal(err)
	}
	return p.Bytes()
}

func TestChainsThatCannotBeAreRefused(t *testing.T) {
	good := draw.ChainInfo{PublicKey: [96]byte(unhex(t, draw.QuicknetPublicKey)), ID: "x", Period: 3}
	if _, err := draw.NewChain(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*draw.ChainInfo){
		"no period":  func(i *draw.ChainInfo) { i.Period = 0 },
		"no id":      func(i *draw.ChainInfo) { i.ID = "" },
		"default id": func(i *draw.ChainInfo) { i.ID = "default" },
		"before 1970": func(i *draw.ChainInfo) {
			i.Genesis = -1
		},
		"key not a point":     func(i *draw.ChainInfo) { i.PublicKey[50] ^= 1 },
		"key zero":            func(i *draw.ChainInfo) { i.PublicKey = [96]byte{} },
		"key without meaning": func(i *draw.ChainInfo) { i.PublicKey = [96]byte{0: 0xc0} },
	} {
		info := good
		change(&info)
		if _, err := draw.NewChain(info); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTheRoundOfATime(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want uint64
	}{
		{time.Time{}, 1},
		{time.Unix(0, 0), 1},
		{time.Unix(1692803366, 0), 1},
		{time.Unix(1692803367, 0), 1},
		{time.Unix(1692803367, 1), 2},
		{time.Unix(1692803368, 0), 2},
		{time.Unix(1692803370, 0), 2},
		{time.Unix(1692803370, 999), 3},
		{time.Unix(1692806304, 0), 980},
		{time.Unix(1692806364, 0), 1000},
	} {
		q := draw.Quicknet()
		got := q.RoundAt(c.at)
		if got != c.want {
			t.Errorf("first round at or after %d.%09d: %d, want %d", c.at.Unix(), c.at.Nanosecond(), got, c.want)
		}
		if q.TimeOf(got).Before(c.at) || got > 1 && !q.TimeOf(got-1).Before(c.at) {
			t.Errorf("round %d is at %s, the one before at %s: not the first from %s on", got, q.TimeOf(got), q.TimeOf(got-1), c.at)
		}
	}
	if got := draw.Quicknet().TimeOf(1000); got.Unix() != 1692806364 {
		t.Errorf("round 1000 at %d", got.Unix())
	}
	for _, round := range []uint64{0, 1<<64 - 1} {
		if got := draw.Quicknet().TimeOf(round); !got.IsZero() {
			t.Errorf("round %d at %s", round, got)
		}
	}
}

func TestADrawsRoundIsAfterItsCloseAndMargin(t *testing.T) {
	got, err := draw.Quicknet().RoundFor(time.Unix(1692806304, 0), time.Minute)
	if err != nil || got != 1000 {
		t.Errorf("%d, %v; want 1000", got, err)
	}
	if _, err := draw.Quicknet().RoundFor(time.Unix(1692806304, 0), -1); err == nil {
		t.Error("a round before the close is accepted")
	}
}
