package step

import (
	"context"

	"jem/backend"
	"jem/model"
	"jem/predict"
	"jem/sampler"
)

// Draw writes images (n,C,H,W) that the model makes where there is no replay buffer: class i mod K of
// image lo+i, moved from the run's start as config.Generation says. It is a function of the weights and
// of lo. It ends early when ctx does.
func (s *Step) Draw(ctx context.Context, images []float32, lo int) error {
	net, g, classes := s.Net.Config, s.cfg.Generation(), s.Starts(images, lo)
	n := len(classes)
	x, grad := s.dev.New(backend.Image, n, net.InC, net.Size, net.Size), s.dev.New(backend.Image, n, net.InC, net.Size, net.Size)
	labels := s.dev.New(backend.Index, n)
	defer s.dev.Free(x, grad, labels)
	s.dev.Upload(x, images)
	s.dev.UploadIndex(labels, classes)
	towards := model.Given{JEM: s.jem(g.BatchStats), Labels: labels, Climb: model.ClimbLogit}
	chains := sampler.NewChains(s.dev, g.Move, x, grad, func(int) sampler.Target { return towards })
	defer chains.Close()
	err := predict.Pace(ctx, s.dev, 0, g.Steps, func(first, steps int) { chains.Move(n, first, steps, s.keys.shown.At(lo, 1)) })
	if err != nil {
		return err
	}
	return s.dev.Download(images, x)
}

// Starts writes what the images of Draw begin as, and returns their classes.
func (s *Step) Starts(images []float32, lo int) []int32 {
	net := s.Net.Config
	classes := make([]int32, len(images)/(net.InC*net.Size*net.Size))
	for i := range classes {
		classes[i] = int32((lo + i) % net.Classes)
	}
	s.src.Start.Fill(images, classes, s.keys.shown.At(lo, 0))
	return classes
}

// Shows reports whether the run has samples to show: chains, or images that Draw makes.
func (s *Step) Shows() bool { return s.Buffer != nil || s.cfg.Generation().ByClass }
