package receipt

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"quiniela"
	"quiniela/tlog"
)

// Sizes, in bytes.
const (
	SecretSize = 32 // of a batch's secret
	SaltSize   = 16 // of a bet's salt
	RecordSize = 46 // of a bet's public record
)

// recordVersion is the first byte of a record. Another one is refused.
const recordVersion = 1

// maxTime bounds a record's time: 48 bits of milliseconds reach the year 10889.
const maxTime = 1<<48 - 1

// The first byte of what is hashed, so that a hash for one purpose cannot be taken for another: RFC 6962's for a leaf, and
// one of our own for a commitment.
const (
	prefixLeaf       = 0x00
	prefixCommitment = 0x10
)

// Play is what all bets of a batch share in their public records.
type Play struct {
	Game  uint8
	Stake uint32 // of each bet, in the lottery's smallest unit of money
	Time  uint64 // ms since the Unix epoch, below 2^48; 0 unless configured
}

func (p Play) check() error {
	if p.Time > maxTime {
		return fmt.Errorf("a bet's time of %d ms is over %d", p.Time, uint64(maxTime))
	}
	return nil
}

// Record is what the public sees of one bet: all but who made it.
type Record struct {
	Play
	Number quiniela.Number
	Commit tlog.Hash // to the bettor, see Person.Commit
}

// Encode returns the record's bytes: u8 version, u8 game, u16be number, u32be stake, six bytes of time, the commitment.
// Time must be below 2^48.
func (r Record) Encode() [RecordSize]byte {
	var b [RecordSize]byte
	putRecord(&b, r.Play, r.Number)
	copy(b[RecordSize-tlog.HashSize:], r.Commit[:])
	return b
}

// putRecord writes all of a record but its commitment.
func putRecord(b *[RecordSize]byte, p Play, n quiniela.Number) {
	binary.BigEndian.PutUint64(b[6:], p.Time) // its upper 16 bits are zero, and overwritten
	b[0], b[1] = recordVersion, p.Game
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	binary.BigEndian.PutUint32(b[4:], p.Stake)
}

// ParseRecord reads a record's bytes. What Encode would not write is refused.
func ParseRecord(b []byte) (Record, error) {
	if len(b) != RecordSize {
		return Record{}, malformed("record", "%d bytes, want %d", len(b), RecordSize)
	}
	if b[0] != recordVersion {
		return Record{}, malformed("record", "version %d; this program reads version %d", b[0], recordVersion)
	}
	r := Record{
		Play: Play{
			Game:  b[1],
			Stake: binary.BigEndian.Uint32(b[4:]),
			Time:  binary.BigEndian.Uint64(b[6:]) & maxTime,
		},
		Number: quiniela.Number(binary.BigEndian.Uint16(b[2:])),
		Commit: tlog.Hash(b[RecordSize-tlog.HashSize:]),
	}
	if r.Number > quiniela.MaxNumber {
		return Record{}, malformed("record", "the number %d is over %d", r.Number, quiniela.MaxNumber)
	}
	return r, nil
}

// Person is who made a bet: what a commitment hides until its salt is shown. Each field is at most 255 bytes.
type Person struct {
	FirstName, LastName, Document, Birthdate string
}

// Commit returns the commitment to a person under a salt: SHA-256 over 0x10, the salt, and each field after one byte of
// its length. Without the salt, which a receipt reveals for its own bet only, nothing can be guessed from it.
func (p Person) Commit(salt [SaltSize]byte) (tlog.Hash, error) {
	buf := append([]byte{prefixCommitment}, salt[:]...)
	for _, field := range [...]string{p.FirstName, p.LastName, p.Document, p.Birthdate} {
		if len(field) > math.MaxUint8 {
			return tlog.Hash{}, fmt.Errorf("a field of %d bytes, over %d, has no commitment", len(field), math.MaxUint8)
		}
		buf = append(append(buf, byte(len(field))), field...)
	}
	return sha256.Sum256(buf), nil
}
