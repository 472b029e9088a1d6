package bench

import (
	"os"
	"syscall"
)

// peakMemory returns the most memory that a process which has ended had, in MB.
func peakMemory(p *os.ProcessState) (megabytes float64, ok bool) {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	return float64(usage.Maxrss) * 1024 / 1e6, true
}
