package metrics

import (
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Neighbours is the usual k of PrecisionRecall.
const Neighbours = 3

// PrecisionRecall compares generated features with real ones (Kynkäänniemi et al. 2019): a
// set's manifold is the union of balls around its rows that reach to the k-th nearest other
// row, border included. Precision is the share of generated rows on the real manifold (are
// they good?), recall the share of real rows on the generated one (is everything there?).
func PrecisionRecall(real, generated Table, k int) (precision, recall float64, err error) {
	if err := pairable(real, generated); err != nil {
		return 0, 0, err
	}
	if least := min(real.N, generated.N); k < 1 || k >= least {
		return 0, 0, inputf("neighbour %d of %d rows, want 1 to %d", k, least, least-1)
	}
	return covered(generated, real, radii(real, k)), covered(real, generated, radii(generated, k)), nil
}

// radii are the distances of rows to their k-th nearest other row.
func radii(t Table, k int) []float64 {
	r, distances := make([]float64, t.N), make([]float64, t.N-1)
	for i := range r {
		for j := range t.N {
			if j < i {
				distances[j] = floats.Distance(t.Row(i), t.Row(j), 2)
			} else if j > i {
				distances[j-1] = floats.Distance(t.Row(i), t.Row(j), 2)
			}
		}
		slices.Sort(distances)
		r[i] = distances[k-1]
	}
	return r
}

// covered is the share of rows within a ball.
func covered(rows, centers Table, radius []float64) float64 {
	n := 0
	for i := range rows.N {
		for j, r := range radius {
			if floats.Distance(rows.Row(i), centers.Row(j), 2) <= r {
				n++
				break
			}
		}
	}
	return float64(n) / float64(rows.N)
}
