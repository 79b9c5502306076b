package metrics

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkFeatureScores scores 100 images by 128 features against 45,000 training images.
func BenchmarkFeatureScores(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) Table {
		t := Table{N: n, K: 128, Data: make([]float64, n*128)}
		for i := range t.Data {
			t.Data[i] = rng.Float64()
		}
		return t
	}
	known, labels, others := random(45000), make([]int, 45000), random(100)
	for i := range labels {
		labels[i] = i % 10
	}
	b.Run("knn", func(b *testing.B) {
		bank, err := NewBank(known)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := bank.Scores(others, 50); err != nil {
				b.Fatal(err)
			}
		}
	})
	g, err := FitGaussians(known, labels, 10)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("mahalanobis", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := g.Scores(others); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fit", func(b *testing.B) {
		for b.Loop() {
			if _, err := FitGaussians(known, labels, 10); err != nil {
				b.Fatal(err)
			}
		}
	})
}
