package sampler_test

import (
	"math"
	"testing"

	"jem/backend"
	"jem/sampler"
)

const images, ofImage = 4, 3 * 8 * 8

func newImages(d backend.Device) backend.Tensor { return d.New(backend.Image, images, 3, 8, 8) }

// distances of each image of x from the one of y, in L∞ and L2.
func distances(x, y []float32) (linf, l2 [images]float64) {
	for i, v := range x {
		d := math.Abs(float64(v) - float64(y[i]))
		linf[i/ofImage] = max(linf[i/ofImage], d)
		l2[i/ofImage] += d * d
	}
	for i := range l2 {
		l2[i] = math.Sqrt(l2[i])
	}
	return linf, l2
}

// K moves by sign or unit length towards a far mean travel K·Size in their norm: the gradient's
// direction doesn't change. float32 adds K roundings of half an ulp of values below 8, 4.8e-7 each.
func TestMovesTravelTheirLength(t *testing.T) {
	d := open(t)
	for name, m := range map[string]sampler.Move{"sign": sampler.Sign{Size: 0.25}, "unit": sampler.Unit{Size: 0.25}} {
		x, g := newImages(d), newImages(d)
		before := download(t, d, x)
		chains := sampler.NewChains(d, m, x, g, func(int) sampler.Target { return gaussian{d, 1000, 1} })
		chains.Move(images, 0, 5, key)
		linf, l2 := distances(download(t, d, x), before)
		far := map[string][images]float64{"sign": linf, "unit": l2}[name]
		for i, v := range far {
			if math.Abs(v-1.25) > 5*5e-7*math.Sqrt(ofImage) {
				t.Errorf("%s: image %d travels %g in 5 moves of 0.25", name, i, v)
			}
		}
	}
}

// Wherever they are drawn to, images stay in their ball and in the range of pixels, at each step;
// drawn far away they end at the ball's rim, or the range's.
func TestBallsHold(t *testing.T) {
	d := open(t)
	for name, norm := range map[string]backend.BallNorm{"linf": backend.LInf, "l2": backend.L2} {
		x, g, centre := newImages(d), newImages(d), newImages(d)
		d.Uniform(centre, key, -0.5, 0.5)
		d.Copy(x, centre)
		m := sampler.Within{Move: sampler.Sign{Size: 0.07}, Centre: centre, Ball: backend.Ball{Norm: norm, Radius: 0.3, Lo: -1, Hi: 1}}
		m.Scatter(d, x, g, key)
		if _, l2 := distances(download(t, d, x), download(t, d, centre)); l2[0] == 0 || l2[0] == l2[1] && norm == backend.LInf {
			t.Errorf("%s: images begin at distances %v", name, l2)
		}
		chains := sampler.NewChains(d, m, x, g, func(int) sampler.Target { return gaussian{d, 1000, 1} })
		for step := range 8 {
			chains.Move(images, step, 1, key)
			linf, l2 := distances(download(t, d, x), download(t, d, centre))
			far := map[string][images]float64{"linf": linf, "l2": l2}[name]
			for i, v := range far {
				if v > 0.3*(1+1e-6) || step == 7 && v < 0.3*(1-1e-5) {
					t.Errorf("%s: after %d moves image %d is %g from the centre of a ball of 0.3", name, step+1, i, v)
				}
			}
		}
	}
}

// A scattered image is a random one of its own: the values of L∞ are uniform in ±r. The mean of 768 has a
// standard deviation of r/√3/√768 = 0.0208 r, of which 5 are allowed; that of squares one of
// r²·√(4/45)/√768 = 0.0108 r².
func TestScatterIsUniform(t *testing.T) {
	d := open(t)
	x, g, centre := newImages(d), newImages(d), newImages(d)
	const r = 0.5
	sampler.Within{Centre: centre, Ball: backend.Ball{Norm: backend.LInf, Radius: r, Lo: -1, Hi: 1}}.Scatter(d, x, g, key)
	mean, squares := 0.0, 0.0
	for _, v := range download(t, d, x) {
		mean += float64(v) / (images * ofImage)
		squares += float64(v) * float64(v) / (images * ofImage)
	}
	if math.Abs(mean) > 5*0.0208*r || math.Abs(squares-r*r/3) > 5*0.0108*r*r {
		t.Errorf("mean %g, mean square %g, want 0 and %g", mean, squares, r*r/3.0)
	}
}

// Boxed images come to the ends of the range, not beyond.
func TestBoxesHold(t *testing.T) {
	d := open(t)
	x, g := newImages(d), newImages(d)
	chains := sampler.NewChains(d, sampler.Boxed{Move: sampler.Unit{Size: 100}}, x, g, func(int) sampler.Target { return gaussian{d, 1000, 1} })
	chains.Move(images, 0, 3, key)
	for _, v := range download(t, d, x) {
		if v != 1 {
			t.Fatalf("a pixel of %g, want 1", v)
		}
	}
}

// Images that come to move otherwise are planned anew, and only then.
func TestChainsChangeTheirMove(t *testing.T) {
	d := open(t)
	x, g := newImages(d), newImages(d)
	asked := 0
	chains := sampler.NewChains(d, sampler.Sign{Size: 0.5}, x, g, func(int) sampler.Target { asked++; return gaussian{d, 1000, 1} })
	for _, size := range []float32{0.5, 0.5, 0.25, 0.25} {
		chains.Use(sampler.Sign{Size: size})
		chains.Move(images, 0, 2, key)
	}
	if got := download(t, d, x)[0]; got != 3 || asked != 2 {
		t.Errorf("a pixel went to %g with %d plans, want 3 with 2", got, asked)
	}
}
