package receipt

import (
	"quiniela"
	"quiniela/tlog"
)

// RecordSize is the size of a bet's public record, in bytes.
const RecordSize = quiniela.PlaySize + tlog.HashSize

// Record is what the public sees of one bet: all but who made it.
type Record struct {
	Play   quiniela.Play
	Commit tlog.Hash // to the bettor, see Person.Commit
}

// Encode returns the record's bytes: the play, and the commitment. The play must be one that Play.Check accepts.
func (r Record) Encode() [RecordSize]byte {
	var b [RecordSize]byte
	r.Play.Put((*[quiniela.PlaySize]byte)(b[:]))
	copy(b[quiniela.PlaySize:], r.Commit[:])
	return b
}

// ParseRecord reads a record's bytes. What Encode would not write is refused.
func ParseRecord(b []byte) (Record, error) {
	if len(b) != RecordSize {
		return Record{}, malformed("record", "%d bytes, want %d", len(b), RecordSize)
	}
	play, err := quiniela.ParsePlay((*[quiniela.PlaySize]byte)(b))
	if err != nil {
		return Record{}, &MalformedError{"record", err}
	}
	return Record{Play: play, Commit: tlog.Hash(b[quiniela.PlaySize:])}, nil
}
