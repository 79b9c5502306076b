package step

import (
	"jem/backend"
	"jem/backend/philox"
	"jem/config"
	"jem/model"
	"jem/sampler"
)

// mover makes a part's images of the present model.
type mover struct {
	chains *sampler.Chains // made when first asked for
	centre backend.Tensor  // of the ball; nil without one
}

// move moves the images of part i so many steps, with noise of the sub-streams from sub on.
func (s *Step) move(i int, m sampler.Move, steps int, at At, sub int) {
	v := &s.Batch.Views[i]
	if v.mover.chains == nil {
		v.mover.chains = sampler.NewChains(s.dev, m, v.X, v.Grad, func(int) sampler.Target { return s.density(i) })
	}
	key := s.keys.chain
	if s.Batch.Parts[i].Role&(model.ChainPX|model.ChainXY) == 0 {
		key = s.keys.moves
	}
	v.mover.chains.Use(m)
	v.mover.chains.Move(v.X.Shape()[0], 0, steps, v.numbers(key.At(at.draw(), sub)))
}

// numbers is a key whose numbers are those of this rank's images, among the images of all.
func (v *View) numbers(key philox.Key) philox.Key {
	return key.From(v.lo * backend.Len(v.X) / v.X.Shape()[0])
}

// chain draws the chains of part i from the replay buffer, moves and puts them back, those of all ranks;
// which numbers them within the step.
func (s *Step) chain(i int, at At, which int) error {
	x := s.Batch.Views[i].X
	s.Buffer.Draw(x, s.Batch.Views[i].lo, s.given(i), at.draw(), which)
	sgld := s.now.SGLD()
	steps := sgld.Steps + s.cfg.Guard.ExtraSteps*int(at.Reseed)
	s.move(i, sgld, steps, at, which*steps)
	x, err := s.everyones(x)
	if err == nil {
		s.Buffer.Put(x)
	}
	return err
}

// negative makes the images of part i, whose stream's images are there already.
func (s *Step) negative(i int, n config.Negative, at At) {
	role := s.Batch.Parts[i].Role
	s.begin(i, n, at)
	s.move(i, s.moveOf(i, n, at), s.stepsOf(role, n), at, int(role)<<subShift)
}

// subShift leaves so many bits of a key's sub-streams to the moves of one part.
const subShift = 24

// begin puts the images that no stream gives in their places.
func (s *Step) begin(i int, n config.Negative, at At) {
	v, role := &s.Batch.Views[i], int(s.Batch.Parts[i].Role)
	key := s.keys.starts.At(at.draw(), role<<subShift)
	share := n.Gaussians
	switch n.Start {
	case "uniform":
		s.dev.Uniform(v.X, v.numbers(key), -1, 1)
	case "gaussian":
		share = 1
	}
	if share == 0 {
		return
	}
	var rows []int
	var classes []int32
	for j, y := range s.Batch.host(i) {
		if share == 1 || s.keys.starts.At(at.draw(), role<<subShift+1).Uniform(uint64(j)) < share {
			rows, classes = append(rows, j), append(classes, y)
		}
	}
	scratch := make([]float32, len(rows)*backend.Len(v.X)/v.X.Shape()[0])
	sampler.Fresh{Start: s.src.Gaussian, Rows: rows, Classes: classes, Key: key}.Place(s.dev, v.X, v.lo, scratch)
}

// moveOf is how the images of part i move. Those of a ball are put where they begin in it.
func (s *Step) moveOf(i int, n config.Negative, at At) sampler.Move {
	v := &s.Batch.Views[i]
	ball, within := n.Ball()
	if !within {
		return n.Mover()
	}
	s.dev.Copy(v.mover.centre, v.X)
	m := sampler.Within{Move: n.Mover(), Centre: v.mover.centre, Ball: ball}
	if n.Scatter {
		m.Scatter(s.dev, v.X, v.Grad, v.numbers(s.keys.starts.At(at.draw(), int(s.Batch.Parts[i].Role)<<subShift+2)))
	}
	return m
}

// stepsOf is the number of moves of a negative: where it is reached by a curriculum, that.
func (s *Step) stepsOf(role model.Role, n config.Negative) int {
	if c := s.curricula[role]; c != nil {
		return c.Steps
	}
	return n.Steps
}

// density is what the images of part i climb.
func (s *Step) density(i int) sampler.Target {
	role, labels := s.Batch.Parts[i].Role, s.Batch.Views[i].Labels
	if role&(model.ChainPX|model.ChainXY) != 0 {
		if s.given(i) != nil {
			return model.Given{JEM: s.jem(s.cfg.Sampler.BatchStats), Labels: labels, Climb: model.ClimbLogit}
		}
		return s.jem(s.cfg.Sampler.BatchStats)
	}
	ever := s.cfg.Ever() // a term may have no weight in the beginning
	n := ever.Negatives()[role]
	return model.Given{JEM: s.jem(n.BatchStats), Labels: labels, Climb: n.Ascends()}
}

// jem is the model whose batch norms use the batch's own statistics, or the running ones.
func (s *Step) jem(batchStats bool) *model.JEM {
	if batchStats {
		return s.coupled
	}
	return s.JEM
}
