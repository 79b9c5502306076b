package step

import (
	"jem/model"
	"jem/sampler"
)

// At says which step is taken.
type At struct {
	Step   int    // steps taken before it
	Reseed uint64 // rollbacks before it: each has random numbers of its own
}

// draw is the step under which random numbers are drawn and data are taken: after a rollback
// one that no run comes to, so that everything random is new and still a function of the
// step.
func (a At) draw() int { return a.Step + int(a.Reseed)<<reseedShift }

// reseedShift leaves 2²⁴ steps to each of 2⁸ reseeds: keys have 32 bits for the step.
const reseedShift = 24

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

// conditional reports whether the chains of part i belong to classes.
func (s *Step) conditional(i int) bool {
	return s.Batch.Parts[i].Role&model.ChainXY != 0 || s.cfg.Objective.ClassCond
}

// given are the classes of the chains of part i; nil where they belong to none.
func (s *Step) given(i int) []int32 {
	if !s.conditional(i) {
		return nil
	}
	return s.Batch.host(i)
}

// density is what the chains of part i climb.
func (s *Step) density(i int) sampler.Target {
	if s.conditional(i) {
		return model.Given{JEM: s.JEM, Labels: s.Batch.Views[i].Labels}
	}
	return s.JEM
}
