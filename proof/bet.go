// Package proof is what a third party needs to check the ledger without trusting whoever runs it: how a bet becomes a
// public record that hides who made it, a batch a root, and all batches a log; and how a receipt ties one bet to a signed
// state of that log. It is pure computation: it opens no file and no socket, and knows nothing of servers. Formats
// follow RFC 6962 and C2SP (tlog-tiles, tlog-checkpoint, signed-note).
package proof

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"quiniela"
)

// Sizes in bytes.
const (
	HashSize   = sha256.Size
	SecretSize = 32
	SaltSize   = 16
	RecordSize = 46
)

// Hash is a SHA-256: of a commitment, a leaf or a root.
type Hash = [HashSize]byte

// Salts yields a batch's salts from its secret.
type Salts struct{ block cipher.Block }

// NewSalts derives the key of a batch's salts.
func NewSalts(secret [SecretSize]byte) (Salts, error) {
	key, err := hkdf.Key(sha256.New, secret[:], nil, "quiniela/v1/bet-salt", 32)
	if err != nil {
		return Salts{}, fmt.Errorf("derive the key of the salts: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return Salts{}, fmt.Errorf("derive the key of the salts: %w", err)
	}
	return Salts{block}, nil
}

// At returns the salt of the bet with an index in its batch, from 0.
func (s Salts) At(index uint32) (salt [SaltSize]byte) {
	binary.BigEndian.PutUint32(salt[SaltSize-4:], index)
	s.block.Encrypt(salt[:], salt[:])
	return salt
}

// Person is who made a bet: what a commitment hides until its receipt is shown.
type Person struct {
	FirstName, LastName, Document, Birthdate string
}

// Prefixes that keep one kind of hash from passing for another.
const (
	prefixLeaf   = 0x00
	prefixNode   = 0x01
	prefixCommit = 0x10
)

// Commit returns the commitment to a person with a salt. Each field is at most 255 bytes, which a bet line's fields are
// by far; a longer one is an error.
func Commit(salt [SaltSize]byte, p Person) (Hash, error) {
	buf := append([]byte{prefixCommit}, salt[:]...)
	for _, field := range []string{p.FirstName, p.LastName, p.Document, p.Birthdate} {
		if len(field) > 255 {
			return Hash{}, fmt.Errorf("a field of %d bytes, at most 255", len(field))
		}
		buf = append(append(buf, byte(len(field))), field...)
	}
	return sha256.Sum256(buf), nil
}

// Record is the public part of a bet.
type Record struct {
	Game   uint8
	Number quiniela.Number
	Stake  uint32 // in cents
	Time   uint64 // ms since the Unix epoch, in 48 bits; 0 where the ledger publishes none
	Commit Hash
}

const recordVersion = 1

// Bytes returns the record as it is published and hashed.
func (r Record) Bytes() (b [RecordSize]byte) {
	binary.BigEndian.PutUint64(b[6:], r.Time) // its two high bytes are overwritten below
	b[0], b[1] = recordVersion, r.Game
	binary.BigEndian.PutUint16(b[2:], uint16(r.Number))
	binary.BigEndian.PutUint32(b[4:], r.Stake)
	copy(b[14:], r.Commit[:])
	return b
}

// ParseRecord reads a published record.
func ParseRecord(b []byte) (r Record, err error) {
	if len(b) != RecordSize || b[0] != recordVersion {
		return r, fmt.Errorf("%d bytes are no record of version %d", len(b), recordVersion)
	}
	r = Record{
		Game: b[1], Number: quiniela.Number(binary.BigEndian.Uint16(b[2:])), Stake: binary.BigEndian.Uint32(b[4:]),
		Time: binary.BigEndian.Uint64(b[6:]) & (1<<48 - 1), Commit: Hash(b[14:]),
	}
	if r.Number > quiniela.MaxNumber {
		return r, fmt.Errorf("the number %d is over %d", r.Number, quiniela.MaxNumber)
	}
	return r, nil
}

// Leaf returns the hash of a record, or of a log's entry, as a leaf of a tree.
func Leaf(data []byte) Hash {
	return sha256.Sum256(append([]byte{prefixLeaf}, data...))
}

func node(left, right Hash) Hash {
	var b [1 + 2*HashSize]byte
	b[0] = prefixNode
	copy(b[1:], left[:])
	copy(b[1+HashSize:], right[:])
	return sha256.Sum256(b[:])
}

// Root returns the RFC 6962 tree hash of some leaves, which it overwrites.
func Root(leaves []Hash) Hash {
	if len(leaves) == 0 {
		return sha256.Sum256(nil)
	}
	for n := len(leaves); n > 1; n = (n + 1) / 2 {
		for i := 0; i+1 < n; i += 2 {
			leaves[i/2] = node(leaves[i], leaves[i+1])
		}
		if n%2 == 1 {
			leaves[n/2] = leaves[n-1] // it goes up as it is
		}
	}
	return leaves[0]
}

// Path returns the hashes beside the way from a leaf to the root, from below. It overwrites the leaves.
func Path(leaves []Hash, index int) (path []Hash) {
	for n := len(leaves); n > 1; n = (n + 1) / 2 {
		if beside := index ^ 1; beside < n {
			path = append(path, leaves[beside])
		}
		for i := 0; i+1 < n; i += 2 {
			leaves[i/2] = node(leaves[i], leaves[i+1])
		}
		if n%2 == 1 {
			leaves[n/2] = leaves[n-1]
		}
		index /= 2
	}
	return path
}

// Climb returns the root that a leaf and its path come to in a tree of count leaves.
func Climb(leaf Hash, index, count uint64, path []Hash) (Hash, error) {
	if index >= count {
		return Hash{}, fmt.Errorf("leaf %d of %d", index, count)
	}
	for ; count > 1; index, count = index/2, (count+1)/2 {
		if index^1 >= count {
			continue // the last of an odd number goes up as it is
		}
		if len(path) == 0 {
			return Hash{}, fmt.Errorf("the path is too short")
		}
		if index%2 == 0 {
			leaf = node(leaf, path[0])
		} else {
			leaf = node(path[0], leaf)
		}
		path = path[1:]
	}
	if len(path) > 0 {
		return Hash{}, fmt.Errorf("the path has %d hashes too many", len(path))
	}
	return leaf, nil
}
