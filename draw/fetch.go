//go:build !wasip1

package draw

import (
	"context"
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

// fetchTimeout bounds one relay's answer, so that one that hangs does not keep the others from being asked.
const fetchTimeout = 10 * time.Second

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
