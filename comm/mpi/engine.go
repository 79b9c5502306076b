//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"jem/comm"
)

// engine is the comm.Comm. Its goroutine, own, makes all calls of MPI on one thread; other goroutines hand it work.
type engine struct {
	rank, size int
	host       string
	patience   time.Duration
	notes      func(string)

	work   chan func() // in order
	urgent chan func() // at once, between two looks at an operation under way
	beats  atomic.Int64
	steps  atomic.Int64 // of this rank, as At was told

	// The owning goroutine's alone.
	lib     *library
	request uint64 // of the operation under way; the largest of the families' MPI_Request
	flag    int32
	rounds  int64 // operations begun
	within  bool  // the last of them is under way
	bulk    bool  // all have come to it, and much moves
	met     struct{ mine, all [3]int64 }
	past    int        // step at which the last one ended
	gone    error      // why no more is done
	bug     string     // the panic in which what was done last has ended: whoever waits for anything raises it
	ended   bool       // MPI_Finalize has been called, after which nothing of the library may be
	stuck   *operation // the one that failed, whose buffers MPI may write to yet
	peers   []peer
	letters []*letter // on their way to others
}

// Rank implements comm.Comm.
func (e *engine) Rank() int { return e.rank }

// Size implements comm.Comm.
func (e *engine) Size() int { return e.size }

// Name implements comm.Comm.
func (e *engine) Name() string { return e.lib.version }

// At implements comm.Comm.
func (e *engine) At(step int) { e.steps.Store(int64(step)) }

// own is the life of the goroutine that owns MPI, once it is there. It ends with the process.
func (e *engine) own() {
	const least, most = 500 * time.Microsecond, 20 * time.Millisecond
	for pause := least; ; {
		e.beats.Add(1)
		select {
		case f := <-e.urgent:
			f()
		case f := <-e.work:
			f()
			pause = least
		case <-time.After(pause):
			// Others ask how far this rank is, and some of what it sent moves only when the library is entered.
			e.caught(e.attend)
			pause = min(2*pause, most)
		}
	}
}

// caught does something, and keeps a panic for the goroutine that waits: it ends the process with the code of a bug, and the
// whole job by Abort, for which this one must live.
func (e *engine) caught(f func()) {
	defer func() {
		if r := recover(); r != nil {
			e.bug = fmt.Sprintf("%v, in the goroutine that owns MPI\n\n%s", r, debug.Stack())
		}
	}()
	if e.bug == "" {
		f()
	}
}

// operation is what all ranks do together: a sequence of non-blocking calls, each begun when the one before is over.
type operation struct {
	name  string
	sign  int64 // 0: of the engine's own, which begin as they are
	bytes int   // that it moves
	value int64 // of this rank, and then the largest
	// begin starts the call of a stage, for the engine's request, and says whether there was one to start.
	begin func(stage int) (bool, error)
	over  chan struct{}
	err   error  // once over
	bug   string // the same
}

// start has an operation done after those begun before.
func (e *engine) start(o *operation) *pending {
	o.over = make(chan struct{})
	e.work <- func() {
		e.caught(func() { o.err = e.perform(o) })
		if o.bug = e.bug; o.err == nil && o.bug == "" {
			o.begin = nil // lets go of the buffers
		} else if e.stuck == nil {
			e.stuck = o
		}
		close(o.over)
	}
	return &pending{e, o}
}

func (e *engine) perform(o *operation) error {
	if e.gone != nil {
		return e.gone
	}
	e.rounds++
	e.within, e.bulk = true, false
	defer func() { e.within = false }()
	if o.sign != 0 {
		if waited, err := e.meet(o); err != nil {
			e.gone = e.lost(o.name, waited, err)
			return e.gone
		}
		e.bulk = o.bytes >= large
	}
	for stage := 0; ; stage++ {
		more, err := o.begin(stage)
		if err != nil {
			e.gone = e.lost(o.name, 0, err)
			return e.gone
		}
		if !more {
			e.past = int(e.steps.Load())
			return nil
		}
		if waited, err := e.await(); err != nil {
			e.gone = e.lost(o.name, waited, err)
			return e.gone
		}
	}
}

// errPatience says that a call took too long.
var errPatience = errors.New("out of patience")

// await looks at the call under way, with growing pauses, until it is over. Time in which this process itself was
// stopped, by a signal or a scheduler that suspends jobs, doesn't count.
func (e *engine) await() (waited time.Duration, err error) {
	const gap, look = time.Second, 10 * time.Millisecond
	last := time.Now()
	attended := last
	for polls := 0; ; polls++ {
		e.beats.Add(1)
		done, err := e.test(&e.request)
		if done || err != nil {
			return waited, err
		}
		now := time.Now()
		waited += min(now.Sub(last), gap)
		last = now
		if waited > e.patience {
			return waited, errPatience
		}
		if now.Sub(attended) > look {
			e.attend()
			attended = now
		}
		select {
		case f := <-e.urgent:
			f()
		default:
			rest(polls, e.bulk, waited)
		}
	}
}

// rest is the pause after so many polls: none while an answer may be near, then up to half a millisecond, at which
// a core is as good as free. While much moves there is none for a tenth of a second, and a short one for another: MPICH 5
// moves a few kilobytes each time it is looked at, and took 0.6 s for the sum of 8 MiB with pauses of 50 µs, 0.04 to 0.16 without any.
func rest(polls int, bulk bool, waited time.Duration) {
	const none, first, short, most = 20, 20 * time.Microsecond, 50 * time.Microsecond, 500 * time.Microsecond
	const atOnce, soon = 100 * time.Millisecond, time.Second
	if polls < none || bulk && waited < atOnce {
		runtime.Gosched()
		return
	}
	longest := most
	if bulk && waited < soon {
		longest = short
	}
	time.Sleep(min(first*time.Duration(1+(polls-none)/4), longest))
}

// large is from how many bytes on an operation moves much.
const large = 128 << 10

// kinds are the operations that all ranks must come to together, with as many elements each.
var kinds = []string{"", "sum", "gather", "broadcast", "max"}

const lengthBits = 48

// sign is what an operation is, as a number above 0.
func sign(name string, length int) int64 {
	return int64(slices.Index(kinds, name))<<lengthBits | int64(length)
}

// signed is the operation of a sign, in words.
func signed(sign int64) string {
	return fmt.Sprintf("%s of %d", kinds[sign>>lengthBits], sign&(1<<lengthBits-1))
}

// meet begins an operation: all wait for each other, so that what is sent after that need not wait, and see that they have come to the
// same one. MPI itself may mix up different ones, and go on with wrong numbers. It returns the largest value.
func (e *engine) meet(o *operation) (time.Duration, error) {
	e.met.mine = [3]int64{o.sign, -o.sign, o.value}
	err := e.lib.call("MPI_Iallreduce", pointer(&e.met.mine[0]), pointer(&e.met.all[0]), 3, e.lib.int64, e.lib.max, e.lib.world, pointer(&e.request))
	if err != nil {
		return 0, err
	}
	waited, err := e.await()
	if first, last := -e.met.all[1], e.met.all[0]; err == nil && first != last {
		err = fmt.Errorf("ranks have come to different rounds, one to a %s, another to a %s, which is a bug of jem", signed(first), signed(last))
	}
	o.value = e.met.all[2]
	return waited, err
}

// test says whether a request is over.
func (e *engine) test(request *uint64) (bool, error) {
	err := e.lib.call("MPI_Test", pointer(request), pointer(&e.flag), e.lib.ignoreStatus)
	return e.flag != 0, err
}

// pending is an operation that a caller waits for.
type pending struct {
	engine *engine
	of     *operation
}

// Wait implements comm.Pending. It doesn't hang where MPI itself does: in a call that ought to return at once.
func (p *pending) Wait() error {
	const look = time.Second
	for beats, same := int64(-1), time.Duration(0); ; {
		select {
		case <-p.of.over:
			if p.of.bug != "" {
				panic(p.of.bug)
			}
			return p.of.err
		case <-time.After(look):
		}
		if now := p.engine.beats.Load(); now != beats {
			beats, same = now, 0
			continue
		}
		if same += look; same > p.engine.patience {
			return p.engine.fault(p.of.name, same, errors.New("a call of the MPI library does not return"))
		}
	}
}

func (e *engine) fault(op string, waited time.Duration, err error) *comm.PeerError {
	return &comm.PeerError{Rank: e.rank, Step: int(e.steps.Load()), Host: e.host, Op: op, Waited: waited, Err: err}
}

// Sum implements comm.Comm: every rank gets its share of the bucket from all others, adds in the order of ranks, and
// gives the result to all. It is a ring's traffic, and MPI's own sums have another order with each
// library, size and number of ranks. Buckets are taken in pieces, which bounds the second buffer.
func (e *engine) Sum(bucket []float32) comm.Pending {
	const piece = 2 << 20 // numbers, 8 MiB
	if len(bucket) == 0 {
		return comm.Done{}
	}
	var s *sum
	return e.start(&operation{name: "sum", sign: sign("sum", len(bucket)), bytes: 4 * len(bucket), begin: func(stage int) (bool, error) {
		from := stage / 2 * piece
		switch {
		case stage%2 == 1:
			s.add()
			return true, e.allgather(s.piece, s.all, e.lib.float)
		case from >= len(bucket):
			return false, nil
		}
		s = newSum(bucket[from:min(from+piece, len(bucket))], e.size, e.rank, s)
		return true, e.lib.call("MPI_Ialltoallv", pointer(&s.piece[0]), pointer(&s.all.counts[0]), pointer(&s.all.from[0]), e.lib.float,
			pointer(&s.parts[0]), pointer(&s.mine.counts[0]), pointer(&s.mine.from[0]), e.lib.float, e.lib.world, pointer(&e.request))
	}})
}

// Gather implements comm.Comm.
func (e *engine) Gather(all []float32) comm.Pending {
	if len(all) == 0 {
		return comm.Done{}
	}
	if len(all) > math.MaxInt32 {
		return comm.Done{Err: fmt.Errorf("%w: %d numbers to gather are more than its counts hold", errMPI, len(all))}
	}
	spans := shares(len(all), e.size)
	return e.start(&operation{name: "gather", sign: sign("gather", len(all)), bytes: 4 * len(all), begin: func(stage int) (bool, error) {
		if stage > 0 {
			return false, nil
		}
		return true, e.allgather(all, spans, e.lib.float)
	}})
}

// allgather starts to collect the spans in place.
func (e *engine) allgather(all []float32, s spans, kind uintptr) error {
	return e.lib.call("MPI_Iallgatherv", e.lib.inPlace, 0, kind, pointer(&all[0]), pointer(&s.counts[0]), pointer(&s.from[0]), kind,
		e.lib.world, pointer(&e.request))
}

// Broadcast implements comm.Comm.
func (e *engine) Broadcast(data []byte, root int) comm.Pending {
	const piece = 64 << 20 // bytes: the patience is for each
	return e.start(&operation{name: "broadcast", sign: sign("broadcast", len(data)), bytes: len(data), begin: func(stage int) (bool, error) {
		from := stage * piece
		if from >= len(data) {
			return false, nil
		}
		part := data[from:min(from+piece, len(data))]
		return true, e.lib.call("MPI_Ibcast", pointer(&part[0]), uintptr(len(part)), e.lib.byte, uintptr(root), e.lib.world, pointer(&e.request))
	}})
}

// Max implements comm.Comm.
func (e *engine) Max(value int64) (int64, error) {
	o := &operation{name: "max", sign: sign("max", 1), value: value, begin: func(int) (bool, error) { return false, nil }}
	err := e.start(o).Wait()
	return o.value, err
}
