package sample_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela"
	"quiniela/internal/sample"
)

func make1(t *testing.T, seed uint64, agency, bets int) string {
	t.Helper()
	return makeGame(t, quiniela.GameSpecified, seed, agency, bets)
}

func makeGame(t *testing.T, game string, seed uint64, agency, bets int) string {
	t.Helper()
	var b bytes.Buffer
	if err := sample.WriteGame(&b, game, seed, agency, bets); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The golden lines hold what a seed means across versions of Go and of this package.
func TestASeedMeansTheSameForEver(t *testing.T) {
	for game, name := range map[string]string{quiniela.GameSpecified: "seed-1-agency-1.csv", quiniela.GameQuiniela: "quiniela-seed-1-agency-1.csv"} {
		golden, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		bets := bytes.Count(golden, []byte("\n"))
		if got := makeGame(t, game, 1, 1, bets); got != string(golden) {
			t.Fatalf("%s: got\n%swant\n%s", game, got, golden)
		}
		if !strings.HasPrefix(makeGame(t, game, 1, 1, 500), string(golden)) {
			t.Fatalf("%s: a longer file does not begin with a shorter one", game)
		}
		if makeGame(t, game, 1, 2, bets) == string(golden) || makeGame(t, game, 2, 1, bets) == string(golden) {
			t.Fatalf("%s: another agency or seed gave the same bets", game)
		}
	}
}

// Every line is a bet under the usual terms, and what bets are on is spread as the code says.
func TestPlaysAreSpreadAsTheyAreSaidToBe(t *testing.T) {
	const bets = 100000
	terms := quiniela.DefaultTerms()
	terms.MaxStake = 50_000_00 // as the documents' examples have it
	shares := make(map[string]int)
	zeros := 0
	for line := range strings.Lines(makeGame(t, quiniela.GameQuiniela, 7, 3, bets)) {
		if !strings.HasSuffix(line, "\r\n") || len(line) > 80 {
			t.Fatalf("%q", line)
		}
		line = strings.TrimSpace(line)
		bet, err := terms.ParseLine([]byte(line), 20100101)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if bet.Play.Appearance()[0] == '0' {
			zeros++
		}
		shares[fmt.Sprintf("%d digits", bet.Play.Digits)]++
		fields := strings.Split(line, ",")
		shares["stake "+fields[5]]++
		prizes := "head"
		if len(fields) == 7 {
			prizes = fields[6]
		}
		shares[prizes]++
		if bet.Play.Stake >= 10_000_00 {
			shares["great"]++
		}
	}
	for what, percent := range map[string]float64{
		"1 digits": 6, "2 digits": 52, "3 digits": 30, "4 digits": 12, "head": 70, "1-5": 8, "1-10": 10, "1-20": 8,
		"stake 100": 22, "stake 200": 20, "stake 500": 20, "stake 1000": 14, "stake 50.50": 4, "great": 0.5,
	} {
		if got := 100 * float64(shares[what]) / bets; math.Abs(got-percent) > 0.1+percent/20 { // over four deviations
			t.Errorf("%s: %.2f %% of the bets, want %.1f %%", what, got, percent)
		}
	}
	if zeros < bets/20 {
		t.Errorf("only %d of %d numbers begin with a zero", zeros, bets)
	}
}

func TestEveryLineIsAValidBet(t *testing.T) {
	var numbers [10000]int
	const bets = 100000
	for line := range strings.Lines(make1(t, 7, 3, bets)) {
		if !strings.HasSuffix(line, "\r\n") || len(line) > 70 {
			t.Fatalf("%q", line)
		}
		bet, err := quiniela.Specified.ParseLine([]byte(strings.TrimSpace(line)), 20100101)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		numbers[bet.Play.Number]++
	}
	for n, count := range numbers {
		if count > 40 { // 10 expected; 40 is nine deviations away
			t.Errorf("number %d was played %d times in %d", n, count, bets)
		}
	}
}

func TestFilesAreNeverOverwritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	done := 0
	paths, err := sample.Files(dir, 2, 50, 1, func(bets int) { done = bets })
	if err != nil || len(paths) != 2 || done != 100 {
		t.Fatal(paths, err, done)
	}
	if _, err := sample.Files(dir, 3, 50, 1, func(int) {}); err != nil {
		t.Fatalf("the same again: %v", err)
	}
	if _, err := sample.GameFiles(dir, quiniela.GameQuiniela, 1, 50, 1, func(int) {}); err == nil || !strings.Contains(err.Error(), "other bets") {
		t.Fatalf("those of another game over them: %v", err)
	}
	for _, bets := range []int{49, 51} {
		if _, err := sample.Files(dir, 1, bets, 1, func(int) {}); err == nil || !strings.Contains(err.Error(), "other bets") {
			t.Fatalf("%d bets over 50: %v", bets, err)
		}
	}
	got, err := os.ReadFile(paths[0])
	if err != nil || string(got) != make1(t, 1, 1, 50) {
		t.Fatalf("the file was changed: %v", err)
	}
	// What cannot be read may be anything: here a link to itself.
	if err := os.Symlink("agency-4.csv", filepath.Join(dir, "agency-4.csv")); err != nil {
		t.Fatal(err)
	}
	if _, err := sample.Files(dir, 4, 50, 1, func(int) {}); err == nil || !strings.Contains(err.Error(), "look whether") {
		t.Fatalf("a file that cannot be read: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Fatalf("left behind: %q", left)
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, game := range []string{quiniela.GameSpecified, quiniela.GameQuiniela} {
		b.Run(game, func(b *testing.B) {
			var w bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				w.Reset()
				if err := sample.WriteGame(&w, game, 1, 1, 10000); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "bets/s")
		})
	}
}
