package central_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/ledger"
)

// The relays are asked until one gives the round; what another gives is not taken.
func TestTheRoundIsFetched(t *testing.T) {
	var asked atomic.Int64
	relay := func(body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1); r.URL.Path != "/public/1000" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	liar := relay(`{"round":1000,"signature":"b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"}`)
	honest := relay(`{"round":1000,"signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}`)

	closes := draw.Quicknet().TimeOf(1000).Add(-ledger.Margin)
	var clock atomic.Int64
	clock.Store(closes.Add(-time.Hour).UnixMicro())
	o := central.DefaultOptions(t.TempDir())
	o.PublicLog = &central.PublicLog{}
	o.Relays = []string{liar, honest}
	o.Now = func() time.Time { return time.UnixMicro(clock.Load()) }
	c := start(t, o)
	terms := ledger.Terms{ID: "evening", Agencies: 1, Closes: closes, Rule: draw.Rule{Source: quiniela.SourceBeacon}}
	if d, err := c.Ledger.OpenDraw(t.Context(), ledger.Actor{}, terms); err != nil || d.Rule.Round != 1000 {
		t.Fatalf("%+v, %v; want round 1000", d, err)
	}

	clock.Store(closes.UnixMicro())
	await(t, c, "evening", "sealed")
	if time.Sleep(1500 * time.Millisecond); asked.Load() != 0 {
		t.Error("asked for the round before its time")
	}
	clock.Store(closes.Add(ledger.Margin).UnixMicro())
	if d := await(t, c, "evening", "drawn"); d.Signature == nil || asked.Load() != 2 {
		t.Errorf("%+v after %d questions", d, asked.Load())
	}
}
