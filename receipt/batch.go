package receipt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"quiniela"
	"quiniela/tlog"
)

// saltInfo is HKDF's info for the key of a batch's salts.
const saltInfo = "quiniela/v1/bet-salt"

// MaxBets is the most bets a batch's tree holds: indexes and counts are 32 bits.
const MaxBets = math.MaxUint32

// BatchHasher computes the Merkle root of a batch's bets, one bet after another. It keeps the tree's compact range and nothing
// of a bet. It allocates a little for each batch and nothing for a bet. Only one goroutine may use a BatchHasher; its zero
// value is ready for Reset.
type BatchHasher struct {
	play  Play
	salts cipher.Block
	tree  tlog.CompactRange
	keep  *Leaves // where set, receives each bet

	// What a bet is hashed from, here and not on the stack so that an interface call does not make it escape.
	counter [aes.BlockSize]byte
	salt    [aes.BlockSize]byte
	private []byte // 0x10, salt and person
	leaf    [1 + RecordSize]byte
}

// Reset begins a batch under its secret, with what all its bets share.
func (b *BatchHasher) Reset(secret *[SecretSize]byte, play Play) error {
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
	b.play, b.keep = play, nil
	b.tree.Reset()
	b.leaf[0] = prefixLeaf
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
func (b *BatchHasher) Add(line []byte) error {
	if b.salts == nil {
		return fmt.Errorf("a bet before its batch was begun")
	}
	if b.tree.Size() == MaxBets {
		return fmt.Errorf("more than %d bets in a batch", uint32(MaxBets))
	}
	binary.BigEndian.PutUint32(b.counter[12:], b.Count())
	b.salts.Encrypt(b.salt[:], b.counter[:])
	number, err := b.takeApart(line)
	if err != nil {
		return fmt.Errorf("bet %d of the batch: %w", b.Count(), err)
	}
	binary.BigEndian.PutUint16(b.leaf[1+2:], uint16(number))
	commit := sha256.Sum256(b.private)
	copy(b.leaf[1+RecordSize-tlog.HashSize:], commit[:])
	leaf := tlog.Hash(sha256.Sum256(b.leaf[:]))
	if b.keep != nil {
		b.keep.add([RecordSize]byte(b.leaf[1:]), b.salt, leaf)
	}
	b.tree.Add(leaf)
	return nil
}

// takeApart writes a line's person into b.private, behind the salt, and returns its number.
func (b *BatchHasher) takeApart(line []byte) (quiniela.Number, error) {
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
	number, ok := quiniela.ParseNumber(line)
	if !ok {
		return 0, fmt.Errorf("not a bet line: its number is not 0 to %d", quiniela.MaxNumber)
	}
	return number, nil
}

// AddLines hashes the bet lines of a stored batch, each ended by '\n', in order. The errors are Add's.
func (b *BatchHasher) AddLines(lines []byte) error {
	for line := range quiniela.StoredLines(lines) {
		if err := b.Add(line); err != nil {
			return err
		}
	}
	return nil
}

// Count returns how many bets have been added.
func (b *BatchHasher) Count() uint32 { return uint32(b.tree.Size()) }

// Stake returns the sum of the bets' stakes.
func (b *BatchHasher) Stake() uint64 { return uint64(b.tree.Size()) * uint64(b.play.Stake) }

// Root returns the Merkle root of the bets added so far; more may follow.
func (b *BatchHasher) Root() tlog.Hash { return b.tree.Root() }

// Leaves is a batch with all that its receipts need. It holds salts and must not be published.
type Leaves struct {
	records []byte // RecordSize bytes each: what is published once the draw is closed
	salts   [][SaltSize]byte
	tree    tlog.CompactRange
	stored  tlog.StoredHashes // of tree
}

// KeepLeaves hashes a whole batch as BatchHasher does and keeps what New needs.
func KeepLeaves(secret *[SecretSize]byte, play Play, lines []byte) (*Leaves, error) {
	var b BatchHasher
	if err := b.Reset(secret, play); err != nil {
		return nil, err
	}
	b.keep = new(Leaves)
	if err := b.AddLines(lines); err != nil {
		return nil, err
	}
	return b.keep, nil
}

func (l *Leaves) add(record [RecordSize]byte, salt [SaltSize]byte, leaf tlog.Hash) {
	l.records = append(l.records, record[:]...)
	l.salts = append(l.salts, salt)
	l.stored = l.tree.Append(l.stored, leaf)
}

// Count returns the number of bets.
func (l *Leaves) Count() int { return len(l.salts) }

// Records returns the batch's public records, RecordSize bytes each, in order: the content of its .pub file. The caller
// must not change it.
func (l *Leaves) Records() []byte { return l.records }

// Root returns the batch's Merkle root.
func (l *Leaves) Root() tlog.Hash { return l.tree.Root() }

// InclusionProof returns the hashes that lead from bet i, counted from 0, to the root, the lowest first (RFC 6962, 2.1.1).
func (l *Leaves) InclusionProof(i int) ([]tlog.Hash, error) {
	if i < 0 || i >= l.Count() {
		return nil, fmt.Errorf("bet %d of a batch of %d", i, l.Count())
	}
	return tlog.ProveInclusion(l.tree.Size(), int64(i), l.stored)
}

// RecordsRoot returns the Merkle root of published records, and how many there are: what an auditor compares with the
// batch's log entry. Every record must be one that Record.Encode writes.
func RecordsRoot(records []byte) (tlog.Hash, int, error) {
	if len(records)%RecordSize != 0 {
		return tlog.Hash{}, 0, malformed("records", "%d bytes, not a multiple of %d", len(records), RecordSize)
	}
	var tree tlog.CompactRange
	for n := range len(records) / RecordSize {
		record := records[n*RecordSize:][:RecordSize]
		if _, err := ParseRecord(record); err != nil {
			return tlog.Hash{}, 0, fmt.Errorf("record %d: %w", n, err)
		}
		tree.Add(tlog.LeafHash(record))
	}
	return tree.Root(), int(tree.Size()), nil
}
