package step

import (
	"math"
	"time"

	"jem/model"
)

// Take takes one training step (Grathwohl et al. 2020, algorithm 1, of which its successors vary
// each part):
//
//  1. take images of the streams: data x⁺, labelled (x,y), outliers,
//  2. make the negatives: chains are drawn from the replay buffer, moved K SGLD steps, put back;
//     attacked images and dreams move from those of a stream,
//  3. logits of everything, the loss, the gradient at the logits, parameter gradients,
//  4. where asked for, the same gradients at the worst weights nearby instead,
//  5. stop here if anything diverged: the weights are still those of the last step, and a
//     checkpoint has the chains of then, too,
//  6. move the weights.
//
// What may is the guard's to say, which sees loss and gradient norm and may be nil; chains
// that left the space of images are a *StrayedError.
//
// Several ranks take the step together, each with its share of every part, and come to the same numbers: labels,
// moved chains, logits and the ranks' wish to stop are gathered, parameter gradients added up, so that what follows from
// them, the guard's verdict included, is each rank's own to compute. A *comm.PeerError says that others are gone.
func (s *Step) Take(at At, guard func(*Record) error) (r Record, err error) {
	r = Record{Step: at.Step + 1, Epoch: s.epoch(at.Step), Images: int64(at.Step+1) * int64(s.cfg.Train.Batch)}
	s.ranks.begin(at.Step)
	defer func() { r.ExchangeSeconds = s.ranks.waited.Seconds() }()
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
	if err := s.Sharpen(at, &r); err != nil {
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

// Sample makes the negatives of the batch, samples x⁻ of the present model.
func (s *Step) Sample(at At) error {
	negatives, chains := s.now.Negatives(), 0
	for i, p := range s.Batch.Parts {
		switch {
		case p.Role&(model.ChainPX|model.ChainXY) != 0:
			if err := s.chain(i, at, chains); err != nil {
				return err
			}
			chains++
		case p.Role&moving != 0:
			s.negative(i, negatives[p.Role], at)
		}
	}
	if err := s.dev.Sync(); err != nil {
		return err
	}
	return s.inspect()
}

// Differentiate computes the loss, the parameter gradients and their norm.
func (s *Step) Differentiate(at At, r *Record) (err error) {
	if r.GradNorm, r.Stop, err = s.gradient(at, s.norms()); err != nil {
		return err
	}
	r.Terms = s.loss()
	r.AUC, r.Moves = s.observe()
	return nil
}

// RateOf is the learning rate of a step in a run of so many, before what rollbacks do to it.
func (s *Step) RateOf(step, total int) float32 {
	c := s.cfg.At(step, total)
	return c.Schedule(total).At(step, s.epoch(step))
}

// Update moves the weights, their moving average and the curricula.
func (s *Step) Update(at At, r *Record) error {
	r.LR = s.RateOf(at.Step, s.TotalSteps()) * float32(math.Pow(float64(s.cfg.Guard.LRFactor), float64(at.Reseed)))
	scale := float32(1)
	if c := float64(s.cfg.Optim.ClipNorm); c > 0 && r.GradNorm > c {
		scale = float32(c / r.GradNorm)
	}
	s.Optimizer.Step(r.LR, scale, at.Step)
	if s.EMA != nil {
		s.EMA.Update(at.Step)
	}
	s.advance(r.AUC)
	return s.dev.Sync()
}
