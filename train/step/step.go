package step

import (
	"math"
	"time"

	"jem/model"
	"jem/sampler"
)

// Take takes one training step (Grathwohl et al. 2020, algorithm 1):
//
//  1. take data (x⁺, and (x,y) of the labelled stream),
//  2. draw chains from the replay buffer, move them K SGLD steps: x⁻, put them back,
//  3. logits of everything, the loss, the gradient at the logits, parameter gradients,
//  4. stop here if anything diverged: the weights are still those of the last step, and a
//     checkpoint has the chains of then, too,
//  5. move the weights.
//
// What may is the guard's to say, which sees loss and gradient norm and may be nil; chains
// that left the space of images are a *StrayedError.
func (s *Step) Take(at At, guard func(*Record) error) (Record, error) {
	r := Record{Step: at.Step + 1, Epoch: s.epoch(at.Step), Images: int64(at.Step+1) * int64(s.cfg.Train.Batch)}
	clock := time.Now()
	if err := s.Load(at); err != nil {
		return r, err
	}
	r.DataSeconds = lap(&clock)
	if err := s.Sample(at); err != nil {
		return r, err
	}
	r.SampleSeconds = lap(&clock)
	if err := s.Differentiate(at, &r); err != nil {
		return r, err
	}
	if guard != nil {
		if err := guard(&r); err != nil {
			return r, err
		}
	}
	r.GradientSeconds = lap(&clock)
	if err := s.Update(at, &r); err != nil {
		return r, err
	}
	r.UpdateSeconds = lap(&clock)
	return r, nil
}

// Sample turns the chain parts of the batch into samples x⁻ of the present model.
func (s *Step) Sample(at At) error {
	for which, role := range [...]model.Role{model.ChainPX, model.ChainXY} {
		if i := s.Batch.Part(role); i >= 0 {
			s.chain(i, at, which)
		}
	}
	if err := s.dev.Sync(); err != nil {
		return err
	}
	return s.inspect()
}

// chain draws, moves and puts back the chains of part i; which numbers them within the step.
func (s *Step) chain(i int, at At, which int) {
	x := s.Batch.Views[i].X
	s.Buffer.Draw(x, s.given(i), at.draw(), which)
	if s.moves[which] == nil {
		s.moves[which] = sampler.NewChains(s.dev, s.sgld, x, s.Batch.Views[i].Grad, func(int) sampler.Target { return s.density(i) })
	}
	steps := s.sgld.Steps + s.cfg.Guard.ExtraSteps*int(at.Reseed)
	s.moves[which].Move(s.Batch.Parts[i].N, 0, steps, s.keys.chain.At(at.draw(), which*steps))
	s.Buffer.Put(x)
}

// Differentiate computes the loss, the parameter gradients and their norm, in which a
// non-finite element anywhere shows.
func (s *Step) Differentiate(at At, r *Record) error {
	s.dev.Fill(s.Net.Params.Grad, 0)
	if err := s.passes(at); err != nil {
		return err
	}
	r.Terms = s.objective.Terms(s.Batch.Parts, s.Batch.Logits, s.Batch.hostLabels)
	s.dev.SumSquares(s.sumSquares, s.Net.Params.Grad)
	var squares [1]float32
	err := s.dev.Download(squares[:], s.sumSquares)
	r.GradNorm = math.Sqrt(float64(squares[0]))
	return err
}

// RateOf is the learning rate of a step in a run of so many, before what rollbacks do to it.
func (s *Step) RateOf(step, total int) float32 {
	schedule := s.cfg.Schedule(total)
	return schedule.At(step, s.epoch(step))
}

// Update moves the weights and their moving average.
func (s *Step) Update(at At, r *Record) error {
	r.LR = s.schedule.At(at.Step, s.epoch(at.Step)) * float32(math.Pow(float64(s.cfg.Guard.LRFactor), float64(at.Reseed)))
	scale := float32(1)
	if c := float64(s.cfg.Optim.ClipNorm); c > 0 && r.GradNorm > c {
		scale = float32(c / r.GradNorm)
	}
	s.Optimizer.Step(r.LR, scale, at.Step)
	if s.EMA != nil {
		s.EMA.Update(at.Step)
	}
	return s.dev.Sync()
}
