package attack

import (
	"fmt"
	"math"

	"jem/backend/philox"
)

// Square is the search by random squares in the L∞ ball (Andriushchenko et al. 2020,
// algorithms 1 and 2): it takes no gradient, so that gradients which lead astray can't stop
// it. It lowers the margin by squares of one colour ±radius that shrink as queries are spent.
type Square struct {
	Ball
	Queries int     // a start; the authors' 5000 in AutoAttack
	Share   float64 // of the pixels in the first squares; 0: 0.8, as in AutoAttack
	Shape   []int   // of an image: C, H, W
}

// Run implements Attack.
func (a Square) Run(t Target, images []float32, labels []int32, key philox.Key) (Result, error) {
	var err error
	if a.Ball, err = a.ball(t, images, labels); err != nil {
		return Result{}, err
	}
	if a.Share == 0 {
		a.Share = 0.8
	}
	switch {
	case a.Norm != LInf:
		return Result{}, fmt.Errorf("square attack with norm %s: want %s", a.Norm, LInf)
	case a.Queries < 1 || !(a.Share > 0 && a.Share <= 1):
		return Result{}, fmt.Errorf("square attack with %d queries and %g of the pixels: want at least 1, and a share", a.Queries, a.Share)
	case len(a.Shape) != 3 || a.Shape[0]*a.Shape[1]*a.Shape[2]*len(labels) != len(images):
		return Result{}, fmt.Errorf("square attack on %d images of shape %v: got %d pixels", len(labels), a.Shape, len(images))
	}
	s := newSearch(t, a.Ball, Margin, images, labels)
	w := s.waiting()
	for q := range a.Queries {
		for j, i := range w.which {
			key := key.At(q, 1+i)
			if q == 0 {
				a.stripes(w.image(j), key)
			} else {
				a.square(w.image(j), s.Images[i*s.d:(i+1)*s.d], w.clean(j), q, key)
				continue
			}
			for k, v := range w.clean(j) {
				w.image(j)[k] += v
			}
			a.project(w.image(j), w.clean(j))
		}
		if err := w.answer(key.At(q, 0)); err != nil { // remembers an image whose margin is larger
			return s.Result, err
		}
		w.drop()
	}
	return s.Result, nil
}

// stripes writes the start: each column of each channel ±radius.
func (a Square) stripes(x []float32, key philox.Key) {
	c, h, w := a.Shape[0], a.Shape[1], a.Shape[2]
	for ch := range c {
		for col := range w {
			v := a.either(key, uint64(ch*w+col))
			for row := range h {
				x[(ch*h+row)*w+col] = v
			}
		}
	}
}

func (a Square) either(key philox.Key, i uint64) float32 {
	if key.Uint32(i)&1 == 1 {
		return float32(a.Radius)
	}
	return -float32(a.Radius)
}

// square writes the best image with a square of a new colour to x.
func (a Square) square(x, best, clean []float32, q int, key philox.Key) {
	c, h, w := a.Shape[0], a.Shape[1], a.Shape[2]
	side := max(1, min(h, w, int(math.Round(math.Sqrt(a.share(q)*float64(h*w))))))
	top, left := key.IntN(0, h-side+1), key.IntN(1, w-side+1)
	copy(x, best)
	for ch := range c {
		v := a.either(key, uint64(2+ch))
		for row := top; row < top+side; row++ {
			for col := left; col < left+side; col++ {
				at := (ch*h+row)*w + col
				x[at] = clean[at] + v
			}
		}
	}
	a.project(x, clean)
}

// share is the part of the pixels that query q's square has: halved at nine points, which
// the authors give for 10,000 queries.
func (a Square) share(q int) float64 {
	share := a.Share
	for _, at := range []int{10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000} {
		if q*10000/a.Queries > at {
			share /= 2
		}
	}
	return share
}
