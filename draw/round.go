package draw

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxBeacon bounds a beacon's JSON, in bytes. A real one has about 200.
const maxBeacon = 4096

// Beacon is one round as drand publishes it. It proves nothing until Chain.Verify has accepted it.
type Beacon struct {
	Round     uint64
	Signature [SignatureSize]byte
}

// Randomness returns what the round's randomness is if its signature verifies.
func (b Beacon) Randomness() [HashSize]byte { return sha256.Sum256(b.Signature[:]) }

// MarshalJSON writes b as drand's public HTTP interface does.
func (b Beacon) MarshalJSON() ([]byte, error) {
	r := b.Randomness()
	return fmt.Appendf(nil, `{"round":%d,"randomness":"%x","signature":"%x"}`, b.Round, r[:], b.Signature[:]), nil
}

// ParseBeacon reads drand's JSON of a round: an object of round, signature and, optionally, randomness, each once, in
// any order, hexadecimal in lower case, with nothing else in it or behind it but blank space. A randomness that is not
// the signature's hash is refused.
func ParseBeacon(data []byte) (Beacon, error) {
	b, err := parseBeacon(data)
	if err != nil {
		return Beacon{}, fmt.Errorf("parse beacon: %w", err)
	}
	return b, nil
}

func parseBeacon(data []byte) (Beacon, error) {
	if len(data) > maxBeacon {
		return Beacon{}, fmt.Errorf("over %d bytes", maxBeacon)
	}
	fields, err := beaconFields(data)
	if err != nil {
		return Beacon{}, err
	}
	var b Beacon
	if err := json.Unmarshal(fields["round"], &b.Round); err != nil || b.Round == 0 {
		return Beacon{}, errors.New("round: want a whole number from 1")
	}
	if err := unhex(b.Signature[:], fields["signature"]); err != nil {
		return Beacon{}, fmt.Errorf("signature: %w", err)
	}
	if text, ok := fields["randomness"]; ok {
		var said [HashSize]byte
		if err := unhex(said[:], text); err != nil {
			return Beacon{}, fmt.Errorf("randomness: %w", err)
		}
		if said != b.Randomness() {
			return Beacon{}, errors.New("randomness: not the hash of the signature")
		}
	}
	return b, nil
}

// beaconFields takes one JSON object apart. Unlike encoding/json it tells names by their case and refuses a name twice.
func beaconFields(data []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	fields := make(map[string]json.RawMessage)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if name != "round" && name != "randomness" && name != "signature" {
			return nil, fmt.Errorf("unknown field %.40q", name)
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("the field %q twice", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the object")
	}
	return fields, nil
}

// unhex fills dst from a JSON string of lower-case hexadecimal, of exactly dst's length.
func unhex(dst []byte, value json.RawMessage) error {
	want := 2 * len(dst)
	if len(value) != want+2 || value[0] != '"' || value[want+1] != '"' {
		return fmt.Errorf("want %d hexadecimal digits", want)
	}
	text := value[1 : want+1]
	if _, err := hex.Decode(dst, text); err != nil || bytes.ContainsAny(text, "ABCDEF") {
		return fmt.Errorf("want %d hexadecimal digits in lower case", want)
	}
	return nil
}

// Check verifies that b is the chain's signature of the given round, which b may not choose, and returns its randomness.
func (c *Chain) Check(b Beacon, round uint64) ([HashSize]byte, error) {
	if b.Round != round {
		return [HashSize]byte{}, fmt.Errorf("round %d where %d was wanted: %w", b.Round, round, ErrBeacon)
	}
	return c.Verify(round, b.Signature[:])
}
