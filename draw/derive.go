package draw

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"quiniela"
)

// derivation begins what is hashed, so that no other use of a beacon gives the same numbers.
const derivation = "quiniela/draw/v1\x00"

// accepted is how many of the 65,536 words are used: the largest multiple of 10,000, so that every number is as likely.
const accepted = 60000

// Terms is what is fixed of a draw when it opens, before its beacon's round exists.
type Terms struct {
	ChainHash [HashSize]byte // of the beacon
	Round     uint64         // of the beacon, from 1
	DrawID    string         // the operator's name for the draw, 1 to 255 bytes
	Binding   [HashSize]byte // the log's leaf hash of the draw-open entry
}

// Check returns an error where the terms could not yield a number.
func (t Terms) Check() error {
	if t.Round == 0 {
		return fmt.Errorf("round 0 of the beacon: rounds count from 1")
	}
	if len(t.DrawID) == 0 || len(t.DrawID) > math.MaxUint8 {
		return fmt.Errorf("a draw id of %d bytes, want 1 to %d", len(t.DrawID), math.MaxUint8)
	}
	return nil
}

// Derive returns the number of one prize, 1 to quiniela.PrizeCount, of a draw, given its round's checked randomness. It is a pure
// function: whoever has the log and the beacon gets the same. It fails only where the terms or the prize are not valid.
func Derive(randomness [HashSize]byte, t Terms, prize int) (quiniela.Number, error) {
	if err := t.Check(); err != nil {
		return 0, err
	}
	if prize < 1 || prize > quiniela.PrizeCount {
		return 0, fmt.Errorf("prize %d, want 1 to %d", prize, quiniela.PrizeCount)
	}
	info := t.info(prize)
	for ctr := uint32(0); ; ctr++ {
		block := block(randomness, info, ctr)
		for at := 0; at < len(block); at += 2 {
			if word := binary.BigEndian.Uint16(block[at:]); word < accepted {
				return quiniela.Number(word % (uint16(quiniela.MaxNumber) + 1)), nil
			}
		}
	}
}

// Prizes returns the numbers of all prizes in order: prize 1 is at index 0.
func Prizes(randomness [HashSize]byte, t Terms) ([quiniela.PrizeCount]quiniela.Number, error) {
	var numbers [quiniela.PrizeCount]quiniela.Number
	for i := range numbers {
		n, err := Derive(randomness, t, i+1)
		if err != nil {
			return numbers, err
		}
		numbers[i] = n
	}
	return numbers, nil
}

// Numbers verifies a round's signature and returns the numbers that it gives a draw: Prizes of its randomness. It fails with
// ErrBeacon in the error's chain where the signature is not that of the terms' round, and where the terms name another beacon.
func (c *Chain) Numbers(signature []byte, t Terms) ([]quiniela.Number, error) {
	if t.ChainHash != c.hash {
		return nil, fmt.Errorf("the draw names the beacon %x, and this one is %x", t.ChainHash[:], c.hash[:])
	}
	randomness, err := c.Verify(t.Round, signature)
	if err != nil {
		return nil, err
	}
	numbers, err := Prizes(randomness, t)
	return numbers[:], err
}

func (t Terms) info(prize int) []byte {
	info := append([]byte(derivation), t.ChainHash[:]...)
	info = binary.BigEndian.AppendUint64(info, t.Round)
	info = append(info, byte(len(t.DrawID)))
	info = append(info, t.DrawID...)
	info = append(info, t.Binding[:]...)
	return binary.BigEndian.AppendUint16(info, uint16(prize))
}

func block(randomness [HashSize]byte, info []byte, ctr uint32) [sha256.Size]byte {
	mac := hmac.New(sha256.New, randomness[:])
	mac.Write(info)
	var be [4]byte
	binary.BigEndian.PutUint32(be[:], ctr)
	mac.Write(be[:])
	return [sha256.Size]byte(mac.Sum(nil))
}
