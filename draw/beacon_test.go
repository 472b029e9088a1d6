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

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestQuicknetsHashIsThatOfItsParameters(t *testing.T) {
	q := known.Quicknet
	if got := hex.EncodeToString(hashOf(draw.Quicknet())); got != q.ChainHash {
		t.Errorf("chain hash %s, want %s", got, q.ChainHash)
	}
	info := draw.ChainInfo{
		PublicKey: [96]byte(unhex(t, q.PublicKey)), GroupHash: [32]byte(unhex(t, q.GroupHash)), ID: q.ID, Genesis: q.Genesis, Period: q.Period,
	}
	if got := info.Hash(); hex.EncodeToString(got[:]) != q.ChainHash {
		t.Errorf("by the vectors' parameters the chain hash is %x, want %s", got, q.ChainHash)
	}
}

func hashOf(c *draw.Chain) []byte {
	h := c.Hash()
	return h[:]
}

func TestPublishedRoundsVerify(t *testing.T) {
	for _, r := range rounds {
		got, err := draw.Quicknet().Verify(r.Round, unhex(t, r.Signature))
		if err != nil || hex.EncodeToString(got[:]) != r.Randomness {
			t.Errorf("round %d: %x, %v; want %s", r.Round, got, err, r.Randomness)
		}
	}
}

func TestOtherSignaturesAreRefused(t *testing.T) {
	good := unhex(t, rounds[2].Signature)
	for name, c := range map[string]struct {
		round uint64
		sig   []byte
	}{
		"another round's":       {1001, good},
		"round 0":               {0, good},
		"of another round":      {1000, unhex(t, rounds[1].Signature)},
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
	sig := unhex(t, rounds[2].Signature)
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
	type times struct {
		at   time.Time
		want uint64
	}
	cases := []times{{time.Time{}, 1}, {time.Unix(0, 0), 1}, {time.Unix(1692803366, 0), 1}, {time.Unix(1692803367, 1), 2}, {time.Unix(1692803370, 999), 3}}
	if len(known.Quicknet.FirstRound) != 5 {
		t.Fatalf("%d times among the vectors, want 5", len(known.Quicknet.FirstRound))
	}
	for _, v := range known.Quicknet.FirstRound {
		cases = append(cases, times{time.Unix(v[0], 0), uint64(v[1])})
	}
	for _, c := range cases {
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
