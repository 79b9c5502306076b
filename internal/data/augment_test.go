package data

import (
	"math"
	"testing"

	"jem/backend/philox"
)

func TestScaleIsTheOfficialNormalisation(t *testing.T) {
	for v := range 256 {
		// ToTensor divides by 255, Normalize(.5, .5) subtracts and divides, all in float32.
		x := float32(v) / 255
		x -= 0.5
		if want := x / 0.5; scale(uint8(v)) != want {
			t.Errorf("%d becomes %v, want %v", v, scale(uint8(v)), want)
		}
	}
	if scale(0) != -1 || scale(255) != 1 {
		t.Errorf("ends are %v and %v, want -1 and 1", scale(0), scale(255))
	}
}

// padded is reflect padding spelled out: PyTorch's mode "reflect" along a line.
func padded(line []uint8, pad int) []uint8 {
	var out []uint8
	for i := pad; i > 0; i-- {
		out = append(out, line[i])
	}
	out = append(out, line...)
	for i := range pad {
		out = append(out, line[len(line)-2-i])
	}
	return out
}

// naiveAugment pads, cuts and flips an image (C,H,W) as the definition says.
func naiveAugment(s *Set, image []uint8, pad, top, left int, flip bool) []float32 {
	var out []float32
	for c := range s.C {
		var columns [][]uint8 // padded along x, then y by rows
		for y := range s.H {
			columns = append(columns, padded(image[(c*s.H+y)*s.W:][:s.W], pad))
		}
		index := make([]uint8, s.H)
		for y := range index {
			index[y] = uint8(y)
		}
		rows := padded(index, pad)
		for y := range s.H {
			for x := range s.W {
				from := left + x
				if flip {
					from = left + s.W - 1 - x
				}
				out = append(out, scale(columns[rows[top+y]][from]))
			}
		}
	}
	return out
}

func TestAugmentationIsPadCropFlip(t *testing.T) {
	s := synthetic(1, 3, 16, 1)
	g, err := newAugmenter(Augment{Crop: 4, Flip: true}, s)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[3]int]bool{}
	dst := make([]float32, s.Dim())
	for step := range 2000 {
		key := philox.New(1, 0, philox.AugmentPX).At(step, 0)
		g.apply(dst, s.Image(0), key, philox.Key{}, nil)
		top, left := key.IntN(0, 9), key.IntN(1, 9)
		flip := key.Uniform(2) >= 0.5
		for i, want := range naiveAugment(s, s.Image(0), 4, top, left, flip) {
			if dst[i] != want {
				t.Fatalf("top %d, left %d, flip %v: value %d is %v, want %v", top, left, flip, i, dst[i], want)
			}
		}
		bit := 0
		if flip {
			bit = 1
		}
		seen[[3]int{top, left, bit}] = true
	}
	// 162 equally likely outcomes: 2,000 draws miss a given one with probability e^-12.
	if len(seen) != 9*9*2 {
		t.Errorf("%d different outcomes, want %d", len(seen), 9*9*2)
	}
}

func TestNoiseIsStandardNormal(t *testing.T) {
	const n = 1 << 20
	x := make([]float32, n)
	newQuantiles().add(x, 1, philox.New(1, 0, philox.EvalNoise), 0)
	var m1, m2, m4 float64
	var beyond int
	for _, v := range x {
		z := float64(v)
		m1, m2, m4 = m1+z, m2+z*z, m4+z*z*z*z
		if math.Abs(z) > 1.959964 {
			beyond++
		}
	}
	// Five standard errors: √(1/n), √(2/n), √(96/n), √(.05·.95/n).
	for _, c := range []struct {
		name            string
		got, want, unit float64
	}{
		{"mean", m1 / n, 0, 1}, {"variance", m2 / n, 1, math.Sqrt2}, {"fourth moment", m4 / n, 3, math.Sqrt(96)},
		{"share beyond 1.96", float64(beyond) / n, 0.05, math.Sqrt(.05 * .95)},
	} {
		if tol := 5 * c.unit / math.Sqrt(n); math.Abs(c.got-c.want) > tol {
			t.Errorf("%s %v, want %v ± %v", c.name, c.got, c.want, tol)
		}
	}
}

func TestNoiseOfALengthBeginsWithThatOfAShorterOne(t *testing.T) {
	long, short, q := make([]float32, 64), make([]float32, 61), newQuantiles()
	key := philox.New(1, 0, philox.EvalNoise)
	q.add(long, .5, key, 3)
	q.add(short, .5, key, 3)
	for i, v := range short {
		if v != long[i] || v == 0 {
			t.Errorf("element %d is %v of 61 and %v of 64", i, v, long[i])
		}
	}
}

func TestImpossibleAugmentationsAreRefused(t *testing.T) {
	s := synthetic(2, 1, 8, 1)
	for _, a := range []Augment{{Crop: 8}, {Crop: -1}, {Noise: -1}, {Noise: float32(math.NaN())}, {Noise: float32(math.Inf(1))}} {
		if _, err := newAugmenter(a, s); err == nil {
			t.Errorf("%+v is accepted for 8×8 images", a)
		}
	}
}
