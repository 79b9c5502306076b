package scaling

import (
	"errors"
	"slices"
	"strings"

	"jem/backend"
	"jem/backend/trace"
	"jem/comm"
	"jem/config"
	"jem/feed"
	"jem/train/step"
)

// Work is what a training step asks of one rank that has so many images of each part. FLOPs are
// those of convolutions, counted as direct, two a multiply-add.
type Work struct {
	Images   int     // of each part of the batch, on this rank
	Sample   float64 // FLOPs of making the negatives
	Forward  float64 // FLOPs of the pass that the loss is of
	Backward []Piece // of the gradient, in the order of computing

	Chains int // bytes of an image that moves, times Images, all parts together
	Logits int // bytes of logits and labels, likewise
}

// Piece is a part of the backward pass, with the bytes of parameter gradients that it completes.
type Piece struct {
	FLOPs float64
	Bytes int
}

// FLOPs are those of the whole step.
func (w Work) FLOPs() float64 {
	sum := w.Sample + w.Forward
	for _, p := range w.Backward {
		sum += p.FLOPs
	}
	return sum
}

// Gradient is the size of the parameter gradient in bytes.
func (w Work) Gradient() (bytes int) {
	for _, p := range w.Backward {
		bytes += p.Bytes
	}
	return bytes
}

// Count lets a rank of a configuration, whose batch is its share, take a step on a device that
// counts. SAM's second gradient is not counted.
func Count(c config.Config, channels, size, classes int) (Work, error) {
	c.Sampler.Buffer = max(c.Train.Batch, 10*classes) // to fill a large one takes longer than to count
	dev := trace.New()
	s, err := step.New(dev, c, feed.Noise(c.Train.Batch, c.Train.Labeled(), channels, size, classes), comm.Local{})
	if err != nil {
		return Work{}, err
	}
	dev.Forget()
	if _, err := s.Take(step.At{}, nil); err != nil {
		return Work{}, err
	}
	w := Work{Images: c.Train.Batch}
	for i, p := range s.Batch.Parts {
		w.Logits += 4 * p.N * (classes + 1)
		if s.Batch.Views[i].Grad != nil {
			w.Chains += 4 * backend.Len(s.Batch.Views[i].X)
		}
	}
	return w, w.divide(dev.Calls())
}

// divide tells the calls of a step apart: those before the images have made their last move, the pass, and
// what follows its loss.
func (w *Work) divide(calls []trace.Call) error {
	gradient := slices.IndexFunc(calls, func(c trace.Call) bool { return writesGradient(c) })
	if gradient < 0 {
		return errors.New("scaling: the step computes no parameter gradient")
	}
	moved := 0
	for i, c := range calls[:gradient] {
		if moves(c) {
			moved = i + 1
		}
	}
	for _, c := range calls[:moved] {
		w.Sample += c.FLOPs()
	}
	for _, c := range calls[moved:gradient] {
		w.Forward += c.FLOPs()
	}
	for _, c := range calls[gradient:] {
		p := Piece{FLOPs: c.FLOPs()}
		if writesGradient(c) {
			for _, t := range c.Writes {
				p.Bytes += 4 * backend.Len(t)
			}
		}
		if p != (Piece{}) {
			w.Backward = append(w.Backward, p)
		}
	}
	return nil
}

func writesGradient(c trace.Call) bool { return strings.HasSuffix(c.Op, "ParamGrad") }

// moves reports whether a call moves images.
func moves(c trace.Call) bool {
	return slices.Contains([]string{"SGLDStep", "SignStep", "UnitStep", "Project"}, c.Op)
}
