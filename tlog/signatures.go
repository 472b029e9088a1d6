package tlog

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// Signature is a line of a signed checkpoint as it stands there. It is not verified: Policy.VerifyCheckpoint does that.
type Signature struct {
	Name string    // in the line, of a log's key or a witness's
	At   time.Time // when it was made, if it is a cosignature; else zero
}

// UnverifiedSignatures returns the signatures of a signed checkpoint, in order: what whoever wrote it says of who has signed it.
func UnverifiedSignatures(signed []byte) ([]Signature, error) {
	text, _, err := splitNote(signed)
	if err != nil {
		return nil, err
	}
	var all []Signature
	for line := range strings.Lines(string(signed[len(text)+1:])) {
		name, b64, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(line, "— "), "\n"), " ")
		raw, err := base64.StdEncoding.DecodeString(b64)
		if err != nil {
			return nil, err
		}
		s := Signature{Name: name}
		if len(raw) == cosignatureLine {
			s.At = time.Unix(int64(binary.BigEndian.Uint64(raw[keyIDSize:])), 0).UTC()
		}
		all = append(all, s)
	}
	return all, nil
}

// cosignatureLine is the size of a cosignature with its key's id and its time, in bytes.
const cosignatureLine = keyIDSize + 8 + 64
