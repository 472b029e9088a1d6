package integration

import (
	"flag"
	"os"
	"testing"
)

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
