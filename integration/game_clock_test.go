//go:build unix

package integration

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/journal/postgres/pgtest"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
)

// clockVariable has the settings of TestServeByAnotherClock.
const clockVariable = "QUINIELA_CLOCK_SERVER"

// clocked are those settings: a draw of a beacon can be held only at the time of a round, and the one whose signature is known was in 2023.
type clocked struct {
	Data, Port, Journal, Key, Relay string
	Clock                           string // file with the time, which is changed from outside
}

// TestServeByAnotherClock is no test, but a server for tests of draws that a beacon decides: it is the one that `quiniela server` runs, with
// another clock. The time stands still, so that all of a draw's opening, and the numbers that follow from it, are known beforehand.
func TestServeByAnotherClock(t *testing.T) {
	var c clocked
	if json.Unmarshal([]byte(os.Getenv(clockVariable)), &c) != nil {
		return
	}
	ctx, over := signal.NotifyContext(t.Context(), syscall.SIGTERM)
	defer over()
	handler, err := logline.Open(os.Stdout, slog.LevelInfo, "text")
	if err != nil {
		t.Fatal(err)
	}
	o := central.DefaultOptions(c.Data)
	o.Log, o.Server.Address, o.Relays = slog.New(handler), "127.0.0.1:"+c.Port, []string{c.Relay}
	o.Journal = central.JournalOptions{URL: c.Journal, UnsafeSingle: c.Journal != ""}
	o.PublicLog = &central.PublicLog{Key: c.Key, Origin: "lottery.example/log"}
	o.Site = &central.Site{}
	o.Now = func() time.Time {
		text, err := os.ReadFile(c.Clock)
		at, parsed := time.Parse(time.RFC3339, string(text))
		if err != nil || parsed != nil {
			panic(fmt.Sprint("no time: ", err, parsed))
		}
		return at
	}
	l, err := central.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Serve(ctx); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// byAnotherClock starts that server, with its own clock, in place of `quiniela server`.
func byAnotherClock(relay string) func(e *evening, s *gameServer) *process {
	return func(e *evening, s *gameServer) *process {
		c := clocked{Data: s.data, Port: s.port, Key: "log.key", Relay: relay, Clock: "clock"}
		if e.journal != nil {
			c.Journal = e.journal[1]
		}
		settings, err := json.Marshal(c)
		if err != nil {
			e.t.Fatal(err)
		}
		cmd := exec.Command(absolute(e.t, os.Args[0]), "-test.run", "^TestServeByAnotherClock$")
		cmd.Env = append(os.Environ(), clockVariable+"="+string(settings))
		return e.lab.start(cmd)
	}
}

// setClock changes the time of the servers, at once.
func (e *evening) setClock(at time.Time) {
	e.t.Helper()
	e.write("clock.new", at.UTC().Format(time.RFC3339))
	if err := os.Rename(filepath.Join(e.dir, "clock.new"), filepath.Join(e.dir, "clock")); err != nil {
		e.t.Fatal(err)
	}
}

// round1000 is the beacon's round 1000, as a relay gives it.
const round1000 = `{"round":1000,"signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}`

// beaconDraws are two draws of round 1000, one of them with a cap that is exceeded. Their numbers are what follows from the round and from
// openings at the time of the test's clock, which stands still: a change of what an opening says changes them.
func beaconDraws() []gameDraw {
	return []gameDraw{
		{
			id: "late", terms: `{}`, extract: "2232 8343 4957 5360 9762 3885 8444 3890 0634 5126 6639 4452 9929 3538 6856 5773 5924 2453 3650 7601",
			bets: []worked{
				{agency: 1, play: "2232,10", words: "2232, four digits, the first prize, 10.00"},
				{agency: 1, play: "32,5.55,1-1", words: "32, two digits, the first prize, 5.55"},
				{agency: 1, play: "3,100,1-20", words: "3, one digit, prizes 1 to 20, 100.00"},
				{agency: 1, play: "0634,1,9-9", words: "0634, four digits, prize 9, 1.00"},
				{agency: 1, play: "90,7.77,2-11", words: "90, two digits, prizes 2 to 11, 7.77"},
				{agency: 2, play: "2,1.01,1-20", words: "2, one digit, prizes 1 to 20, 1.01"},
				{agency: 2, play: "453,20,18-20", words: "453, three digits, prizes 18 to 20, 20.00"},
				{agency: 2, play: "9999,50", words: "9999, four digits, the first prize, 50.00"},
				{agency: 2, play: "50,3.33,19-20", words: "50, two digits, prizes 19 to 20, 3.33"},
			},
		},
		{
			id: "share", terms: `{"cap":2,"multipliers":[7,70,500,3500]}`, extract: "1963 0172 6570 0897 1448 7285 1408 3077 4887 0953 5376 0822 3190 0969 3199 4921 3275 0585 4860 5580",
			bets: []worked{
				{agency: 1, play: "63,12.34", words: "63, two digits, the first prize, 12.34"},
				{agency: 1, play: "9,1,1-20", words: "9, one digit, prizes 1 to 20, 1.00"},
				{agency: 1, play: "0172,3,2-3", words: "0172, four digits, prizes 2 to 3, 3.00"},
				{agency: 1, play: "1,8", words: "1, one digit, the first prize, 8.00"},
				{agency: 2, play: "963,2.22", words: "963, three digits, the first prize, 2.22"},
				{agency: 2, play: "8,5,5-18", words: "8, one digit, prizes 5 to 18, 5.00"},
				{agency: 2, play: "99,1000", words: "99, two digits, the first prize, 1,000.00"},
			},
		},
	}
}

// drawn works out by hand's arithmetic what becomes of the bets of a draw: what ends in the number, stake × multiplier × hits ÷ prizes, and where
// the cap is exceeded, × cap × staked ÷ due, each truncated to the cent.
func (d gameDraw) drawn(t *testing.T, multipliers [5]uint64, limit uint64) gameDraw {
	t.Helper()
	var staked, due, paid uint64
	dues := make([]uint64, len(d.bets))
	for i := range d.bets {
		b := &d.bets[i]
		number, stake, prizes := b.stake(t)
		var from, to uint64
		if _, err := fmt.Sscanf(prizes, "%d-%d", &from, &to); err != nil {
			t.Fatal(err)
		}
		var hits []string
		for prize, n := range strings.Fields(d.extract) {
			if at := uint64(prize + 1); at >= from && at <= to && strings.HasSuffix(n, number) {
				hits = append(hits, fmt.Sprint(at))
			}
		}
		b.at = strings.Join(hits, ", ")
		dues[i] = stake * multipliers[len(number)] * uint64(len(hits)) / (to - from + 1)
		staked += stake
		due += dues[i]
	}
	pool := due
	if limit > 0 && limit*staked < due {
		pool = limit * staked
		d.pool = pesos(pool)
	}
	for i, cents := range dues {
		part := cents * pool / due
		d.bets[i].due, d.bets[i].paid = pesos(cents), pesos(part)
		paid += part
	}
	d.staked, d.due, d.paid = pesos(staked), pesos(due), pesos(paid)
	return d
}

// Some of what that comes to, by hand: 3 is the last digit of the prizes 2, 16 and 18 of late, so 100 × 7 × 3 ÷ 20; and in share, where 1,031.56
// are staked and 7,229.50 are due, 3 × 3,500 ÷ 2 for the second prize are 5,250.00, of which 2,063.12 ÷ 7,229.50 is paid.
func TestTheBeaconsDrawsByHand(t *testing.T) {
	late, share := beaconDraws()[0].drawn(t, [5]uint64{0, 7, 70, 600, 3500}, 0), beaconDraws()[1].drawn(t, [5]uint64{0, 7, 70, 500, 3500}, 2)
	if b := late.bets[2]; b.at != "2, 16, 18" || b.due != "105.00" || b.paid != "105.00" || late.paid != late.due || late.pool != "" {
		t.Errorf("%+v of %+v", b, late)
	}
	if b := share.bets[2]; b.at != "2" || b.due != "5250.00" || b.paid != "1498.21" || share.staked != "1031.56" || share.due != "7229.50" || share.pool != "2063.12" {
		t.Errorf("%+v of %+v", b, share)
	}
}

// The same with a beacon's draws: the numbers follow from the round and the openings, and what is paid from the numbers.
func TestTheGameByABeacon(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"local", "two servers"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/public/1000" {
					t.Errorf("the relay is asked for %s", r.URL.Path)
				}
				_, _ = w.Write([]byte(round1000))
			}))
			t.Cleanup(relay.Close)
			var journal []string
			data := []string{"data"}
			if name != "local" {
				journal, data = []string{"--journal", pgtest.Start(t, 0).URL(), "--unsafe-single"}, []string{"a", "b"}
			}
			at := draw.Quicknet().TimeOf(1000)
			closes := at.Add(-ledger.Margin)
			draws := []gameDraw{beaconDraws()[0].drawn(t, [5]uint64{0, 7, 70, 600, 3500}, 0), beaconDraws()[1].drawn(t, [5]uint64{0, 7, 70, 500, 3500}, 2)}
			e := openEvening(t, draws, journal, data, func(e *evening, s *gameServer) *process {
				if e.steps == 0 {
					e.setClock(closes.Add(-time.Hour))
				}
				return byAnotherClock(relay.URL)(e, s)
			})
			e.sell(fmt.Sprintf(`"source":"beacon","closes":%q`, closes.Format(time.RFC3339)))
			e.setClock(at)
			e.paid()
			e.checked()
			if name == "local" {
				t.Run("in Python", e.wantOtherwise)
			}
		})
	}
}
