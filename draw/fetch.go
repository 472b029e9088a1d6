package draw

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// QuicknetURLs are public relays of Quicknet. None of them is trusted: only the signature is.
var QuicknetURLs = []string{
	"https://api.drand.sh/" + QuicknetHash,
	"https://api2.drand.sh/" + QuicknetHash,
	"https://api3.drand.sh/" + QuicknetHash,
	"https://drand.cloudflare.com/" + QuicknetHash,
}

// maxBeacon bounds a beacon's JSON, in bytes. A real one has about 200.
const maxBeacon = 4096

// fetchTimeout bounds one relay's answer, so that one that hangs does not keep the others from being asked.
const fetchTimeout = 10 * time.Second

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

// Fetch asks each URL in turn for a round, with GET <url>/public/<round>, and returns the first answer that verifies.
// Where none does, the error says what each answered; it may be that the round is not there yet (see TimeOf).
func (c *Chain) Fetch(ctx context.Context, client *http.Client, urls []string, round uint64) (Beacon, error) {
	if len(urls) == 0 {
		return Beacon{}, errors.New("fetch beacon: no URL to ask")
	}
	var failed []error
	for _, url := range urls {
		b, err := c.fetchOne(ctx, client, url, round)
		if err == nil {
			return b, nil
		}
		failed = append(failed, fmt.Errorf("%s: %w", url, err))
		if ctx.Err() != nil {
			break
		}
	}
	return Beacon{}, fmt.Errorf("fetch beacon round %d: %w", round, errors.Join(failed...))
}

func (c *Chain) fetchOne(ctx context.Context, client *http.Client, url string, round uint64) (Beacon, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	at := fmt.Sprintf("%s/public/%d", strings.TrimRight(url, "/"), round)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return Beacon{}, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return Beacon{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return Beacon{}, fmt.Errorf("answered %s", answer.Status)
	}
	return c.read(answer.Body, round)
}

// ReadFile reads a round's JSON from a file, for a server without a way out, and verifies it.
func (c *Chain) ReadFile(name string, round uint64) (Beacon, error) {
	f, err := os.Open(name)
	if err != nil {
		return Beacon{}, fmt.Errorf("read beacon: %w", err)
	}
	defer f.Close()
	b, err := c.read(f, round)
	if err != nil {
		return Beacon{}, fmt.Errorf("read beacon %s: %w", name, err)
	}
	return b, nil
}

func (c *Chain) read(r io.Reader, round uint64) (Beacon, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBeacon+1))
	if err != nil {
		return Beacon{}, err
	}
	b, err := ParseBeacon(data)
	if err != nil {
		return Beacon{}, err
	}
	_, err = c.Check(b, round)
	return b, err
}
