// Package sidebyside is for test packages whose tests mostly wait, for clocks and for processes of their own.
package sidebyside

import (
	"flag"
	"testing"
)

// atOnce is how many of their parallel tests run at once: more than the two processors of a small machine.
const atOnce = "4"

// Tests are the tests of a package, of which four run at once where -parallel does not say how many.
type Tests struct{ *testing.M }

// Run runs them.
func (tests Tests) Run() int {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	return tests.M.Run()
}
