package jem

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"jem/predict"
)

// Choices of a class to draw besides the classes' numbers.
const (
	AnyClass  = predict.AnyClass  // images of no class in particular, by p(x)
	EachClass = predict.EachClass // image i of class i mod K
)

// Sample is an image that the model drew.
type Sample struct {
	Pixels []float32 // (C,H,W), in [−1,1]
	Score            // what the model sees in it, without approximate mass

	channels, height, width int
}

// DrawOption says how images are drawn.
type DrawOption func(*predict.SampleOptions)

// Steps takes so many SGLD steps; without it as many as in training, or as the run's recipe takes for fresh chains.
func Steps(n int) DrawOption { return func(o *predict.SampleOptions) { o.Steps = n } }

// Seed is that of noise and starts, 1 without it: the same seed draws the same images.
func Seed(s uint64) DrawOption { return func(o *predict.SampleOptions) { o.Seed = s } }

// Fresh begins chains anew, where AnyClass would go on with those of the run's replay buffer.
func Fresh() DrawOption { return func(o *predict.SampleOptions) { o.Fresh = true } }

// Draw draws n images by SGLD, with the run's step size and noise: of the class with this number, which is given, or of AnyClass
// or EachClass. AnyClass goes on with the chains of the replay buffer, where the model has one and Fresh isn't asked for; the
// others begin anew. They are not picked out, and come in the order of their chains.
func (m *Model) Draw(ctx context.Context, class, n int, options ...DrawOption) ([]Sample, error) {
	if k := len(m.p.Classes); class >= k || class < EachClass {
		return nil, fmt.Errorf("class %d: want 0 to %d, AnyClass or EachClass", class, k-1)
	}
	if n < 1 {
		return nil, fmt.Errorf("%d images to draw: want at least 1", n)
	}
	choose := func(fresh bool) predict.SampleOptions {
		o := m.p.Sampling(fresh)
		o.N, o.Class, o.Seed = n, class, 1
		for _, set := range options {
			set(&o)
		}
		return o
	}
	o := choose(class != AnyClass || m.p.BufferSize() == 0)
	if o.Fresh {
		o = choose(true)
	}
	if o.Steps < 0 {
		return nil, fmt.Errorf("%d SGLD steps: want at least 0", o.Steps)
	}
	if err := m.p.Keep(n); err != nil {
		return nil, err
	}
	var all []Sample
	err := m.use(ctx, func() error {
		return m.p.Draw(ctx, o, func(images, logits []float32) error {
			all = append(all, m.samples(images, logits)...)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// samples are a batch's images (n,C,H,W) with what the logits (n,K) say of them.
func (m *Model) samples(images, logits []float32) (all []Sample) {
	c, h, w := m.Shape()
	k := len(m.p.Classes)
	for ; len(logits) > 0; images, logits = images[c*h*w:], logits[k:] {
		all = append(all, Sample{slices.Clone(images[:c*h*w]), m.scoreOf(logits[:k]), c, h, w})
	}
	return all
}

// Image is the sample as a picture; of channels that are neither one (grey) nor three, the first.
func (s Sample) Image() image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, s.width, s.height))
	plane := s.height * s.width
	at := func(c, i int) uint8 {
		if s.channels != 3 {
			c = 0
		}
		v := float64(s.Pixels[c*plane+i])
		return uint8(math.Round((max(-1, min(1, v)) + 1) / 2 * 255))
	}
	for i := range plane {
		img.SetNRGBA(i%s.width, i/s.width, color.NRGBA{at(0, i), at(1, i), at(2, i), 0xff})
	}
	return img
}
