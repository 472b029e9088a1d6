package receipt

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"testing"
)

// SaltKey and SaltOf are for the tests of the vectors.
func SaltKey(secret *[SecretSize]byte) [sha256.Size]byte { return saltKey(secret) }

func (l *Leaves) Salt(i int) [SaltSize]byte { return l.salts[i] }

func (l *Leaves) Page(n int64) []byte { return l.page(n) }

// Our own HKDF is crypto/hkdf's.
func TestSaltKeysAreHKDFs(t *testing.T) {
	for range 100 {
		var secret [SecretSize]byte
		_, _ = rand.Read(secret[:])
		want, err := hkdf.Key(sha256.New, secret[:], nil, saltInfo, sha256.Size)
		if got := saltKey(&secret); err != nil || got != [sha256.Size]byte(want) {
			t.Fatalf("secret %x: %x, want %x (%v)", secret, got, want, err)
		}
	}
}

func BenchmarkSaltKey(b *testing.B) {
	var secret [SecretSize]byte
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			saltKey(&secret)
		}
	})
	b.Run("crypto/hkdf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := hkdf.Key(sha256.New, secret[:], nil, saltInfo, sha256.Size); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func EncodePerson(p Person) ([]byte, error) {
	b, err := p.bet()
	if err != nil {
		return nil, err
	}
	return appendPerson(nil, b)
}

func (l *Leaves) Records() []byte { return l.records }
