// Package garbage counts allocations for tests of code that must make none once it runs.
package garbage

import "testing"

// rounds is how often a count that isn't 0 is repeated: what allocates does so in each.
const rounds = 5

// PerRun is the mean number of allocations of a run of f, after one that isn't counted: testing.AllocsPerRun, the least of
// several. That counts those of the whole process, of which some are the runtime's own: after a collection it has
// forgotten what goroutines wait by, and makes it again.
func PerRun(runs int, f func()) float64 {
	least := testing.AllocsPerRun(runs, f)
	for i := 1; i < rounds && least > 0; i++ {
		least = min(least, testing.AllocsPerRun(runs, f))
	}
	return least
}
