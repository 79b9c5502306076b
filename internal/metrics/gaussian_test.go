package metrics

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// features are n correlated rows of d numbers around one centre a class.
func features(n, d, classes int) (Table, []int) {
	rng := rand.New(rand.NewPCG(7, 0))
	t, labels := Table{N: n, K: d, Data: make([]float64, n*d)}, make([]int, n)
	for i := range n {
		labels[i] = i % classes
		common := rng.NormFloat64()
		for k := range d {
			t.Data[i*d+k] = 3*float64((labels[i]*7+k*k)%5) + common + (0.2+float64(k))*rng.NormFloat64()
		}
	}
	return t, labels
}

// naive is the squared distance by the inverse of the covariance, all written out.
func naive(t Table, centre func(int) []float64, x, c []float64) float64 {
	cov := mat.NewDense(t.K, t.K, nil)
	for n := range t.N {
		m := centre(n)
		for i := range t.K {
			for j := range t.K {
				cov.Set(i, j, cov.At(i, j)+(t.Row(n)[i]-m[i])*(t.Row(n)[j]-m[j])/float64(t.N))
			}
		}
	}
	var inverse mat.Dense
	if err := inverse.Inverse(cov); err != nil {
		panic(err)
	}
	sum := 0.0
	for i := range t.K {
		for j := range t.K {
			sum += (x[i] - c[i]) * inverse.At(i, j) * (x[j] - c[j])
		}
	}
	return sum
}

func classMean(t Table, labels []int, class int) []float64 {
	m, count := make([]float64, t.K), 0.0
	for n, y := range labels {
		if class < 0 || y == class {
			count++
			for k, v := range t.Row(n) {
				m[k] += v
			}
		}
	}
	for k := range m {
		m[k] /= count
	}
	return m
}

// The ridge of 1e−8 of the mean variance (12) is 3e−6 of the least (0.04): distances are off
// by less than that, relative.
func TestMahalanobisIsTheDefinition(t *testing.T) {
	const classes = 3
	known, labels := features(60, 6, classes)
	g, err := FitGaussians(known, labels, classes)
	if err != nil {
		t.Fatal(err)
	}
	others, _ := features(8, 6, 2)
	got, relative, err := g.Scores(others)
	if err != nil {
		t.Fatal(err)
	}
	all := classMean(known, labels, -1)
	for n := range others.N {
		nearest := math.Inf(1)
		for y := range classes {
			centre := func(i int) []float64 { return classMean(known, labels, labels[i]) }
			nearest = min(nearest, naive(known, centre, others.Row(n), classMean(known, labels, y)))
		}
		background := naive(known, func(int) []float64 { return all }, others.Row(n), all)
		if math.Abs(got[n]+nearest) > 1e-5*nearest || math.Abs(relative[n]-(background-nearest)) > 1e-5*(nearest+background) {
			t.Errorf("row %d: got %g and %g, want %g and %g", n, got[n], relative[n], -nearest, background-nearest)
		}
	}
}

func TestGaussiansOfFeaturesThatDependOnEachOther(t *testing.T) {
	known, labels := features(60, 4, 2)
	for n := range known.N {
		known.Row(n)[3] = known.Row(n)[0] + known.Row(n)[1]
	}
	g, err := FitGaussians(known, labels, 2)
	if err != nil {
		t.Fatal(err)
	}
	scores, _, err := g.Scores(known)
	if err != nil || slices.ContainsFunc(scores, func(v float64) bool { return !finite(v) || v > 0 }) {
		t.Errorf("got %v, %v", scores, err)
	}
}

func TestGaussiansRefuse(t *testing.T) {
	same := Table{N: 4, K: 2, Data: []float64{1, 2, 1, 2, 1, 2, 1, 2}}
	good, labels := features(20, 3, 2)
	broken := Table{N: 1, K: 3, Data: []float64{1, math.NaN(), 0}}
	g, err := FitGaussians(good, labels, 2)
	if err != nil {
		t.Fatal(err)
	}
	fit := func(t Table, labels []int, classes int) error { _, err := FitGaussians(t, labels, classes); return err }
	score := func(t Table) error { _, _, err := g.Scores(t); return err }
	for name, err := range map[string]error{
		"no variation": fit(same, []int{0, 1, 0, 1}, 2), "a class without rows": fit(good, labels, 3), "labels missing": fit(good, labels[1:], 2),
		"a label too large": fit(good, labels, 1), "NaN": fit(broken, []int{0}, 1), "NaN scored": score(broken), "other features": score(same),
	} {
		if !errors.Is(err, ErrInput) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Float32 dot products of directions err by some 1e−7, and the distance by that over itself.
func TestNeighboursAreTheDefinition(t *testing.T) {
	known, _ := features(300, 5, 3)
	others, _ := features(130, 5, 2) // more than two blocks of rows
	b, err := NewBank(known)
	if err != nil {
		t.Fatal(err)
	}
	unit := func(x []float64) []float64 {
		out := slices.Clone(x)
		length := 0.0
		for _, v := range x {
			length += v * v
		}
		for i := range out {
			out[i] /= math.Sqrt(length)
		}
		return out
	}
	for _, k := range []int{1, 2, 50, 300} {
		got, err := b.Scores(others, k)
		if err != nil {
			t.Fatal(err)
		}
		for n := range others.N {
			var all []float64
			for i := range known.N {
				sum := 0.0
				for j, v := range unit(known.Row(i)) {
					d := v - unit(others.Row(n))[j]
					sum += d * d
				}
				all = append(all, math.Sqrt(sum))
			}
			slices.Sort(all)
			if want := -all[k-1]; math.Abs(got[n]-want) > 1e-6/max(1e-3, -want) {
				t.Errorf("k = %d, row %d: got %g, want %g", k, n, got[n], want)
			}
		}
	}
	for _, k := range []int{0, 301} {
		if _, err := b.Scores(others, k); !errors.Is(err, ErrInput) {
			t.Errorf("k = %d: got %v", k, err)
		}
	}
}
