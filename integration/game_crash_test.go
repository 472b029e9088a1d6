//go:build unix

package integration

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"quiniela/internal/journal/postgres/pgtest"
	"quiniela/internal/web"
)

// randomBets makes a draw with a cap, and many bets of two agencies on the extract of the worked examples and on anything.
func randomBets(t *testing.T, r *rand.Rand, each int) gameDraw {
	t.Helper()
	d := gameDraw{id: "crash", terms: `{"cap":2,"min_stake":1}`, extract: workedExtract}
	for agency := 1; agency <= 2; agency++ {
		for range each {
			number := fmt.Sprintf("%04d", r.IntN(10000))
			if r.IntN(3) == 0 {
				i := 5 * r.IntN(20)
				number = workedExtract[i : i+4]
			}
			from := 1 + r.IntN(20)
			play := fmt.Sprintf("%s,%d.%02d,%d-%d", number[r.IntN(4):], r.IntN(1000), 1+r.IntN(99), from, from+r.IntN(21-from))
			d.bets = append(d.bets, worked{agency: agency, play: play})
		}
	}
	return d.drawn(t, [5]uint64{0, 7, 70, 600, 3500}, 2)
}

// While two agencies send bets with stakes, the servers are killed at random moments. Each bet is stored once, what is staked and paid is that of
// the files, and everybody who counts comes to it.
func TestKillsOfTheGame(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"local", "two servers"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := *killSeed
			if seed == 0 {
				seed = uint64(time.Now().UnixNano())
			}
			t.Logf("repeat the moments with -kill-seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 17))
			var journal []string
			data := []string{"data"}
			if name != "local" {
				journal, data = []string{"--journal", pgtest.Start(t, 0).URL(), "--unsafe-single"}, []string{"a", "b"}
			}
			e := openEvening(t, []gameDraw{randomBets(t, r, 1000)}, journal, data, realServer)
			e.post("ana", "/api/v1/draws", `{"id":"crash","agencies":2,"game":"quiniela","terms":`+e.draws[0].terms+`,"source":"notary","two_people":true}`, 201)
			kills, during := sampled(*kills, 20, 4), 0
			for agency := 1; agency <= 2; agency++ { // while the first half of the kills lasts, the draw waits for the second agency
				e.clientsOf(agency)
				for range kills / 2 {
					time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
					if e.draw("crash").State == "open" {
						during++
					}
					e.kill()
				}
			}
			if during == 0 {
				t.Error("no kill came before all bets were stored")
			}
			t.Logf("%d of %d kills before all bets were stored", during, kills)
			e.untilAll("is closed", func(d web.Draw) bool { return d.State == "sealed" })
			e.entered()
			e.kill()
			e.paid()
			e.counted()
		})
	}
}
