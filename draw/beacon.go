package draw

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/cloudflare/circl/sign/bls"

	"quiniela"
)

// Prizes is how many numbers a beacon's draw yields.
const Prizes = 20

// The chain that is drawn from: drand's quicknet. Its key signs one message per round, every three seconds, and nobody
// can know the signature before.
const (
	genesis   = 1692803367 // seconds since the Unix epoch, of round 1
	period    = 3          // seconds
	publicKey = "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
	groupHash = "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"
	beaconID  = "quicknet"
)

// signatureSize is a compressed point's. The long form of the same point would verify too, and hash to other randomness.
const signatureSize = 48

// ChainHash names the chain: it is the hash of its parameters.
func ChainHash() [32]byte {
	h := sha256.New()
	b := binary.BigEndian.AppendUint32(nil, period)
	h.Write(binary.BigEndian.AppendUint64(b, genesis))
	for _, s := range []string{publicKey, groupHash} {
		part, err := hex.DecodeString(s)
		if err != nil {
			panic(err) // they are the constants above
		}
		h.Write(part)
	}
	h.Write([]byte(beaconID))
	return [32]byte(h.Sum(nil))
}

// RoundTime returns when a round is signed.
func RoundTime(round uint64) time.Time { return time.Unix(genesis+period*int64(round-1), 0).UTC() }

// RoundAt returns the first round that is signed at a time or after it.
func RoundAt(t time.Time) uint64 {
	passed := t.Sub(time.Unix(genesis, 0))
	if passed <= 0 {
		return 1
	}
	const step = period * time.Second
	return 1 + uint64((passed+step-1)/step)
}

// Randomness checks a round's signature and returns the randomness that it is: SHA-256 of it.
func Randomness(round uint64, signature []byte) (randomness [32]byte, err error) {
	if len(signature) != signatureSize {
		return randomness, fmt.Errorf("a signature of %d bytes, want %d", len(signature), signatureSize)
	}
	text, err := hex.DecodeString(publicKey)
	if err != nil {
		return randomness, err
	}
	var key bls.PublicKey[bls.KeyG2SigG1]
	if err := key.UnmarshalBinary(text); err != nil {
		return randomness, fmt.Errorf("read the chain's key: %w", err)
	}
	message := sha256.Sum256(binary.BigEndian.AppendUint64(nil, round))
	if !bls.Verify(&key, message[:], signature) {
		return randomness, fmt.Errorf("it is not the chain's signature of round %d", round)
	}
	return sha256.Sum256(signature), nil
}

// Terms are what a beacon's draw is derived from, all of it fixed before the last bet.
type Terms struct {
	Chain   [32]byte
	Round   uint64
	ID      string   // of the draw, at most 255 bytes
	Binding [32]byte // the log's leaf hash of the entry that opened the draw
}

// rejectFrom keeps every number equally likely: it is the largest multiple of the count of numbers in 16 bits.
const rejectFrom = 65536 / (uint32(quiniela.MaxNumber) + 1) * (uint32(quiniela.MaxNumber) + 1)

// Derive returns the number of a prize, 1 to Prizes.
func Derive(randomness [32]byte, t Terms, prize uint16) quiniela.Number {
	info := append([]byte("quiniela/draw/v1\x00"), t.Chain[:]...)
	info = binary.BigEndian.AppendUint64(info, t.Round)
	info = append(append(info, byte(len(t.ID))), t.ID...)
	info = append(info, t.Binding[:]...)
	info = binary.BigEndian.AppendUint16(info, prize)
	for counter := uint32(0); ; counter++ {
		block := hmac.New(sha256.New, randomness[:])
		block.Write(binary.BigEndian.AppendUint32(info, counter))
		words := block.Sum(nil)
		for i := 0; i < len(words); i += 2 {
			if word := uint32(binary.BigEndian.Uint16(words[i:])); word < rejectFrom {
				return quiniela.Number(word % (uint32(quiniela.MaxNumber) + 1))
			}
		}
	}
}
