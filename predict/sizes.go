package predict

import (
	"fmt"
	"math"

	"jem/internal/checkpoint"
	"jem/internal/fault"
)

// sizes are what a checkpoint's tensors say about its network.
type sizes struct {
	classes, channels, side int
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
			case t.Name == BufferTensor && len(t.Shape) == 2:
				s.buffer, pixels = t.F32, t.Shape[1]
			}
		}
	}
	if s.classes == 0 || s.channels == 0 {
		return s, &fault.Error{Path: c.Path, Kind: fault.ErrBad, Reason: "model.safetensors holds no network of this program"}
	}
	if pixels > 0 {
		s.side = int(math.Round(math.Sqrt(float64(pixels / s.channels))))
		if s.side*s.side*s.channels != pixels {
			return s, misfit(c, "buffer.rank000", fmt.Sprintf("%d numbers are no square image of %d channels", pixels, s.channels))
		}
	}
	return s, nil
}

// fits reports whether images of so many pixels a side may be the network's: those of its replay
// buffer are; where there is none nothing speaks against it.
func (s *sizes) fits(side int) bool {
	return len(s.buffer) == 0 || side == s.side
}
