//go:build unix

package central

import "syscall"

// descriptorLimit returns how many files this process may have open. Go has raised the soft limit to the hard one when the
// program began (package os).
func descriptorLimit() (limit uint64, known bool) {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0, false
	}
	return uint64(l.Cur), true
}
