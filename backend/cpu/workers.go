package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"jem/backend/cpu/asm"
)

// region is work in fixed parts: part(i, worker) computes part i, whichever worker runs
// it. Parts must not depend on each other, and what a part computes must not depend on
// the worker, so results are the same for any number of threads. worker < workers.n
// selects private scratch memory.
type region interface {
	part(i, worker int)
}

// workers is a pool of goroutines that run regions together with their caller, worker 0.
//
// A region is open while its caller works on it. Helpers enter by a compare-and-swap on
// gate, and the caller leaves only when nobody is inside: so a helper that is asleep or
// descheduled is not waited for, the others do its parts. Each worker takes the parts of
// its own range first, contiguous for the caches' sake, then steals from the others.
//
// Who waits spins first, so that a region that follows another starts within a microsecond, and then
// sleeps: idle helpers after a millisecond; the caller, whose helpers should be done at any moment, sooner. For
// where one isn't, another program has its core, and only a core that is given up lets it go on at once.
// One goroutine at a time may call run.
type workers struct {
	n    int // threads, the caller included
	self int // the caller's number, 0 but in a lane's pool of one

	gate    padded // generation<<32 | open | caller sleeps | helpers inside
	ranges  []cursor
	helpers []helper
	asleep  padded        // helpers that sleep
	left    chan struct{} // wakes the caller when the last helper has left
	region  region        // of the open region
	failure atomic.Pointer[failure]
	closed  atomic.Bool
	done    sync.WaitGroup
}

const (
	gateOpen   = 1 << 31
	gateSleeps = 1 << 30
	gateInside = gateSleeps - 1
)

// padded is an atomic that shares no pair of cache lines with its neighbours.
type padded struct {
	atomic.Uint64
	_ [120]byte
}

// cursor hands out the parts [next, end) of one worker's range.
type cursor struct {
	next atomic.Int64
	end  int64
	_    [112]byte
}

// helper is where one goroutine sleeps.
type helper struct {
	sleeping atomic.Bool
	wake     chan struct{}
}

// failure is the value of a panic inside a part.
type failure struct{ value any }

// newWorkers starts n−1 goroutines; close ends them.
func newWorkers(n int) *workers {
	w := &workers{n: n, ranges: make([]cursor, n), helpers: make([]helper, n), left: make(chan struct{}, 1)}
	for id := 1; id < n; id++ {
		w.helpers[id].wake = make(chan struct{}, 1)
		w.done.Add(1)
		go w.help(id)
	}
	return w
}

// run executes parts 0 … parts−1 of r and returns when all are done. It allocates nothing.
// A panic inside a part is raised here, when the other workers have left.
func (w *workers) run(parts int, r region) {
	if len(w.helpers) < 2 || parts < 2 {
		for i := range parts {
			r.part(i, w.self)
		}
		return
	}
	w.open(parts, r)
	w.work(0)
	w.leave()
	if f := w.failure.Swap(nil); f != nil {
		panic(f.value)
	}
}

func (w *workers) open(parts int, r region) {
	w.region = r
	for i := range w.ranges {
		w.ranges[i].next.Store(int64(i * parts / w.n))
		w.ranges[i].end = int64((i + 1) * parts / w.n)
	}
	generation := w.gate.Load()>>32 + 1
	w.gate.Store(generation<<32 | gateOpen)
	if w.asleep.Load() > 0 {
		w.wakeAll()
	}
}

// leave closes the region and waits for the helpers inside.
func (w *workers) leave() {
	const patience = 50 * time.Microsecond // some times what waking a thread takes
	w.gate.And(^uint64(gateOpen))
	var start time.Time
	for turn := 1; w.gate.Load()&gateInside != 0; turn++ {
		rest(turn)
		switch {
		case turn%16 != 0:
		case start.IsZero():
			start = time.Now()
		case time.Since(start) > patience:
			if w.gate.Or(gateSleeps)&gateInside != 0 {
				<-w.left
			}
		}
	}
	w.region = nil
}

// rest passes one turn of a spin loop. Every 32nd lets other goroutines run, the
// collector's among them.
func rest(turn int) {
	if turn%32 == 0 {
		runtime.Gosched()
	} else {
		asm.Pause(1)
	}
}

// work runs parts until none is left.
func (w *workers) work(id int) {
	defer w.catch()
	for i := range w.n {
		c := &w.ranges[(id+i)%w.n]
		for {
			p := c.next.Add(1) - 1
			if p >= c.end {
				break
			}
			w.region.part(int(p), id)
		}
	}
}

// catch keeps the first panic for the caller of run.
func (w *workers) catch() {
	if v := recover(); v != nil {
		w.failure.CompareAndSwap(nil, &failure{v})
	}
}

// help is the life of a helper.
func (w *workers) help(id int) {
	defer w.done.Done()
	var generation uint64
	for w.await(id, generation) {
		g := w.gate.Load()
		if g&gateOpen == 0 || !w.gate.CompareAndSwap(g, g+1) {
			continue // too late, or another came first
		}
		generation = g >> 32
		w.work(id)
		if w.gate.Add(^uint64(0))&(gateSleeps|gateInside) == gateSleeps {
			w.left <- struct{}{}
		}
	}
}

// await returns true when a region newer than the generation is open, and false when the
// pool is closed. It spins for about a millisecond and then sleeps.
func (w *workers) await(id int, generation uint64) bool {
	const patience = time.Millisecond
	start := time.Now()
	for turn := 1; ; turn++ {
		if w.closed.Load() {
			return false
		}
		if w.news(generation) {
			return true
		}
		rest(turn)
		if turn%64 == 0 && time.Since(start) > patience {
			w.sleep(id, generation)
			start = time.Now()
		}
	}
}

func (w *workers) news(generation uint64) bool {
	g := w.gate.Load()
	return g&gateOpen != 0 && g>>32 != generation
}

// sleep blocks until the next wakeAll. It looks once more after it has said that it
// sleeps, so that a region opened in between isn't missed.
func (w *workers) sleep(id int, generation uint64) {
	h := &w.helpers[id]
	h.sleeping.Store(true)
	w.asleep.Add(1)
	if (w.news(generation) || w.closed.Load()) && h.sleeping.CompareAndSwap(true, false) {
		w.asleep.Add(^uint64(0))
		return
	}
	<-h.wake
}

func (w *workers) wakeAll() {
	for i := range w.helpers {
		h := &w.helpers[i]
		if h.sleeping.CompareAndSwap(true, false) {
			w.asleep.Add(^uint64(0))
			h.wake <- struct{}{}
		}
	}
}

// close ends the helpers and returns when they are gone. The pool runs on without them.
func (w *workers) close() {
	w.closed.Store(true)
	w.wakeAll()
	w.done.Wait()
	w.helpers = nil
}
