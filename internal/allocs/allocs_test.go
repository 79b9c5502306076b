package allocs

import "testing"

var kept []byte

func TestPerRun(t *testing.T) {
	if n := PerRun(2, func() { kept = make([]byte, 100) }); n != 1 {
		t.Errorf("%g allocations where there is one", n)
	}
	calls := 0
	if n := PerRun(2, func() {
		if calls++; calls < 8 { // some others, and then no more
			kept = make([]byte, 100)
		}
	}); n != 0 {
		t.Errorf("%g allocations after there were some", n)
	}
}
