package integration

import (
	"flag"
	"os"
	"testing"

	"quiniela/internal/sidebyside"
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

func TestMain(m *testing.M) { os.Exit(sidebyside.Tests{M: m}.Run()) }
