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

// gradient computes the parameter gradients of all parts and their norm, in which a non-finite
// element anywhere shows.
func (s *Step) gradient(at At, norms backend.NormMode) (norm float64, err error) {
	s.dev.Fill(s.Net.Params.Grad, 0)
	if err := s.passes(at, norms); err != nil {
		return 0, err
	}
	s.dev.SumSquares(s.scalar, s.Net.Params.Grad)
	return s.root()
}

// root downloads the scalar and takes its square root.
func (s *Step) root() (float64, error) {
	var v [1]float32
	err := s.dev.Download(v[:], s.scalar)
	return math.Sqrt(float64(v[0])), err
}

// passes accumulates the parameter gradients of all parts, which go through the network
// together unless its norm would couple them.
func (s *Step) passes(at At, norms backend.NormMode) error {
	b := s.Batch
	if !s.Net.Config.Coupled() || norms == backend.RunningStats {
		return s.pass(View{X: b.x, Labels: b.labels, Coef: b.coef, DLogit: b.DLogit}, b.Logits, s.mode(at, 0, norms))
	}
	k := s.Net.Config.Classes
	for i, v := range b.Views {
		lo := b.first(i)
		if err := s.pass(v, b.Logits[lo*k:(lo+b.Parts[i].N)*k], s.mode(at, i, norms)); err != nil {
			return err
		}
	}
	return nil
}

// Forward repeats the forward pass of a step whose norm couples no samples, so that its activations stay:
// those of the step itself are gone with its pass.
func (s *Step) Forward(at At) { s.Net.Forward(s.Batch.x, s.mode(at, 0, s.norms())) }

// pass runs one part forward and backward and brings its logits to the host.
func (s *Step) pass(v View, logits []float32, m model.Mode) error {
	var l backend.Tensor
	backend.Pass(s.dev, func() {
		l = s.Net.Forward(v.X, m)
		s.dev.LogitGrad(v.DLogit, l, v.Labels, v.Coef)
		s.Net.ParamGrad(v.DLogit)
	})
	return s.dev.Download(logits, l)
}

// mode is that of a training pass.
func (s *Step) mode(at At, pass int, norms backend.NormMode) model.Mode {
	return model.Mode{Train: true, Norm: norms, DropKey: s.dropKey(at, pass)}
}

// dropKey separates the dropout masks of a step's passes; a network has fewer than 256 blocks.
func (s *Step) dropKey(at At, pass int) philox.Key { return s.keys.drop.At(at.draw(), pass<<8) }
