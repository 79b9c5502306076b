// Package allocs counts, for tests, what code allocates.
package allocs

import "testing"

// PerRun is how often f allocates each time it is called: the least of several of testing.AllocsPerRun. That counts what the
// whole process does, and the runtime allocates now and then for itself, as when a goroutine has to wait on a busy
// machine. What f allocates it allocates every time.
func PerRun(runs int, f func()) float64 {
	least := testing.AllocsPerRun(runs, f)
	for i := 0; i < 5 && least > 0; i++ {
		least = min(least, testing.AllocsPerRun(runs, f))
	}
	return least
}
