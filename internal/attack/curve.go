package attack

import (
	"fmt"
	"slices"

	"jem/internal/philox"
)

// Point is the accuracy under attacks of one radius.
type Point struct {
	Radius    float64 // 0: no attack
	Accuracy  float64 // share of images answered rightly without attack that no attack up to this radius broke
	Broken    int     // images that were broken at this radius first; at 0 those answered wrongly anyway
	Confirmed int     // of those, how many the target answers wrongly again with fresh noise
}

// Curve measures the accuracy against the radius. Images answered wrongly without an attack
// count as wrong and are not attacked; an image broken at one radius is broken at every larger
// one, whose ball contains the smaller. Radii ascend. Progress, if not nil, hears of every
// radius done.
func Curve(t Target, a PGD, radii []float64, images []float32, labels []int32, key philox.Key, progress func(Point)) ([]Point, error) {
	if !slices.IsSorted(radii) {
		return nil, fmt.Errorf("attack radii %v: want them ascending", radii)
	}
	a.Radius = 0
	if err := a.check(images, labels, t.Classes()); err != nil {
		return nil, err
	}
	c := &curve{target: t, d: len(images) / len(labels), images: images, labels: labels}
	wrong, err := c.wrong(key)
	if err != nil {
		return nil, err
	}
	points := []Point{c.keep(wrong, len(labels), 0)}
	for i, radius := range radii {
		p := Point{Radius: radius}
		if a.Radius = radius; len(c.labels) > 0 {
			if p, err = c.attack(a, len(labels), key.At(0, 0), uint64(i+1)); err != nil {
				return nil, err
			}
		}
		points = append(points, p)
		if progress != nil {
			progress(p)
		}
	}
	return points, nil
}

// curve holds the images that are still answered rightly.
type curve struct {
	target Target
	d      int
	images []float32
	labels []int32
}

// attack attacks what is left with one radius; number separates its random numbers from others'.
func (c *curve) attack(a PGD, total int, key philox.Key, number uint64) (Point, error) {
	key.Seed += number
	r, err := a.Run(c.target, c.images, c.labels, key)
	if err != nil {
		return Point{}, err
	}
	again := &curve{target: c.target, d: c.d, images: r.Images, labels: c.labels}
	again.keep(invert(r.Broken), 1, 0)
	p := c.keep(r.Broken, total, a.Radius)
	if len(again.labels) == 0 {
		return p, nil
	}
	key.Seed = ^key.Seed
	wrong, err := again.wrong(key)
	for _, w := range wrong {
		if w {
			p.Confirmed++
		}
	}
	return p, err
}

// wrong asks the target about every image.
func (c *curve) wrong(key philox.Key) ([]bool, error) {
	k := c.target.Classes()
	logits, err := c.target.Logits(c.images, len(c.labels), key)
	if err != nil {
		return nil, err
	}
	wrong := make([]bool, len(c.labels))
	for i, y := range c.labels {
		wrong[i] = Wrong(logits[i*k:(i+1)*k], y)
	}
	return wrong, nil
}

// keep drops the images that are gone and counts.
func (c *curve) keep(gone []bool, total int, radius float64) Point {
	var images []float32
	var labels []int32
	p := Point{Radius: radius}
	for i, y := range c.labels {
		if gone[i] {
			p.Broken++
			continue
		}
		images, labels = append(images, c.images[i*c.d:(i+1)*c.d]...), append(labels, y)
	}
	c.images, c.labels = images, labels
	p.Accuracy = float64(len(labels)) / float64(total)
	return p
}

func invert(all []bool) []bool {
	out := make([]bool, len(all))
	for i, v := range all {
		out[i] = !v
	}
	return out
}
