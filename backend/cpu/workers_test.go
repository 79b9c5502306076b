package cpu

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// counting counts how often each part runs, and by whom.
type counting struct {
	ran   []atomic.Int32
	by    []atomic.Int32
	panic int // part that panics; -1: none
}

func (c *counting) part(i, worker int) {
	if i == c.panic {
		panic(fmt.Sprintf("part %d", i))
	}
	c.ran[i].Add(1)
	c.by[worker].Add(1)
}

func TestEveryPartRunsOnce(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprintf("%d threads", n), func(t *testing.T) {
			w := newWorkers(n)
			defer w.close()
			for round := range 2000 {
				parts := round % 19
				c := &counting{ran: make([]atomic.Int32, parts), by: make([]atomic.Int32, n), panic: -1}
				w.run(parts, c)
				for i := range c.ran {
					if got := c.ran[i].Load(); got != 1 {
						t.Fatalf("round %d: part %d of %d ran %d times", round, i, parts, got)
					}
				}
			}
		})
	}
}

// waiting is a region whose first part returns only when its second one runs: another
// worker must have come.
type waiting struct{ met chan struct{} }

func (p waiting) part(i, _ int) {
	select {
	case p.met <- struct{}{}:
	case <-p.met:
	}
}

func TestHelpersWakeUp(t *testing.T) {
	w := newWorkers(2)
	defer w.close()
	for range 3 {
		for w.asleep.Load() == 0 { // ends: an idle helper falls asleep
			runtime.Gosched()
		}
		w.run(2, waiting{make(chan struct{})})
	}
}

func TestPanicReachesCaller(t *testing.T) {
	for _, n := range []int{1, 3} {
		w := newWorkers(n)
		defer w.close()
		for part := range 7 {
			c := &counting{ran: make([]atomic.Int32, 7), by: make([]atomic.Int32, n), panic: part}
			func() {
				defer func() {
					if got, want := recover(), fmt.Sprintf("part %d", part); got != want {
						t.Errorf("%d threads: recovered %v, want %q", n, got, want)
					}
				}()
				w.run(7, c)
			}()
			c.panic = -1
			w.run(7, c) // the pool is whole again
			if got := c.ran[part].Load(); got != 1 {
				t.Errorf("%d threads: after the panic, part %d ran %d times", n, part, got)
			}
		}
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, n := range []int{1, 2, 8} {
		d, err := Open(Options{Threads: n})
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		d.Close() // harmless
	}
	// A goroutine counts until just after its WaitGroup has heard of its end.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}

type empty struct{}

func (empty) part(int, int) {}

func BenchmarkRegion(b *testing.B) {
	for _, n := range []int{1, 2, 8} {
		b.Run(fmt.Sprintf("%d threads", n), func(b *testing.B) {
			w := newWorkers(n)
			defer w.close()
			r := region(empty{})
			for b.Loop() {
				w.run(2*n, r)
			}
		})
	}
}
