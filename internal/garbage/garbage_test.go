package garbage_test

import (
	"testing"

	"jem/internal/garbage"
)

var kept []byte

func TestWhatAllocatesNowAndThenIsNotBlamed(t *testing.T) {
	calls := 0
	once := func() {
		if calls++; calls < 4 {
			kept = make([]byte, calls)
		}
	}
	if n := garbage.PerRun(2, once); n != 0 {
		t.Errorf("%g a run in the beginning only", n)
	}
	if n := garbage.PerRun(2, func() { kept = make([]byte, 8) }); n != 1 {
		t.Errorf("%g in every run, want 1", n)
	}
}
