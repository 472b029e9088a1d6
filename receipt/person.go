package receipt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"

	"quiniela"
	"quiniela/tlog"
)

// Sizes, in bytes.
const (
	SecretSize = 32 // of a batch's secret
	SaltSize   = 16 // of a bet's salt
)

// The first byte of what is hashed, so that a hash for one purpose cannot be taken for another: RFC 6962's for a leaf, and
// one of our own for a commitment.
const (
	prefixLeaf       = 0x00
	prefixCommitment = 0x10
)

// Person is who made a bet: what a commitment hides until its salt is shown. The fields are as a bet line has them.
type Person struct {
	FirstName, LastName, Document, Birthdate string
}

// PersonOf returns who made a bet.
func PersonOf(b quiniela.Bet) Person {
	return Person{
		FirstName: string(b.FirstName), LastName: string(b.LastName),
		Document: fmt.Sprintf("%0*d", b.Digits, b.Document), Birthdate: b.Born.String(),
	}
}

// bet returns the person as the bet that it made, without its number.
func (p Person) bet() (b quiniela.Bet, err error) {
	n, err := strconv.ParseUint(p.Document, 10, 32)
	if err != nil || len(p.Document) > quiniela.MaxDocumentDigits {
		return b, fmt.Errorf("the document %.40q is not 1 to %d digits", p.Document, quiniela.MaxDocumentDigits)
	}
	born, ok := quiniela.ParseDay([]byte(p.Birthdate))
	if !ok {
		return b, fmt.Errorf("the birthdate %.40q is not a date YYYY-MM-DD", p.Birthdate)
	}
	return quiniela.Bet{
		FirstName: []byte(p.FirstName), LastName: []byte(p.LastName),
		Document: uint32(n), Digits: uint8(len(p.Document)), Born: born,
	}, nil
}

// Commit returns the commitment to a person under a salt: SHA-256 over 0x10, the salt, and the person's bytes. Without the
// salt, which a receipt reveals for its own bet only, nothing can be guessed from it.
func (p Person) Commit(salt [SaltSize]byte) (tlog.Hash, error) {
	b, err := p.bet()
	if err != nil {
		return tlog.Hash{}, err
	}
	private, err := appendPerson(append([]byte{prefixCommitment}, salt[:]...), b)
	return sha256.Sum256(private), err
}

// appendPerson appends who made a bet: u8 digits of the document, u32be document, u16be year, u8 month, u8 day of birth, u8
// length of the first name, the first name, the last name. With two names of 28 bytes together, behind a prefix and a salt, it
// is one block of SHA-256.
func appendPerson(dst []byte, b quiniela.Bet) ([]byte, error) {
	if len(b.FirstName) > quiniela.MaxNameBytes || len(b.LastName) > quiniela.MaxNameBytes {
		return dst, fmt.Errorf("a name of more than %d bytes has no commitment", quiniela.MaxNameBytes)
	}
	year, month, day := b.Born.Split()
	dst = append(dst, b.Digits)
	dst = binary.BigEndian.AppendUint32(dst, b.Document)
	dst = append(dst, byte(year>>8), byte(year), byte(month), byte(day), byte(len(b.FirstName)))
	dst = append(dst, b.FirstName...)
	return append(dst, b.LastName...), nil
}

// saltInfo is HKDF's info for the key of a batch's salts.
const saltInfo = "quiniela/v2/bet-salt"

// saltsOf returns the cipher that makes the salts of a batch's bets: AES-256 under HKDF-SHA256 of the batch's secret.
func saltsOf(secret *[SecretSize]byte) (cipher.Block, error) {
	key := saltKey(secret)
	salts, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("key of a batch's salts: %w", err)
	}
	return salts, nil
}

// saltKey is HKDF-SHA256 (RFC 5869) of a secret, without a salt and for one block. It is written out here since it is made for
// every batch: crypto/hkdf takes three times as long, which a batch of ten bets notices (BenchmarkSaltKey).
func saltKey(secret *[SecretSize]byte) [sha256.Size]byte {
	var none [sha256.Size]byte
	extracted := hmacOf(&none, secret[:])
	return hmacOf(&extracted, append([]byte(saltInfo), 1))
}

// hmacOf is HMAC-SHA256 (RFC 2104) of a short message.
func hmacOf(key *[sha256.Size]byte, message []byte) [sha256.Size]byte {
	var inner, outer [sha256.BlockSize + 64]byte
	for i := range sha256.BlockSize {
		var k byte
		if i < len(key) {
			k = key[i]
		}
		inner[i], outer[i] = k^0x36, k^0x5c
	}
	n := copy(inner[sha256.BlockSize:], message)
	sum := sha256.Sum256(inner[:sha256.BlockSize+n])
	n = copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:sha256.BlockSize+n])
}

// putSalt writes the salt of bet i, counted from 0: the encryption of the index as a block, big-endian. block is scratch.
func putSalt(salt *[SaltSize]byte, salts cipher.Block, block *[aes.BlockSize]byte, i uint32) {
	binary.BigEndian.PutUint32(block[12:], i)
	salts.Encrypt(salt[:], block[:])
}
