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
	var tallies []tally
	var roles []model.Role
	for i, p := range s.Batch.Parts {
		if p.Role&moving == 0 {
			continue
		}
		pixels := s.onHost(s.Batch.Views[i].X)
		if err := s.dev.Download(pixels, s.Batch.Views[i].X); err != nil {
			return err
		}
		tallies, roles = append(tallies, tallied(pixels)), append(roles, p.Role)
	}
	if err := s.ranks.addUp(tallies); err != nil {
		return err
	}
	g := s.cfg.Guard
	for i, role := range roles {
		if role&(model.ChainPX|model.ChainXY) == 0 {
			g.Saturation = 1 // images that moved from elsewhere may well come to the ends of the range
		}
		if reason := tallies[i].strayed(g, movingNames[role]); reason != "" {
			return &StrayedError{reason}
		}
	}
	return nil
}

// onHost is memory of the host for a tensor's elements, till it is asked for again.
func (s *Step) onHost(x backend.Tensor) []float32 {
	n := backend.Len(x)
	if len(s.pixels) < n {
		s.pixels = make([]float32, n)
	}
	return s.pixels[:n]
}

// movingNames are what images of the moving roles are called.
var movingNames = map[model.Role]string{model.ChainPX: "a chain", model.ChainXY: "a chain", model.Attacked: "an attacked image", model.Dreams: "a dream"}

// tally is what there is to say of the pixels of images.
type tally struct {
	pixels, outside int     // outside: at or beyond ±1
	largest         float32 // magnitude
	bad             float32 // the first that isn't finite; 0 without one
}

func tallied(pixels []float32) (t tally) {
	t.pixels = len(pixels)
	for _, v := range pixels {
		a := float32(math.Abs(float64(v)))
		if !(a <= math.MaxFloat32) {
			t.bad = v
			break
		}
		if a >= 1 {
			t.outside++
		}
		t.largest = max(t.largest, a)
	}
	return t
}

// add takes in the tally of more images.
func (t *tally) add(o tally) {
	t.pixels += o.pixels
	t.outside += o.outside
	t.largest = max(t.largest, o.largest)
	if t.bad == 0 {
		t.bad = o.bad
	}
}

// strayed says what is wrong with chains, or with images of another name; "" for nothing.
func (t tally) strayed(g config.Guard, what string) string {
	share := float32(t.outside) / float32(t.pixels)
	switch {
	case t.bad != 0:
		return fmt.Sprintf("%s has a pixel of %v", what, t.bad)
	case g.MaxPixel > 0 && t.largest > g.MaxPixel:
		return fmt.Sprintf("%s has a pixel of %.4g, beyond guard.max_pixel = %g", what, t.largest, g.MaxPixel)
	case share > g.Saturation:
		return fmt.Sprintf("%.2f %% of the chains' pixels are at or beyond ±1, more than guard.saturation = %g", 100*share, g.Saturation)
	}
	return ""
}
