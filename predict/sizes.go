package predict

import (
	"fmt"
	"math"

	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/model"
	"jem/predict/weights"
)

// sizes are what a checkpoint's tensors say about its network.
type sizes struct {
	classes, channels, side int
	inputs                  int // of a perceptron's first layer; 0: none
	buffer                  []float32
}

func shapes(c *checkpoint.Checkpoint) (s sizes, err error) {
	s.side = 32
	pixels := 0
	for file, tensors := range c.Files {
		for _, t := range tensors {
			switch {
			case file == "model" && t.Name == "class_output.weight" && len(t.Shape) == 2:
				s.classes = t.Shape[0]
			case file == "model" && t.Name == "f.conv1.weight" && len(t.Shape) == 4:
				s.channels = t.Shape[1]
			case file == "model" && t.Name == model.HiddenLayers+"0.weight" && len(t.Shape) == 2:
				s.inputs = t.Shape[1]
			case t.Name == BufferTensor && len(t.Shape) == 2:
				s.buffer, pixels = t.F32, t.Shape[1]
			}
		}
	}
	if s.inputs > 0 {
		s.channels, s.side = weights.Images(s.inputs)
	}
	if s.classes == 0 || s.channels == 0 {
		return s, &fault.Error{Path: c.Path, Kind: fault.ErrBad, Reason: "model.safetensors holds no network of this program"}
	}
	if s.inputs > 0 && pixels > 0 && pixels != s.inputs {
		return s, misfit(c, "buffer.rank000", fmt.Sprintf("%d numbers are no image of the network's %d", pixels, s.inputs))
	}
	if s.inputs == 0 && pixels > 0 {
		s.side = int(math.Round(math.Sqrt(float64(pixels / s.channels))))
		if s.side*s.side*s.channels != pixels {
			return s, misfit(c, "buffer.rank000", fmt.Sprintf("%d numbers are no square image of %d channels", pixels, s.channels))
		}
	}
	return s, nil
}

// fits reports whether images of so many channels and pixels a side may be the network's: those of its replay
// buffer are; where there is none nothing speaks against it. A perceptron takes those with as many numbers.
func (s *sizes) fits(channels, side int) bool {
	if s.inputs > 0 {
		return channels*side*side == s.inputs
	}
	return channels == s.channels && (len(s.buffer) == 0 || side == s.side)
}
