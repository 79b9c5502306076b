package cpu

import (
	"syscall"
	"testing"
	"time"
)

// held is a region whose second part a helper has for long, while the caller has the first.
type held struct {
	long time.Duration
	met  chan struct{}
}

func (h held) part(_, worker int) {
	if worker == 0 {
		h.met <- struct{}{} // a helper is inside
		return
	}
	<-h.met
	time.Sleep(h.long)
}

// TestCallerSleepsWhenAHelperIsLong: it leaves its core to whoever holds the helper up. And it misses no one who leaves,
// whether it spins, falls asleep or sleeps.
func TestCallerSleepsWhenAHelperIsLong(t *testing.T) {
	w := newWorkers(2)
	defer w.close()
	region := held{100 * time.Millisecond, make(chan struct{})}
	before := cpuTime(t)
	w.run(2, region)
	if used := cpuTime(t) - before; used > region.long/2 {
		t.Errorf("%v of processor time in %v of waiting", used, region.long)
	}
	for i := range 400 {
		w.run(2, held{time.Duration(i) * time.Microsecond, region.met})
	}
}

// cpuTime is what this process has had of all processors.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
