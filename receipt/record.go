package receipt

import (
	"encoding/binary"

	"quiniela"
	"quiniela/tlog"
)

// Sizes, in bytes.
const (
	PlaySize   = 16
	RecordSize = PlaySize + tlog.HashSize // of a bet's public record
)

const (
	playVersion = 2 // the first byte of a play; another one is refused
	kindDirect  = 0 // a bet on one number; the kinds after it are for later
)

// Record is what the public sees of one bet: all but who made it.
type Record struct {
	Play   quiniela.Play
	Commit tlog.Hash // to the bettor, see Person.Commit
}

// Encode returns the record's bytes: the play, and the commitment. The play must be one that Play.Check accepts.
func (r Record) Encode() [RecordSize]byte {
	var b [RecordSize]byte
	putPlay((*[PlaySize]byte)(b[:]), r.Play)
	copy(b[PlaySize:], r.Commit[:])
	return b
}

// putPlay writes a play: u8 version, u8 kind, u8 digits, u8 from, u8 to, u16be number, three bytes that are zero in this kind,
// and u48be stake.
func putPlay(b *[PlaySize]byte, p quiniela.Play) {
	binary.BigEndian.PutUint64(b[8:], p.Stake) // its upper 16 bits are zero, the last two of the three bytes
	b[0], b[1], b[2], b[3], b[4] = playVersion, kindDirect, p.Digits, p.From, p.To
	binary.BigEndian.PutUint16(b[5:], uint16(p.Number))
	b[7] = 0
}

// ParseRecord reads a record's bytes. What Encode would not write is refused.
func ParseRecord(b []byte) (Record, error) {
	if len(b) != RecordSize {
		return Record{}, malformed("record", "%d bytes, want %d", len(b), RecordSize)
	}
	if b[0] != playVersion {
		return Record{}, malformed("record", "version %d; this program reads version %d", b[0], playVersion)
	}
	if b[1] != kindDirect || b[7] != 0 || b[8] != 0 || b[9] != 0 {
		return Record{}, malformed("record", "a bet of kind %d, which this program does not know", b[1])
	}
	r := Record{
		Play: quiniela.Play{
			Digits: b[2], From: b[3], To: b[4],
			Number: quiniela.Number(binary.BigEndian.Uint16(b[5:])),
			Stake:  binary.BigEndian.Uint64(b[8:]),
		},
		Commit: tlog.Hash(b[PlaySize:]),
	}
	if err := r.Play.Check(); err != nil {
		return Record{}, &MalformedError{"record", err}
	}
	return r, nil
}
