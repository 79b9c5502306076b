package checkpoint

import "testing"

// A handle that an error path forgets shows as a number that grows.
func TestFailuresLeakNoFileHandle(t *testing.T) {
	scenarios[0].failAt(t, 1) // whatever the runtime opens once is open now
	before := len(names(t, "/proc/self/fd"))
	for n := 1; scenarios[0].failAt(t, n); n++ {
		if now := len(names(t, "/proc/self/fd")); now != before {
			t.Fatalf("failure at point %d: %d handles open, %d before", n, now, before)
		}
	}
}
