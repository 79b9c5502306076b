// Package mem is an engine whose ranks are goroutines of one process: the definition that other
// engines are held to, and what tests of training with ranks use.
package mem

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"jem/comm"
)

// ErrLeft is what ranks get that wait for one that has aborted or left.
var ErrLeft = errors.New("a rank has left")

// New makes a job of size ranks. A rank that waits longer than patience gives up.
func New(size int, patience time.Duration) []comm.Comm {
	j := &job{size: size, patience: patience, rounds: map[int]*round{}}
	all := make([]comm.Comm, size)
	for r := range all {
		all[r] = &rank{job: j, rank: r}
	}
	return all
}

// job is what the ranks share.
type job struct {
	size     int
	patience time.Duration

	mu     sync.Mutex
	rounds map[int]*round // by number, until all ranks have been there
	gone   error
}

// round is one call that all ranks make.
type round struct {
	op     string
	n      int   // length, of what has the same one on all ranks
	parts  []any // by rank
	came   int
	done   chan struct{}
	result any
	err    error
}

type rank struct {
	job    *job
	rank   int
	rounds int // begun
	step   int
}

func (r *rank) Rank() int    { return r.rank }
func (r *rank) Size() int    { return r.job.size }
func (r *rank) Name() string { return "goroutines" }
func (r *rank) At(step int)  { r.step = step }

// Sum implements comm.Comm.
func (r *rank) Sum(bucket []float32) comm.Pending {
	mine := append([]float32(nil), bucket...)
	return r.meet("sum", len(bucket), mine, func(parts []any) any {
		total := append([]float32(nil), parts[0].([]float32)...)
		for _, p := range parts[1:] {
			for i, v := range p.([]float32) {
				total[i] += v
			}
		}
		return total
	}, func(result any) { copy(bucket, result.([]float32)) })
}

// Gather implements comm.Comm.
func (r *rank) Gather(all []float32) comm.Pending {
	lo, hi := comm.Share(len(all), r.job.size, r.rank)
	return r.meet("gather", len(all), append([]float32(nil), all[lo:hi]...), func(parts []any) any {
		var whole []float32
		for _, p := range parts {
			whole = append(whole, p.([]float32)...)
		}
		return whole
	}, func(result any) { copy(all, result.([]float32)) })
}

// Broadcast implements comm.Comm.
func (r *rank) Broadcast(data []byte, root int) comm.Pending {
	return r.meet("broadcast", len(data), append([]byte(nil), data...), func(parts []any) any { return parts[root] },
		func(result any) { copy(data, result.([]byte)) })
}

// Max implements comm.Comm.
func (r *rank) Max(value int64) (largest int64, err error) {
	err = r.meet("max", 1, value, func(parts []any) any {
		most := parts[0].(int64)
		for _, p := range parts {
			most = max(most, p.(int64))
		}
		return most
	}, func(result any) { largest = result.(int64) }).Wait()
	return largest, err
}

// Abort implements comm.Comm: this goroutine ends.
func (r *rank) Abort(code int, why string) {
	r.job.end(fmt.Errorf("%w: rank %d with code %d: %s", ErrLeft, r.rank, code, why))
	runtime.Goexit()
}

// Close implements comm.Comm.
func (r *rank) Close() error {
	_, err := r.Max(0)
	return err
}

// Exit implements comm.Comm: this goroutine ends.
func (r *rank) Exit(int) { runtime.Goexit() }

// end has all that wait, now or later, end with the error.
func (j *job) end(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.gone != nil {
		return
	}
	j.gone = err
	for n, w := range j.rounds {
		w.err = err
		close(w.done)
		delete(j.rounds, n)
	}
}

// meet brings this rank's part to its next round. Ranks that meet for different things are a bug of their callers, which
// other engines may not notice.
func (r *rank) meet(op string, length int, part any, whole func([]any) any, take func(any)) comm.Pending {
	j, n := r.job, r.rounds
	r.rounds++
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.gone != nil {
		return comm.Done{Err: r.lost(op, 0, j.gone)}
	}
	w := j.rounds[n]
	if w == nil {
		w = &round{op: op, n: length, parts: make([]any, j.size), done: make(chan struct{})}
		j.rounds[n] = w
	}
	if w.op != op || w.n != length {
		panic(fmt.Sprintf("mem: rank %d is at round %d for %s of %d, others for %s of %d", r.rank, n, op, length, w.op, w.n))
	}
	w.parts[r.rank] = part
	if w.came++; w.came == j.size {
		w.result = whole(w.parts)
		delete(j.rounds, n)
		close(w.done)
	}
	return &pending{r, w, take, time.Now()}
}

type pending struct {
	rank  *rank
	round *round
	take  func(any)
	begun time.Time
}

// Wait implements comm.Pending.
func (p *pending) Wait() error {
	j := p.rank.job
	select {
	case <-p.round.done:
	case <-time.After(j.patience):
		j.mu.Lock()
		came := p.round.came
		j.mu.Unlock()
		j.end(fmt.Errorf("%w: %d of %d came to the %s", ErrLeft, came, j.size, p.round.op))
		<-p.round.done
	}
	if p.round.err != nil {
		return p.rank.lost(p.round.op, time.Since(p.begun), p.round.err)
	}
	p.take(p.round.result)
	return nil
}

func (r *rank) lost(op string, waited time.Duration, err error) error {
	return &comm.PeerError{Rank: r.rank, Step: r.step, Host: "this process", Op: op, Waited: waited, Err: err}
}
