package sysmem

import "syscall"

// addressSpace is the limit on this process's address space in bytes; 0: none.
func addressSpace() float64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &l) != nil || l.Cur >= unlimited {
		return 0
	}
	return float64(l.Cur)
}
