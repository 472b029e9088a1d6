package web

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"quiniela"
)

// Owe takes from a client all that it may ask for in some time from now on.
func (s *Site) Owe(address string, d time.Duration) {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	one := s.clients.get(netip.MustParseAddr(address))
	for range int(d.Seconds()) * requestsPerSecond / requestsAtOnce {
		one.requests.ReserveN(time.Now(), requestsAtOnce)
	}
	one.requests.ReserveN(time.Now(), requestsAtOnce) // what it had saved up
}

// A client may ask 200 times at once, and then 50 times a second; another one has its own. The time is the test's, so that a slow machine
// changes nothing.
func TestOneClientsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all clients
		asked := func(address string) (allowed int) {
			for range 1000 {
				switch err := all.allow(netip.MustParseAddr(address)); {
				case err == nil:
					allowed++
				case quiniela.CodeOf(err) != quiniela.Busy:
					t.Fatal(err)
				}
			}
			return allowed
		}
		for _, step := range []struct {
			address string
			wait    time.Duration
			want    int
		}{
			{"127.0.5.1", 0, 200}, {"127.0.5.1", 0, 0}, {"127.0.5.1", time.Second, 50}, {"127.0.5.1", time.Hour, 200},
			{"127.0.6.1", 0, 200}, {"2001:db8::1", 0, 200}, {"2001:db8::2", 0, 0}, {"2001:db8:0:1::1", 0, 200},
		} {
			time.Sleep(step.wait)
			if got := asked(step.address); got != step.want {
				t.Errorf("%s after %v may ask %d times, want %d", step.address, step.wait, got, step.want)
			}
		}
	})
}
