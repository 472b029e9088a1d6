//go:build !linux

package bench

import "os"

// peakMemory is not known here: systems count in different units.
func peakMemory(*os.ProcessState) (megabytes float64, ok bool) { return 0, false }
