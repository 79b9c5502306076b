package step

import (
	"jem/backend"
	"jem/backend/philox"
	"jem/model"
)

// Load uploads the step's data and labels.
func (s *Step) Load(at At) error {
	b := s.Batch
	for i, p := range b.Parts {
		if p.Role&(model.DataPX|model.Labeled) == 0 {
			continue
		}
		stream := s.src.PX
		if p.Role&model.Labeled != 0 {
			stream = s.src.Labeled
		}
		images, labels, err := stream.Batch(at.draw())
		if err != nil {
			return err
		}
		s.dev.Upload(b.Views[i].X, images)
		copy(b.host(i), labels)
	}
	s.label(at)
	s.dev.UploadIndex(b.labels, b.hostLabels)
	return nil
}

// label chooses the labels that chains climb to: those of the labelled batch for
// log p(x,y), uniform ones for class-conditional samples of log p(x).
func (s *Step) label(at At) {
	b := s.Batch
	if i := b.Part(model.ChainXY); i >= 0 {
		copy(b.host(i), b.host(b.Part(model.Labeled)))
	}
	if i := b.Part(model.ChainPX); i >= 0 && s.cfg.Objective.ClassCond {
		key := s.keys.labels.At(at.draw(), 0)
		for j := range b.host(i) {
			b.host(i)[j] = int32(key.IntN(uint64(j), s.Net.Config.Classes))
		}
	}
}

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

// Forward repeats the forward pass of a step whose norm couples no samples, so that its activations stay:
// those of the step itself are gone with its pass.
func (s *Step) Forward(at At) {
	s.Net.Forward(s.Batch.x, model.Mode{Train: true, Norm: backend.MovingStats, DropKey: s.dropKey(at, 0)})
}

// pass runs one part forward and backward and brings its logits to the host.
func (s *Step) pass(v View, logits []float32, drop philox.Key) error {
	var l backend.Tensor
	backend.Pass(s.dev, func() {
		l = s.Net.Forward(v.X, model.Mode{Train: true, Norm: backend.MovingStats, DropKey: drop})
		s.dev.LogitGrad(v.DLogit, l, v.Labels, v.Coef)
		s.Net.ParamGrad(v.DLogit)
	})
	return s.dev.Download(logits, l)
}

// dropKey separates the dropout masks of a step's passes; a network has fewer than 256 blocks.
func (s *Step) dropKey(at At, pass int) philox.Key { return s.keys.drop.At(at.draw(), pass<<8) }
