package step

import (
	"math"

	"jem/backend"
	"jem/backend/philox"
	"jem/model"
)

// norms says which statistics batch norms use in the training passes.
func (s *Step) norms() backend.NormMode {
	if s.cfg.Train.FrozenStats {
		return backend.RunningStats
	}
	return backend.MovingStats
}

// gradient computes the parameter gradients of all parts, of all ranks, and their norm, in which a non-finite
// element anywhere shows. It says whether a rank wants to stop.
func (s *Step) gradient(at At, norms backend.NormMode) (norm float64, stop bool, err error) {
	s.dev.Fill(s.Net.Params.Grad, 0)
	settled := s.sum.begin()
	if err := s.passes(at, norms, settled); err != nil {
		return 0, false, err
	}
	if stop, err = s.meet(at, norms == backend.MovingStats); err != nil {
		return 0, false, err
	}
	s.dev.SumSquares(s.scalar, s.Net.Params.Grad)
	norm, err = s.root()
	return norm, stop, err
}

// root downloads the scalar and takes its square root.
func (s *Step) root() (float64, error) {
	var v [1]float32
	err := s.dev.Download(v[:], s.scalar)
	return math.Sqrt(float64(v[0])), err
}

// passes accumulates the parameter gradients of all parts, which go through the network
// together unless its norm would couple them. settled, which may be nil, is told how far they are, see
// model.Network's ParamGrad.
func (s *Step) passes(at At, norms backend.NormMode, settled func(from int)) error {
	b := s.Batch
	if !s.Net.Config.Coupled() || norms == backend.RunningStats {
		return s.pass(View{X: b.x, Labels: b.labels, Coef: b.coef, DLogit: b.DLogit}, b.own, s.mode(at, 0, norms), settled)
	}
	logits := b.own
	for i, v := range b.Views {
		var told func(from int)
		if i == len(b.Views)-1 {
			told = settled // only now all parts have been added
		}
		n := backend.Len(v.DLogit)
		if err := s.pass(v, logits[:n], s.mode(at, i, norms), told); err != nil {
			return err
		}
		logits = logits[n:]
	}
	return nil
}

// Forward repeats the forward pass of a step whose norm couples no samples, so that its activations stay:
// those of the step itself are gone with its pass.
func (s *Step) Forward(at At) { s.Net.Forward(s.Batch.x, s.mode(at, 0, s.norms())) }

// pass runs one part forward and backward and brings its logits to the host.
func (s *Step) pass(v View, logits []float32, m model.Mode, settled func(from int)) error {
	var l backend.Tensor
	backend.Pass(s.dev, func() {
		l = s.Net.Forward(v.X, m)
		s.dev.LogitGrad(v.DLogit, l, v.Labels, v.Coef)
		s.Net.ParamGrad(v.DLogit, settled)
	})
	return s.dev.Download(logits, l)
}

// mode is that of a training pass.
func (s *Step) mode(at At, pass int, norms backend.NormMode) model.Mode {
	return model.Mode{Train: true, Norm: norms, DropKey: s.dropKey(at, pass)}
}

// dropKey separates the dropout masks of a step's passes; a network has fewer than 256 blocks.
func (s *Step) dropKey(at At, pass int) philox.Key { return s.keys.drop.At(at.draw(), pass<<8) }
