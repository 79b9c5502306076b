package data

import (
	"testing"

	"jem/internal/philox"
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
	}{{"scaled", Augment{}}, {"crop and flip", Augment{Crop: 4, Flip: true}}, {"crop, flip, noise", Augment{4, true, .03}}} {
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
