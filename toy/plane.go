package toy

import (
	"math"
	"slices"

	"jem/backend/philox"
)

// reach is how far from the middle the points lie after scaling, as a share of the window's half side: chains
// need room around the data.
const reach = 0.7

// plane maps points into [−1,1]², where images live, and back: one scale for both axes.
type plane struct{ x, y, scale float64 } // the middle, and units of the image to a unit of the data

// around is the plane whose middle is the points'.
func around(p Points) plane {
	x0, x1, y0, y1 := slices.Min(p.X), slices.Max(p.X), slices.Min(p.Y), slices.Max(p.Y)
	side := max(x1-x0, y1-y0)
	if side == 0 {
		side = 1
	}
	return plane{(x0 + x1) / 2, (y0 + y1) / 2, 2 * reach / side}
}

func (p plane) image(x, y float64) (float32, float32) {
	return float32((x - p.x) * p.scale), float32((y - p.y) * p.scale)
}

func (p plane) place(u, v float32) [2]float64 {
	return [2]float64{p.x + float64(u)/p.scale, p.y + float64(v)/p.scale}
}

// window is [−1,1]² in the data's units.
func (p plane) window() Window {
	half := 1 / p.scale
	return Window{p.x - half, p.x + half, p.y - half, p.y + half}
}

// logUnit is the log of an area of the image to the same of the data.
func (p plane) logUnit() float64 { return 2 * math.Log(p.scale) }

// cells are the middles of an n by n grid over the window, as images (N,2,1,1).
func cells(n int) []float32 {
	images := make([]float32, 0, 2*n*n)
	at := func(i int) float32 { return (float32(i)+0.5)*2/float32(n) - 1 }
	for j := range n {
		for i := range n {
			images = append(images, at(i), at(j))
		}
	}
	return images
}

// stream gives batches of points, each epoch in another order, as images of two channels.
type stream struct {
	labeled
	batch int
	key   philox.Key // of the orders
	epoch int        // whose order is order
	order []int      // nil: none yet
	x     []float32
	y     []int32
}

// StepsPerEpoch implements feed.Stream.
func (s *stream) StepsPerEpoch() int { return stepsPerEpoch(len(s.labels), s.batch) }

func stepsPerEpoch(points, batch int) int { return max(1, points/batch) }

// Batch implements feed.Stream.
func (s *stream) Batch(step int) ([]float32, []int32, error) {
	s.x, s.y = s.x[:0], s.y[:0]
	if epoch := step / s.StepsPerEpoch(); s.order == nil || epoch != s.epoch {
		s.order, s.epoch = make([]int, len(s.labels)), epoch
		s.key.At(epoch, 0).Perm(s.order)
	}
	for i := range s.batch {
		k := s.order[(step%s.StepsPerEpoch()*s.batch+i)%len(s.order)]
		s.x, s.y = append(s.x, s.images[2*k:2*k+2]...), append(s.y, s.labels[k])
	}
	return s.x, s.y, nil
}

// labeled are points as images (N,2,1,1), with their classes.
type labeled struct {
	images []float32
	labels []int32
}

// imagesOf are points as images and labels.
func (p plane) imagesOf(points Points) labeled {
	var h labeled
	for i := range points.X {
		u, v := p.image(points.X[i], points.Y[i])
		h.images, h.labels = append(h.images, u, v), append(h.labels, int32(points.Class[i]))
	}
	return h
}
