package step

import (
	"fmt"
	"math"

	"jem/backend"
	"jem/config"
	"jem/model"
)

// given are the classes of the chains of part i; nil where they belong to none.
func (s *Step) given(i int) []int32 {
	if s.Batch.Views[i].origin.labels == "" {
		return nil
	}
	return s.Batch.host(i)
}

// StrayedError says that chains left the space of images, before the step's loss was
// computed: nothing but the chains has changed.
type StrayedError struct{ Reason string }

func (e *StrayedError) Error() string { return e.Reason }

// inspect refuses chains and other negatives that left the space of images.
func (s *Step) inspect() error {
	g := s.cfg.Guard
	for i, p := range s.Batch.Parts {
		if p.Role&moving == 0 {
			continue
		}
		if p.Role&(model.ChainPX|model.ChainXY) == 0 {
			g.Saturation = 1 // images that moved from elsewhere may well come to the ends of the range
		}
		x := s.Batch.Views[i].X
		if n := backend.Len(x); len(s.pixels) < n {
			s.pixels = make([]float32, n)
		}
		pixels := s.pixels[:backend.Len(x)]
		if err := s.dev.Download(pixels, x); err != nil {
			return err
		}
		if reason := strayed(g, movingNames[p.Role], pixels); reason != "" {
			return &StrayedError{reason}
		}
	}
	return nil
}

// movingNames are what images of the moving roles are called.
var movingNames = map[model.Role]string{model.ChainPX: "a chain", model.ChainXY: "a chain", model.Attacked: "an attacked image", model.Dreams: "a dream"}

// strayed says what is wrong with the pixels of chains, or of images of another name.
func strayed(g config.Guard, what string, pixels []float32) string {
	outside, largest := 0, float32(0)
	for _, v := range pixels {
		a := float32(math.Abs(float64(v)))
		if !(a <= math.MaxFloat32) {
			return fmt.Sprintf("%s has a pixel of %v", what, v)
		}
		if a >= 1 {
			outside++
		}
		largest = max(largest, a)
	}
	share := float32(outside) / float32(len(pixels))
	switch {
	case g.MaxPixel > 0 && largest > g.MaxPixel:
		return fmt.Sprintf("%s has a pixel of %.4g, beyond guard.max_pixel = %g", what, largest, g.MaxPixel)
	case share > g.Saturation:
		return fmt.Sprintf("%.2f %% of the chains' pixels are at or beyond ±1, more than guard.saturation = %g", 100*share, g.Saturation)
	}
	return ""
}
