package scaling

import (
	"math"

	"jem/backend/philox"
)

// Simulate lets every rank take so many steps and returns the mean. Each rank's computing is longer or shorter by
// Jitter, anew for each stretch between two meetings and for each rank; a gather or sum begins when the last
// rank has come to it, and sums of buckets follow each other. The numbers come from the seed.
func Simulate(w Work, m Machine, ranks, steps int, seed uint64) (mean Time) {
	m.Rate, m.Half = m.rate(w.Images), 0
	s := simulation{w, m, ranks, philox.New(seed, 0, philox.Test), 0}
	for range steps {
		t := s.step()
		mean.Step += t.Step / float64(steps)
		mean.Compute += t.Compute / float64(steps)
		mean.Exchange += t.Exchange / float64(steps)
		mean.Waiting += t.Waiting / float64(steps)
	}
	return mean
}

type simulation struct {
	Work
	Machine
	ranks int
	key   philox.Key
	drawn uint64
}

// step is one step of all ranks, which begin it together: the gather of logits of the one before saw to that.
func (s *simulation) step() (t Time) {
	clock := make([]float64, s.ranks) // of each rank
	computed := 0.0
	compute := func(seconds float64) {
		for r := range clock {
			d := seconds * s.factor()
			clock[r] += d
			computed += d / float64(s.ranks)
		}
	}
	meet := func(cost float64) {
		at := last(clock) + cost
		for r := range clock {
			clock[r] = at
		}
		t.Exchange += cost
	}
	compute(s.Fixed + s.Sample/s.Machine.Rate)
	meet(s.Gather(s.ranks*s.Chains, s.ranks))
	compute(s.Forward / s.Machine.Rate)
	free := 0.0
	all := buckets(s.Work, s.Machine)
	ready := make([]float64, len(all))
	for i, b := range all {
		compute(b.FLOPs / s.Machine.Rate)
		ready[i] = last(clock)
	}
	for i, b := range all {
		at := ready[i]
		if !s.Overlap {
			at = ready[len(all)-1]
		}
		cost := s.Sum(b.Bytes, s.ranks)
		free = max(free, at) + cost
		t.Exchange += cost
	}
	for r := range clock {
		clock[r] = max(clock[r], free)
	}
	meet(s.Gather(s.ranks*s.Logits, s.ranks))
	t.Step, t.Compute = last(clock), computed
	t.Waiting = t.Step - computed
	return t
}

// factor is how much longer a rank takes this time, 1 on average: lognormal, since nothing is done before it begins.
func (s *simulation) factor() float64 {
	if s.Jitter == 0 {
		return 1
	}
	s.drawn++
	return math.Exp(s.Jitter*float64(s.key.Normal(s.drawn)) - s.Jitter*s.Jitter/2)
}

func last(clock []float64) (latest float64) {
	for _, at := range clock {
		latest = max(latest, at)
	}
	return latest
}
