package receipt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"fmt"
	"math"

	"quiniela"
	"quiniela/tlog"
)

// MaxBets is the most bets a batch's tree holds: indexes and counts are 32 bits.
const MaxBets = math.MaxUint32

// PageBets is how many records a page has; the last page of a batch may have fewer. The pages are the leaves of the batch's tree.
const PageBets = 16

// Pages returns how many pages a batch has.
func Pages(bets uint32) int64 { return (int64(bets) + PageBets - 1) / PageBets }

// PageHash returns the leaf hash of a page, from its records.
func PageHash(records []byte) tlog.Hash { return tlog.LeafHash(records) }

// BatchHasher computes the Merkle root of a batch's bets, one bet after another. It keeps the tree's compact range and one page
// of records. It allocates a little for each batch and nothing for a bet. Only one goroutine may use a BatchHasher; its zero
// value is ready for Reset.
type BatchHasher struct {
	salts cipher.Block
	tree  tlog.CompactRange // of the full pages
	count uint32
	stake uint64
	keep  *Leaves // where set, receives each bet

	// What a bet is hashed from, here and not on the stack so that an interface call does not make it escape.
	counter [aes.BlockSize]byte
	salt    [SaltSize]byte
	private []byte // 0x10, salt and person
	page    [1 + PageBets*RecordSize]byte
	filled  int // bytes of page
}

// Reset begins a batch under its secret.
func (b *BatchHasher) Reset(secret *[SecretSize]byte) (err error) {
	b.salts, err = saltsOf(secret)
	b.tree.Reset()
	b.count, b.stake, b.keep = 0, 0, nil
	b.page[0], b.filled = prefixLeaf, 1
	return err
}

// Add hashes the next bet. It fails where nothing commits to its bettor (a name over quiniela.MaxNameBytes); the batch must then
// be given up.
func (b *BatchHasher) Add(bet quiniela.Bet) (err error) {
	if b.salts == nil {
		return fmt.Errorf("a bet before its batch was begun")
	}
	if b.count == MaxBets {
		return fmt.Errorf("more than %d bets in a batch", uint32(MaxBets))
	}
	putSalt(&b.salt, b.salts, &b.counter, b.count)
	b.private = append(append(b.private[:0], prefixCommitment), b.salt[:]...)
	if b.private, err = appendPerson(b.private, bet); err != nil {
		return err
	}
	commit := sha256.Sum256(b.private)
	record := (*[RecordSize]byte)(b.page[b.filled:])
	bet.Play.Put((*[quiniela.PlaySize]byte)(record[:]))
	copy(record[quiniela.PlaySize:], commit[:])
	b.count++
	b.stake += bet.Play.Stake
	b.filled += RecordSize
	if b.keep != nil {
		b.keep.add(record, b.salt)
	}
	if b.filled == len(b.page) {
		b.tree.Add(sha256.Sum256(b.page[:]))
		b.filled = 1
	}
	return nil
}

// AddLines hashes the bet lines of a stored batch, each ended by '\n', in order; t are the terms of its draw. The errors are Add's, and
// those of what is no bet line.
func (b *BatchHasher) AddLines(t *quiniela.Terms, lines []byte) error {
	for line := range quiniela.StoredLines(lines) {
		bet, err := t.StoredBet(line)
		if err == nil {
			err = b.Add(bet)
		}
		if err != nil {
			return fmt.Errorf("bet %d of the batch: %w", b.count+1, err)
		}
	}
	return nil
}

// Count returns how many bets have been added.
func (b *BatchHasher) Count() uint32 { return b.count }

// Stake returns the sum of the bets' stakes, in cents.
func (b *BatchHasher) Stake() uint64 { return b.stake }

// Root returns the Merkle root of the bets added so far; more may follow.
func (b *BatchHasher) Root() tlog.Hash {
	if b.filled == 1 {
		return b.tree.Root()
	}
	last := tlog.Hash(sha256.Sum256(b.page[:b.filled]))
	if b.tree.Size() == 0 {
		return last
	}
	tree := b.tree
	tree.Add(last)
	return tree.Root()
}

// Root returns the root of a stored batch's lines under its secret; t are the terms of its draw.
func Root(t *quiniela.Terms, secret *[SecretSize]byte, lines []byte) (tlog.Hash, error) {
	var b BatchHasher
	if err := b.Reset(secret); err != nil {
		return tlog.Hash{}, err
	}
	err := b.AddLines(t, lines)
	return b.Root(), err
}

// Records returns the public records of a stored batch's lines under its secret, RecordSize bytes each, and their root; t are the terms
// of its draw.
func Records(t *quiniela.Terms, secret *[SecretSize]byte, lines []byte) ([]byte, tlog.Hash, error) {
	l, err := KeepLeaves(t, secret, lines)
	if err != nil {
		return nil, tlog.Hash{}, err
	}
	return l.records, l.Root(), nil
}

// Leaves is a batch with all that its receipts need. It holds salts and must not be published.
type Leaves struct {
	records []byte // RecordSize bytes each: what is published once the draw is closed
	salts   [][SaltSize]byte
	tree    tlog.CompactRange
	stored  tlog.StoredHashes // of tree
}

// KeepLeaves hashes a whole batch as BatchHasher does and keeps what New needs; t are the terms of its draw.
func KeepLeaves(t *quiniela.Terms, secret *[SecretSize]byte, lines []byte) (*Leaves, error) {
	var b BatchHasher
	if err := b.Reset(secret); err != nil {
		return nil, err
	}
	l := new(Leaves)
	b.keep = l
	if err := b.AddLines(t, lines); err != nil {
		return nil, err
	}
	for page := range Pages(b.count) {
		l.stored = l.tree.Append(l.stored, PageHash(l.page(page)))
	}
	return l, nil
}

func (l *Leaves) add(record *[RecordSize]byte, salt [SaltSize]byte) {
	l.records = append(l.records, record[:]...)
	l.salts = append(l.salts, salt)
}

// page returns the records of a page.
func (l *Leaves) page(n int64) []byte {
	first := int(n) * PageBets * RecordSize
	return l.records[first:min(first+PageBets*RecordSize, len(l.records))]
}

// Count returns the number of bets.
func (l *Leaves) Count() int { return len(l.salts) }

// Root returns the batch's Merkle root.
func (l *Leaves) Root() tlog.Hash { return l.tree.Root() }

// proof returns the hashes that lead from a page to the root, the lowest first (RFC 6962, 2.1.1).
func (l *Leaves) proof(page int64) ([]tlog.Hash, error) {
	return tlog.ProveInclusion(l.tree.Size(), page, l.stored)
}

// Public is what published records of a batch come to.
type Public struct {
	Root  tlog.Hash
	Bets  uint32
	Stake uint64 // in cents
}

// ReadRecords returns what the published records of a batch come to, for whoever compares them with the batch's log entry, and
// calls each, which may be nil, with every record. Every record must be one that Record.Encode writes.
func ReadRecords(records []byte, each func(Record)) (p Public, err error) {
	if len(records)%RecordSize != 0 || len(records)/RecordSize > MaxBets {
		return p, malformed("records", "%d bytes, not a multiple of %d", len(records), RecordSize)
	}
	for at := 0; at < len(records); at += RecordSize {
		r, err := ParseRecord(records[at:][:RecordSize])
		if err != nil {
			return p, fmt.Errorf("record %d: %w", at/RecordSize+1, err)
		}
		p.Bets++
		if p.Stake += r.Play.Stake; p.Stake < r.Play.Stake {
			return p, malformed("records", "their stakes together are over 64 bits")
		}
		if each != nil {
			each(r)
		}
	}
	var tree tlog.CompactRange
	for ; len(records) > 0; records = records[min(PageBets*RecordSize, len(records)):] {
		tree.Add(PageHash(records[:min(PageBets*RecordSize, len(records))]))
	}
	p.Root = tree.Root()
	return p, nil
}
