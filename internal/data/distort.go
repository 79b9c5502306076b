package data

import (
	"fmt"
	"math"

	"jem/backend/philox"
)

// Distortion is a way to make images of no class out of those of a set.
type Distortion string

// The ways.
const (
	Shuffled  Distortion = "shuffled"  // the 16 blocks of a grid of 4×4 in random order
	Blurred   Distortion = "blurred"   // a Gaussian of 1 to 3 pixels of 32, its std uniform
	Mixed     Distortion = "mixed"     // the mean of two images
	Distorted Distortion = "distorted" // one of these, each with probability ⅓
)

// Distortions are all of them.
var Distortions = []Distortion{Shuffled, Blurred, Mixed, Distorted}

// grid is how many blocks a side an image is shuffled in.
const grid = 4

// distorter makes images of those of a set that indices name. It is read-only.
type distorter struct {
	how     Distortion
	plain   float32 // share that stays as it is
	set     *Set
	indices []int
	key     philox.Key
}

func newDistorter(how Distortion, plain float32, s *Set, indices []int, key philox.Key) (*distorter, error) {
	switch {
	case how == "":
		return nil, nil
	case s.H%grid != 0 || s.W%grid != 0:
		return nil, fmt.Errorf("images of %d×%d pixels can't be cut into %d×%d blocks", s.W, s.H, grid, grid)
	}
	return &distorter{how, plain, s, indices, key}, nil
}

// apply writes what becomes of image i to dst (C,H,W): a pure function of i and the slot of a step. Word 0 of the
// stream chooses how, word 1 blurs, word 2 mixes and word 3 leaves it plain; the order of blocks has a stream of its own.
func (d *distorter) apply(dst []uint8, i, step, slot int) {
	key, how := d.key.At(step, 2*slot), d.how
	if d.plain > 0 && key.Uniform(3) < d.plain {
		copy(dst, d.set.Image(i))
		return
	}
	if how == Distorted {
		how = Distortions[key.IntN(0, 3)]
	}
	switch how {
	case Shuffled:
		d.shuffle(dst, i, d.key.At(step, 2*slot+1))
	case Blurred:
		pixel := float64(min(d.set.H, d.set.W)) / 32
		blur(dst, d.set.Image(i), d.set.H, d.set.W, pixel*(1+2*float64(key.Uniform(1))))
	case Mixed:
		d.mix(dst, i, key.IntN(2, len(d.indices)))
	}
}

func (d *distorter) shuffle(dst []uint8, i int, key philox.Key) {
	order := make([]int, grid*grid)
	key.Perm(order)
	image, h, w := d.set.Image(i), d.set.H/grid, d.set.W/grid
	for c := range d.set.C {
		for to, from := range order {
			for y := range h {
				copy(dst[d.at(c, to/grid*h+y, to%grid*w):][:w], image[d.at(c, from/grid*h+y, from%grid*w):][:w])
			}
		}
	}
}

// at is the place of a pixel in an image.
func (d *distorter) at(c, y, x int) int { return (c*d.set.H+y)*d.set.W + x }

// mix is the mean of image i and the one at a place among the indices, or the next one where that is i itself.
func (d *distorter) mix(dst []uint8, i, place int) {
	if d.indices[place] == i {
		place = (place + 1) % len(d.indices)
	}
	other := d.set.Image(d.indices[place])
	for j, v := range d.set.Image(i) {
		dst[j] = uint8((int(v) + int(other[j]) + 1) / 2)
	}
}

// blur convolves each channel with a Gaussian of std sigma in pixels, at most a tenth of the side, cut off at 3 of them;
// beyond the edges the image is reflected. Weights are integers, so that every machine gives the same bytes.
func blur(dst, image []uint8, h, w int, sigma float64) {
	weights := gaussian(sigma)
	radius, rows := len(weights)-1, make([]uint32, h*w)
	for c := 0; c < len(image); c += h * w {
		for p := range rows {
			y, x := p/w*w, p%w
			sum := weights[0] * uint32(image[c+p])
			for r := 1; r <= radius; r++ {
				sum += weights[r] * (uint32(image[c+y+reflect(x-r, w)]) + uint32(image[c+y+reflect(x+r, w)]))
			}
			rows[p] = sum >> 8 // of 2²⁴: 16 bits are left
		}
		for p := range rows {
			y, x := p/w, p%w
			sum := weights[0] * rows[p]
			for r := 1; r <= radius; r++ {
				sum += weights[r] * (rows[reflect(y-r, h)*w+x] + rows[reflect(y+r, h)*w+x])
			}
			dst[c+p] = uint8((sum + 1<<23) >> 24)
		}
	}
}

// gaussian are weights at the distances 0, 1, …, in units of 2⁻¹⁶, of which those of both sides sum to 1.
func gaussian(sigma float64) []uint32 {
	density := make([]float64, 1+int(math.Ceil(3*sigma)))
	sum := 0.0
	for r := range density {
		density[r] = math.Exp(-float64(r*r) / (2 * sigma * sigma))
		sum += density[r] * float64(min(r+1, 2))
	}
	weights, rest := make([]uint32, len(density)), uint32(1<<16)
	for r := len(density) - 1; r > 0; r-- {
		weights[r] = uint32(math.Round(density[r] / sum * (1 << 16)))
		rest -= 2 * weights[r]
	}
	weights[0] = rest
	return weights
}
