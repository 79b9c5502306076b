package step

import (
	"jem/backend/philox"
	"jem/model"
)

// passes accumulates the parameter gradients of all parts, which go through the network
// together unless its norm would couple them.
func (s *Step) passes(at At) error {
	b := s.Batch
	if !s.Net.Config.Coupled() {
		return s.pass(View{X: b.x, Labels: b.labels, Coef: b.coef, DLogit: b.DLogit}, b.Logits, s.dropKey(at, 0))
	}
	done := 0
	for i, v := range b.Views {
		n := b.Parts[i].N * s.Net.Config.Classes
		if err := s.pass(v, b.Logits[done:done+n], s.dropKey(at, i)); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// pass runs one part forward and backward and brings its logits to the host.
func (s *Step) pass(v View, logits []float32, drop philox.Key) error {
	l := s.Net.Forward(v.X, model.Mode{Train: true, DropKey: drop})
	s.dev.LogitGrad(v.DLogit, l, v.Labels, v.Coef)
	s.Net.ParamGrad(v.DLogit)
	return s.dev.Download(logits, l)
}

// dropKey separates the dropout masks of a step's passes; a network has fewer than 256 blocks.
func (s *Step) dropKey(at At, pass int) philox.Key { return s.keys.drop.At(at.draw(), pass<<8) }
