package step

import (
	"time"

	"jem/backend"
	"jem/comm"
)

// ranks are those that take a step together, and the time that one has waited for others.
type ranks struct {
	comm.Comm
	waited time.Duration // in this step
}

// crowd is so many ranks on paper, of which this is the first.
type crowd struct {
	comm.Local
	size int
}

// Size implements comm.Comm.
func (c crowd) Size() int { return c.size }

// begin says which step is taken.
func (r *ranks) begin(step int) {
	r.waited = 0
	r.At(step)
}

// alone reports whether there are no others.
func (r *ranks) alone() bool { return r.Size() == 1 }

// wait waits for an operation under way.
func (r *ranks) wait(p comm.Pending) error {
	begun := time.Now()
	err := p.Wait()
	r.waited += time.Since(begun)
	return err
}

// gather gives all ranks each one's record, all of one length, in the order of ranks.
func (r *ranks) gather(own []float32) (all []float32, err error) {
	all = make([]float32, r.Size()*len(own))
	copy(all[r.Rank()*len(own):], own)
	return all, r.wait(r.Gather(all))
}

// share takes what several ranks need besides: memory to add up gradients in, and for the chains of all.
func (s *Step) share() {
	s.sum = newSummation(s)
	if shape := s.buffered(); shape != nil {
		s.gathered = s.dev.New(backend.Dense, s.cfg.Train.Batch, shape[1])
	}
}

// shareLabels gives every rank the labels that streams gave to the others: which slots of the replay buffer
// the chains of all ranks come from depends on them, so they can't wait for the logits.
func (s *Step) shareLabels() error {
	b := s.Batch
	if s.ranks.alone() {
		return nil
	}
	var own []float32
	b.runs(b.rank, func(from, _, n int) {
		for _, y := range b.hostLabels[from : from+n] {
			own = append(own, float32(y)) // exact below 2²⁴ classes
		}
	})
	all, err := s.ranks.gather(own)
	if err != nil {
		return err
	}
	for rank := range b.ranks {
		b.runs(rank, func(to, from, n int) {
			for i, y := range all[rank*len(own)+from:][:n] {
				b.hostLabels[to+i] = int32(y)
			}
		})
	}
	return nil
}

// everyones are the images of all ranks where these are this one's.
func (s *Step) everyones(x backend.Tensor) (backend.Tensor, error) {
	if s.ranks.alone() {
		return x, nil
	}
	all := s.onHost(s.gathered)
	lo, hi := comm.Share(len(all), s.ranks.Size(), s.ranks.Rank())
	if err := s.dev.Download(all[lo:hi], x); err != nil {
		return nil, err
	}
	if err := s.ranks.wait(s.ranks.Gather(all)); err != nil {
		return nil, err
	}
	s.dev.Upload(s.gathered, all)
	return s.gathered, nil
}

// countBits are those of a count that one float32 takes in a record: two of them hold any.
const countBits = 20

// addUp makes each tally that of the images of all ranks.
func (r *ranks) addUp(tallies []tally) error {
	if r.alone() || len(tallies) == 0 {
		return nil
	}
	var own []float32
	for _, t := range tallies {
		own = append(own, float32(t.outside>>countBits), float32(t.outside&(1<<countBits-1)), t.largest, t.bad)
	}
	all, err := r.gather(own)
	if err != nil {
		return err
	}
	for i := range tallies {
		total, pixels := tally{}, tallies[i].pixels
		for v := all[4*i:]; len(v) >= 4; v = v[min(len(own), len(v)):] {
			total.add(tally{pixels, int(v[0])<<countBits + int(v[1]), v[2], v[3]})
		}
		tallies[i] = total
	}
	return nil
}

// meet ends the passes of a step on all ranks: all get the sum of the gradients, the mean of the running statistics if
// they moved, everyone's logits, and whether one wants to stop.
func (s *Step) meet(at At, moved bool) (stop bool, err error) {
	if s.ranks.alone() {
		return at.Stop, nil
	}
	stats, err := s.meanStats(moved)
	if err != nil {
		return false, err
	}
	b := s.Batch
	k, own := s.Net.Config.Classes, append(b.own[:len(b.own):len(b.own)], 0)
	if at.Stop {
		own[len(own)-1] = 1
	}
	if err := s.sum.end(); err != nil {
		return false, err
	}
	if err := stats(); err != nil {
		return false, err
	}
	all, err := s.ranks.gather(own)
	for rank := range b.ranks {
		of := all[rank*len(own):][:len(own)]
		b.runs(rank, func(to, from, n int) { copy(b.Logits[to*k:(to+n)*k], of[from*k:]) })
		stop = stop || of[len(of)-1] != 0
	}
	return stop, err
}

// meanStats begins to replace batch norms' running statistics, where they moved, each rank's towards those of its
// share, by their mean over ranks: so all ranks have the same. The function that it returns ends it.
func (s *Step) meanStats(moved bool) (end func() error, err error) {
	var all []float32
	if moved {
		for _, v := range s.Net.Stats {
			lo := len(all)
			all = append(all, make([]float32, backend.Len(v.Value))...)
			if err := s.dev.Download(all[lo:], v.Value); err != nil {
				return nil, err
			}
		}
	}
	if len(all) == 0 {
		return func() error { return nil }, nil
	}
	under := s.ranks.Sum(all)
	return func() error {
		if err := s.ranks.wait(under); err != nil {
			return err
		}
		for i := range all {
			all[i] /= float32(s.ranks.Size())
		}
		for _, v := range s.Net.Stats {
			n := backend.Len(v.Value)
			s.dev.Upload(v.Value, all[:n])
			all = all[n:]
		}
		return nil
	}, nil
}
