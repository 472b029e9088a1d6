package integration

import (
	"flag"
	"os"
	"testing"
)

// exhaustive asks for all that CI tries: more faults, kills and histories, both builders of images, and a minute that is a
// minute. Without it a run has a sample of each.
var exhaustive = flag.Bool("exhaustive", false, "try all faults, kills, histories and builders, not a sample of them")

// sampled returns how many times a test tries something: as its flag says, or else all with -exhaustive and few without.
func sampled(asked, all, few int) int {
	switch {
	case asked > 0:
		return asked
	case *exhaustive:
		return all
	}
	return few
}

// batchScale makes batches larger where there are few faults: the rest of the lottery then takes no longer than the faults.
func batchScale() int { return sampled(0, 1, 6) }

// sideBySide is how many parallel tests run at once, where -parallel does not say it: they wait most of the time, for clocks
// and for processes of their own, so there may be more of them than processors.
const sideBySide = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", sideBySide); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
