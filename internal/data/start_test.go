package data

import (
	"math"
	"slices"
	"testing"

	"jem/backend/philox"
)

// synthetic is a set of random images, labels in turn; class y is brighter by 8·y.
func synthetic(n, c, side, k int) *Set {
	s := &Set{Name: "synthetic", Split: Train, C: c, H: side, W: side}
	key := philox.New(1, 0, philox.Test)
	for y := range k {
		s.Classes = append(s.Classes, string(rune('a'+y)))
	}
	for i := range n {
		s.Labels = append(s.Labels, int32(i%k))
		for j := range c * side * side {
			s.Pixels = append(s.Pixels, uint8(key.At(i, 0).IntN(uint64(j), 100)+i%k*8))
		}
	}
	return s
}

// naiveStart is the definition of ClassGaussian.Fill in float64, row by row, before clamping.
func naiveStart(g *ClassGaussian, row, y int, key philox.Key) []float64 {
	members, d := g.members[y], g.set.Dim()
	first := row * ((len(members)+3)/4 + (d+3)/4) * 4
	x := make([]float64, d)
	for j := range x {
		x[j] = float64(g.mean[y][j]) + gaussianNoise*float64(key.Normal(uint64(first+(len(members)+3)/4*4+j)))
		for m, i := range members {
			deviation := float64(g.set.Image(i)[j])/127.5 - 1 - float64(g.mean[y][j])
			x[j] += float64(g.spread[y]) * float64(key.Normal(uint64(first+m))) * deviation
		}
	}
	return x
}

func TestClassGaussianIsItsDefinition(t *testing.T) {
	s := synthetic(600, 1, 8, 3)
	key := philox.New(1, 0, philox.Restart).At(5, 0)
	for name, perClass := range map[string]int{"all images": -1, "70 a class": 70, "default": 0} {
		t.Run(name, func(t *testing.T) {
			g, err := NewClassGaussian(s, nil, GaussianOptions{PerClass: perClass, Key: philox.New(1, 0, philox.BufferInit)})
			if err != nil {
				t.Fatal(err)
			}
			classes := []int32{2, 0, 2, 1}
			got := make([]float32, 4*s.Dim())
			g.Fill(got, classes, key)
			for r, y := range classes {
				for j, want := range naiveStart(g, r, int(y), key) {
					// At most 202 float32 additions of terms whose absolute sum is below
					// 200·√(1/200)·4·1 = 57: 4·u·57 = 1.4e-5 (zero-mean terms).
					if v := got[r*s.Dim()+j]; math.Abs(float64(v)-min(max(want, -1), 1)) > 1.4e-5 {
						t.Fatalf("row %d, value %d is %v, want %v", r, j, v, want)
					}
				}
			}
		})
	}
}

func TestStartsHaveTheMomentsOfTheClass(t *testing.T) {
	s := synthetic(400, 1, 8, 2)
	g, err := NewClassGaussian(s, nil, GaussianOptions{PerClass: 50, Key: philox.New(3, 0, philox.BufferInit)})
	if err != nil {
		t.Fatal(err)
	}
	const n = 4000
	classes := make([]int32, n)
	for i := range classes {
		classes[i] = 1
	}
	x := make([]float32, n*s.Dim())
	g.Fill(x, classes, philox.New(1, 0, philox.BufferInit))
	var mean, square, wantMean, wantSquare float64
	for _, v := range x {
		mean, square = mean+float64(v), square+float64(v)*float64(v)
	}
	pixel := make([]float32, s.Dim())
	for i := 1; i < s.Len(); i += 2 {
		s.Scaled(pixel, i)
		for _, v := range pixel {
			wantMean, wantSquare = wantMean+float64(v), wantSquare+float64(v)*float64(v)
		}
	}
	samples, values := float64(len(x)), float64(200*s.Dim())
	mean, square, wantMean, wantSquare = mean/samples, square/samples, wantMean/values, wantSquare/values
	variance, wantVariance := square-mean*mean, wantSquare-wantMean*wantMean+1e-4
	// Pixels are independent with std 0.23. Mean: 5·0.23/√(256,000) = 0.0023. Variance: the 50 chosen
	// images estimate it from 3,200 pixels, uniform ones with kurtosis 1.8: 5·√(0.8/3200) = 8 %.
	// Less than 1e-4 of the values is clamped.
	if math.Abs(mean-wantMean) > 0.0023 || math.Abs(variance/wantVariance-1) > 0.08 {
		t.Errorf("mean %v, variance %v; want %v, %v", mean, variance, wantMean, wantVariance)
	}
}

func TestARowDependsOnItsKeyPlaceAndClassAlone(t *testing.T) {
	s := synthetic(300, 3, 8, 3)
	g, err := NewClassGaussian(s, nil, GaussianOptions{PerClass: 70})
	if err != nil {
		t.Fatal(err)
	}
	d, key := s.Dim(), philox.New(1, 0, philox.Restart)
	long := make([]float32, 600*d) // beyond two chunks of rows
	classes := make([]int32, 600)
	for i := range classes {
		classes[i] = int32(i % 2)
	}
	g.Fill(long, classes, key)
	short := make([]float32, 4*d)
	g.Fill(short, []int32{0, 2, 0, 1}, key)
	for _, r := range []int{0, 2, 3} {
		if !slices.Equal(short[r*d:(r+1)*d], long[r*d:(r+1)*d]) {
			t.Errorf("row %d depends on the other rows", r)
		}
	}
	if slices.Equal(short[:d], short[2*d:3*d]) {
		t.Error("two rows of one class are alike")
	}
	g.Fill(short, []int32{0, 2, 0, 1}, key.At(1, 0))
	if slices.Equal(short[:d], long[:d]) {
		t.Error("another key gives the same row")
	}
}

func TestStartsStayWithinTheRange(t *testing.T) {
	s := &Set{C: 1, H: 8, W: 8, Classes: []string{"black and white"}, Labels: make([]int32, 8), Pixels: make([]uint8, 8*64)}
	for i := range s.Pixels {
		s.Pixels[i] = uint8(i / 64 % 2 * 255)
	}
	g, err := NewClassGaussian(s, nil, GaussianOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 100*64)
	g.Fill(x, make([]int32, 100), philox.New(1, 0, philox.Restart))
	if slices.Min(x) != -1 || slices.Max(x) != 1 {
		t.Errorf("values from %v to %v, want clamping at -1 and 1", slices.Min(x), slices.Max(x))
	}
}

func TestAClassNeedsTwoImages(t *testing.T) {
	if _, err := NewClassGaussian(synthetic(5, 1, 8, 3), nil, GaussianOptions{}); err == nil {
		t.Error("a class of one image has a Gaussian")
	}
}

func BenchmarkClassGaussian(b *testing.B) {
	for _, c := range []struct {
		name        string
		channels, n int
	}{{"fashion 64 rows", 1, 64}, {"fashion 1000 rows", 1, 1000}, {"cifar 3 rows", 3, 3}, {"cifar 1000 rows", 3, 1000}} {
		b.Run(c.name, func(b *testing.B) {
			s := synthetic(10000, c.channels, 32, 10)
			g, err := NewClassGaussian(s, nil, GaussianOptions{})
			if err != nil {
				b.Fatal(err)
			}
			classes := make([]int32, c.n)
			for i := range classes {
				classes[i] = int32(i % 10)
			}
			dst := make([]float32, c.n*s.Dim())
			for b.Loop() {
				g.Fill(dst, classes, philox.New(1, 0, philox.Restart))
			}
			b.ReportMetric(float64(c.n*1000*s.Dim()*2*b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkBatch(b *testing.B) {
	s := synthetic(1000, 3, 32, 10)
	for _, c := range []struct {
		name string
		a    Augment
	}{{"scaled", Augment{}}, {"crop and flip", Augment{Crop: 4, Flip: true}}, {"crop, flip, noise", Augment{Crop: 4, Flip: true, Noise: .03}}} {
		b.Run(c.name, func(b *testing.B) {
			l, err := NewLoader(s, nil, LoaderOptions{Batch: 64, Augment: c.a})
			if err != nil {
				b.Fatal(err)
			}
			batch := l.NewBatch()
			b.ReportAllocs()
			var step int
			for b.Loop() {
				l.Batch(step, batch.Pixels, batch.Labels)
				step++
			}
		})
	}
}
