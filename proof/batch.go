package proof

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"quiniela"
)

// saltInfo is HKDF's info for the key of a batch's salts.
const saltInfo = "quiniela/v1/bet-salt"

// MaxBets is the most bets a batch's tree holds: indexes and counts are 32 bits.
const MaxBets = math.MaxUint32

// Batch hashes the bets of one batch after another into their Merkle root, keeping nothing of a bet but its part of the
// root. It allocates a little for each batch and nothing for a bet. A Batch serves one goroutine; its zero value is
// ready for Reset.
type Batch struct {
	play  Play
	salts cipher.Block
	count uint64
	keep  *Leaves // where set, receives each bet

	// The roots of the complete subtrees to the left, by height: bit h of count tells whether roots[h] is in use.
	roots [32]Hash

	// What a bet is hashed from, here and not on the stack so that an interface call does not make it escape.
	counter [aes.BlockSize]byte
	salt    [aes.BlockSize]byte
	private []byte // 0x10, salt and person
	leaf    [1 + RecordSize]byte
	node    [1 + 2*HashSize]byte
}

// Reset begins a batch under its secret, with what all its bets share.
func (b *Batch) Reset(secret *[SecretSize]byte, play Play) error {
	if err := play.check(); err != nil {
		return err
	}
	key, err := saltKey(secret)
	if err != nil {
		return err
	}
	if b.salts, err = aes.NewCipher(key); err != nil {
		return fmt.Errorf("key of a batch's salts: %w", err)
	}
	b.play, b.count, b.keep = play, 0, nil
	b.leaf[0], b.node[0] = prefixLeaf, prefixNode
	putRecord((*[RecordSize]byte)(b.leaf[1:]), play, 0)
	return nil
}

func saltKey(secret *[SecretSize]byte) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret[:], nil, saltInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("key of a batch's salts: %w", err)
	}
	return key, nil
}

// Add hashes the next bet: its line, validated when it was accepted, without the '\n'. It fails where a field cannot be
// committed to (over 255 bytes), and on what is no bet line at all; the batch must then be given up.
func (b *Batch) Add(line []byte) error {
	if b.salts == nil {
		return fmt.Errorf("a bet before its batch was begun")
	}
	if b.count == MaxBets {
		return fmt.Errorf("more than %d bets in a batch", uint32(MaxBets))
	}
	binary.BigEndian.PutUint32(b.counter[12:], uint32(b.count))
	b.salts.Encrypt(b.salt[:], b.counter[:])
	number, err := b.takeApart(line)
	if err != nil {
		return fmt.Errorf("bet %d of the batch: %w", b.count, err)
	}
	binary.BigEndian.PutUint16(b.leaf[1+2:], uint16(number))
	commit := sha256.Sum256(b.private)
	copy(b.leaf[1+RecordSize-HashSize:], commit[:])
	leaf := Hash(sha256.Sum256(b.leaf[:]))
	if b.keep != nil {
		b.keep.add([RecordSize]byte(b.leaf[1:]), b.salt, leaf)
	}
	b.push(leaf)
	return nil
}

// takeApart writes a line's person into b.private, behind the salt, and returns its number.
func (b *Batch) takeApart(line []byte) (quiniela.Number, error) {
	private := append(b.private[:0], prefixCommitment)
	private = append(private, b.salt[:]...)
	for range quiniela.Fields - 1 {
		comma := bytes.IndexByte(line, ',')
		if comma < 0 {
			return 0, fmt.Errorf("not a bet line: too few fields")
		}
		if comma > math.MaxUint8 {
			return 0, fmt.Errorf("a field of %d bytes, over %d, has no commitment", comma, math.MaxUint8)
		}
		private = append(private, byte(comma))
		private = append(private, line[:comma]...)
		line = line[comma+1:]
	}
	b.private = private
	return parseNumber(line)
}

// parseNumber reads the last field of a bet line, as the parser that accepted it did: up to nine digits.
func parseNumber(s []byte) (quiniela.Number, error) {
	n := uint32(0)
	for _, c := range s {
		if c -= '0'; c > 9 {
			return 0, fmt.Errorf("not a bet line: its number has other characters than digits")
		}
		n = n*10 + uint32(c)
	}
	if len(s) == 0 || len(s) > 9 || n > uint32(quiniela.MaxNumber) {
		return 0, fmt.Errorf("not a bet line: its number is not 0 to %d", quiniela.MaxNumber)
	}
	return quiniela.Number(n), nil
}

// push adds a leaf to the tree: as when adding one to a binary number, each carry joins two subtrees.
func (b *Batch) push(h Hash) {
	height := bits.TrailingZeros64(^b.count)
	for i := range height {
		h = b.join(&b.roots[i], &h)
	}
	b.roots[height] = h
	b.count++
}

func (b *Batch) join(left, right *Hash) Hash {
	copy(b.node[1:], left[:])
	copy(b.node[1+HashSize:], right[:])
	return sha256.Sum256(b.node[:])
}

// AddLines hashes the bet lines of a stored batch, each ended by '\n', in order. The errors are Add's.
func (b *Batch) AddLines(lines []byte) error {
	for line := range quiniela.StoredLines(lines) {
		if err := b.Add(line); err != nil {
			return err
		}
	}
	return nil
}

// Count returns how many bets have been added.
func (b *Batch) Count() uint32 { return uint32(b.count) }

// Stake returns the bets' stakes together.
func (b *Batch) Stake() uint64 { return b.count * uint64(b.play.Stake) }

// Root returns the Merkle tree hash of the bets added so far; more may follow. Without any it is SHA-256 of nothing.
func (b *Batch) Root() Hash {
	if b.count == 0 {
		return sha256.Sum256(nil)
	}
	rest := b.count
	h := b.roots[bits.TrailingZeros64(rest)]
	for rest &= rest - 1; rest != 0; rest &= rest - 1 {
		h = b.join(&b.roots[bits.TrailingZeros64(rest)], &h)
	}
	return h
}

// Leaves is one batch with everything kept that its receipts need. It holds salts: it is not for the public.
type Leaves struct {
	records []byte // RecordSize bytes each: what is published once the draw is closed
	salts   [][SaltSize]byte
	leaves  []Hash
}

// KeepLeaves hashes a whole batch as Batch does, keeping what Make needs.
func KeepLeaves(secret *[SecretSize]byte, play Play, lines []byte) (*Leaves, error) {
	var b Batch
	if err := b.Reset(secret, play); err != nil {
		return nil, err
	}
	b.keep = new(Leaves)
	if err := b.AddLines(lines); err != nil {
		return nil, err
	}
	return b.keep, nil
}

func (l *Leaves) add(record [RecordSize]byte, salt [SaltSize]byte, leaf Hash) {
	l.records = append(l.records, record[:]...)
	l.salts = append(l.salts, salt)
	l.leaves = append(l.leaves, leaf)
}

// Count returns the number of bets.
func (l *Leaves) Count() int { return len(l.leaves) }

// Records returns the batch's public records, RecordSize bytes each, in order: the content of its .pub file. The caller
// must not change it.
func (l *Leaves) Records() []byte { return l.records }

// Root returns the batch's Merkle tree hash.
func (l *Leaves) Root() Hash { return treeHash(l.leaves) }

// Path returns the hashes that lead from bet i to the root, the lowest first (RFC 6962, 2.1.1).
func (l *Leaves) Path(i int) ([]Hash, error) {
	if i < 0 || i >= len(l.leaves) {
		return nil, fmt.Errorf("bet %d of a batch of %d", i, len(l.leaves))
	}
	return treePath(nil, l.leaves, i), nil
}

// RecordsRoot returns the Merkle tree hash of published records, and how many there are: what an auditor compares with
// the batch's log entry. Every record must be one that Record.Encode writes.
func RecordsRoot(records []byte) (Hash, int, error) {
	if len(records)%RecordSize != 0 {
		return Hash{}, 0, fmt.Errorf("%d bytes of records, not a multiple of %d", len(records), RecordSize)
	}
	leaves := make([]Hash, 0, len(records)/RecordSize)
	for at := 0; at < len(records); at += RecordSize {
		record := records[at : at+RecordSize]
		if _, err := ParseRecord(record); err != nil {
			return Hash{}, 0, fmt.Errorf("record %d: %w", len(leaves), err)
		}
		leaves = append(leaves, tlog.RecordHash(record))
	}
	return treeHash(leaves), len(leaves), nil
}

// treeHash is RFC 6962's MTH over leaf hashes.
func treeHash(leaves []Hash) Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := split(len(leaves))
	return tlog.NodeHash(treeHash(leaves[:k]), treeHash(leaves[k:]))
}

// treePath appends RFC 6962's PATH of leaf i.
func treePath(path, leaves []Hash, i int) []Hash {
	if len(leaves) == 1 {
		return path
	}
	k := split(len(leaves))
	if i < k {
		return append(treePath(path, leaves[:k], i), treeHash(leaves[k:]))
	}
	return append(treePath(path, leaves[k:], i-k), treeHash(leaves[:k]))
}

// split returns the largest power of two below n, which is at least 2.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }
