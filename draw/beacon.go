package draw

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/cloudflare/circl/sign/bls"
)

// Sizes of a beacon's values, in bytes.
const (
	HashSize      = 32 // a chain hash, randomness, a binding
	SignatureSize = 48 // a compressed point of G1
	PublicKeySize = 96 // a compressed point of G2
)

// ErrBeacon is in the chain of every error that says a beacon's signature is not that of its round.
var ErrBeacon = errors.New("not the beacon's signature of this round")

// Chain is a drand beacon of the scheme bls-unchained-g1-rfc9380: at each round it publishes one signature that nobody
// can foresee and anybody can check. Its methods are pure and safe for concurrent use.
type Chain struct {
	hash    [HashSize]byte
	key     bls.PublicKey[bls.KeyG2SigG1]
	genesis int64 // seconds since the Unix epoch, of round 1
	period  int64 // seconds
}

// ChainInfo is what a drand network publishes of itself at /info: what its hash is taken over.
type ChainInfo struct {
	PublicKey [PublicKeySize]byte
	GroupHash [HashSize]byte
	ID        string // "quicknet"; drand leaves "default" and "" out of the hash, and they are refused here
	Genesis   int64  // seconds since the Unix epoch, of round 1
	Period    uint32 // seconds
}

// Quicknet's parameters, as the League of Entropy publishes them.
const (
	QuicknetHash      = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
	QuicknetPublicKey = "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
	QuicknetGroupHash = "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"
	QuicknetGenesis   = 1692803367
	QuicknetPeriod    = 3
)

// Quicknet returns the public beacon of the League of Entropy: one round every 3 seconds since 23 August 2023. The chain
// is built at the first call: checking its key takes a millisecond, which programs that never draw need not spend.
func Quicknet() *Chain { return quicknet() }

var quicknet = sync.OnceValue(func() *Chain {
	c, err := NewChain(quicknetInfo())
	if err != nil {
		panic(err) // constants, with a test on them
	}
	return c
})

func quicknetInfo() ChainInfo {
	return ChainInfo{
		PublicKey: [PublicKeySize]byte(mustHex(QuicknetPublicKey)),
		GroupHash: [HashSize]byte(mustHex(QuicknetGroupHash)),
		ID:        "quicknet", Genesis: QuicknetGenesis, Period: QuicknetPeriod,
	}
}

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// NewChain returns the chain that info describes: another network than Quicknet, or a test's own.
func NewChain(info ChainInfo) (*Chain, error) {
	if info.Period == 0 || info.Genesis < 0 || info.ID == "" || info.ID == "default" {
		return nil, fmt.Errorf("a chain of period %d s, genesis %d, id %q", info.Period, info.Genesis, info.ID)
	}
	c := &Chain{hash: info.Hash(), genesis: info.Genesis, period: int64(info.Period)}
	if err := c.key.UnmarshalBinary(info.PublicKey[:]); err != nil || !c.key.Validate() {
		return nil, fmt.Errorf("the chain's public key is no point of G2: %w", errors.Join(err, bls.ErrInvalidKey))
	}
	return c, nil
}

// Hash returns the chain hash, by which drand's own API names a chain.
func (i ChainInfo) Hash() [HashSize]byte {
	h := sha256.New()
	var n [12]byte
	binary.BigEndian.PutUint32(n[:], i.Period)
	binary.BigEndian.PutUint64(n[4:], uint64(i.Genesis))
	h.Write(n[:])
	h.Write(i.PublicKey[:])
	h.Write(i.GroupHash[:])
	h.Write([]byte(i.ID))
	return [HashSize]byte(h.Sum(nil))
}

// Hash returns the chain's hash, to be recorded when a draw opens.
func (c *Chain) Hash() [HashSize]byte { return c.hash }

// Verify checks that sig is the chain's signature of round and returns the round's randomness. Any other length than
// SignatureSize is refused first: a point has a longer form too, which would verify and give another randomness.
func (c *Chain) Verify(round uint64, sig []byte) ([HashSize]byte, error) {
	switch {
	case round == 0:
		return [HashSize]byte{}, fmt.Errorf("round 0: rounds count from 1: %w", ErrBeacon)
	case len(sig) != SignatureSize:
		return [HashSize]byte{}, fmt.Errorf("round %d: a signature of %d bytes, want %d: %w", round, len(sig), SignatureSize, ErrBeacon)
	}
	var be [8]byte
	binary.BigEndian.PutUint64(be[:], round)
	message := sha256.Sum256(be[:])
	if !bls.Verify(&c.key, message[:], sig) {
		return [HashSize]byte{}, fmt.Errorf("round %d: %w", round, ErrBeacon)
	}
	return sha256.Sum256(sig), nil
}

// RoundAt returns the first round whose time is t or later: 1 for any t before the chain began.
func (c *Chain) RoundAt(t time.Time) uint64 {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	if s <= c.genesis {
		return 1
	}
	return 1 + uint64((s-c.genesis+c.period-1)/c.period)
}

// RoundFor returns the round that a draw must name when it opens: the first at or after the time its bets close plus a
// margin for the seal to be published and cosigned. A margin below 0 is an error, since the round would be known early.
func (c *Chain) RoundFor(closing time.Time, margin time.Duration) (uint64, error) {
	if margin < 0 {
		return 0, fmt.Errorf("a margin of %s between the close and the beacon's round", margin)
	}
	return c.RoundAt(closing.Add(margin)), nil
}

// TimeOf returns when a round is published, or the zero time for round 0 and rounds past what a clock can say.
func (c *Chain) TimeOf(round uint64) time.Time {
	if round == 0 || round > math.MaxInt32*uint64(math.MaxUint16) {
		return time.Time{}
	}
	return time.Unix(c.genesis+int64(round-1)*c.period, 0).UTC()
}
