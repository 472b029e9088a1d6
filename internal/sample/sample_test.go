package sample_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela"
	"quiniela/internal/sample"
)

func make1(t *testing.T, seed uint64, agency, bets int) string {
	t.Helper()
	var b bytes.Buffer
	if err := sample.Write(&b, seed, agency, bets); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The golden lines hold what a seed means across versions of Go and of this package.
func TestASeedMeansTheSameForEver(t *testing.T) {
	golden, err := os.ReadFile("testdata/seed-1-agency-1.csv")
	if err != nil {
		t.Fatal(err)
	}
	if got := make1(t, 1, 1, 5); got != string(golden) {
		t.Fatalf("got\n%swant\n%s", got, golden)
	}
	if !strings.HasPrefix(make1(t, 1, 1, 100), string(golden)) {
		t.Fatal("a longer file does not begin with a shorter one")
	}
	if make1(t, 1, 2, 5) == string(golden) || make1(t, 2, 1, 5) == string(golden) {
		t.Fatal("another agency or seed gave the same bets")
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
	var w bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		w.Reset()
		if err := sample.Write(&w, 1, 1, 10000); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "bets/s")
}
